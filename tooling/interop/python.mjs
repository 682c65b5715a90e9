/** Exported models in Python: onnx checks the files, onnxruntime replays what our runtime drew, with none of our code. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inTemporaryFolder } from './cache.mjs'
import { run } from './commands.mjs'
import { pythonEnvironment } from './python-environment.mjs'

const here = dirname(fileURLToPath(import.meta.url))

const ways = ['step.onnx', 'sample.onnx', 'the single file']

/** replay.py prints one line of JSON for each check. @throws {Error} where one failed, or something was not replayed */
function requireReplays(output) {
  const checks = output.trim().split('\n').map((line) => JSON.parse(line))
  const failed = checks.filter(({ passed }) => passed !== true)
  const missing = ways.filter((way) => !checks.some(({ check }) => check.endsWith(`replay by ${way}`)))
  if (failed.length || missing.length) throw new Error(`expected replays by ${ways.join(', ')} and no failure, got:\n${(failed.length ? failed : checks).map((check) => JSON.stringify(check)).join('\n')}`)
}

/** The program for Python in a model's README.md. @throws {Error} where there is none */
function programIn(readme) {
  const [, program] = /```python\n([^`]*)```/.exec(readFileSync(readme, 'utf8')) ?? []
  if (!program) throw new Error(`${readme} shows no program for Python.`)
  return program
}

export async function python(check) {
  const interpreter = await check('Python with onnx, onnxruntime and numpy', pythonEnvironment)
  await inTemporaryFolder('python', async (folder) => {
    const kinds = await check('small models of each kind, exported and sampled', () => run(process.execPath, [join(here, 'export-models.mjs'), folder]))
    for (const kind of kinds.trim().split('\n')) {
      const replay = () => run(interpreter, [join(here, 'replay.py'), join(folder, kind, 'model'), join(folder, kind, 'sequences.json'), '--single', join(folder, kind, 'single/model.onnx')])
      const model = join(folder, kind, 'model')
      await check(`README.md's program in Python: ${kind}`, () => run(interpreter, ['-W', 'error', '-c', programIn(join(model, 'README.md'))], { cwd: model }), { endsPart: false })
      await check(`replayed in Python: ${kind}`, async () => requireReplays(await replay()), { endsPart: false })
    }
  })
}
