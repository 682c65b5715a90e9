/** Domains on grids, heads that only say how many parameters they want, and what the slow twins share. */
import { randomValues, asTensors, shaken } from '@chainrule/conformance'
import type { DiscreteDomain, Order, ParameterArrays } from '@chainrule/core'
import { type BoundNetwork, categorical, type Head, type Network } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'

export const grid = (rows: number, columns: number, values = 2, components = 1): DiscreteDomain => ({ length: rows * columns, components, values, locations: { axes: ['row', 'column'], shape: [rows, columns] } })

export const wants = (parameters: number): Head => ({ ...categorical(), parametersPerVariable: () => parameters })

export const bindTo = (network: Network, domain: DiscreteDomain, order: Order, P = 3): BoundNetwork => network.bind({ domain, order: order.resolve(domain), parametersPerVariable: P })

/** Grids odd and even, one line, one column, one variable. */
export const shapes: [number, number][] = [[3, 3], [1, 5], [5, 1], [4, 3], [2, 5], [1, 1]]

/** Parameters away from where they begin, one x, and the features at each position. */
export function example(bound: BoundNetwork, domain: DiscreteDomain, seed = 1): { parameters: ParameterArrays; x: Int32Array; features: number[][] } {
  const parameters = shaken(bound.initialize(seed), seed)
  const d = domain.length as number
  const x = randomValues(seed + 1, domain.values, d * domain.components)
  const flat = tf.tidy(() => Array.from(bound.forward(asTensors(parameters), tf.tensor(x, [1, d, domain.components], 'int32')).dataSync()))
  return { parameters, x, features: Array.from({ length: d }, (_, p) => flat.slice(p * bound.width, (p + 1) * bound.width)) }
}

/** What a variable's values enter as: numbers in [−1, 1] and a 1. */
export const scaled = ({ values: V, components: C }: DiscreteDomain, x: Int32Array): number[][] =>
  Array.from({ length: x.length / C }, (_, p) => [...Array.from(x.subarray(p * C, (p + 1) * C), (v) => (2 * v) / (V - 1) - 1), 1])

export const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a))
export const plus = (...lists: number[][]): number[] => lists[0].map((_, i) => lists.reduce((sum, list) => sum + list[i], 0))
/** Of two halves. */
export const gate = (z: number[]): number[] => z.slice(0, z.length / 2).map((a, i) => Math.tanh(a) * sigmoid(z[z.length / 2 + i]))

/** x W, with W [.., D, E]; `block` says which D × E of it. */
export function times(x: readonly number[], { shape, data }: ParameterArrays[string], block = 0): number[] {
  const [D, E] = shape.slice(-2)
  return Array.from({ length: E }, (_, e) => x.reduce((sum, value, i) => sum + value * data[(block * D + i) * E + e], 0))
}
/** W x, with W [R, D]. */
export const columnTimes = ({ shape, data }: ParameterArrays[string], x: readonly number[]): number[] =>
  Array.from({ length: shape[0] }, (_, r) => x.reduce((sum, value, i) => sum + value * data[r * shape[1] + i], 0))

/** One step of an LSTM from the sums of its gates. */
export function lstm(gates: number[], cell: readonly number[]): { hidden: number[]; cell: number[] } {
  const H = cell.length
  const next = cell.map((c, k) => sigmoid(gates[H + k]) * c + sigmoid(gates[k]) * Math.tanh(gates[2 * H + k]))
  return { cell: next, hidden: next.map((c, k) => sigmoid(gates[3 * H + k]) * Math.tanh(c)) }
}
