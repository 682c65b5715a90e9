/** Export a trained model to ONNX, open the files again, and stream a text from them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { categorical, character, exportModel, fit, loadModel, score, stream, textModel, transformer } from '@chainrule/text'

const text = 'She sells sea shells by the sea shore. '.repeat(20)
const model = textModel({
  tokenizer: character({ characters: text }),
  network: transformer({ layers: 1, heads: 2, width: 32, context: 32 }),
  head: categorical({ tied: true }),
})
const trained = await fit(model, text, { steps: 150, learningRate: 0.01, seed: 1 })

const folder = await mkdtemp(join(tmpdir(), 'chainrule-'))
try {
  await exportModel(trained, join(folder, 'shells'))
  const loaded = await loadModel(join(folder, 'shells'))
  console.log(loaded.reason)

  // A stream gives the text piece by piece, as it is drawn.
  process.stdout.write('She sells ')
  for await (const piece of stream(loaded, { prompt: 'She sells ', length: 60, temperature: 0.5 })) process.stdout.write(piece)

  // Exact likelihood, token by token.
  for (const line of ['She sells sea shells', 'shells sell She sea']) console.log(`\n${(await score(loaded, line)).totalNats.toFixed(2)} nats: ${line}`)
  await loaded.release()
} finally {
  await rm(folder, { recursive: true })
}
