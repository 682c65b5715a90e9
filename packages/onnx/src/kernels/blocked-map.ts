/**
 * Maps of blocked channels: [B, C, H, W] lies in memory as [B, C / S, H, W, S]. The reordering in front of and behind each convolution is
 * taken out afterwards where one reads the other (blocked-layout.ts). Only for an engine of its own machine: these operators are no part
 * of ONNX.
 *
 * Axes: B batch, P positions of a grid H × W, C channels, S channels of a block.
 */
import * as tf from '@tensorflow/tfjs-core'
import { blockedDomain } from '../blocked-layout.js'
import type { Attributes } from '../graph.js'
import type { GridKernel } from '../grid-kernel.js'
import type { Recording } from '../recording.js'
import { reshape } from './shapes.js'

export const tensorOf = (info: tf.TensorInfo): tf.Tensor => tf.engine().makeTensorFromTensorInfo(info)

/** A node of onnxruntime's operators on blocked channels. */
export const blocked = (recording: Recording, operator: string, inputs: readonly string[], attributes: Attributes): string => recording.builder.node(operator, inputs, attributes, blockedDomain)

/** x [B, P, C] as a blocked map. */
export function blocksOf(recording: Recording, x: tf.TensorInfo, { height, width }: GridKernel): string {
  const [B, , C] = x.shape
  return blocked(recording, 'ReorderInput', [recording.full(reshape(recording, x, [B, height, width, C]))], { channels_last: 1 })
}

/** A blocked map of C channels as rows: [B, H, W, C]. */
export function rowsOf(recording: Recording, map: string, [B, C, H, W]: readonly number[]): tf.Tensor {
  const rows = blocked(recording, 'ReorderOutput', [map], { channels: C, channels_last: 1 })
  return tensorOf(recording.tensor(rows, [B, H, W, C], 'float32'))
}
