/** Exported models in Python: onnx checks the files, onnxruntime replays what our runtime drew, with none of our code. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inTemporaryFolder } from './cache.mjs'
import { run } from './commands.mjs'
import { pythonEnvironment } from './python-environment.mjs'

const here = dirname(fileURLToPath(import.meta.url))

/** replay.py prints one line of JSON for each check. @throws {Error} where one failed, or nothing was replayed */
function requireReplays(output) {
  const checks = output.trim().split('\n').map((line) => JSON.parse(line))
  const failed = checks.filter(({ passed }) => passed !== true)
  const replays = checks.filter(({ check }) => /replay by (step|sample)\.onnx/.test(check))
  if (failed.length || !replays.length) throw new Error(`expected replays and no failure, got:\n${(failed.length ? failed : checks).map((check) => JSON.stringify(check)).join('\n')}`)
}

export async function python(check) {
  const interpreter = await check('Python with onnx, onnxruntime and numpy', pythonEnvironment)
  await inTemporaryFolder('python', async (folder) => {
    const kinds = await check('small models of each kind, exported and sampled', () => run(process.execPath, [join(here, 'export-models.mjs'), folder]))
    for (const kind of kinds.trim().split('\n')) {
      const replay = () => run(interpreter, [join(here, 'replay.py'), join(folder, kind, 'model'), join(folder, kind, 'sequences.json')])
      await check(`replayed in Python: ${kind}`, async () => requireReplays(await replay()), { endsPart: false })
    }
  })
}
