/**
 * Exports small language models in the layout of transformers.js, and what our own runtime says of them.
 *
 *   node export-for-transformers.mjs FOLDER      writes FOLDER/<kind> and FOLDER/<kind>.json; prints the kinds, one a line
 *
 * FOLDER/<kind>.json: { texts: [{ prompt, tokens, logProbabilities, greedy }], length }: log p of every value of the token after the
 * prompt, and the likeliest text after it, token by token.
 */
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** The laws depend on every package, so that their folder is where all of them are found. */
const require = createRequire(fileURLToPath(new URL('../laws/package.json', import.meta.url)))
const load = (name) => import(pathToFileURL(require.resolve(name)))
const text = await load('@chainrule/text')

const folder = process.argv[2]
if (!folder) {
  console.error('usage: node export-for-transformers.mjs FOLDER')
  process.exit(2)
}

const words = 'she sells sea shells by the sea shore , . é 你好 '.repeat(30)
const names = ['anna', 'bob', 'hannah', 'otto', 'ava', 'nan'].flatMap((name) => Array(20).fill(name))
const training = { steps: 80, batchSize: 8, seed: 1, learningRate: 1e-2, window: 24 }
/** Several times the context, so that the band of attention shows. */
const length = 40
const network = text.transformer({ layers: 2, heads: 2, width: 16, context: 12 })
const head = text.categorical({ tied: true })

const kinds = {
  character: { tokenizer: text.character({ characters: words }), data: words, prompts: ['', 'she ', 'sea shells by the sea'] },
  byte: { tokenizer: text.byte(), data: words, prompts: ['', 'she s', 'by é , .'] },
  'byte-pair': { tokenizer: text.trainBytePair(words, { vocabulary: 270 }), data: words, prompts: ['', 'she sells', ' the sea shore 你'] },
  documents: { tokenizer: text.character({ characters: names.join('') }), documents: true, data: names, prompts: ['', 'h', 'ot'] },
}

/** log p of every value after these tokens: each value scored in its place. */
async function after(opened, tokens) {
  const { values } = opened.manifest.domain
  const size = tokens.length + 1
  const x = Int32Array.from({ length: values * size }, (_, at) => (at % size === tokens.length ? Math.floor(at / size) : tokens[at % size]))
  const nats = await opened.score({ x, length: size })
  return Array.from({ length: values }, (_, value) => -nats[value * size + tokens.length])
}

for (const [kind, { tokenizer, documents = false, data, prompts }] of Object.entries(kinds)) {
  const trained = await text.fit(text.textModel({ tokenizer, network, head, documents }), data, training)
  await text.exportModel(trained, join(folder, kind), { layout: 'transformers.js' })
  const { opened, release } = await text.openTrained(trained, { provider: 'cpu' })
  const { end } = opened.manifest.domain
  const texts = []
  for (const prompt of prompts) {
    const tokens = [...tokenizer.encode(prompt)]
    const logProbabilities = await after(opened, tokens)
    const greedy = []
    while (greedy.length < length && !(greedy.length && greedy.at(-1) === end)) {
      const next = await after(opened, [...tokens, ...greedy])
      greedy.push(next.indexOf(Math.max(...next)))
    }
    texts.push({ prompt, tokens, logProbabilities, greedy })
  }
  await release()
  writeFileSync(join(folder, `${kind}.json`), JSON.stringify({ texts, length }))
  console.log(kind)
}
