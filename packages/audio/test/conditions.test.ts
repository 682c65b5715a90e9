/** Sounds by label and by control sequence: trained, measured, drawn and gone on with by what the model is told; what is missing is said. */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { audioModel, categorical, causalConvolution, controlSequence, evaluate, fit, frameHead, frames, label, type LoadedAudio, muLaw, openTrained, recurrent, sample, score, type Sound, stream, type TrainedAudio, verifyModel } from '../src/index.js'
import { recordTrained } from '../src/export.js'

const sampleRateHz = 8_000
const encoding = muLaw({ levels: 8 })
const settings = { steps: 150, batchSize: 4, seed: 1, learningRate: 2e-2, threads: 1 }
/** A square wave; its half period in samples is 1 + its label. */
const square = (which: number, length = 32): Sound => ({ sampleRateHz, label: which, samples: Float32Array.from({ length }, (_, t) => (Math.floor(t / (1 + which)) % 2 ? 0.7 : -0.7)) })
/** How often the sign changes, per sample. */
const changes = ({ samples }: Sound) => samples.filter((value, t) => t > 0 && value > 0 !== samples[t - 1] > 0).length / Math.max(1, samples.length - 1)

describe('a label', () => {
  const sounds = [0, 1, 2].map((which) => square(which))
  let trained: TrainedAudio
  let loaded: LoadedAudio
  beforeAll(async () => {
    const model = audioModel({ tokenizer: frames({ sampleRateHz, encoding, ends: true }), network: recurrent({ cell: 'gru', layers: 1, width: 16 }), head: categorical(), condition: label({ names: ['high', 'middle', 'low'] }) })
    trained = await fit(model, sounds, { ...settings, window: 33 })
    loaded = await openTrained(trained)
  }, 120_000)
  afterAll(() => loaded.release())

  it('says which sound it is: with it, less is left to say', async () => {
    const right = await evaluate(trained, sounds)
    const wrong = await evaluate(loaded, sounds.map((sound) => ({ ...sound, label: (sound.label! + 1) % 3 })))
    expect(right.totalNats).toBeLessThan(wrong.totalNats - 5)
  })

  it('draws by it: one for all, one for each, after a prompt, as a stream', async () => {
    const all = await sample(loaded, { label: ['high', 1, 'low'], frames: 40, seed: 3 })
    expect(all).toHaveLength(3)
    const lows = await sample(loaded, { label: 'low', count: 3, frames: 40, seed: 3 })
    expect(lows[2]).toEqual(all[2])
    const highs = await sample(loaded, { label: 0, count: 3, frames: 40, seed: 3 })
    const mean = (sounds: Sound[]) => sounds.reduce((sum, sound) => sum + changes(sound), 0) / sounds.length
    expect(mean(highs)).toBeGreaterThan(mean(lows) + 0.3)
    const prompt = { sampleRateHz, samples: Float32Array.of(-0.7) }
    const [low] = await sample(loaded, { label: 'low', prompt, frames: 20, seed: 4 })
    const pieces: number[] = []
    for await (const piece of stream(loaded, { label: 'low', prompt, frames: 20, seed: 4 })) pieces.push(...piece)
    expect(Float32Array.from(pieces)).toEqual(low.samples.subarray(1))
  })

  it('is missing, unknown or not asked for: said', async () => {
    await expect(sample(loaded, { frames: 4 })).rejects.toThrow(/label is missing.*high, middle, low/)
    await expect(sample(loaded, { frames: 4, label: 'loud' })).rejects.toThrow(/no label "loud"/)
    await expect(sample(loaded, { frames: 4, label: 0, control: new Float32Array(4) })).rejects.toThrow(/control is given, but what the model is told is a label/)
    await expect(score(loaded, { ...sounds[0], label: undefined })).rejects.toThrow(/score: the sound has no label/)
    await expect(fit(trained, [sounds[0], { ...sounds[1], label: 3 }], { ...settings, window: 33 })).rejects.toThrow(/fit: sound 1: there is no label 3/)
    expect((await verifyModel(await recordTrained(trained), { provider: 'cpu' })).passed).toBe(true)
  })
})

/** Frames of two samples, each as its control says: silence or a wave. */
const spoken = (seed: number): Sound => {
  const control = Float32Array.from({ length: 12 }, (_, frame) => ((frame * frame + seed * 7) % 5 < 2 ? 1 : -1))
  return { sampleRateHz, control, samples: Float32Array.from({ length: 24 }, (_, t) => (control[t >> 1] > 0 ? (t % 2 ? 0.7 : -0.7) : 0)) }
}

describe('a control sequence', () => {
  const head = () => frameHead({ width: 12 })
  const sounds = [1, 2, 3, 4].map(spoken)

  test('each frame follows its control, of sounds of any length, in windows', { timeout: 120_000 }, async () => {
    const model = audioModel({ tokenizer: frames({ sampleRateHz, encoding, length: 2 }), network: causalConvolution({ layers: 2, width: 12, input: 'scaled' }), head: head(), condition: controlSequence({ channels: 1 }) })
    const trained = await fit(model, sounds, { ...settings, window: 6, validation: { sounds: sounds.slice(0, 1), everySteps: 75 } })
    const other = spoken(9)
    const [right, wrong] = [await score(trained, other), await score(trained, { ...other, control: (other.control as Float32Array).map((value) => -value) })]
    expect(right.totalNats).toBeLessThan(wrong.totalNats / 4)
    const [drawn] = await sample(trained, { control: other.control, frames: 12, seed: 5 })
    const isSilent = (frame: number) => Math.abs(drawn.samples[2 * frame]) < 0.2
    expect([...other.control!].filter((value, frame) => (value < 0) === isSilent(frame)).length).toBeGreaterThan(10)
    await expect(sample(trained, { frames: 12 })).rejects.toThrow(/condition is missing.*Float32Array of 1 × 12 × 1 numbers/)
    await expect(sample(trained, { frames: 12, control: new Float32Array(11) })).rejects.toThrow(/got Float32Array of 11/)
    await expect(score(trained, { ...other, control: undefined })).rejects.toThrow(/no control sequence.*12 frames/)
    await expect(fit(model, [{ ...other, control: new Float32Array(3) }], { ...settings, window: 6 })).rejects.toThrow(/fit: sound 0: .*got Float32Array of 3/)
  })

  test('of sounds of one length, by categories', { timeout: 120_000 }, async () => {
    const told = sounds.map((sound) => ({ ...sound, control: Int32Array.from(sound.control!, (value) => (value > 0 ? 1 : 0)) }))
    const model = audioModel({ tokenizer: frames({ sampleRateHz, encoding, length: 2, count: 12 }), network: recurrent({ cell: 'gru', layers: 1, width: 8 }), head: head(), condition: controlSequence({ values: 2 }) })
    const trained = await fit(model, told, settings)
    const swapped = told.map((sound) => ({ ...sound, control: sound.control.map((value) => 1 - value) }))
    expect((await evaluate(trained, told)).totalNats).toBeLessThan((await evaluate(trained, swapped)).totalNats / 4)
    expect(await sample(trained, { count: 2, control: told[0].control, seed: 1 })).toHaveLength(2)
  })
})
