/**
 * One update as a tensor program: forward, gradients, clipping, AdamW and the average of the parameters.
 *
 * With accumulation the program runs once for each micro-batch of an update and sums the gradients in what it carries:
 *   G ← keep · G + g / n        keep is 0 for the first micro-batch, then 1; n micro-batches
 * It updates with the last one only; before that it is given the numbers of `noUpdate`. So the memory is that of one micro-batch,
 * at the price of one more pass of the optimizer for each, and the graph does not grow with n.
 */
import { conditionInput } from '@chainrule/core'
import { type Model, negativeLogLikelihood, type Program, type ProgramSpecification, scoped, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { adamW, noUpdate, updateNumberCount, updateNumbers } from './adam-w.js'
import { averaged, averageRate } from './average.js'
import { maskInputs, maskPrefix } from './dropout-masks.js'
import { batchInputs, trainingLayout } from './data.js'
import { optimizerOf, type ResolvedSettings } from './options.js'
import { join, split, stateOf, trainedOnly, type TrainingState } from './state.js'

const sumPrefix = 'gradientSum/'
/** Those of AdamW, the rate of the average, and whether the sum of gradients is kept. */
const numberCount = updateNumberCount + 2

/** What one run of the program is told besides its examples. `step` counts updates from 0, `micro` the micro-batches of one. */
export function numbersOf(step: number, micro: number, learningRate: number, settings: ResolvedSettings): Float32Array {
  const isLast = micro === settings.accumulation - 1
  const numbers = isLast ? updateNumbers(step, learningRate, optimizerOf(settings)) : noUpdate
  return Float32Array.of(...numbers, isLast ? averageRate(step, settings.averageDecay) : 0, micro === 0 ? 0 : 1)
}

/** The program, and what it takes. Outputs: the nats per variable of the micro-batch, and the norm of the gradient so far. */
export function trainingProgram(model: Model, settings: ResolvedSettings, length: number, state: TrainingState): { program: Program; specification: ProgramSpecification } {
  const { batchSize, accumulation, clipNorm } = settings
  const continues = model.domain.length === 'variable'
  const { dropout } = model.boundNetwork
  const program: Program = (carried, inputs) => {
    const old = split(carried)
    const trained = trainedOnly(model, old.parameters)
    const names = Object.keys(trained)
    const before = continues ? { values: inputs.previous, isStart: inputs.isStart } : undefined
    const masks = dropout && scoped(inputs, maskPrefix)
    const loss = (...values: tf.Tensor[]) => negativeLogLikelihood(model, { ...old.parameters, ...Object.fromEntries(names.map((name, i) => [name, values[i]])) }, inputs.x, before, masks, model.condition && inputs[conditionInput(model.condition)]) as tf.Scalar
    const { value, grads } = tf.valueAndGrads(loss)(Object.values(trained))
    const [numbers, rate, keep] = tf.split(inputs.numbers, [updateNumberCount, 1, 1])
    const gradients: Tensors = Object.fromEntries(names.map((name, i) => [name, grads[i]]))
    const sums = accumulation > 1 ? summed(scoped(carried, sumPrefix), gradients, keep, accumulation) : undefined
    const { state, gradientNorm } = adamW({ ...old, parameters: trained }, sums ?? gradients, numbers, clipNorm)
    const average = old.average && averaged(old.average, state.parameters, rate)
    return { carried: { ...join({ ...state, average }), ...withSumPrefix(sums) }, outputs: { nats: value, gradientNorm } }
  }
  return {
    program,
    specification: {
      carried: { ...join(state), ...withSumPrefix(accumulation > 1 ? stateOf(model, state.parameters).firstMoments : undefined) },
      inputs: {
        ...batchInputs(batchSize, trainingLayout(model, length), continues),
        ...maskInputs(dropout, batchSize, length),
        numbers: { shape: [numberCount], type: 'float32' },
      },
    },
  }
}

function summed(sums: Tensors, gradients: Tensors, keep: tf.Tensor, accumulation: number): Tensors {
  return Object.fromEntries(Object.entries(gradients).map(([name, gradient]) => [name, tf.add(tf.mul(sums[name], keep), tf.mul(gradient, tf.scalar(1 / accumulation)))]))
}

const withSumPrefix = <T>(record: Record<string, T> = {}): Record<string, T> => Object.fromEntries(Object.entries(record).map(([name, value]) => [sumPrefix + name, value]))
