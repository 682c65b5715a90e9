/** Recorded = eager for the linear map of neighbors, value and gradients; and in how many passes. */
import { neighborhood, neighborLinear, type Tensors } from '@chainrule/core/tensors'
import { describe, expect, it } from 'vitest'
import { record } from '../src/recorder.js'
import { expectRecordedIsEager, type Given, specificationsOf, withGradients } from './law.js'

const floats = (shape: readonly number[], seed: number): Given => ({ shape, type: 'float32', data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(seed + 1.7 * i)) })
const close = { absolute: 2e-5, relative: 2e-5 }
const neighbors = neighborhood(Int32Array.of(-1, 0, 2, 0, 1, -1, 1, 2, 3, 2, 3, 0), 3)
const givens = (D: number, E: number) => ({ x: floats([2, 4, D], 1), weight: floats([3, D, E], 2), bias: floats([E], 3) })
const program = ({ x, weight, bias }: Tensors) => neighborLinear(x, weight, bias, neighbors)

describe('neighborLinear', () => {
  it.each([[2, 5], [5, 2], [3, 3]])('%d inputs, %d outputs', (D, E) => expectRecordedIsEager(withGradients(program, ['x', 'weight', 'bias']), givens(D, E), close))

  it('gathers once forward and once back, where it must not keep what it gathered', () => {
    const all = givens(5, 5)
    const operators = record(withGradients(program, ['x', 'weight', 'bias']), specificationsOf(all), { target: 'onnxruntime' }).nodes.map(({ operator }) => operator)
    expect(operators.filter((operator) => operator === 'Gather')).toHaveLength(2)
    // Two more add up rows: for the bias, and for the weight's gradients of the examples.
    expect(operators.filter((operator) => /MatMul/.test(operator))).toHaveLength(3 + 2)
  })
})
