/**
 * Matrix products: MatMul where nothing is transposed; else FusedMatMul (onnxruntime) or a Transpose before it (standard,
 * where onnxruntime makes the same FusedMatMul of it when it loads the graph).
 */
import { InvalidOptionError, UnsupportedError } from '@chainrule/core'
import type * as tf from '@tensorflow/tfjs-core'
import { broadcast, type Kernels, type Recording, typeOf } from '../recording.js'

export interface ProductOptions {
  transposeA?: boolean
  transposeB?: boolean
}

/** op(a) op(b) over the last two axes; a may have more axes than b, which is then the same for all. */
export function matrixProduct(recording: Recording, a: tf.TensorInfo, b: tf.TensorInfo, { transposeA = false, transposeB = false }: ProductOptions = {}): tf.TensorInfo {
  if (typeOf(a) !== 'float32' || typeOf(b) !== 'float32') throw new UnsupportedError(`Recording: a matrix product of ${a.dtype} and ${b.dtype} has no ONNX form. Cast both to float32 first.`)
  const [rows, inner] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2)
  const [innerToo, columns] = transposeB ? b.shape.slice(-2).reverse() : b.shape.slice(-2)
  if (a.shape.length < 2 || b.shape.length < 2 || inner !== innerToo) {
    const [left, right] = [`[${a.shape}]${transposeA ? ' transposed' : ''}`, `[${b.shape}]${transposeB ? ' transposed' : ''}`]
    throw new InvalidOptionError(`Recording: a matrix product of ${left} and ${right} is not defined. Both need two axes or more, and the first as many columns as the second has rows.`)
  }
  const shape = [...broadcast([a.shape.slice(0, -2), b.shape.slice(0, -2)]), rows, columns]
  const { builder } = recording
  const [x, y] = [recording.full(a), recording.full(b)]
  if (!transposeA && !transposeB) return recording.tensor(builder.node('MatMul', [x, y]), shape, 'float32')
  if (recording.target === 'onnxruntime') {
    return recording.tensor(builder.node('FusedMatMul', [x, y], { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 }, 'com.microsoft'), shape, 'float32')
  }
  const turned = (name: string, rank: number) => builder.node('Transpose', [name], { perm: [...Array(rank - 2).keys(), rank - 1, rank - 2] })
  const factors = [transposeA ? turned(x, a.shape.length) : x, transposeB ? turned(y, b.shape.length) : y]
  return recording.tensor(builder.node('MatMul', factors), shape, 'float32')
}

export const products: Kernels = {
  BatchMatMul: (recording, { a, b }, { transposeA, transposeB }: tf.BatchMatMulAttrs) => matrixProduct(recording, a, b, { transposeA, transposeB }),
}
