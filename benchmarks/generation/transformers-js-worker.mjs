/**
 * transformers.js in the generation benchmark; requests and answers as in python_peers.py.
 *
 *   node transformers-js-worker.mjs INSTALLED      the folder in which @huggingface/transformers is installed
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { timed } from '../parts/worker.mjs'

const entry = createRequire(join(resolve(process.argv[2]), 'package.json')).resolve('@huggingface/transformers')
const { AutoModelForCausalLM, env, Tensor } = await import(pathToFileURL(entry.replace('.cjs', '.mjs')))
const { version } = JSON.parse(readFileSync(join(dirname(entry), '..', 'package.json'), 'utf8'))
const ids = (rows) => new Tensor('int64', BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0].length])
const ones = (rows) => ids(rows.map((row) => row.map(() => 1)))

let model
let start
async function answer(request) {
  if (request.open) {
    env.allowRemoteModels = false
    env.localModelPath = `${dirname(request.open.folder)}/`
    model = await AutoModelForCausalLM.from_pretrained(request.open.folder.slice(env.localModelPath.length), { dtype: 'fp32', session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 } })
    start = request.open.values
    return { version }
  }
  if (request.draw) {
    const { count, length } = request.draw
    const rows = Array.from({ length: count }, () => [start])
    const { result, ...times } = await timed(() => model.generate({ inputs: ids(rows), attention_mask: ones(rows), do_sample: true, top_k: 0, max_new_tokens: length, min_new_tokens: length }))
    if (result.dims.join() !== `${count},${length + 1}`) throw new Error(`transformers.js made ${result.dims}, expected ${count},${length + 1}.`)
    return times
  }
  const rows = [[start, ...request.score.slice(0, -1)]]
  const { logits } = await model({ input_ids: ids(rows), attention_mask: ones(rows) })
  return { nats: request.score.map((token, i) => -logits.data[i * (start + 1) + token]) } // its logits are log-probabilities
}

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await answer(JSON.parse(line))))
