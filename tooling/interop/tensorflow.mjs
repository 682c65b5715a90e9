/**
 * The engine on @tensorflow/tfjs-node against the eager engine on plain JavaScript. The package's own install script
 * downloads from outside of the registries, so its native binding is compiled here: its sources come with the package, the
 * C library and its headers with PyPI's tensorflow_cpu. The check runs in a project that has one tfjs-core, as at a user's.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cached, root } from './cache.mjs'
import { installPackages, run } from './commands.mjs'
import { nodeBinary, versions } from './node-versions.mjs'
import { pythonEnvironment } from './python-environment.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const wheel = { requirement: 'tensorflow-cpu==2.21.0', python: '3.13', platform: 'manylinux_2_27_x86_64' }
const npmPackages = ['@tensorflow/tfjs-core@4.22.0', '@tensorflow/tfjs-backend-cpu@4.22.0', '@tensorflow/tfjs-node@4.22.0', 'node-api-headers@1.9.0']
const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']
const headers = ['tensorflow/c/', 'tensorflow/core/platform/ctstring', 'tsl/', 'xla/tsl/'].map((path) => `tensorflow/include/${path}`)
/** What a user of the engine installs, and what trains on it. */
const packages = ['core', 'networks', 'train', 'tensorflow']

/** A folder with node_modules, tfjs_binding.node, and the libraries that it links to in lib/. */
async function compiledBinding() {
  return cached('tensorflow', { wheel, npmPackages }, async (folder) => {
    const python = await pythonEnvironment()
    await installPackages(folder, npmPackages)
    const download = ['download', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:', '--python-version', wheel.python, '--platform', wheel.platform]
    await run(python, ['-m', 'pip', ...download, '--dest', folder, wheel.requirement])
    const [file] = readdirSync(folder).filter((name) => name.endsWith('.whl'))
    await run(python, [join(here, 'extract-wheel.py'), join(folder, file), folder, ...libraries.map((name) => `tensorflow/${name}`), ...headers])
    mkdirSync(join(folder, 'lib'))
    for (const name of libraries) renameSync(join(folder, 'tensorflow', name), join(folder, 'lib', name))
    const sources = join(folder, 'node_modules/@tensorflow/tfjs-node/binding')
    const include = [join(folder, 'node_modules/node-api-headers/include'), join(folder, 'tensorflow/include')].flatMap((path) => ['-isystem', path])
    await run('g++', [
      ...['-O2', '-std=c++17', '-fPIC', '-shared', '-w', '-DNAPI_VERSION=8', ...include],
      ...readdirSync(sources).filter((name) => name.endsWith('.cc')).map((name) => join(sources, name)),
      // Both libraries are needed at run time, though the linker sees use of one only.
      ...['-Wl,--no-as-needed', `-L${join(folder, 'lib')}`, ...libraries.map((name) => `-l:${name}`), '-Wl,-rpath,$ORIGIN/lib', '-o', join(folder, 'tfjs_binding.node')],
    ])
    rmSync(join(folder, file))
    rmSync(join(folder, 'tensorflow'), { recursive: true })
  })
}

/** A project inside the folder, with the built packages as if they had been installed beside @tensorflow/tfjs-node. */
function makeProject(folder) {
  const project = mkdtempSync(join(folder, 'run-'))
  for (const name of packages) {
    for (const content of ['package.json', 'dist']) cpSync(join(root, 'packages', name, content), join(project, 'node_modules/@chainrule', name, content), { recursive: true })
  }
  cpSync(join(here, 'tensorflow-equality.mjs'), join(project, 'tensorflow-equality.mjs'))
  return project
}

export async function tensorflow(check) {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error(`The wheel ${wheel.platform} is for Linux on x86-64, this is ${process.platform} ${process.arch}. Run the other parts by name.`)
  const folder = await check('the native binding, compiled against the library of tensorflow_cpu', compiledBinding)
  const project = makeProject(folder)
  try {
    const environment = { CHAINRULE_TENSORFLOW_BINDING: join(folder, 'tfjs_binding.node'), TF_CPP_MIN_LOG_LEVEL: '2' }
    const compare = (node) => run(node, ['tensorflow-equality.mjs'], { cwd: project, environment })
    const differences = await check(`tensorflow = eager, Node ${process.versions.node}`, () => compare(process.execPath), { endsPart: false })
    if (differences) console.log(`    largest relative differences:\n${differences.trimEnd().replaceAll(/^/gm, '      ')}`)
    // Since Node 23, @tensorflow/tfjs-node runs only because the engine restores functions that Node removed.
    const newest = versions.at(-1)
    await check(`tensorflow = eager, Node ${newest}`, async () => compare(await nodeBinary(newest)), { endsPart: false })
  } finally {
    rmSync(project, { recursive: true })
  }
}
