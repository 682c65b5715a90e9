/**
 * Masked convolutions over a grid (PixelCNN): a first layer that excludes the centre, then layers that include it, each adding to a
 * residual stream.
 *
 *   h₀ = a(W₀ ∗ x)     hₗ = hₗ₋₁ + a(Wₗ ∗ hₗ₋₁)                     bottleneck: hₗ = hₗ₋₁ + U a(Wₗ ∗ a(D hₗ₋₁)), with half the width inside
 *
 * The first layer reads variables of earlier groups, the others features of no later rank; what a tap must not read is left out of the
 * product, position by position, so that every order obeys the same law. van den Oord, Kalchbrenner, Kavukcuoglu 2016 (arXiv 1601.06759).
 * In raster order this has a blind spot: each layer reaches up and to the right by one row for every column, so what lies further to
 * the right in the rows just above is never seen, at any depth; `dependencies` says exactly what is. The kind 'gated'
 * (gated-convolution.ts) has none.
 *
 * A condition c adds Uₗ c to the sums Wₗ ∗ hₗ₋₁ of every layer.
 *
 * A step costs one position: it remembers the rows that later variables still read (recent-rows.ts). Variables far enough apart do not
 * depend on each other, and can be drawn together (wave-rows.ts).
 *
 * Axes: B batch, N variables, C components, W width, T taps.
 */
import { finiteNumber, fixedLength, gridOf, groupOfPosition, InvalidOptionError, refuseUnknownOptions, type StateTensor, UnsupportedError, wavesOf, wholeNumber } from '@chainrule/core'
import { type Binding, type BoundNetwork, constantInitial, drawnRate, dropped, extendByStep, linear, neighborLinear, type Network, normalInitial, type Previous, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { conditioned, conditionInitial } from './condition-input.js'
import { bindGated, gated } from './gated-convolution.js'
import { checkInputKind, gridInput, type InputKind } from './grid-input.js'
import { gridNeighbors, liveOffsets, type MayRead, meanTaps, readThrough, square } from './grid-neighbors.js'
import { recall, recentRows, remember, tapLinear } from './recent-rows.js'
import { latestThrough, type WaveRead, waveSteps } from './wave-rows.js'

const activations = { relu: (x: tf.Tensor) => tf.relu(x), elu: (x: tf.Tensor) => tf.elu(x), gated }

export interface MaskedConvolutionOptions {
  /** How many layers follow the first one. */
  layers: number
  /** W, of the features of each layer. */
  width: number
  /** The side of the kernels after the first layer (3); odd. */
  kernel?: number
  /** The side of the first layer's kernel (7); odd, at least 3. */
  firstKernel?: number
  /** 'plain' (default): one stack, any order. 'gated': two stacks, no blind spot, orders that go line by line in one direction. */
  kind?: 'plain' | 'gated'
  /** Of kind 'plain': 'relu' (default), 'elu' or 'gated' (twice the work). */
  activation?: 'relu' | 'elu' | 'gated'
  /** Of kind 'plain': each layer as a narrow convolution between two products (false); the width is then even. */
  bottleneck?: boolean
  /** Values enter as numbers ('scaled', the default: intensities) or as learned vectors ('embedding': values without an order). */
  input?: InputKind
  /** How much of what is added to the residual stream is dropped in training, to the nearest 256th (0). */
  dropout?: number
}

const owner = 'maskedConvolution'

/** Σ over the taps of what a layer reads, and the bias: of map x, of weight [T, D, E]. */
export type Convolve = (x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor, layer: number) => tf.Tensor

/** What is settled: every option with its value. */
export interface ConvolutionSettings {
  readonly layers: number
  readonly width: number
  readonly kernel: number
  readonly firstKernel: number
  readonly input: InputKind
  readonly rate: number
}

/**
 * A network for variables on a grid (`domain.locations`: row, column). Of kind 'plain' any order and groups.
 * @throws {InvalidOptionError} for options unknown or out of range
 */
export function maskedConvolution(options: MaskedConvolutionOptions): Network {
  refuseUnknownOptions(owner, options, ['layers', 'width', 'kernel', 'firstKernel', 'kind', 'activation', 'bottleneck', 'input', 'dropout'])
  const { kernel = 3, firstKernel = 7, kind = 'plain', activation = 'relu', bottleneck = false, input = 'scaled', dropout = 0 } = options
  const layers = wholeNumber(owner, 'layers', options.layers, 0)
  const width = wholeNumber(owner, 'width', options.width)
  for (const [name, side, least] of [['kernel', kernel, 1], ['firstKernel', firstKernel, 3]] as const) {
    if (wholeNumber(owner, name, side, least) % 2 === 0) throw new InvalidOptionError(`${owner}: ${name} must be odd, so that a kernel has a centre, got ${side}.`)
  }
  if (kind !== 'plain' && kind !== 'gated') throw new InvalidOptionError(`${owner}: kind must be 'plain' or 'gated', got ${JSON.stringify(kind)}.`)
  if (!Object.hasOwn(activations, activation)) throw new InvalidOptionError(`${owner}: activation must be one of ${Object.keys(activations).join(', ')}, got ${JSON.stringify(activation)}.`)
  if (typeof bottleneck !== 'boolean') throw new InvalidOptionError(`${owner}: bottleneck must be true or false, got ${String(bottleneck)}.`)
  if (kind === 'gated' && (options.activation !== undefined || options.bottleneck !== undefined)) throw new InvalidOptionError(`${owner}: activation and bottleneck belong to kind 'plain'. Leave them out.`)
  if (bottleneck && width % 2) throw new InvalidOptionError(`${owner}: a bottleneck has half the width, so width must be even, got ${width}.`)
  const rate = drawnRate(finiteNumber(owner, 'dropout', dropout, 0, 0.9))
  if (dropout > 0 && rate === 0) throw new InvalidOptionError(`${owner}: dropout ${dropout} is less than what masks are drawn in. Use 0, or at least 1/256.`)
  if (dropout > 0 && layers === 0) throw new InvalidOptionError(`${owner}: with no layer after the first one there is nothing to drop. Leave dropout out.`)
  const settings: ConvolutionSettings = { layers, width, kernel, firstKernel, input: checkInputKind(owner, input), rate }
  return {
    name: owner,
    options: { layers, width, kernel, firstKernel, kind, ...(kind === 'plain' && { activation, bottleneck }), input, dropout },
    bind: (binding) => (kind === 'gated' ? bindGated(owner, binding, settings) : bindPlain(binding, settings, activation, bottleneck)),
  }
}

function bindPlain({ domain, order, condition }: Binding, settings: ConvolutionSettings, activation: keyof typeof activations, bottleneck: boolean): BoundNetwork {
  const { layers, width, kernel, firstKernel, rate } = settings
  const d = fixedLength(domain, owner)
  const grid = gridOf(domain, owner)
  const group = groupOfPosition(order)
  const neighborsOf = (side: number, mayRead: MayRead) => gridNeighbors(grid, liveOffsets(grid, square(side), mayRead), mayRead)
  const other = neighborsOf(kernel, (p, q) => order.inverse[q] <= order.inverse[p])
  const neighbors = [neighborsOf(firstKernel, (p, q) => group[q] < group[p]), ...Array.from({ length: layers }, () => other)]
  const input = gridInput(settings.input, domain, width)
  const activate = activations[activation]
  const halves = activation === 'gated' ? 2 : 1
  /** How wide the map is that a layer's kernel reads. */
  const inner = bottleneck ? width / 2 : width
  const read = neighbors.map((_, l) => (l === 0 ? input.size : inner))

  /** The same for a whole image, [B, N, …], and for one position, [B, …]: only `convolve` knows, which sums over the taps. */
  const run = (parameters: Tensors, encoded: tf.Tensor, convolve: Convolve, masks?: Tensors, condition?: tf.Tensor): tf.Tensor => {
    const throughTaps = (x: tf.Tensor, l: number) => activate(conditioned(convolve(x, parameters[`layer${l}/weight`], parameters[`layer${l}/bias`], l), parameters, `layer${l}`, condition))
    const product = (x: tf.Tensor, name: string) => tf.add(linear(x, parameters[`${name}/weight`]), parameters[`${name}/bias`])
    let h = throughTaps(encoded, 0)
    for (let l = 1; l <= layers; l++) {
      const added = bottleneck ? product(throughTaps(activate(product(h, `layer${l}/narrow`)), l), `layer${l}/wide`) : throughTaps(h, l)
      h = tf.add(h, masks ? dropped(added, masks[`layer${l}`], rate) : added)
    }
    return h
  }

  const recent = neighbors.map((each, l) => recentRows(each, order, l === 0 ? 1 : 0))
  const step = (parameters: Tensors, state: Tensors, { values, condition }: Previous): { features: tf.Tensor; state: Tensors } => {
    const next: Tensors = { index: tf.add(state.index, tf.scalar(1, 'int32')) }
    const features = run(parameters, input.encode(parameters, values), (x, weight, bias, l) => {
      const { all, next: rows } = remember(state[`rows${l}`], x)
      next[`rows${l}`] = rows
      return tapLinear(recall(all, recent[l], state.index), weight, bias)
    }, undefined, condition)
    return { features, state: next }
  }

  return {
    width,
    emitsParameters: false,
    longest: d,
    conditions: ['label', 'controlSequence'],
    state: [{ name: 'index', type: 'int32', shape: [1] }, ...recent.map(({ count }, l): StateTensor => ({ name: `rows${l}`, type: 'float32', shape: ['batch', count, read[l]] }))],
    ...(rate > 0 && { dropout: { rate, masks: (batch: number) => Object.fromEntries(Array.from({ length: layers }, (_, l) => [`layer${l + 1}`, [batch, d, width]])) } }),
    initialize(seed) {
      const sums = Object.fromEntries(neighbors.map((_, l) => [`layer${l}`, halves * (l === 0 ? width : inner)]))
      const parameters = { ...input.initialize(seed), ...conditionInitial(seed, condition, sums) }
      const put = (name: string, shape: number[], deviation: number) => {
        parameters[`${name}/weight`] = normalInitial(seed, `network/${name}/weight`, shape, deviation)
        parameters[`${name}/bias`] = constantInitial(shape.slice(-1), 0)
      }
      // What is added to the residual stream is smaller the more layers add to it.
      const share = 1 / Math.sqrt(Math.max(1, layers))
      neighbors.forEach((each, l) => {
        const energy = meanTaps(each) * (l === 0 ? input.energy : inner)
        put(`layer${l}`, [each.taps, read[l], halves * (l === 0 ? width : inner)], (l === 0 || bottleneck ? 1 : share) * Math.sqrt(2 / energy))
        if (bottleneck && l > 0) {
          put(`layer${l}/narrow`, [width, halves * inner], Math.sqrt(2 / width))
          put(`layer${l}/wide`, [inner, width], share * Math.sqrt(1 / inner))
        }
      })
      return parameters
    },
    forward(parameters, x, before, masks, condition) {
      if (before) throw new UnsupportedError(`${owner}: x has a fixed length and begins with its first variable; nothing can come before it.`)
      return run(parameters, input.encode(parameters, x), (map, weight, bias, l) => neighborLinear(map, weight, bias, neighbors[l]), masks, condition)
    },
    step,
    extend: (parameters, state, before) => extendByStep(step, parameters, state, before),
    waves() {
      const waves = wavesOf(order, latestThrough(neighbors, d))
      const reads = Object.fromEntries(neighbors.map((each, l): [string, WaveRead] => [`rows${l}`, { neighbors: each, readers: waves, sources: waves, lag: l === 0 ? 1 : 0, size: read[l] }]))
      return waveSteps(waves, reads, (memory, parameters, values, condition) =>
        run(parameters, input.encode(parameters, values), (x, weight, bias, l) => tapLinear(memory.read(`rows${l}`, x), weight, bias), undefined, condition),
      )
    },
    dependencies: (position) => [...[...neighbors].reverse().reduce<Set<number>>((rows, each) => readThrough(rows, each), new Set([position]))].sort((a, b) => a - b),
  }
}
