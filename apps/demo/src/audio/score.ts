/** `chainrule score` of a sound model: −log p of every sound, frame by frame. */
import * as audio from '@chainrule/audio'
import { type LoadedAudio, wholeSound } from '@chainrule/audio'
import { bitsPerSample, isReal, type JsonObject } from '@chainrule/core'
import type { Context } from '../context.js'
import { withSubject } from '../subject.js'
import { audioLikelihood } from './wording.js'
import { partToMeasure, readForModel } from './audio-data.js'
import type { AudioEvaluateOptions } from './evaluate.js'

/** Nine digits tell every two float32 numbers apart. */
const shortest = (value: number) => Number(value.toPrecision(9))

export async function scoreAudio(path: string, { data, labels, provider, threads }: AudioEvaluateOptions, { output, signal }: Context): Promise<JsonObject> {
  return withSubject<LoadedAudio, JsonObject>(audio, path, { provider, threads }, async (loaded, trainedOn) => {
    const { part, why, sounds } = partToMeasure(await readForModel({ data, labels }, loaded.tokenizer, audio.conditionOf(loaded), trainedOn), trainedOn)
    output.say(`${data}, ${part}: ${why}`)
    output.say(`provider ${loaded.reason}`)
    const scores: JsonObject[] = []
    let [totalNats, samples] = [0, 0]
    for (const sound of sounds) {
      const { nats, ...score } = await audio.score(loaded, wholeSound(sound), { signal })
      totalNats += score.totalNats
      samples += score.samples
      scores.push({ ...score, ...(output.isJson && { nats: Array.from(nats, shortest) }) })
    }
    const bits = isReal(loaded.tokenizer.domain) ? undefined : bitsPerSample(totalNats, samples)
    output.print(`${totalNats.toFixed(3)} nats; ${audioLikelihood({ bitsPerSample: bits, sounds: sounds.length, seconds: samples / loaded.tokenizer.sampleRateHz })}`)
    return { command: 'score', model: path, data, part, sounds: scores, totalNats, samples, ...(bits !== undefined && { bitsPerSample: bits }), provider: loaded.opened.provider, reason: loaded.reason }
  })
}
