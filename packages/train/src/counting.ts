/**
 * `fit` for networks that are counted: no updates, so no settings, and nothing to go on from. The same data gives the same parameters.
 * Memory is what the network's tables take; the data is read once, sequence by sequence.
 */
import { InvalidDataError, InvalidOptionError, throwIfInterrupted } from '@chainrule/core'
import type { Model } from '@chainrule/core/tensors'
import { writeCheckpoint } from './checkpoint.js'
import type { Data } from './data.js'
import type { FitOptions } from './fit.js'
import { resolveSettings, settingNames } from './options.js'
import { stateOf } from './state.js'
import type { Trained } from './train.js'

const ofUpdates = [...settingNames, 'state', 'from', 'best', 'validation', 'metrics', 'preview']

/** @throws {InvalidOptionError} for an option that only updates have a use for */
export async function fitByCounting(model: Model, data: Data, options: FitOptions): Promise<Trained> {
  const useless = Object.keys(options).find((name) => ofUpdates.includes(name) && options[name as keyof FitOptions] !== undefined)
  if (useless) throw new InvalidOptionError(`fit: ${model.network.name} is counted, not trained by updates, so ${useless} would change nothing. Leave it out.`)
  throwIfInterrupted(options.signal, 'Training')
  const begun = performance.now()
  const parameters = model.count!(data.sequences ?? wholeExamples(data))
  const state = { ...stateOf(model, parameters), seconds: (performance.now() - begun) / 1000 }
  if (options.checkpoint) await writeCheckpoint(options.checkpoint.path, { state, run: options.checkpoint.run })
  return { model, parameters, selection: { kind: 'last', step: 0 }, settings: resolveSettings({ steps: 0 }), state }
}

function* wholeExamples(data: Data): Iterable<ArrayLike<number>> {
  for (let i = 0; i < data.length; i++) {
    const { x, previous, isStart } = data.at(i)
    if (previous || isStart) throw new InvalidDataError(`Example ${i} is a piece of something longer, which counting would count in part or twice. Give the data's sequences.`)
    yield x
  }
}
