/** `chainrule evaluate` of a sound model: exact likelihood. Of the sounds that it was trained on, only those held out count. */
import * as audio from '@chainrule/audio'
import type { LoadedAudio } from '@chainrule/audio'
import type { JsonObject } from '@chainrule/core'
import type { OpenOptions } from '@chainrule/modality'
import type { Context } from '../context.js'
import { evaluationProgress } from '../progress.js'
import { kindAt, withSubject } from '../subject.js'
import { count } from '../wording.js'
import { partToMeasure, readForModel, type SoundDataOptions } from './audio-data.js'
import { audioLikelihood } from './wording.js'

export interface AudioEvaluateOptions extends Pick<OpenOptions, 'provider' | 'threads'>, Pick<SoundDataOptions, 'data' | 'labels'> {}

export async function evaluateAudio(path: string, { data, labels, provider, threads }: AudioEvaluateOptions, { output, signal }: Context): Promise<JsonObject> {
  return withSubject<LoadedAudio, JsonObject>(audio, path, { provider, threads }, async (loaded, trainedOn) => {
    const { part, why, sounds } = partToMeasure(await readForModel({ data, labels }, loaded.tokenizer, audio.conditionOf(loaded), trainedOn), trainedOn)
    output.say(`${data}, ${part}: ${why}`)
    output.say(`provider ${loaded.reason}`)
    const progress = evaluationProgress(signal, 'sounds')
    const evaluation = await audio.evaluate(loaded, sounds, { signal, onProgress: ({ sounds: examples, of }) => progress.onProgress({ examples, of }) }).finally(progress.stop)
    output.print(audioLikelihood(evaluation))
    output.print(`${count(evaluation.samples)} samples, ${evaluation.totalNats.toFixed(2)} nats in all; each sound from its beginning; amplitudes as the model hears them, at most ${loaded.tokenizer.largestError.toPrecision(2)} off`)
    return { command: 'evaluate', model: path, kind: await kindAt(path), data, part, ...evaluation, largestError: loaded.tokenizer.largestError, runBy: loaded.reason }
  })
}
