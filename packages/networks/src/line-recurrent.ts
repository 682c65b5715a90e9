/**
 * What the recurrent networks over a grid (PixelRNN) have in common: a masked convolution that excludes the centre, recurrent layers that
 * each add to a residual stream, and a product at the end. All by rank, where the order goes line by line (lines.ts).
 *
 *   h₀ = W₀ ∗ x (+ U c, of a condition)     hₗ = hₗ₋₁ + layerₗ(hₗ₋₁)     features = relu(F relu(h_L))
 *
 * van den Oord, Kalchbrenner, Kavukcuoglu 2016 (arXiv 1601.06759). The layers: row-lstm.ts, diagonal-lstm.ts.
 *
 * Axes: B batch, N variables, W width.
 */
import { fixedLength, type Grid, InvalidOptionError, type ParameterArrays, refuseUnknownOptions, type StateTensor, UnsupportedError, type Waves, wavesOf, wholeNumber } from '@chainrule/core'
import { type Binding, type BoundNetwork, constantInitial, extendByStep, linear, neighborLinear, type Network, normalInitial, type Previous, rankedCondition, restore, scoped, type Tensors, type WaveSteps } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { conditioned, conditionInitial } from './condition-input.js'
import { checkInputKind, gridInput, type InputKind } from './grid-input.js'
import { gridNeighbors, liveOffsets, meanTaps, readThrough, square } from './grid-neighbors.js'
import { byRank, linesOf } from './lines.js'
import { recall, recentRows, remember, tapLinear } from './recent-rows.js'
import { byPosition, latestThrough, type WaveMemory, type WaveRead, waveSteps } from './wave-rows.js'

export interface LineRecurrentOptions {
  /** How many recurrent layers. */
  layers: number
  /** W, of the features and of every layer's state. */
  width: number
  /** The side of the first kernel (7); odd, at least 3. */
  firstKernel?: number
  /** Values enter as numbers ('scaled', the default: intensities) or as learned vectors ('embedding': values without an order). */
  input?: InputKind
}

/** A recurrent layer over the lines; maps are by rank. */
export interface LineLayer {
  readonly state: readonly StateTensor[]
  initialize(seed: number, prefix: string): ParameterArrays
  /** h [B, N, W] → what is added to it. */
  forward(parameters: Tensors, h: tf.Tensor): tf.Tensor
  /** The same for the variable of rank `index`, h [B, W]. */
  step(parameters: Tensors, state: Tensors, h: tf.Tensor, index: tf.Tensor): { added: tf.Tensor; state: Tensors }
  /** Where a place reads nothing of earlier lines but what lies near: how far to the side, and the same for the variables of a wave (by rank). */
  readonly waves?: {
    readonly reach: number
    reads(waves: Waves): Readonly<Record<string, WaveRead>>
    /** h [B, M, W] → what is added to it. @param prefix of the layer's maps in the memory */
    step(parameters: Tensors, memory: WaveMemory, prefix: string, h: tf.Tensor): tf.Tensor
  }
  /** The ranks of h that these ranks of the sum read. */
  reads(ranks: ReadonlySet<number>): Set<number>
}

const optionNames = ['layers', 'width', 'firstKernel', 'input']

/**
 * @param more options that the layers have of their own, checked
 * @param layerOf makes a layer of the lines
 * @throws {InvalidOptionError} for options unknown or out of range
 */
export function lineRecurrent(owner: string, options: LineRecurrentOptions, more: Readonly<Record<string, number>>, layerOf: (lines: Grid, width: number) => LineLayer): Network {
  refuseUnknownOptions(owner, options, [...optionNames, ...Object.keys(more)])
  const { firstKernel = 7, input = 'scaled' } = options
  const layers = wholeNumber(owner, 'layers', options.layers)
  const width = wholeNumber(owner, 'width', options.width)
  if (wholeNumber(owner, 'firstKernel', firstKernel, 3) % 2 === 0) throw new InvalidOptionError(`${owner}: firstKernel must be odd, so that a kernel has a centre, got ${firstKernel}.`)
  const settings = { layers, width, firstKernel, ...more, input: checkInputKind(owner, input) }
  return { name: owner, options: settings, bind: (binding) => bind(owner, binding, settings, layerOf) }
}

function bind(owner: string, { domain, order, condition }: Binding, { layers, width, firstKernel, input: kind }: Required<LineRecurrentOptions>, layerOf: (lines: Grid, width: number) => LineLayer): BoundNetwork {
  const d = fixedLength(domain, owner)
  const lines = linesOf(owner, domain, order)
  const input = gridInput(kind, domain, width)
  const first = gridNeighbors(lines, liveOffsets(lines, square(firstKernel).filter(([down, right]) => down < 0 || (down === 0 && right < 0))))
  const recent = recentRows(first, byRank(d), 1)
  const all = Array.from({ length: layers }, (_, l) => `layer${l + 1}/`)
  const layer = layerOf(lines, width)

  const featuresOf = (parameters: Tensors, h: tf.Tensor) => tf.relu(tf.add(linear(tf.relu(h), parameters['features/weight']), parameters['features/bias']))

  const step = (parameters: Tensors, state: Tensors, { values, condition }: Previous): { features: tf.Tensor; state: Tensors } => {
    const rows = remember(state.rows, input.encode(parameters, values))
    const next: Tensors = { index: tf.add(state.index, tf.scalar(1, 'int32')), rows: rows.next }
    let h = conditioned(tapLinear(recall(rows.all, recent, state.index), parameters['first/weight'], parameters['first/bias']), parameters, 'first', condition)
    for (const prefix of all) {
      const result = layer.step(scoped(parameters, prefix), scoped(state, prefix), h, state.index)
      for (const [name, tensor] of Object.entries(result.state)) next[prefix + name] = tensor
      h = tf.add(h, result.added)
    }
    return { features: featuresOf(parameters, h), state: next }
  }

  const inWaves = layer.waves
  const wavesThrough = (each: NonNullable<LineLayer['waves']>): WaveSteps => {
    const waves = wavesOf(byRank(d), latestThrough([first], d))
    const reads: Record<string, WaveRead> = { rows: { neighbors: first, readers: waves, sources: waves, lag: 1, size: input.size } }
    for (const prefix of all) for (const [name, read] of Object.entries(each.reads(waves))) reads[prefix + name] = read
    return waveSteps(byPosition(waves, order), reads, (memory, parameters, values, given) => {
      const sums = tapLinear(memory.read('rows', input.encode(parameters, values)), parameters['first/weight'], parameters['first/bias'])
      let h = conditioned(sums, parameters, 'first', given)
      for (const prefix of all) h = tf.add(h, each.step(scoped(parameters, prefix), memory, prefix, h))
      return featuresOf(parameters, h)
    })
  }

  return {
    width,
    emitsParameters: false,
    longest: d,
    conditions: ['label', 'controlSequence'],
    state: [
      { name: 'index', type: 'int32', shape: [1] },
      { name: 'rows', type: 'float32', shape: ['batch', recent.count, input.size] },
      ...all.flatMap((prefix) => layer.state.map((tensor) => ({ ...tensor, name: prefix + tensor.name }))),
    ],
    initialize: (seed) => ({
      ...input.initialize(seed),
      ...conditionInitial(seed, condition, { first: width }),
      'first/weight': normalInitial(seed, 'network/first/weight', [first.taps, input.size, width], 1 / Math.sqrt(meanTaps(first) * input.energy)),
      'first/bias': constantInitial([width], 0),
      ...Object.assign({}, ...all.map((prefix) => layer.initialize(seed, prefix))),
      'features/weight': normalInitial(seed, 'network/features/weight', [width, width], Math.sqrt(2 / width)),
      'features/bias': constantInitial([width], 0),
    }),
    forward(parameters, x, before, _, condition) {
      if (before) throw new UnsupportedError(`${owner}: x has a fixed length and begins with its first variable; nothing can come before it.`)
      const ranked = order.isLeftToRight ? x : tf.gather(x, tf.tensor1d(order.permutation, 'int32'), 1)
      const sums = neighborLinear(input.encode(parameters, ranked), parameters['first/weight'], parameters['first/bias'], first)
      let h = conditioned(sums, parameters, 'first', condition && rankedCondition(condition, order))
      for (const prefix of all) h = tf.add(h, layer.forward(scoped(parameters, prefix), h))
      return restore(featuresOf(parameters, h), order)
    },
    step,
    extend: (parameters, state, before) => extendByStep(step, parameters, state, before),
    // The first kernel reads as far to the side on the line above as any layer does, so what it leaves independent is independent.
    ...(inWaves && inWaves.reach <= (firstKernel - 1) / 2 && { waves: () => wavesThrough(inWaves) }),
    dependencies(position) {
      const read = all.reduce<Set<number>>((ranks) => layer.reads(ranks), new Set([order.inverse[position]]))
      return [...readThrough(read, first)].map((rank) => order.permutation[rank]).sort((a, b) => a - b)
    },
  }
}

/** Rows of a grid of Y lines, x [B, Y·M, D] → what a scan over the lines takes: columns [Y, D, M·B]. In two moves of whole blocks, several times faster than one. */
export function columnsOf(x: tf.Tensor, { height: Y, width: M }: Grid): tf.Tensor {
  const [B, , D] = x.shape as [number, number, number]
  return tf.transpose(tf.reshape(tf.transpose(x, [1, 0, 2]), [Y, M * B, D]), [0, 2, 1])
}

/** The way back: [Y, D, M·B] → [B, Y·M, D]. */
export function rowsOf(columns: tf.Tensor, { height: Y, width: M }: Grid): tf.Tensor {
  const [, D, size] = columns.shape as [number, number, number]
  return tf.transpose(tf.reshape(tf.transpose(columns, [0, 2, 1]), [Y * M, size / M, D]), [1, 0, 2])
}

/** The ranks reached from these, each step through a kernel, any number of steps; the ranks themselves too. */
export function closure(ranks: ReadonlySet<number>, step: (ranks: Iterable<number>) => Iterable<number>): Set<number> {
  const found = new Set(ranks)
  for (let last: Iterable<number> = ranks; ; ) {
    const fresh = [...step(last)].filter((rank) => !found.has(rank))
    if (fresh.length === 0) return found
    for (const rank of fresh) found.add(rank)
    last = fresh
  }
}
