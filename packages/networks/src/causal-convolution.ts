/**
 * Dilated causal convolutions over the order of generation (WaveNet):
 *
 *   sₗ(t) = bₗ + Σₖ Wₗₖ hₗ(t − (K−1−k) Dₗ),  zₗ = tanh(s) σ(s′)     gated: s and s′ are the halves of sₗ; else zₗ = relu(sₗ)
 *   hₗ₊₁ = hₗ + Oₗ zₗ                                               residual; else hₗ₊₁ = zₗ
 *   features = relu(F relu(Σₗ Sₗ zₗ + b) + b′)                       skip; else hₗ of the last layer
 *
 * A condition c adds Uₗ c to the sums of every layer: of a label the same at all t ("global"), of a control sequence that of t ("local").
 *
 * van den Oord et al. 2016 (arXiv 1609.03499). h₀(t) speaks of the variable before t, so every tap may read its own step; before the
 * beginning hₗ is zero. A step costs the same however far the network sees: it keeps the last (K − 1) Dₗ rows of each hₗ in a ring, as
 * fast-wavenet does (Le Paine et al. 2016, arXiv 1611.09482). What a few steps in a row read of the past by dilations as long as they are
 * many is known before they begin, so those products are one batch, and the rings change once.
 *
 * Axes: B batch, N variables, S a chunk of them, C components, W width, L layers, K taps, G = 2W gated or W, Q = (K − 1) D rows of a ring, R of all, U steps in a row.
 */
import { InvalidOptionError, levelCount, type ParameterArrays, refuseUnknownOptions, UnsupportedError, wholeNumber } from '@chainrule/core'
import { type Block, type BoundNetwork, constantInitial, documentNumbers, isPacked, linear, type Network, nextPosition, normalInitial, type Previous, previous, restore, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { conditionInitial, fromCondition } from './condition-input.js'
import { gated as gate } from './gated-convolution.js'
import { checkLinearPrediction, linearPrediction, type LinearPredictionOptions, type Passage } from './linear-prediction.js'
import { checkSequenceInput, type InputKind, sequenceInput } from './sequence-input.js'

export interface CausalConvolutionOptions {
  /** L. */
  layers: number
  /** W, of h and z. */
  width: number
  /** D of the layers, over and over where there are more of them; the default is 1, 2, 4, … 512. */
  dilations?: readonly number[]
  /** K (2). */
  kernel?: number
  /** Each layer adds to the one before (true). */
  residual?: boolean
  /** The features are made of all layers (true), or of the last one. */
  skip?: boolean
  /** Width of the features, where `skip` (W). */
  skipWidth?: number
  /** tanh(s) σ(s′) (true), or relu(s) at half the work. */
  gated?: boolean
  /** Values enter as learned vectors ('embedding', the default), or as numbers ('scaled': many values, or many components). */
  input?: InputKind
  /** For samples of a wave, in place of `input`: linear-prediction.ts. The features are one more. */
  prediction?: LinearPredictionOptions
}

const owner = 'causalConvolution'
/** U of the blocks: longer ones copy the rings less often, but the processor's caches no longer hold what onnxruntime keeps of their nodes. */
const blockLength = 4

/**
 * A network for fixed and variable lengths, in any order without groups. With `input: 'embedding'` it has an embedding, for tied heads.
 * @throws {InvalidOptionError} for options unknown or out of range
 */
export function causalConvolution(options: CausalConvolutionOptions): Network {
  refuseUnknownOptions(owner, options, ['layers', 'width', 'dilations', 'kernel', 'residual', 'skip', 'skipWidth', 'gated', 'input', 'prediction'])
  const { dilations = Array.from({ length: 10 }, (_, power) => 2 ** power), residual = true, skip = true, gated = true } = options
  const L = wholeNumber(owner, 'layers', options.layers)
  const W = wholeNumber(owner, 'width', options.width)
  const K = wholeNumber(owner, 'kernel', options.kernel ?? 2, 2)
  if (!Array.isArray(dilations) || dilations.length === 0) throw new InvalidOptionError(`${owner}: dilations must be a list of whole numbers, got ${JSON.stringify(dilations)}.`)
  dilations.forEach((dilation, at) => wholeNumber(owner, `dilations[${at}]`, dilation))
  if (dilations.length > L && options.dilations !== undefined) throw new InvalidOptionError(`${owner}: ${dilations.length} dilations for ${L} layers. Leave some out, or raise layers.`)
  for (const [name, value] of Object.entries({ residual, skip, gated })) {
    if (typeof value !== 'boolean') throw new InvalidOptionError(`${owner}: ${name} must be true or false, got ${String(value)}.`)
  }
  if (!skip && options.skipWidth !== undefined) throw new InvalidOptionError(`${owner}: skipWidth belongs to skip. Leave it out.`)
  const P = wholeNumber(owner, 'skipWidth', options.skipWidth ?? W)
  const prediction = options.prediction === undefined ? undefined : checkLinearPrediction(options.prediction)
  if (prediction && options.input !== undefined) throw new InvalidOptionError(`${owner}: input and prediction are two ways in. Leave one out.`)
  const input = checkSequenceInput(owner, options.input ?? 'embedding')
  /** Width of what the layers give. */
  const F = skip ? P : W
  const [halves, G] = gated ? [2, 2 * W] : [1, W]
  const layers = Array.from({ length: L }, (_, l) => l)
  const D = layers.map((l) => dilations[l % dilations.length])
  const Q = D.map((dilation) => (K - 1) * dilation)
  const firstRow = Q.map((_, l) => Q.slice(0, l).reduce((sum, rows) => sum + rows, 0))
  const R = firstRow[L - 1] + Q[L - 1]
  /** Whether layer l hands on anything but its z. */
  const hasOutput = (l: number) => residual && (!skip || l < L - 1)

  const activate = (halvesOfSum: readonly tf.Tensor[]) => (gated ? tf.mul(tf.tanh(halvesOfSum[0]), tf.sigmoid(halvesOfSum[1])) : tf.relu(halvesOfSum[0]))
  const biased = (parameters: Tensors, x: tf.Tensor, name: string) => tf.add(linear(x, parameters[`${name}/weight`]), parameters[`${name}/bias`])
  const handedOn = (parameters: Tensors, h: tf.Tensor, z: tf.Tensor, l: number) => (residual ? (hasOutput(l) ? tf.add(linear(z, parameters[`layer${l}/output`]), h) : h) : z)
  const featuresOf = (parameters: Tensors, h: tf.Tensor, z: readonly tf.Tensor[]) => {
    if (!skip) return h
    return tf.relu(biased(parameters, tf.relu(biased(parameters, z.length === 1 ? z[0] : tf.concat([...z], -1), 'skip')), 'features'))
  }

  const numbers = (list: readonly number[]) => tf.tensor1d(Int32Array.from(list), 'int32')
  const eachRow = (make: (l: number, row: number) => number): tf.Tensor => numbers(layers.flatMap((l) => Array.from({ length: Q[l] }, (_, row) => make(l, row))))
  const firstRows = () => eachRow((l) => firstRow[l])
  const lengths = () => eachRow((l) => Q[l])
  const ownRows = () => eachRow((_, row) => row)

  return {
    name: owner,
    options: { layers: L, width: W, dilations: D.slice(0, Math.min(L, dilations.length)), kernel: K, residual, skip, ...(skip && { skipWidth: P }), gated, ...(prediction ? { prediction } : { input }) },
    bind({ domain, order, condition }): BoundNetwork {
      if (order.groups) throw new UnsupportedError(`${owner}: an order with groups is not supported. Use groups of one, or a masked convolution.`)
      if (prediction && (domain.components > 1 || !order.isLeftToRight)) throw new UnsupportedError(`${owner}: prediction is for variables of one sample, from left to right. Leave it out.`)
      const predictor = prediction && linearPrediction(prediction, levelCount(domain, `${owner}: prediction`), W)
      const entry = sequenceInput(input, domain, W)
      const enter = (parameters: Tensors, before: Previous, state?: Tensors): Passage =>
        predictor ? predictor.enter(parameters, before, state) : { first: entry.encode(parameters, before), leave: (features) => features, state: {} }

      /** A chunk: h₀ [B, S, W], and what lies before it in each layer [B, Q, W] → features [B, S, …], and for each layer the rows that come to lie before the next chunk. */
      const run = (parameters: Tensors, first: tf.Tensor, past: readonly tf.Tensor[], condition?: tf.Tensor, documents?: tf.Tensor): { features: tf.Tensor; past: tf.Tensor[] } => {
        const [B, S] = first.shape as [number, number]
        let h = first
        const z: tf.Tensor[] = []
        const after: tf.Tensor[] = []
        const added = condition && tf.split(fromCondition(parameters, 'layers', condition), L, 2)
        for (const l of layers) {
          const rows = tf.concat([past[l], h], 1)
          after.push(tf.slice(rows, [0, S, 0], [-1, Q[l], -1]))
          const earlier = Array.from({ length: K - 1 }, (_, k) => {
            const tap = tf.slice(rows, [0, k * D[l], 0], [B, S, W])
            return documents ? tf.mul(tap, isSameDocument(documents, Q[l] - k * D[l])) : tap
          })
          const sum = tf.add(linear(tf.concat([...earlier, h], 2), tf.reshape(parameters[`layer${l}/weight`], [K * W, G])), parameters[`layer${l}/bias`])
          const conditionedSum = added ? tf.add(sum, added[l]) : sum
          z[l] = gated ? gate(conditionedSum) : tf.relu(conditionedSum)
          h = handedOn(parameters, h, z[l], l)
        }
        return { features: featuresOf(parameters, h, z), past: after }
      }

      /**
       * U steps in a row. What the layers of dilation U and more read of the past is known before the first of them, so it is one product for all
       * steps; the others ("near") read a row of the ring, or of an earlier step.
       */
      const inARow = (parameters: Tensors, state: Tensors, U: number, condition?: tf.Tensor): Block => {
        const steps = Array.from({ length: U }, (_, u) => u)
        const taps = Array.from({ length: K - 1 }, (_, k) => k)
        const far = layers.filter((l) => D[l] >= U)
        const isNear = (l: number) => D[l] < U
        const B = state.rows.shape[1]!
        const added = condition && tf.split(fromCondition(parameters, 'layers', condition), L, 2)
        const biases = (l: number) => tf.reshape(parameters[`layer${l}/bias`], [1, 1, G])

        /** Places in the rings of rows that the layers have at times counted from the first step; Q back is the same place. */
        const placesOf = (rows: readonly { l: number; time: number }[]): tf.Tensor => {
          const times = rows.every(({ time }) => time === 0) ? state.index : tf.add(state.index, numbers(rows.map(({ time }) => time)))
          return tf.add(tf.mod(times, numbers(rows.map(({ l }) => Q[l]))), numbers(rows.map(({ l }) => firstRow[l])))
        }
        const rowsAt = (rows: readonly { l: number; time: number }[]) => tf.gather(state.rows, placesOf(rows) as tf.Tensor1D)
        /** [B, n · each] → n of [B, each]. */
        const columns = (x: tf.Tensor, each: number) => tf.split(x, x.shape[1]! / each, 1)

        const farSums = (): tf.Tensor[] => {
          const read = rowsAt(far.flatMap((l) => taps.flatMap((k) => steps.map((u) => ({ l, time: u + k * D[l] })))))
          const weights = tf.concat(far.map((l) => tf.slice(parameters[`layer${l}/weight`], [0, 0, 0], [K - 1, W, G])), 0)
          const fromPast = tf.matMul(tf.reshape(read, [far.length * (K - 1), U * B, W]), weights)
          const summed = K === 2 ? fromPast : tf.sum(tf.reshape(fromPast, [far.length, K - 1, U * B, G]), 1)
          const sums = tf.reshape(tf.transpose(tf.reshape(tf.add(summed, tf.concat(far.map(biases), 0)), [far.length, U, B, G]), [2, 1, 0, 3]), [B, U, far.length * G])
          return columns(tf.reshape(added ? tf.add(sums, tf.concat(far.map((l) => added[l]), 2)) : sums, [B, U * far.length * G]), W)
        }
        const ofFar = far.length > 0 ? farSums() : []
        const ofNear = layers.map((l) => {
          const sums = added ? tf.add(added[l], biases(l)) : biases(l)
          return columns(tf.reshape(sums, [sums.shape[0], sums.shape[1]! * G]), W)
        })
        /** What is added to the product of layer l at step u, for each half of the sums. */
        const addend = (l: number, u: number, half: number) => (isNear(l) ? ofNear[l][((u * halves) % ofNear[l].length) + half] : ofFar[(u * far.length + far.indexOf(l)) * halves + half])

        const kept = layers.filter(isNear).flatMap((l) => taps.flatMap((k) => steps.filter((u) => Q[l] - k * D[l] > u).map((u) => ({ l, time: u + k * D[l] }))))
        const keptRows = kept.length === 0 ? [] : columns(tf.reshape(tf.transpose(rowsAt(kept), [1, 0, 2]), [B, kept.length * W]), W)
        const inputs: tf.Tensor[][] = []
        /** The row of a near layer that its tap k reads at step u. */
        const nearRow = (l: number, k: number, u: number) => {
          const back = Q[l] - k * D[l]
          return back > u ? keptRows[kept.findIndex((row) => row.l === l && row.time === u + k * D[l])] : inputs[u - back][l]
        }

        let entered = state
        return {
          step(before) {
            const u = inputs.length
            const { first, leave, state: after } = enter(parameters, before, { ...entered, index: u === 0 ? state.index : tf.add(state.index, tf.scalar(u, 'int32')) })
            entered = after
            inputs.push([])
            let h = first
            const z: tf.Tensor[] = []
            for (const l of layers) {
              inputs[u].push(h)
              const weight = parameters[`layer${l}/weight`]
              const rows = isNear(l) ? tf.concat([...taps.map((k) => nearRow(l, k, u)), h], 1) : h
              const matrix = isNear(l) ? tf.reshape(weight, [K * W, G]) : tf.squeeze(tf.slice(weight, [K - 1, 0, 0], [1, W, G]), [0])
              z[l] = activate(tf.split(matrix, halves, 1).map((part, half) => tf.add(linear(rows, part), addend(l, u, half))))
              h = handedOn(parameters, h, z[l], l)
            }
            return leave(featuresOf(parameters, h, z))
          },
          state() {
            // The oldest rows of each ring make room for the newest.
            const newest = layers.flatMap((l) => steps.filter((u) => u >= U - Q[l]).map((u) => ({ l, time: u })))
            const rows = tf.reshape(tf.concat(newest.map(({ l, time }) => inputs[time][l]), 0), [newest.length, B, W])
            return { index: tf.add(state.index, tf.scalar(U, 'int32')), rows: tf.tensorScatterUpdate(state.rows, tf.expandDims(placesOf(newest), 1), rows), ...entered }
          },
        }
      }

      return {
        width: F + (predictor ? 1 : 0),
        emitsParameters: false,
        packs: !predictor,
        conditions: ['label', 'controlSequence'],
        state: [
          { name: 'index', type: 'int32', shape: [1] },
          { name: 'rows', type: 'float32', shape: [R, 'batch', W] },
          ...(predictor?.state ?? []),
        ],
        initialize(seed): ParameterArrays {
          const parameters: ParameterArrays = { ...(predictor ? predictor.initialize(seed, F) : entry.initialize(seed)), ...conditionInitial(seed, condition, { layers: L * G }) }
          const weight = (name: string, shape: number[], fanIn: number) => {
            parameters[name] = normalInitial(seed, `network/${name}`, shape, 1 / Math.sqrt(fanIn))
          }
          for (const l of layers) {
            weight(`layer${l}/weight`, [K, W, G], K * (l === 0 ? (predictor ?? entry).energy : W))
            parameters[`layer${l}/bias`] = constantInitial([G], 0)
            // What all layers add together is smaller than h₀.
            if (hasOutput(l)) weight(`layer${l}/output`, [W, W], W * L)
          }
          if (skip) {
            weight('skip/weight', [L * W, P], (L * W) / 4)
            parameters['skip/bias'] = constantInitial([P], 0)
            weight('features/weight', [P, P], P / 2)
            parameters['features/bias'] = constantInitial([P], 0)
          }
          return parameters
        },
        forward(parameters, x, before, _, condition) {
          const given = previous(x, order, before, condition)
          const past = Q.map((rows) => tf.zeros([x.shape[0], rows, W]))
          const documents = before && isPacked(before) ? documentNumbers(before.isStart) : undefined
          const { first, leave } = enter(parameters, given)
          return restore(leave(run(parameters, first, past, given.condition, documents).features), order)
        },
        extend(parameters, state, before) {
          // A row's place in its ring is its time modulo the ring's length; the chunk wants the rows by time, the oldest first.
          const byTime = tf.add(tf.mod(tf.add(ownRows(), state.index), lengths()), firstRows())
          const past = tf.split(tf.transpose(tf.gather(state.rows, byTime as tf.Tensor1D), [1, 0, 2]), Q, 1)
          const { first, leave, state: entered } = enter(parameters, before, state)
          const result = run(parameters, first, past, before.condition)
          const index = nextPosition(before.values, state.index)
          const byPlace = tf.add(tf.mod(tf.sub(ownRows(), index), lengths()), firstRows())
          const rows = tf.gather(tf.transpose(tf.concat(result.past, 1), [1, 0, 2]), byPlace as tf.Tensor1D)
          return { features: leave(result.features), state: { index, rows, ...entered } }
        },
        step(parameters, state, before) {
          const { step, state: after } = inARow(parameters, state, 1, before.condition && tf.expandDims(before.condition, 1))
          return { features: step(before), state: after() }
        },
        blocks: { length: blockLength, begin: (parameters, state, condition) => inARow(parameters, state, blockLength, condition) },
        dependencies(position) {
          const rank = order.isLeftToRight ? position : order.inverse[position]
          const ranks = (predictor ? predictor.reached(receptiveField()) : receptiveField()).flatMap((back) => (back < rank ? [rank - 1 - back] : []))
          return (order.isLeftToRight ? ranks : ranks.map((each) => order.permutation[each])).sort((a, b) => a - b)
        },
      }
    },
  }

  /** How many steps back the features see h₀: all sums of a tap's distance for each layer. */
  function receptiveField(): number[] {
    const reached = layers.reduce<Set<number>>((backs, l) => new Set([...backs].flatMap((back) => Array.from({ length: K }, (_, k) => back + k * D[l]))), new Set([0]))
    return [...reached]
  }
}

/** 1 where the variable `back` before each stands in the same document: documents [B, N] → [B, N, 1]. */
function isSameDocument(documents: tf.Tensor, back: number): tf.Tensor {
  const [B, N] = documents.shape as [number, number]
  const earlier = tf.slice(tf.pad(documents, [[0, 0], [back, 0]], -1), [0, 0], [B, N])
  return tf.expandDims(tf.cast(tf.equal(earlier, documents), 'float32'), 2)
}
