/**
 * The workspace's commands, from a clone with only Node and npm: every one installs and builds what is missing first.
 *
 *   npm start | npm test | npm run test:interop | npm run test:long | npm run setup | build | lint | benchmark
 *
 * pnpm is pinned here and fetched through npx; nothing is installed outside this folder.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const pnpmVersion = '10.34.9'
const environment = {
  ...process.env,
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  ORT_DISABLE_TELEMETRY: '1',
  ONNXRUNTIME_NODE_INSTALL: 'skip',
  npm_config_update_notifier: 'false',
}

const [command, ...rest] = process.argv.slice(2)
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`chainrule needs Node 20.19 or newer, this is ${process.versions.node}. Install a current Node and run the command again.`)
  process.exit(1)
}

/** Runs one program in the root and stops everything with its exit code if it fails. */
function run(program, args, { quiet = false } = {}) {
  const result = spawnSync(program, args, {
    cwd: root,
    env: environment,
    stdio: quiet ? ['inherit', 'pipe', 'pipe'] : 'inherit',
    shell: process.platform === 'win32',
  })
  if (result.error) throw result.error
  if (result.status !== 0) {
    if (quiet) process.stderr.write(`${result.stdout}${result.stderr}`)
    process.exit(result.status ?? 1)
  }
}

const pnpm = (args, options) => run('npx', ['--yes', `pnpm@${pnpmVersion}`, ...args], options)
// Through pnpm, because turbo looks for the package manager on the PATH.
const turbo = (args, options) => pnpm(['exec', 'turbo', 'run', ...args], options)
const node = (args) => run(process.execPath, args)

function install(quiet) {
  pnpm(['install', '--frozen-lockfile', '--prefer-offline'], { quiet })
}

function lint() {
  node([join(root, 'node_modules/oxlint/bin/oxlint'), '--deny-warnings'])
  node(['tooling/lint/package-graph.mjs'])
}

const commands = {
  setup() {
    install(false)
    turbo(['build'])
  },
  build() {
    turbo(['build'])
  },
  lint,
  start() {
    console.error('Installing …')
    install(true)
    console.error('Building …')
    turbo(['build', '--output-logs=errors-only', '--filter=@chainrule/demo'], { quiet: true })
    node(['apps/demo/bin/chainrule.js', 'demo', ...rest])
  },
  test() {
    install(false)
    turbo(['build', 'typecheck', '--output-logs=errors-only'])
    lint()
    turbo(['test', '--output-logs=new-only', '--concurrency=2', ...rest])
  },
  interop() {
    install(false)
    turbo(['build', '--output-logs=errors-only'])
    node(['tooling/interop/run.mjs', ...rest])
  },
  long() {
    install(false)
    environment.CHAINRULE_LONG = '1'
    turbo(['test:long', ...rest])
  },
  benchmark() {
    const [name, ...options] = rest
    if (!existsSync(join(root, 'benchmarks', `${name}.mjs`))) {
      console.error('Usage: npm run benchmark -- NAME [options], NAME one of: training, parallel, nanogpt, generation, guesses, audio, images. Each file in benchmarks/ says what it measures.')
      process.exit(2)
    }
    install(true)
    turbo(['build', '--output-logs=errors-only'], { quiet: true })
    node([`benchmarks/${name}.mjs`, ...options])
  },
}

if (!(command in commands)) {
  console.error(`Unknown command ${command}. Expected one of ${Object.keys(commands).join(', ')}.`)
  process.exit(2)
}
commands[command]()
