/**
 * What happens beyond the trained context: nats per character of held-out text by position, and the quality of free-running
 * samples by position. Attention is banded to the context C, so nothing but the position itself is new to the model beyond it.
 *
 *   node recipes/beyond-the-context.mjs --data tinyshakespeare.txt --model FOLDER [--model FOLDER …] [--samples 64] [--seed 1]
 *
 * Models: recipes/tinyshakespeare.mjs --preset small --out FOLDER. Results: docs/experiments/beyond-the-context.md.
 *
 * Text:    the held-out 10 % in sequences of 8 C characters, the one before each given, in one reading ("band"); the same characters read in
 *          windows of C that begin every C / 4 characters, of which the last quarter counts ("windows": never beyond the context).
 * Samples: 8 C characters from the start at temperature 1, in one go ("band"), and by pieces of C / 2 after the last C / 2 ("windows").
 *   self   nats under the model itself
 *   judge  nats under a character 6-gram model of the training text (Witten and Bell 1991); real text of the same kind beside it
 *   words  share of words (runs of letters of at least 3) that the training text has
 */
import { parseArgs } from 'node:util'
import { loadModel, readText, splitHeldOut } from '@chainrule/text'

const { values } = parseArgs({ options: { data: { type: 'string' }, model: { type: 'string', multiple: true }, samples: { type: 'string', default: '64' }, seed: { type: 'string', default: '1' } } })
if (!values.data || !values.model) {
  console.error('Usage: node recipes/beyond-the-context.mjs --data tinyshakespeare.txt --model FOLDER [--model FOLDER …] [--samples 64] [--seed 1]')
  process.exit(2)
}
const [count, seed] = [Number(values.samples), Number(values.seed)]
const text = await readText(values.data)
const { begin } = splitHeldOut(text, 0.1)

/** −log p of each character of a text, given up to 5 before it: orders 0 … 5 blended by how many different characters followed. */
function judgeOf(training) {
  const orders = 6
  const alphabet = new Set(text).size
  const followers = Array.from({ length: orders }, () => new Map())
  for (let at = 0; at < training.length; at++) {
    for (let n = 0; n < orders && n <= at; n++) {
      const key = training.slice(at - n, at)
      const entry = followers[n].get(key) ?? { total: 0, counts: new Map() }
      followers[n].set(key, entry)
      entry.total++
      entry.counts.set(training[at], (entry.counts.get(training[at]) ?? 0) + 1)
    }
  }
  return (told) =>
    Float64Array.from({ length: told.length }, (_, at) => {
      let p = 1 / alphabet
      for (let n = 0; n < orders && n <= at; n++) {
        const entry = followers[n].get(told.slice(at - n, at))
        if (entry) p = ((entry.counts.get(told[at]) ?? 0) + entry.counts.size * p) / (entry.total + entry.counts.size)
      }
      return -Math.log(p)
    })
}
const judge = judgeOf(text.slice(0, begin))
const wordsOf = (part) => [...part.matchAll(/[A-Za-z]{3,}/g)]
const vocabulary = new Set(wordsOf(text.slice(0, begin)).map(([word]) => word))

/** Ends of the ranges of positions, in contexts. */
const ends = [0.25, 0.5, 1, 2, 4, 8]
const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length
const deviation = (list) => Math.sqrt(mean(list.map((value) => (value - mean(list)) ** 2)))
/** Mean over rows of the mean over each range of positions, and its standard error. */
const byRange = (rows, C) =>
  ends.map((end, i) => {
    const means = rows.map((row) => mean([...row.slice((ends[i - 1] ?? 0) * C, end * C)]))
    return `${mean(means).toFixed(3)} ± ${(deviation(means) / Math.sqrt(rows.length)).toFixed(3)}`
  })
const rowsOf = (array, length) => Array.from({ length: array.length / length }, (_, row) => array.subarray(row * length, (row + 1) * length))
const print = (label, cells) => console.log(`| ${[label, ...cells].join(' | ')} |`)

/** Share of known words that begin in each range. */
const knownWords = (texts, C) =>
  ends.map((end, i) => {
    const inRange = texts.flatMap((one) => wordsOf(one).filter(({ index }) => index >= (ends[i - 1] ?? 0) * C && index < end * C))
    return (inRange.filter(([word]) => vocabulary.has(word)).length / inRange.length).toFixed(3)
  })

for (const path of values.model) {
  const { opened, tokenizer, manifest, release } = await loadModel(path, { provider: 'cpu' })
  const C = manifest.network.options.context
  const length = 8 * C
  console.log(`\n${path}: context ${C}, trained ${manifest.card.training.updates} updates, seed ${manifest.card.training.seed}\n`)
  print('positions', ends.map((end, i) => `${(ends[i - 1] ?? 0) * C + 1} … ${end * C}`))
  print('---', ends.map(() => '---'))

  const tokens = tokenizer.encode(text.slice(begin - 1))
  const sequences = Math.floor((tokens.length - 1) / length)
  const x = tokens.slice(1, 1 + sequences * length)
  const previous = Int32Array.from({ length: sequences }, (_, row) => tokens[row * length])
  print('text, band', byRange(rowsOf(await opened.score({ x, length, previous }), length), C))

  // A window for each quarter of a context; the first ones of a sequence are shorter, as for the band.
  const quarter = C / 4
  const windowed = new Float32Array(x.length)
  for (let end = quarter; end <= length; end += quarter) {
    const first = Math.max(0, end - C)
    const windows = Int32Array.from({ length: sequences * (end - first) }, (_, i) => x[Math.floor(i / (end - first)) * length + first + (i % (end - first))])
    const before = Int32Array.from({ length: sequences }, (_, row) => tokens[row * length + first])
    const nats = rowsOf(await opened.score({ x: windows, length: end - first, previous: before }), end - first)
    nats.forEach((row, which) => windowed.set(row.subarray(-quarter), which * length + end - quarter))
  }
  print('text, windows', byRange(rowsOf(windowed, length), C))

  const drawn = await opened.sample({ count, length, seed })
  const free = rowsOf(drawn.values, length)
  const piecewise = []
  for (let sample = 0; sample < count; sample++) {
    let all = new Int32Array(0)
    while (all.length < length) {
      const prompt = all.slice(-C / 2)
      const { values } = await opened.sample({ length: C / 2, prompt, seed: seed + 1 + all.length / (C / 2), firstSample: sample })
      all = Int32Array.of(...all, ...values)
    }
    piecewise.push(all)
  }
  print('samples, band: self', byRange(rowsOf(drawn.nats, length), C))
  const real = rowsOf(x, length).map((row) => tokenizer.decode(row))
  const [band, windows] = [free, piecewise].map((rows) => rows.map((row) => tokenizer.decode(row)))
  for (const [label, texts] of [['held-out text', real], ['samples, band', band], ['samples, windows', windows]]) print(`${label}: judge`, byRange(texts.map(judge), C))
  for (const [label, texts] of [['held-out text', real], ['samples, band', band], ['samples, windows', windows]]) print(`${label}: words`, knownWords(texts, C))
  await release()
}
