/** Language models in the layout of transformers.js: it loads them, and says and writes what our own runtime does. */
import { cpSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cached, inTemporaryFolder } from './cache.mjs'
import { installPackages, run } from './commands.mjs'
import { pythonEnvironment } from './python-environment.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const packages = ['@huggingface/transformers@4.3.1']
const checker = 'import onnx, sys; onnx.checker.check_model(sys.argv[1], full_check=True)'

export async function transformers(check) {
  // It brings an onnxruntime of its own, so it runs in a process of its own, where nothing of ours is found.
  const installed = await check('transformers.js from the npm registry', () => cached('transformers', { packages }, (unfinished) => installPackages(unfinished, packages)))
  const interpreter = await check('Python with onnx', pythonEnvironment)
  await inTemporaryFolder('transformers', async (folder) => {
    const kinds = await check('small language models, trained and exported', () => run(process.execPath, [join(here, 'export-for-transformers.mjs'), folder]))
    cpSync(join(here, 'transformers-replay.mjs'), join(installed, 'transformers-replay.mjs'))
    for (const kind of kinds.trim().split('\n')) {
      await check(`onnx.checker: ${kind}`, () => run(interpreter, ['-c', checker, join(folder, kind, 'onnx/model.onnx')]), { endsPart: false })
      const found = await check(`loaded by transformers.js: ${kind}`, () => run(process.execPath, ['transformers-replay.mjs', folder, kind], { cwd: installed }), { endsPart: false })
      if (found) console.log(`    ${found.trim()}`)
    }
  })
}
