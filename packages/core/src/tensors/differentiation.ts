/**
 * What tfjs's automatic differentiation lacks for a function that differentiates another one: operations with several
 * results and a gradient of their own, and gradients inside gradients.
 */
import * as tf from '@tensorflow/tfjs-core'

/** Whether operations are being taped now, so that their gradients may be asked for. */
export function isTaped(): boolean {
  const { gradientDepth, kernelDepth } = tf.engine().state
  return gradientDepth > 0 && kernelDepth === 0
}

export interface SeveralResults {
  readonly values: tf.Tensor[]
  /** Cotangents of the values, and what was saved → the gradient of each input. */
  gradient(cotangents: tf.Tensor[], saved: tf.Tensor[]): tf.Tensor[]
}

/** What tf.customGrad itself calls; its types are not published. */
interface Taping {
  runKernelFunc(operation: {
    inputs: Record<string, tf.Tensor>
    forwardFunc(backend: unknown, save: tf.GradSaveFunc): tf.Tensor[]
    backwardsFunc(cotangents: tf.Tensor | tf.Tensor[], saved: tf.Tensor[]): Record<string, () => tf.Tensor>
  }): tf.Tensor[]
}

/** What tf.customGrad is for one result, for any number: `forward` gets `save`, for tensors that the gradient needs. */
export function withSeveralResults(inputs: readonly tf.Tensor[], forward: (save: tf.GradSaveFunc) => SeveralResults): tf.Tensor[] {
  let results: SeveralResults | undefined
  return (tf.engine() as unknown as Taping).runKernelFunc({
    inputs: Object.fromEntries(inputs.map((input, i) => [i, input])),
    forwardFunc: (_, save) => {
      results = forward(save)
      return results.values
    },
    backwardsFunc: (cotangents, saved) => {
      const gradients = results!.gradient(Array.isArray(cotangents) ? cotangents : [cotangents], saved)
      return Object.fromEntries(gradients.map((gradient, i) => [i, () => gradient]))
    },
  })
}

/** y, whose gradients are the given ones whatever came of it: ends a tape without computing a sum. */
const ended = (ys: tf.Tensor[], cotangents: readonly tf.Tensor[]): tf.Scalar =>
  tf.customGrad(() => ({ value: tf.scalar(0), gradFunc: () => [...cotangents] }))(...ys) as tf.Scalar

/**
 * Jᵀ dy: the gradients of Σ dy · f(xs) with respect to each x; zeros where f does not depend on it.
 * The xs are different tensors. May be called while tfjs
 * runs a kernel or a gradient: the tape around it is put away, which tf.grads alone would clear.
 */
export function vectorJacobian(f: (xs: tf.Tensor[]) => tf.Tensor[], xs: tf.Tensor[], cotangents: readonly tf.Tensor[]): tf.Tensor[] {
  if (xs.length === 0) return []
  const engine = tf.engine()
  const { activeTape, gradientDepth, kernelDepth } = engine.state
  Object.assign(engine.state, { activeTape: null, gradientDepth: 0, kernelDepth: 0 })
  try {
    const { grads } = engine.gradients(() => ended(f(xs), cotangents), xs, undefined, true)
    return grads.map((gradient, i) => gradient ?? tf.zerosLike(xs[i]))
  } finally {
    Object.assign(engine.state, { activeTape, gradientDepth, kernelDepth })
  }
}
