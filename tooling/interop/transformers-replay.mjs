/**
 * Loads what was exported for transformers.js with transformers.js and none of our code, and compares with what our runtime said.
 *
 *   node transformers-replay.mjs FOLDER KIND      runs where @huggingface/transformers is installed; prints what it found
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AutoModelForCausalLM, AutoTokenizer, env, pipeline } from '@huggingface/transformers'

const [folder, kind] = process.argv.slice(2)
env.allowRemoteModels = false
env.localModelPath = `${folder}/`
const { texts, length } = JSON.parse(readFileSync(join(folder, `${kind}.json`), 'utf8'))
const tolerance = 1e-4

function require(holds, what) {
  if (!holds) throw new Error(`${kind}: ${what}`)
}

const tokenizer = await AutoTokenizer.from_pretrained(kind)
const model = await AutoModelForCausalLM.from_pretrained(kind)
const start = tokenizer.bos_token_id

let largest = 0
for (const { prompt, tokens, logProbabilities } of texts) {
  const inputs = tokenizer(prompt)
  const ids = [...inputs.input_ids.data].map(Number)
  require(JSON.stringify(ids) === JSON.stringify([start, ...tokens]), `${JSON.stringify(prompt)} has the tokens ${ids}, expected ${[start, ...tokens]}`)
  require(tokenizer.decode(ids, { skip_special_tokens: true }) === prompt, `${JSON.stringify(prompt)} comes back as ${JSON.stringify(tokenizer.decode(ids, { skip_special_tokens: true }))}`)
  const { logits } = await model(inputs)
  const last = logits.data.subarray(logits.data.length - logits.dims[2])
  logProbabilities.forEach((value, v) => (largest = Math.max(largest, Math.abs(last[v] - value))))
  require(largest <= tolerance, `log-probabilities after ${JSON.stringify(prompt)} differ by ${largest}`)
}

/** What a text of ours is as transformers.js returns it: the prompt, what follows, without the end. */
const whole = ({ prompt, greedy }) => prompt + tokenizer.decode(greedy, { skip_special_tokens: true })
const generate = await pipeline('text-generation', kind)
const options = { max_new_tokens: length, do_sample: false }
for (const expected of texts) {
  const [{ generated_text: text }] = await generate(expected.prompt, options)
  require(text === whole(expected), `after ${JSON.stringify(expected.prompt)} comes ${JSON.stringify(text)}, expected ${JSON.stringify(whole(expected))}`)
}
// Rows of different lengths, padded at the left.
const rows = await generate(texts.map(({ prompt }) => prompt), options)
rows.forEach(([{ generated_text: text }], which) => require(text === whole(texts[which]), `in a batch, ${JSON.stringify(texts[which].prompt)} becomes ${JSON.stringify(text)}, expected ${JSON.stringify(whole(texts[which]))}`))
console.log(`log-probabilities within ${largest.toExponential(1)}; ${texts.length} greedy texts alone and in a batch`)
