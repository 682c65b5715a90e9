/** What a page gets of the entry points for browsers: bundled without a warning, without tensors, without native code, and small. */
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'

interface Bundled {
  readonly warnings: readonly { readonly text: string }[]
  readonly metafile: { readonly inputs: Record<string, unknown> }
  readonly outputFiles: readonly { readonly contents: Uint8Array }[]
}

/** The bundler is the one that tsup builds with. */
const { build } = createRequire(createRequire(import.meta.url).resolve('tsup'))('esbuild') as { build(options: object): Promise<Bundled> }

/** Minified bytes that an entry point may take; onnxruntime-web, which only `runtime` loads, is not counted. */
const entries: readonly (readonly [name: string, mostBytes: number])[] = [
  ['@chainrule/runtime', 45_000],
  ['@chainrule/text/tokenizers', 22_000],
  ['@chainrule/text/runtime', 60_000],
  ['@chainrule/image/tokenizers', 12_000],
  ['@chainrule/image/runtime', 60_000],
  ['@chainrule/audio/tokenizers', 12_000],
  ['@chainrule/audio/runtime', 60_000],
]

test.each(entries)('%s bundles for a browser', async (name, mostBytes) => {
  const { warnings, metafile, outputFiles } = await build({
    stdin: { contents: `import * as all from '${name}'; globalThis.all = all`, resolveDir: import.meta.dirname },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    external: ['onnxruntime-web/*'],
    minify: true,
    metafile: true,
    write: false,
    logLevel: 'silent',
  })
  expect(warnings).toEqual([])
  expect(Object.keys(metafile.inputs).filter((path) => /tfjs|sharp|onnxruntime-node|packages\/(train|onnx|networks)/.test(path))).toEqual([])
  const bytes = outputFiles.reduce((sum, { contents }) => sum + contents.length, 0)
  console.log(`${name}: ${bytes} bytes`)
  expect(bytes).toBeLessThan(mostBytes)
})
