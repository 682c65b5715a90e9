import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { custom, leftToRight } from '../../src/index.js'
import { documentNumbers, earlierPositions, isPacked, mask, positionBeforeRank, positionOfRank, previous, restore } from '../../src/tensors/index.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const order = custom({ permutation: [2, 0, 3, 1] }).resolve({ length: 4, components: 1, values: 9 })
const grouped = custom({ permutation: [2, 0, 3, 1], groups: [0, 1, 1, 2] }).resolve({ length: 4, components: 1, values: 9 })
const text = leftToRight().resolve({ length: 'variable', components: 1, values: 9 })

describe('previous', () => {
  it('gives, in the order of generation, the variable before; the first has none', () => {
    const { values, isStart } = previous(tf.tensor3d([10, 11, 12, 13, 20, 21, 22, 23], [2, 4, 1], 'int32'), order)
    const [first, second] = values.arraySync() as number[][][]
    expect(first.flat().slice(1)).toEqual([12, 10, 13])
    expect(second.flat().slice(1)).toEqual([22, 20, 23])
    expect(isStart.arraySync()).toEqual([[1, 0, 0, 0], [1, 0, 0, 0]])
    expect([values.dtype, isStart.dtype]).toEqual(['int32', 'bool'])
  })
  it('carries on from what stands before a piece', () => {
    const before = { values: tf.tensor2d([[7], [8]], [2, 1], 'int32'), isStart: tf.tensor1d([0, 1], 'bool') }
    const { values, isStart } = previous(tf.tensor3d([1, 2, 3, 4], [2, 2, 1], 'int32'), text, before)
    expect((values.arraySync() as number[][][]).map((row) => row.flat())).toEqual([[7, 1], [8, 3]])
    expect(isStart.arraySync()).toEqual([[0, 0], [1, 0]])
  })
  it('of documents side by side begins where each does', () => {
    const before = { values: tf.tensor2d([[7], [8]], [2, 1], 'int32'), isStart: tf.tensor2d([[0, 1, 0], [1, 1, 0]], [2, 3], 'bool') }
    const { values, isStart } = previous(tf.tensor3d([1, 2, 3, 4, 5, 6], [2, 3, 1], 'int32'), text, before)
    expect((values.arraySync() as number[][][]).map((row) => row.flat())).toEqual([[7, 1, 2], [8, 4, 5]])
    expect(isStart.arraySync()).toEqual([[0, 1, 0], [1, 1, 0]])
    expect([isPacked(before), isPacked({ ...before, isStart: tf.tensor1d([0, 1], 'bool') })]).toEqual([true, false])
    expect(documentNumbers(isStart).arraySync()).toEqual([[0, 1, 1], [1, 2, 2]])
  })
  it('of one variable with two components is the start alone', () => {
    const { values, isStart } = previous(tf.tensor3d([5, 6], [1, 1, 2], 'int32'), text)
    expect(values.shape).toEqual([1, 1, 2])
    expect(isStart.arraySync()).toEqual([[1]])
  })
})

describe('ranks and positions', () => {
  it('features in the order of generation go back to their positions', () => {
    expect(restore(tf.tensor3d([2, 0, 3, 1], [1, 4, 1]), order).dataSync()).toEqual(Float32Array.of(0, 1, 2, 3))
  })
  it('a rank knows its position and the one before', () => {
    const at = (rank: number) => [positionOfRank(tf.tensor1d([rank], 'int32'), order), positionBeforeRank(tf.tensor1d([rank], 'int32'), order)].map((tensor) => tensor.dataSync()[0])
    expect([0, 1, 2, 3].map(at)).toEqual([[2, 2], [0, 2], [3, 0], [1, 3]])
    expect(positionOfRank(tf.tensor1d([1000], 'int32'), text).dataSync()[0]).toBe(1000)
  })
  it('the mask lets earlier groups through, never a member of the same', () => {
    // Rows read columns; position 2 is first, then 0 and 3 together, then 1.
    expect([...mask(grouped)]).toEqual([0, 0, 1, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0])
    expect([...mask(order)]).toEqual([0, 0, 1, 0, 1, 0, 1, 1, 0, 0, 0, 0, 1, 0, 1, 0])
    expect([0, 1, 2, 3].map((position) => earlierPositions(position, grouped))).toEqual([[2], [0, 2, 3], [], [2]])
  })
})
