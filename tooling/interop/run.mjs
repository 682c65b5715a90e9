/**
 * Does it work outside of this workspace's own Node? `npm run test:interop [part …]`
 *
 *   python          exported models are replayed by onnxruntime in Python, without any of our code
 *   browser         exported models run in Chromium, bundled, on onnxruntime-web
 *   node-versions   the test suites under other Node versions
 *   transformers    language models in the layout of transformers.js, loaded and run by it
 *   tensorflow      the engine on @tensorflow/tfjs-node computes what the eager engine computes
 *
 * Needs Python 3.11 or newer, g++, a Chromium (installed by apt-get where it is missing and may be), and the registries of PyPI and npm. What is downloaded and compiled stays in .cache/interop.
 */
import { browser } from './browser.mjs'
import { nodeVersions } from './node-versions.mjs'
import { python } from './python.mjs'
import { createReport } from './report.mjs'
import { tensorflow } from './tensorflow.mjs'
import { transformers } from './transformers.mjs'

const parts = { python, browser, transformers, 'node-versions': nodeVersions, tensorflow }

const asked = process.argv.slice(2)
const unknown = asked.find((name) => !Object.hasOwn(parts, name))
if (unknown !== undefined) {
  console.error(`Unknown part "${unknown}". Expected any of ${Object.keys(parts).join(', ')}; none given: all.`)
  process.exit(2)
}

const report = createReport()
for (const name of asked.length ? asked : Object.keys(parts)) await report.part(name, parts[name])
report.close()
