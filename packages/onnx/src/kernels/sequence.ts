/** Primitives whose values depend on a length: from the shapes that the graph sees where lengths are free, else constants. */
import type * as tf from '@tensorflow/tfjs-core'
import type { Kernels, Recording } from '../recording.js'
import { dataTypeOf } from '../serialize.js'
import { cast } from './elementwise.js'

/** The length of an axis, as the graph sees it: int64, shape []. */
export function lengthOf(recording: Recording, x: tf.TensorInfo, axis: number): string {
  const { builder } = recording
  return builder.node('Squeeze', [builder.node('Shape', [recording.full(x)], { start: axis, end: axis + 1 })])
}

/** 0, 1, … along an axis, as the graph sees it: int64. */
export function range(recording: Recording, x: tf.TensorInfo, axis: number): string {
  const { builder } = recording
  return builder.node('Range', [builder.integer(0), lengthOf(recording, x, axis), builder.integer(1)])
}

export const sequence: Kernels = {
  /** Slice counts back from the end and stops at the beginning: no length is needed. A free length is an example, so it is not cut. */
  ChainruleLast: (recording, { 0: x }, { count }: { count: number }) => {
    const { builder } = recording
    const kept = recording.hasFreeLengths ? x.shape[2] : Math.min(count, x.shape[2])
    if (count === 0) return recording.filled(0, [x.shape[0], x.shape[1], 0, x.shape[3]], 'float32')
    const lists = [[-count], [2 ** 31 - 1], [2]].map((list) => builder.integers(list))
    return recording.node('Slice', [x], x.shape.map((dimension, axis) => (axis === 2 ? kept : dimension)), 'float32', {}, lists)
  },
  ChainrulePositionAfter: (recording, { 0: x, 1: first }) => {
    if (!recording.hasFreeLengths) return recording.elementwise('Add', [first, recording.filled(x.shape[1], [1], 'int32')], 'int32')
    const length = recording.tensor(recording.builder.node('Cast', [lengthOf(recording, x, 1)], { to: dataTypeOf('int32') }), [], 'int32')
    return recording.elementwise('Add', [first, length], 'int32')
  },
  ChainrulePositions: (recording, { 0: x, 1: first }) => {
    const length = x.shape[1]
    const { builder } = recording
    const steps = recording.hasFreeLengths
      ? builder.node('Cast', [range(recording, x, 1)], { to: dataTypeOf('float32') })
      : builder.constant('float32', [length], Float32Array.from({ length }, (_, i) => i))
    return recording.elementwise('Add', [recording.tensor(steps, [length], 'float32'), cast(recording, first, 'float32')], 'float32')
  },
}
