/**
 * How many channels onnxruntime's convolution of blocked channels takes together here: 16 with AVX-512, 8 with AVX2, and elsewhere there is no such
 * operator. Nothing tells, and a wrong size gives wrong numbers without a word; so it is tried: two small layers and their
 * gradients, by blocks and by Gather and product, must agree.
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

const shapes = { x: [examples, 6, 2], first: [2, 2, channels], weight: [2, channels, channels], bias: [channels] }
const names = Object.keys(shapes)

function layers(given: Tensors): Tensors {
  const loss = (x: tf.Tensor, first: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor) => {
    const h = neighborLinear(x, first, bias, neighbors)
    return tf.sum(tf.square(tf.add(h, tf.relu(neighborLinear(h, weight, bias, neighbors)))))
  }
  const found = tf.grads(loss as (...all: tf.Tensor[]) => tf.Tensor)(names.map((name) => given[name]))
  return Object.fromEntries(names.map((name, i) => [`d${name}`, found[i]]))
}

async function gradients(size?: number): Promise<Float32Array> {
  const { Tensor } = await loadOnnxRuntime()
  const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { shape, type: 'float32' as const }]))
  const session = await openSession(serialize(record(layers, inputs, { target: 'onnxruntime', ...(size && { channelBlock: size }) })), { provider: 'cpu' })
  try {
    const numbers = (shape: readonly number[], seed: number) => Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(seed + 1.7 * i))
    const results = await session.run(Object.fromEntries(Object.entries(shapes).map(([name, shape], i) => [name, new Tensor('float32', numbers(shape, i), shape)])))
    return Float32Array.from(names.flatMap((name) => Array.from(results[`d${name}`].data as Float32Array)))
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
