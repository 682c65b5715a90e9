/** A tiny model and data for it: x(i+1) = x(i) + 1 modulo 4, everything but the first variable is certain. */
import '@tensorflow/tfjs-backend-cpu'
import { leftToRight, type ParameterArrays } from '@chainrule/core'
import { categorical, createModel } from '@chainrule/core/tensors'
import { transformer } from '@chainrule/networks'
import type { Data, TrainingState } from '../src/index.js'

export const model = createModel({
  domain: { length: 'variable', components: 1, values: 4 },
  order: leftToRight(),
  network: transformer({ layers: 1, heads: 2, width: 8, context: 4 }),
  head: categorical({ tied: true }),
})

export const data: Data = { length: 40, at: (i) => ({ x: Int32Array.from({ length: 6 }, (_, j) => (i + j) % 4), ...(i > 0 && { previous: Int32Array.of((i + 3) % 4) }) }) }

/** The same rule, with the last two variables wrong: what is learned from `data` helps at first, then hurts. */
export const otherData: Data = { length: 9, at: (i) => ({ x: Int32Array.from({ length: 6 }, (_, j) => (j < 4 ? i + j : i + j + 1) % 4) }) }

export const settings = { steps: 12, batchSize: 3, length: 6, seed: 5, learningRate: 1e-2 }

export const bits = (parameters: ParameterArrays) => Object.fromEntries(Object.entries(parameters).map(([name, { data }]) => [name, Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')]))

/** Everything that the next update depends on, to be compared. */
export const stateBits = ({ step, parameters, firstMoments, secondMoments, average, best }: TrainingState) => ({ step, best, arrays: [parameters, firstMoments, secondMoments, average ?? {}].map(bits) })
