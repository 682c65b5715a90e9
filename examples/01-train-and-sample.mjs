/** Train a language model on a text, measure it on a part that it never saw, and let it write. */
import { fileURLToPath } from 'node:url'
import { character, evaluate, fit, presetModel, presetNamed, readText, sample, splitHeldOut } from '@chainrule/text'

const text = await readText(fileURLToPath(new URL('../apps/demo/data/shakespeare.txt', import.meta.url)))
const heldOut = splitHeldOut(text, 0.1)

// A preset is a network and the settings that suit it. Its pieces: tokenizer, order, network, head.
const preset = presetNamed('quick')
const model = presetModel(preset, character({ characters: text }))

const steps = Number(process.argv[2] ?? 300) // for example: node 01-train-and-sample.mjs 1000
const trained = await fit(model, text.slice(0, heldOut.begin), { ...preset.settings, steps, seed: 1 })

const { natsPerCharacter, bitsPerByte } = await evaluate(trained, text, heldOut)
console.log(`held out: ${natsPerCharacter.toFixed(3)} nats per character, ${bitsPerByte.toFixed(3)} bits per byte`)

const [written] = await sample(trained, { prompt: 'Enter Hamlet.\n', length: 200, seed: 2, temperature: 0.8 })
console.log(written)
