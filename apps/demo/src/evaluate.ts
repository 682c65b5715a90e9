/** `chainrule evaluate`: exact likelihood. Of the file that a model was trained on, only the part held out counts. */
import { InvalidOptionError, type JsonObject } from '@chainrule/core'
import type { Engine } from '@chainrule/core/tensors'
import { describeData, evaluate as evaluateText, type LoadedText, loadModel, type OpenOptions, type TextData, type TrainedText, trainedOf } from '@chainrule/text'
import type { Context } from './context.js'
import { engineNamed, type EngineName } from './engines.js'
import { evaluationProgress } from './progress.js'
import { protocolOf, type ProtocolOptions } from './protocol.js'
import { subjectAt } from './subject.js'
import { checkTokens, type DataOptions, readAsTrained, readData } from './text-data.js'
import { count, likelihood } from './wording.js'

export interface EvaluateCommandOptions extends ProtocolOptions, DataOptions {
  threads?: number
  /** Runs only. */
  engine?: EngineName
  /** Exported models only. */
  provider?: OpenOptions['provider']
}

/** Which part of a text to evaluate, and why. */
export interface Part {
  readonly part: 'held out' | 'whole file'
  readonly why: string
  readonly begin: number
  readonly end: number
}

/** @param trainedOn how the model describes its data, if it does */
export function partToEvaluate(path: string, text: TextData, trainedOn: JsonObject): Part {
  const whole = { part: 'whole file', begin: 0, end: text.length } as const
  const { sha256 } = describeData(path, text, { begin: 0, end: 0 })
  if (sha256 !== trainedOn.sha256) return { ...whole, why: 'it is not the file that the model was trained on' }
  const { heldOutBegin: begin, heldOutEnd: end } = trainedOn
  if (typeof begin === 'number' && typeof end === 'number' && begin < end && end <= text.length) {
    return { part: 'held out', begin, end, why: `${typeof text === 'string' ? 'characters' : 'documents'} ${count(begin)} to ${count(end)}, which the model has not seen` }
  }
  return { ...whole, why: 'the model was trained on all of it, so this says nothing about other texts' }
}

export async function evaluate(path: string, options: EvaluateCommandOptions, { output, signal }: Context): Promise<JsonObject> {
  const subject = await subjectAt(path)
  if (subject.kind === 'run' && options.provider) throw new InvalidOptionError(`--provider belongs to exported models; ${path} is a run. Use --engine, or export it first.`)
  if (subject.kind === 'model' && options.engine) throw new InvalidOptionError(`--engine belongs to runs; ${path} is an exported model. Use --provider.`)
  const evaluatePart = async (trainedOn: JsonObject, model: TrainedText | LoadedText, runBy: string, engine?: Engine): Promise<JsonObject> => {
    const protocol = protocolOf(options, model)
    const text = await readData(readAsTrained(options, trainedOn))
    const { part, why, begin, end } = partToEvaluate(options.data, text, trainedOn)
    checkTokens(options.data, text.slice(0, end), model.tokenizer)
    output.say(`${options.data}, ${part}: ${why}`)
    const progress = evaluationProgress(signal)
    const evaluation = await evaluateText(model, text, { protocol, begin, end, engine, signal, onProgress: progress.onProgress }).finally(progress.stop)
    output.print(likelihood(evaluation))
    if (evaluation.natsPerTokenStandardError !== undefined) output.print(`${evaluation.natsPerToken.toFixed(4)} ± ${evaluation.natsPerTokenStandardError.toFixed(4)} nats per token (standard error)`)
    output.print(`${count(evaluation.characters)} characters, ${evaluation.totalNats.toFixed(2)} nats in all; ${evaluation.protocol}`)
    return { command: 'evaluate', model: path, kind: subject.kind, data: options.data, part, begin, end, ...evaluation, runBy }
  }
  if (subject.kind === 'run') {
    const trained = trainedOf(subject.run)
    const engine = await engineNamed(options.engine, options.threads)
    return evaluatePart(subject.run.description.data, trained, engine.name, engine)
  }
  const loaded = await loadModel(subject.path, { provider: options.provider, threads: options.threads })
  try {
    output.say(`provider ${loaded.reason}`)
    return await evaluatePart(loaded.manifest.card.data, loaded, loaded.reason)
  } finally {
    await loaded.release()
  }
}
