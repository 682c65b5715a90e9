/** `chainrule train text`: trains on one text or on documents. */
import { countParameters, type JsonObject } from '@chainrule/core'
import { evaluate, fit, plan as costs, type TextEvaluation, type TrainedText, trainingEnd } from '@chainrule/text'
import type { Context } from '../context.js'
import { runTraining, type Trainee, type TrainingOptions } from '../training.js'
import { argumentsOf } from '../training-options.js'
import { commandLine, count, counted, likelihood } from '../wording.js'
import { labelOf } from './tokenizers.js'
import { freshPlan, resumedPlan, type TextTrainingPlan, type TextTrainOptions } from './training-plan.js'

export interface TrainCommandOptions extends TextTrainOptions, TrainingOptions {
  /** Updates between two samples. */
  preview?: number
}

export async function train(options: TrainCommandOptions, context: Context): Promise<JsonObject> {
  return runTraining(traineeOf(await (options.resume ? resumedPlan(options) : freshPlan(options)), options), options, context)
}

/** What trains as planned. */
export function traineeOf(plan: TextTrainingPlan, options: Pick<TrainCommandOptions, 'preset' | 'from' | 'out' | 'data' | 'preview' | 'engine' | 'threads'>): Trainee<TrainedText, TextEvaluation> {
  const { text, model, description } = plan
  const { window, data, validation } = description
  const { validationBegin, heldOutBegin, heldOutEnd } = data
  const { preview } = options
  return {
    modality: 'text',
    plan,
    dataArguments: ['--data', options.data],
    nouns: { variable: 'token', examples: 'windows' },
    lossName: 'smoothedNatsPerToken',
    summary: summaryOf(plan, options),
    costs: (settings) => costs(model, { ...settings, window }),
    fit: (common, aside) =>
      fit(model, text.slice(0, trainingEnd(data)), {
        ...common,
        window,
        ...(validation && { validation: { ...validation, text, begin: validationBegin, end: heldOutBegin } }),
        ...(preview !== undefined && { preview: { everySteps: preview, show: (sample: string, step: number) => aside(`after ${counted(step, 'step')}: ${sample.trimEnd().replaceAll('\n', '\n  ')}`) } }),
      }),
    ...(heldOutBegin < heldOutEnd && { evaluate: (trained: TrainedText, how: object) => evaluate(trained, text, { ...how, begin: heldOutBegin, end: heldOutEnd }) }),
    likelihood,
    resultsOf,
    next: (run) => [commandLine('sample', run, '--length', '400'), commandLine('evaluate', run, '--data', options.data, ...argumentsOf(options))],
  }
}

function resultsOf({ natsPerCharacter, bitsPerCharacter, bitsPerByte, natsPerToken, natsPerDocument, characters, protocol }: TextEvaluation): JsonObject {
  return { part: 'held out', natsPerCharacter, bitsPerCharacter, bitsPerByte, natsPerToken, ...(natsPerDocument !== undefined && { natsPerDocument }), characters, protocol }
}

function summaryOf({ model: { model, tokenizer }, description: { data }, state, isResumed }: TextTrainingPlan, { preset = 'small', from, out }: Pick<TrainCommandOptions, 'preset' | 'from' | 'out'>): string {
  const what = isResumed ? `going on with ${out}` : from === undefined ? preset : `from ${from}`
  const unit = data.documents ? 'documents' : 'characters'
  const validation = data.validationBegin === undefined ? '' : `, ${count(data.heldOutBegin - data.validationBegin)} to validate with`
  return `${what}: ${model.network.name}, ${count(countParameters(state.parameters))} parameters, ${labelOf(tokenizer)} tokens (${count(tokenizer.domain.values)} values); ${count(trainingEnd(data))} ${unit} of ${data.file} to train on${validation}, ${count(data.length - data.heldOutBegin)} held out`
}
