/**
 * The tests that tfjs-core ships, as one module: ES modules that Node takes for CommonJS, so they are bundled, with a loader
 * for each test file. tfjs keeps its engine, kernels and gradients in the global scope: the bundle's copy of them and the
 * recorder's are one, and the gradients are those that @chainrule/core brings.
 */
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

/** Loading a file registers its tests with the global `describe` and `it`. */
export interface Bundle {
  readonly setTestEnvs: (environments: readonly { name: string; backendName: string; flags: object; isDataSync: boolean }[]) => void
  readonly files: Readonly<Record<string, () => Promise<unknown>>>
}

const upstream = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-core'))

/** Every test file of tfjs-core's operations: what must be claimed or refused. */
export function operationTests(): string[] {
  return readdirSync(join(upstream, 'ops'))
    .filter((name) => name.endsWith('_test.js'))
    .map((name) => `ops/${name}`)
    .sort()
}

/** Bundles these test files and loads the bundle. */
export async function loadBundle(files: readonly string[]): Promise<Bundle> {
  const entry = [
    `import './public/chained_ops/register_all_chained_ops'`,
    `export { setTestEnvs } from './jasmine_util'`,
    `export const files = {`,
    ...files.map((file) => `  '${file}': () => import('./${file}'),`),
    `}`,
  ]
  // Below node_modules, so that Node loads it as it is.
  const outfile = join(dirname(fileURLToPath(import.meta.url)), '../node_modules/.cache/tests.mjs')
  await build({
    stdin: { contents: entry.join('\n'), resolveDir: upstream },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    logLevel: 'error',
    banner: { js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);` },
    plugins: [
      {
        // jasmine_util asks jasmine for a time limit only; the tests run on vitest.
        name: 'no-jasmine',
        setup: ({ onResolve, onLoad }) => {
          onResolve({ filter: /^jasmine-core/ }, ({ path }) => ({ path, namespace: 'no-jasmine' }))
          onLoad({ filter: /.*/, namespace: 'no-jasmine' }, () => ({ contents: 'module.exports = { core: () => ({}) }' }))
        },
      },
    ],
  })
  return (await import(pathToFileURL(outfile).href)) as Bundle
}
