/**
 * A primitive is a named tfjs kernel with an eager composition. Where the running backend has registered a kernel under
 * that name, it runs; everywhere else the composition does. Gradients are written by hand, from primitives again.
 */
import * as tf from '@tensorflow/tfjs-core'

/** Runs the backend's kernel of this name, or else the composition. Inputs reach a kernel as `{ 0: …, 1: … }`. */
export type Primitive<Attributes extends object> = (inputs: tf.Tensor[], attributes: Attributes) => tf.Tensor[]

export function definePrimitive<Attributes extends object = Record<never, never>>(
  name: string,
  composition: (inputs: tf.Tensor[], attributes: Attributes) => tf.Tensor[],
): Primitive<Attributes> {
  return (inputs, attributes) => {
    if (!tf.getKernel(name, tf.getBackend())) return composition(inputs, attributes)
    const named = Object.fromEntries(inputs.map((input, i) => [i, input]))
    const result = tf.engine().runKernel<tf.Tensor | tf.Tensor[]>(name, named, attributes as unknown as tf.NamedAttrMap)
    return Array.isArray(result) ? result : [result]
  }
}
