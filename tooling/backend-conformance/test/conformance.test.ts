/** tfjs-core's own backend tests against the recorder's kernels; see docs/backend-conformance.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { kernels } from '@chainrule/onnx'
import { describe, expect, it } from 'vitest'
import { loadBundle, operationTests } from '../src/bundle.js'
import { alsoRun, lacking, neverCalled, withoutKernels } from '../src/claims.js'
import { type Environment, registerEnvironment } from '../src/eager-recording.js'
import { type Exclusion, exclusions } from '../src/exclusions.js'
import { Jasmine } from '../src/jasmine.js'
import { countsOf, render, testsOfKernels } from '../src/report.js'

const page = fileURLToPath(new URL('../../../docs/backend-conformance.md', import.meta.url))
const isLong = process.env.CHAINRULE_LONG === '1'

/** Both targets, and both ways of what is written; all four together in the long run. */
const environments: readonly Environment[] = [
  { name: 'onnxruntime-inputs', target: 'onnxruntime', written: 'as inputs' },
  { name: 'standard-constants', target: 'standard', written: 'as constants' },
  ...(isLong
    ? ([
        { name: 'onnxruntime-constants', target: 'onnxruntime', written: 'as constants' },
        { name: 'standard-inputs', target: 'standard', written: 'as inputs' },
      ] as const)
    : []),
]
/** What the page says of them, the same in the long run. */
const described = ['for onnxruntime, numbers fed as inputs', 'as standard ONNX, numbers as constants']

const refused = new Set([...Object.keys(lacking), ...withoutKernels])
const files = [...operationTests().filter((file) => !refused.has(file)), ...alsoRun]

const keysOf = ({ tests }: Exclusion) => Object.entries(tests).flatMap(([file, names]) => names.map((name) => `${file} ${name}`))
const excluded = new Map(exclusions.flatMap((exclusion) => keysOf(exclusion).map((key) => [key, exclusion] as const)))
const names = environments.map(({ name }) => name)
const jasmine = new Jasmine({ environments: names, exclusionOf: (file, name) => excluded.get(`${file} ${name}`) })
jasmine.install()
for (const environment of environments) registerEnvironment(environment, (kernel) => jasmine.ran(kernel))
const bundle = await loadBundle(files)
bundle.setTestEnvs(names.map((name) => ({ name, backendName: name, flags: {}, isDataSync: true })))
for (const file of files) await jasmine.load(file, bundle.files[file])

// vitest runs groups in their order: all tests of tfjs-core have run when these do.
describe('the claims', () => {
  const all = () => [...jasmine.specifications.values()]

  it('names every test file of the operations, and no other, as run or refused', () => {
    const known = new Set(operationTests())
    expect([...refused].filter((file) => !known.has(file))).toEqual([])
  })
  it('refuses files only for kernels that the recorder lacks', () => {
    for (const [file, names] of Object.entries(lacking)) expect(names.filter((name) => name in kernels), file).toEqual([])
  })
  it('runs kernels in every file that it runs', () => {
    const idle = files.filter((file) => !all().some((one) => one.file === file && one.kernels.size > 0))
    expect(idle).toEqual([])
  })
  it('excludes only tests that are there, each once', () => {
    expect([...excluded.keys()].filter((key) => !jasmine.specifications.has(key))).toEqual([])
    expect(excluded.size).toBe(exclusions.flatMap(keysOf).length)
  })
  it('runs every test in every environment', () => {
    expect(all().filter(({ registered }) => registered !== environments.length).map(({ file, name }) => `${file} ${name}`)).toEqual([])
  })
  it('has a passing test for every kernel that tfjs calls', () => {
    expect([...testsOfKernels(all())].filter(([, count]) => count === 0).map(([kernel]) => kernel)).toEqual(neverCalled)
  })
  it('says in docs/backend-conformance.md what it saw', () => {
    const { passed, excluded, failed, files } = countsOf(all())
    console.log(`Backend conformance: ${passed} tests of ${files} files passed in ${environments.length} environments, ${excluded} not claimed, ${failed} failed.`)
    const text = render(all(), described)
    if (process.env.CHAINRULE_DOCUMENT === '1') writeFileSync(page, text)
    expect(readFileSync(page, 'utf8'), 'docs/backend-conformance.md is out of date: run `npm run document` in tooling/backend-conformance').toBe(text)
  })
})
