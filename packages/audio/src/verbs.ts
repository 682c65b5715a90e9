/** `sample`, `score` and `evaluate` of trained models, too: recorded and opened for the one call. */
import { withOpened } from '@chainrule/modality'
import type { LoadedAudio, OpenOptions } from './loaded.js'
import type { TrainedAudio } from './model.js'
import { openTrained } from './open-trained.js'
import * as opened from './sample.js'
import type { AnySound, Sound } from './sound.js'

/** Sounds from the model; each begins with the prompt. The same seed gives the same sounds. */
export function sample(model: TrainedAudio | LoadedAudio, options: opened.SampleAudioOptions & OpenOptions = {}): Promise<Sound[]> {
  return withOpened(openTrained, model, options, opened.sample)
}

/** −log p of a sound, frame by frame, each given everything before it. @throws {InvalidDataError} for a sound that the tokenizer refuses, or an empty one */
export function score(model: TrainedAudio | LoadedAudio, sound: Sound, options: opened.ScoreAudioOptions & OpenOptions = {}): Promise<opened.AudioScore> {
  return withOpened(openTrained, model, options, (loaded, others: opened.ScoreAudioOptions) => opened.score(loaded, sound, others))
}

/** −log p of sounds, each whole and from its beginning: the exact likelihood of what is held out. @throws as `score` does, and for no sounds */
export function evaluate(model: TrainedAudio | LoadedAudio, sounds: readonly AnySound[], options: opened.EvaluateAudioOptions & OpenOptions = {}): Promise<opened.AudioEvaluation> {
  return withOpened(openTrained, model, options, (loaded, others: opened.EvaluateAudioOptions) => opened.evaluate(loaded, sounds, others))
}
