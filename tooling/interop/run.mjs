/**
 * Does it work outside of this workspace's own Node? `npm run test:interop [part …]`
 *
 *   python          exported models are replayed by onnxruntime in Python, without any of our code
 *   node-versions   the test suites under other Node versions
 *   tensorflow      the engine on @tensorflow/tfjs-node computes what the eager engine computes
 *
 * Needs Python 3.11 or newer, g++, and the registries of PyPI and npm. What is downloaded and compiled stays in .cache/interop.
 */
import { nodeVersions } from './node-versions.mjs'
import { python } from './python.mjs'
import { createReport } from './report.mjs'
import { tensorflow } from './tensorflow.mjs'

const parts = { python, 'node-versions': nodeVersions, tensorflow }

const asked = process.argv.slice(2)
const unknown = asked.find((name) => !Object.hasOwn(parts, name))
if (unknown !== undefined) {
  console.error(`Unknown part "${unknown}". Expected any of ${Object.keys(parts).join(', ')}; none given: all.`)
  process.exit(2)
}

const report = createReport()
for (const name of asked.length ? asked : Object.keys(parts)) await report.part(name, parts[name])
report.close()
