/**
 * How many channels onnxruntime's convolution of blocked channels takes together here: 16 with AVX-512, 8 with AVX2, and elsewhere there is no such
 * operator. Nothing tells, and a wrong size gives wrong numbers without a word; so it is tried: a small layer and its gradients,
 * by blocks and by Gather and product, must agree.
 */
import { neighborhood, neighborLinear, type Tensors } from '@chainrule/core/tensors'
import { loadOnnxRuntime, openSession } from '@chainrule/runtime'
import * as tf from '@tensorflow/tfjs-core'
import { record } from './recorder.js'
import { serialize } from './serialize.js'

/** The size of a block, or why there is none. */
export type ChannelBlock = { readonly size: number } | { readonly obstacle: string }

/** In the order in which they are tried. */
export const blockSizes = [16, 8] as const

/** Divided by every size of a block, so that a wrong one shows in the numbers only. */
const channels = 16
/** Likewise, so that weights' gradients are tried as convolutions. */
const examples = 16
/** Of a grid of 2 × 3: the place to the left and the one itself. */
const neighbors = neighborhood(Int32Array.of(-1, 0, 0, 1, 1, 2, -1, 3, 3, 4, 4, 5), 2)

function layer({ x, weight, bias }: Tensors): Tensors {
  const loss = (...given: tf.Tensor[]) => tf.sum(tf.square(tf.add(given[0], tf.relu(neighborLinear(given[0], given[1], given[2], neighbors)))))
  const [dx, dweight, dbias] = tf.grads(loss)([x, weight, bias])
  return { dx, dweight, dbias }
}

const shapes = { x: [examples, 6, channels], weight: [2, channels, channels], bias: [channels] }

async function gradients(size?: number): Promise<Float32Array> {
  const { Tensor } = await loadOnnxRuntime()
  const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { shape, type: 'float32' as const }]))
  const session = await openSession(serialize(record(layer, inputs, { target: 'onnxruntime', ...(size && { channelBlock: size }) })), { provider: 'cpu' })
  try {
    const numbers = (shape: readonly number[], seed: number) => Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(seed + 1.7 * i))
    const results = await session.run(Object.fromEntries(Object.entries(shapes).map(([name, shape], i) => [name, new Tensor('float32', numbers(shape, i), shape)])))
    return Float32Array.from(['dx', 'dweight', 'dbias'].flatMap((name) => Array.from(results[name].data as Float32Array)))
  } finally {
    await session.release()
  }
}

/** Why blocks of a size are not to be used here; undefined where they are. */
export async function obstacleTo(size: number): Promise<string | undefined> {
  const expected = await gradients()
  const largest = Math.max(...expected.map(Math.abs))
  try {
    const values = await gradients(size)
    return values.every((value, i) => Math.abs(value - expected[i]) <= 1e-4 * largest) ? undefined : `blocks of ${size} give other numbers`
  } catch (error) {
    return `blocks of ${size}: ${String((error as Error).message).split('\n')[0]}`
  }
}

async function tried(): Promise<ChannelBlock> {
  const obstacles: string[] = []
  for (const size of blockSizes) {
    const obstacle = await obstacleTo(size)
    if (obstacle === undefined) return { size }
    obstacles.push(obstacle)
  }
  return { obstacle: obstacles.join('; ') }
}

let found: Promise<ChannelBlock> | undefined

/** What this machine's onnxruntime does, tried once. */
export function channelBlock(): Promise<ChannelBlock> {
  return (found ??= tried())
}
