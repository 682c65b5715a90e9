/** docs/backend-conformance.md, from what the run saw. */
import { kernels } from '@chainrule/onnx'
import { lacking, neverCalled } from './claims.js'
import { exclusions } from './exclusions.js'
import type { Specification } from './jasmine.js'

/** Kernels of core's own primitives: tfjs has no tests for them. */
export const isPrimitive = (kernel: string): boolean => kernel.startsWith('Chainrule')

const isPassed = ({ exclusion, registered, held }: Specification): boolean => exclusion === undefined && held === registered

export interface Counts {
  readonly files: number
  readonly passed: number
  readonly excluded: number
  readonly failed: number
}

export function countsOf(all: readonly Specification[]): Counts {
  return {
    files: new Set(all.map(({ file }) => file)).size,
    passed: all.filter(isPassed).length,
    excluded: all.filter(({ exclusion }) => exclusion !== undefined).length,
    failed: all.filter((one) => one.exclusion === undefined && !isPassed(one)).length,
  }
}

/** How many passing tests ran each kernel, by kernel. */
export function testsOfKernels(all: readonly Specification[]): Map<string, number> {
  const names = Object.keys(kernels).filter((name) => !isPrimitive(name)).sort()
  const passed = all.filter(isPassed)
  return new Map(names.map((name) => [name, passed.filter(({ kernels: ran }) => ran.has(name)).length]))
}

type Cell = string | number

/** Numbers to the right. */
const table = (head: readonly string[], rows: readonly (readonly Cell[])[]): string[] => [
  `| ${head.join(' | ')} |`,
  `|${head.map((_, i) => (typeof rows[0][i] === 'number' ? '---:' : '---')).join('|')}|`,
  ...rows.map((row) => `| ${row.join(' | ')} |`),
]

const code = (text: string) => (text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``)

export function render(all: readonly Specification[], environments: readonly string[]): string {
  const { files, passed, excluded } = countsOf(all)
  const perFile = [...new Set(all.map(({ file }) => file))].map((file): Cell[] => {
    const own = all.filter((one) => one.file === file)
    const topics = new Set(own.flatMap(({ exclusion }) => exclusion?.topic ?? []))
    return [file, countsOf(own).passed, countsOf(own).excluded, [...topics].join(', ')]
  })
  const lines = [
    '# Conformance of the recording backend',
    '',
    'Written by `npm run document` in `tooling/backend-conformance`; its tests fail where this page is out of date.',
    '',
    `TensorFlow.js ships the tests that its backends have to pass. Here they run against the recorder's kernels: what a test computes is recorded,`,
    `and whatever it reads is evaluated by onnxruntime. Each test runs once for each way a recording can take: ${environments.join('; ')}.`,
    '',
    `**${passed} tests of ${files} files pass; ${excluded} tests in these files are not claimed**: each is listed below with the reason, and must fail with the error that this reason gives.`,
    '',
    '## Kernels',
    '',
    'How many of the passing tests run each kernel. The primitives of `@chainrule/core` are kernels too; tfjs has no tests for them, the laws of `packages/onnx` do.',
    `tfjs itself never calls ${neverCalled.join(' and ')}.`,
    '',
    ...table(['kernel', 'passing tests'], [...testsOfKernels(all)]),
    '',
    '## Test files',
    '',
    ...table(['file', 'passed', 'not claimed', 'why'], perFile),
    '',
    '## Tests not claimed',
    '',
    ...exclusions.flatMap(({ topic, reason, tests }) => [`**${topic}**: ${reason}`, '', ...Object.entries(tests).flatMap(([file, names]) => names.map((name) => `- ${file}: ${code(name)}`)), '']),
    '## Operations not claimed',
    '',
    'Their kernels are not there; a program that uses one is refused with the name of the kernel.',
    '',
    ...table(['file', 'kernels that it needs'], Object.entries(lacking).map(([file, names]) => [file, names.join(', ')])),
    '',
  ]
  return lines.join('\n')
}
