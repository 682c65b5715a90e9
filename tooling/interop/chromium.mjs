/** A Chromium to test in: the system's, or Debian's package, installed where this may be done. */
import { existsSync } from 'node:fs'
import { run } from './commands.mjs'

const variable = 'CHAINRULE_CHROMIUM'
const usual = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']

/** @returns its path @throws {Error} where there is none and none can be installed */
export async function chromium() {
  const named = process.env[variable]
  if (named && !existsSync(named)) throw new Error(`${variable}: ${named} does not exist.`)
  const found = named ?? usual.find((path) => existsSync(path))
  if (found) return found
  if (process.platform !== 'linux' || process.getuid() !== 0 || !existsSync('/usr/bin/apt-get')) {
    throw new Error(`No Chromium at ${usual.join(', ')}. Install one, or name its path by ${variable}.`)
  }
  await run('apt-get', ['update'], { seconds: 300 })
  await run('apt-get', ['install', '--yes', '--no-install-recommends', 'chromium'], { environment: { DEBIAN_FRONTEND: 'noninteractive' }, seconds: 900 })
  return usual[0]
}

/** Without a graphics card, and without anything that would talk to the network. */
export const quietFlags = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
]

/** WebGPU computed by the processor, in place of a graphics card. */
export const webgpuFlags = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']
