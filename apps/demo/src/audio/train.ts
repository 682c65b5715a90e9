/** `chainrule train audio`: trains on sounds. */
import { join } from 'node:path'
import { type AudioEvaluation, evaluate, fit, plan as costs, type Sound, type TrainedAudio, writeWav } from '@chainrule/audio'
import { countParameters, type JsonObject } from '@chainrule/core'
import type { Context } from '../context.js'
import { runTraining, type Trainee, type TrainingOptions } from '../training.js'
import { commandLine, count, counted, duration } from '../wording.js'
import { writePictures } from './pictures.js'
import { type AudioTrainingPlan, type AudioTrainOptions, freshAudioPlan, resumedAudioPlan } from './training-plan.js'
import { audioLikelihood, resultsOf } from './wording.js'

export interface AudioTrainCommandOptions extends AudioTrainOptions, TrainingOptions {
  /** Updates between two samples. */
  preview?: number
}

export async function trainAudio(options: AudioTrainCommandOptions, context: Context): Promise<JsonObject> {
  return runTraining(traineeOf(await (options.resume ? resumedAudioPlan(options) : freshAudioPlan(options)), options), options, context)
}

function traineeOf(plan: AudioTrainingPlan, options: AudioTrainCommandOptions): Trainee<TrainedAudio, AudioEvaluation> {
  const { sounds, model, description: { window, settings: { steps }, validation } } = plan
  const { out, preview, threads } = options
  const show = ([sound]: readonly Sound[], step: number, aside: (text: string) => void) => {
    const file = join(out, `preview-${String(step).padStart(String(steps).length, '0')}.wav`)
    writeWav(file, sound)
    aside(`after ${counted(step, 'step')}: ${[file, ...writePictures(file, [sound])].join(', ')}`)
  }
  return {
    modality: 'audio',
    plan,
    dataArguments: ['--data', options.data],
    nouns: { variable: model.tokenizer.frameLength === 1 ? 'sample' : 'frame', examples: 'sounds' },
    lossName: 'smoothedNatsPerVariable',
    summary: summaryOf(plan, options),
    costs: (settings) => costs(model, { ...settings, window }),
    fit: (common, aside) =>
      fit(model, sounds.training, {
        ...common,
        window,
        ...(validation && { validation: { ...validation, sounds: sounds.validation } }),
        ...(preview !== undefined && { preview: { everySteps: preview, show: (samples: readonly Sound[], step: number) => show(samples, step, aside) } }),
      }),
    // By the exported graphs, whichever engine has trained: a sound is scored whole, a chunk at a time.
    ...(sounds.heldOut.length > 0 && { evaluate: (trained: TrainedAudio, { signal, onProgress }) => evaluate(trained, sounds.heldOut, { threads, signal, onProgress: ({ sounds: examples, of }) => onProgress({ examples, of }) }) }),
    likelihood: audioLikelihood,
    resultsOf,
    next: (run) => [commandLine('sample', run, '--out', 'sample.wav'), commandLine('evaluate', run, '--data', options.data)],
  }
}

function summaryOf({ model: { model, tokenizer }, sounds, description: { data }, state, isResumed }: AudioTrainingPlan, { preset = 'small', from, out }: AudioTrainCommandOptions): string {
  const what = isResumed ? `going on with ${out}` : from === undefined ? preset : `from ${from}`
  const validation = sounds.validation.length === 0 ? '' : `, ${count(sounds.validation.length)} to validate with`
  const labels = model.condition ? `, with ${counted(model.condition.size, 'label')}` : ''
  const frames = tokenizer.frameLength === 1 ? 'samples' : `frames of ${tokenizer.frameLength} samples`
  return `${what}: ${model.network.name}, ${count(countParameters(state.parameters))} parameters, ${frames} of ${tokenizer.domain.values === 'real' ? 'real samples' : `${count(tokenizer.domain.values)} levels`}; ${count(sounds.training.length)} sounds of ${data.file} (${duration(data.samples / data.sampleRateHz)} in all, ${count(data.sampleRateHz)} Hz${labels}) to train on${validation}, ${count(sounds.heldOut.length)} held out`
}
