/** `chainrule evaluate` of a language model: exact likelihood. Of the file that it was trained on, only the part held out counts. */
import type { JsonObject } from '@chainrule/core'
import * as text from '@chainrule/text'
import { describeData, type LoadedText, type Run, type TextData } from '@chainrule/text'
import type { Context } from '../context.js'
import { evaluateBy, type EvaluateOptions } from '../evaluate.js'
import { evaluationProgress } from '../progress.js'
import { count, likelihood } from '../wording.js'
import { protocolOf, type ProtocolOptions } from './protocol.js'
import { checkTokens, type DataOptions, readAsTrained, readData } from './text-data.js'

export interface EvaluateCommandOptions extends EvaluateOptions, ProtocolOptions, DataOptions {}

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

export async function evaluate(path: string, options: EvaluateCommandOptions, context: Context): Promise<JsonObject> {
  const { output, signal } = context
  return evaluateBy<Run, LoadedText>(text, path, options, context, async ({ model, trainedOn, engine }) => {
    const protocol = protocolOf(options, model)
    const data = await readData(readAsTrained(options, trainedOn))
    const { part, why, begin, end } = partToEvaluate(options.data, data, trainedOn)
    checkTokens(options.data, data.slice(0, end), model.tokenizer)
    output.say(`${options.data}, ${part}: ${why}`)
    const progress = evaluationProgress(signal)
    const evaluation = await text.evaluate(model, data, { protocol, begin, end, engine, signal, onProgress: progress.onProgress }).finally(progress.stop)
    output.print(likelihood(evaluation))
    if (evaluation.natsPerTokenStandardError !== undefined) output.print(`${evaluation.natsPerToken.toFixed(4)} ± ${evaluation.natsPerTokenStandardError.toFixed(4)} nats per token (standard error)`)
    output.print(`${count(evaluation.characters)} characters, ${evaluation.totalNats.toFixed(2)} nats in all; ${evaluation.protocol}`)
    return { part, begin, end, ...evaluation }
  })
}
