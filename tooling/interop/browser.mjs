/** Exported models in a browser: bundled by esbuild, on onnxruntime-web, in Chromium, with the numbers that Node has. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { dirname, extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cached, inTemporaryFolder, root } from './cache.mjs'
import { chromium, quietFlags, webgpuFlags } from './chromium.mjs'
import { installPackages, run } from './commands.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const npmPackages = ['onnxruntime-web@1.30.0', 'playwright-core@1.65.1', 'esbuild@0.27.7']
/** What a page installs. */
const packages = ['core', 'runtime', 'modality', 'text', 'image', 'audio']
const types = { '.html': 'text/html', '.js': 'text/javascript', '.json': 'application/json', '.wasm': 'application/wasm' }

/** The page with its bundle and onnxruntime-web's .wasm files, as a user's bundler and web server would have them. */
async function bundlePage(installed, folder) {
  const project = join(installed, `run-${process.pid}`)
  for (const name of packages) {
    for (const content of ['package.json', 'dist']) cpSync(join(root, 'packages', name, content), join(project, 'node_modules/@chainrule', name, content), { recursive: true })
  }
  try {
    cpSync(join(here, 'browser-page.mjs'), join(project, 'page.mjs'))
    const { build } = createRequire(join(installed, 'package.json'))('esbuild')
    const { warnings, metafile } = await build({ entryPoints: [join(project, 'page.mjs')], bundle: true, splitting: true, format: 'esm', platform: 'browser', minify: true, outdir: folder, metafile: true, logLevel: 'silent' })
    if (warnings.length) throw new Error(`expected no warning, got:\n${warnings.map(({ text }) => text).join('\n')}`)
    const kib = (bytes) => `${Math.round(bytes / 1024)} KiB`
    const sizes = Object.entries(metafile.outputs).map(([path, { bytes }]) => `${path.split('/').at(-1)} ${kib(bytes)}`)
    for (const name of readdirSync(join(installed, 'node_modules/onnxruntime-web/dist'))) {
      if (/^ort-wasm-simd-threaded(\.asyncify)?\.(wasm|mjs)$/.test(name)) cpSync(join(installed, 'node_modules/onnxruntime-web/dist', name), join(folder, name))
    }
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>chainrule</title><script type="module" src="page.js"></script>')
    return sizes.join(', ')
  } finally {
    rmSync(project, { recursive: true })
  }
}

/** A server on 127.0.0.1 whose pages may use threads. */
async function serve(folder) {
  const server = createServer((request, response) => {
    const path = join(folder, normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname)))
    const file = path.endsWith('/') ? `${path}index.html` : path
    const isFile = statSync(file, { throwIfNoEntry: false })?.isFile()
    response.writeHead(isFile ? 200 : 404, {
      'Content-Type': types[extname(file)] ?? 'application/octet-stream',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    })
    response.end(isFile ? readFileSync(file) : undefined)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => new Promise((resolve) => server.close(resolve)) }
}

const most = (differences) => Math.max(...differences.map(Math.abs))

/** @throws {Error} where the page computes something else than Node */
function requireAgreement(result, expected, reason) {
  if (result.error) throw new Error(result.error)
  if (!reason.test(result.reason)) throw new Error(`expected a reason like ${reason}, got "${result.reason}".`)
  const natsApart = most(result.nats.map((value, at) => value - expected.nats[at]))
  if (result.nats.length !== expected.nats.length || !(natsApart <= 1e-4)) throw new Error(`score: ${natsApart} nats apart from Node, expected at most 1e-4.`)
  if (!(result.distance <= 1e-5)) throw new Error(`replay: a distance of ${result.distance}, expected at most 1e-5.`)
  if (String(result.streamed) !== String(result.sampled)) throw new Error(`stream: expected the sample ${JSON.stringify(result.sampled)}, got ${JSON.stringify(result.streamed)}.`)
  if (String(result.sampled) !== String(expected.sampled)) throw new Error(`sample: expected Node's ${JSON.stringify(expected.sampled)}, got ${JSON.stringify(result.sampled)}.`)
  return `${result.reason}; ${natsApart.toExponential(1)} nats and a distance of ${result.distance.toExponential(1)} apart; opened in ${Math.round(result.openedMs)} ms`
}

export async function browser(check) {
  const executablePath = await check('Chromium', chromium)
  const installed = await check(npmPackages.join(', '), () => cached('browser', npmPackages, (folder) => installPackages(folder, npmPackages)))
  const { chromium: launcher } = createRequire(join(installed, 'package.json'))('playwright-core')
  await inTemporaryFolder('browser', async (folder) => {
    const site = join(folder, 'site')
    mkdirSync(site)
    console.log(`    ${await check('the page, bundled without a warning', () => bundlePage(installed, site))}`)
    await check('small models of text, images and sounds, exported and sampled', () => run(process.execPath, [join(here, 'browser-model.mjs'), site]))
    const expected = JSON.parse(readFileSync(join(site, 'expected.json'), 'utf8'))
    cpSync(join(site, 'model'), join(site, 'damaged'), { recursive: true })
    const weights = readFileSync(join(site, 'damaged/weights.safetensors'))
    weights[weights.length - 1] ^= 1
    writeFileSync(join(site, 'damaged/weights.safetensors'), weights)

    const server = await serve(site)
    try {
      await inChromium(check, { launcher, executablePath, folder, flags: quietFlags }, (page) => withoutWebgpu(check, page, server.origin, expected))
      await inChromium(check, { launcher, executablePath, folder, flags: [...quietFlags, ...webgpuFlags] }, (page) => withWebgpu(check, page, server.origin, expected))
    } finally {
      await server.close()
    }
  })
}

/** Calls `action` with a function that calls one of the page's by name, each time in a fresh page. */
async function inChromium(check, { launcher, executablePath, folder, flags }, action) {
  const profile = mkdtempSync(join(folder, 'profile-'))
  const context = await check(`Chromium starts${flags === quietFlags ? '' : ', with WebGPU'}`, () => launcher.launchPersistentContext(profile, { executablePath, headless: true, args: flags }))
  try {
    await action(async (origin, name, request) => {
      const page = await context.newPage()
      try {
        await page.goto(`${origin}/`)
        await page.waitForFunction(() => globalThis.runModel)
        return await page.evaluate(([name, request]) => globalThis[name](request), [name, request])
      } finally {
        await page.close()
      }
    })
  } finally {
    await context.close()
  }
}

async function agrees(check, what, run, expected, reason) {
  const line = await check(what, async () => requireAgreement(await run(), expected, reason), { endsPart: false })
  if (line) console.log(`    ${line}`)
}

async function withoutWebgpu(check, inPage, origin, expected) {
  const agree = (what, request, reason, name = 'runModel') => agrees(check, what, () => inPage(origin, name, { program: 'runModel', ...request, expected }), expected, reason)
  await agree('a directory by its address', { address: 'model', options: { provider: 'cpu' } }, /^cpu, as asked$/)
  await agree('a single file', { address: `${origin}/model.onnx`, options: { provider: 'cpu' } }, /^cpu, as asked$/)
  await agree('two threads', { address: 'model', options: { provider: 'cpu', threads: 2 } }, /^cpu, as asked$/)
  await agree('in a web worker', { address: `${origin}/model/`, options: { provider: 'cpu' } }, /^cpu, as asked$/, 'runInWorker')
  const agreeOnImages = (what, name) => agrees(check, what, () => inPage(origin, name, { address: `${origin}/images/`, options: { provider: 'cpu' }, program: 'runImageModel', expected }), expected.images, /^cpu, as asked$/)
  await agreeOnImages('images of real values, with labels', 'runImageModel')
  await agreeOnImages('the same in a web worker', 'runInWorker')
  await agrees(check, 'sounds that end', () => inPage(origin, 'runSoundModel', { address: `${origin}/sounds/`, options: { provider: 'cpu' }, expected }), expected.sounds, /^cpu, as asked$/)
  await agree('where there is no WebGPU', { address: 'model' }, /^cpu: (WebGPU finds no adapter|this browser has no WebGPU)/)
  const refuses = (what, request, message) =>
    check(
      what,
      async () => {
        const { error } = await inPage(origin, 'runModel', { ...request, expected })
        if (!message.test(error)) throw new Error(`expected an error like ${message}, got ${error}.`)
      },
      { endsPart: false },
    )
  await refuses('a damaged file is refused', { address: 'damaged' }, /^InvalidModelError: .*damaged\/weights\.safetensors.*SHA-256/)
  await refuses('WebGPU is refused', { address: 'model', options: { provider: 'webgpu' } }, /^UnavailableError: .*webgpu.*Use the provider 'cpu' or 'auto'/)
  await refuses('CUDA is refused', { address: 'model', options: { provider: 'cuda' } }, /^UnavailableError: .*cuda.*Use the provider 'cpu' or 'auto'/)
  await refuses("Node's worker is refused", { address: 'model', options: { worker: true } }, /^UnsupportedError: .*web worker of your own/)
}

async function withWebgpu(check, inPage, origin, expected) {
  await agrees(check, 'WebGPU where there is an adapter', () => inPage(origin, 'runModel', { address: 'model', expected }), expected, /^webgpu: it works here$/)
}
