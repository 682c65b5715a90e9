/**
 * The transformer, pre-norm: x += attention(norm(x)); x += feedForward(norm(x)); GPT-2's layout (Radford et al. 2019) without biases.
 *
 * Positions are rotary by default, with attention banded to `context` in forward, step and extend alike, so that sampling goes on
 * beyond it: a feature sees the last `context` variables directly and, layer by layer, layers · (context − 1) + 1 in all.
 * With learned positions the chain ends at `context`; those on a grid (grid-positions.ts) end where the grid does. Where documents stand
 * side by side, attention stays inside each, and learned positions count from its beginning; rotary ones need not, since only distances
 * matter to them.
 *
 * A condition adds a vector to the embedding of each variable.
 *
 * Axes: B batch, S sequence, K keys, D width, H heads, F = D/H features of a head, R rows of the embedding.
 */
import { finiteNumber, InvalidOptionError, type ParameterArrays, refuseUnknownOptions, type StateTensor, UnsupportedError, wholeNumber } from '@chainrule/core'
import {
  type BoundNetwork,
  causalAttention,
  constantInitial,
  documentNumbers,
  drawnRate,
  dropped,
  embedding,
  gelu,
  isPacked,
  last,
  layerNormalization,
  linear,
  type Network,
  nextPosition,
  normalInitial,
  positions,
  type Previous,
  previous,
  reluSquared,
  restore,
  rootMeanSquareNormalization,
  rotaryAngles,
  rotaryEmbedding,
  type Tensors,
} from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { conditioned, conditionInitial } from './condition-input.js'
import { gridPositions } from './grid-positions.js'
import { sequenceInput } from './sequence-input.js'

export interface TransformerOptions {
  layers: number
  heads: number
  /** D; a multiple of `heads`, with an even number of features for each head where positions are rotary. */
  width: number
  /** How many variables attention looks back at, the current one's predecessor included. */
  context: number
  /**
   * 'rotary' (default): goes on beyond the context. 'learned': one vector for each of `context` places in the order. 'learned2d', for variables
   * on a grid: vectors for the row and the column of the variable spoken of, and for those of the one before it, whatever the order.
   */
  positions?: 'rotary' | 'learned' | 'learned2d'
  /** Of the feed-forward layers: 'gelu' (default) or 'reluSquared'. */
  activation?: 'gelu' | 'reluSquared'
  /** Normalise queries and keys by their root mean square before they meet; false by default. Henry et al. 2020 (arXiv 2010.04245). */
  normalizeQueriesKeys?: boolean
  /** How the outputs into the residual stream begin: 'small' (default; GPT-2's) or 'zero'. */
  residualStart?: 'small' | 'zero'
  /** How much of what is added to the residual stream is dropped in training, to the nearest 256th; 0, the default: nothing. */
  dropout?: number
}

function oneOf<T>(option: string, value: T, allowed: readonly T[]): void {
  if (!allowed.includes(value)) throw new InvalidOptionError(`transformer: ${option} must be one of ${allowed.map((each) => JSON.stringify(each)).join(', ')}, got ${JSON.stringify(value)}.`)
}

/** How many variables of its document [B, S] stand before each: float32 [B, S]. */
function placesIn(documents: tf.Tensor): tf.Tensor {
  const [, length] = documents.shape as [number, number]
  const isEarlier = Float32Array.from({ length: length * length }, (_, at) => (at % length < Math.floor(at / length) ? 1 : 0))
  const isSame = tf.cast(tf.equal(tf.expandDims(documents, 2), tf.expandDims(documents, 1)), 'float32')
  return tf.sum(tf.mul(isSame, tf.tensor2d(isEarlier, [length, length])), 2)
}

/** Keys and values of one layer. */
interface Memory {
  readonly keys: tf.Tensor
  readonly values: tf.Tensor
}

export function transformer(options: TransformerOptions): Network {
  refuseUnknownOptions('transformer', options, ['layers', 'heads', 'width', 'context', 'positions', 'activation', 'normalizeQueriesKeys', 'residualStart', 'dropout'])
  const layers = wholeNumber('transformer', 'layers', options.layers)
  const heads = wholeNumber('transformer', 'heads', options.heads)
  const width = wholeNumber('transformer', 'width', options.width)
  const context = wholeNumber('transformer', 'context', options.context, 2)
  const { positions: kind = 'rotary', activation = 'gelu', normalizeQueriesKeys = false, residualStart = 'small' } = options
  oneOf('positions', kind, ['rotary', 'learned', 'learned2d'])
  oneOf('activation', activation, ['gelu', 'reluSquared'])
  oneOf('residualStart', residualStart, ['small', 'zero'])
  oneOf('normalizeQueriesKeys', normalizeQueriesKeys, [true, false])
  const activate = activation === 'gelu' ? gelu : reluSquared
  const dropout = finiteNumber('transformer', 'dropout', options.dropout ?? 0, 0, 0.9)
  const rate = drawnRate(dropout)
  if (dropout > 0 && rate === 0) throw new InvalidOptionError(`transformer: dropout ${dropout} is less than what masks are drawn in. Use 0, or at least 1/256.`)
  const features = width / heads
  if (!Number.isInteger(features)) throw new InvalidOptionError(`transformer: width ${width} is not a multiple of heads ${heads}.`)
  if (kind === 'rotary' && features % 2) throw new InvalidOptionError(`transformer: rotary positions need an even number of features for each head, got ${width}/${heads} = ${features}.`)

  return {
    name: 'transformer',
    options: { layers, heads, width, context, positions: kind, activation, normalizeQueriesKeys, residualStart, dropout },
    bind({ domain, order, condition }): BoundNetwork {
      if (order.groups) throw new UnsupportedError('transformer: an order with groups is not supported. Use groups of one, or a multilayer perceptron.')
      if (kind === 'learned' && domain.length !== 'variable' && domain.length > context) {
        throw new InvalidOptionError(`transformer: learned positions end at context ${context}, the domain has ${domain.length} variables. Raise context, or use rotary positions.`)
      }
      /** Real values enter by a linear map, whole numbers as rows of the embedding. */
      const numbers = domain.values === 'real' ? sequenceInput('scaled', domain, width) : undefined
      const V = domain.values === 'real' ? 0 : domain.values
      const startRow = domain.components * V
      const onGrid = kind === 'learned2d' ? gridPositions(domain, order) : undefined

      /** Embeds what came before (values [B, S, C], isStart [B, S]) → [B, S, D]; `start` has a row of its own, the last. */
      const embed = (parameters: Tensors, before: Previous): tf.Tensor => {
        const { values, isStart, condition } = before
        if (numbers) return conditioned(numbers.encode(parameters, before), parameters, 'embedding', condition)
        const rows = tf.unstack(values, 2).map((component, c) => {
          const row = c === 0 ? component : tf.add(component, tf.scalar(c * V, 'int32'))
          return embedding(parameters.embedding, tf.where(isStart, tf.mul(tf.onesLike(row), tf.scalar(startRow, 'int32')), row))
        })
        return conditioned(rows.length === 1 ? rows[0] : tf.addN(rows), parameters, 'embedding', condition)
      }

      /** The blocks, over a chunk x [B, S, D]; `memory` holds the keys and values of what came before it, `documents` [B, S] says what stands side by side. */
      const run = (parameters: Tensors, x: tf.Tensor, first: tf.Tensor, { memory, masks, documents }: { memory?: readonly Memory[]; masks?: Tensors; documents?: tf.Tensor }): { features: tf.Tensor; memory: Memory[] } => {
        const [batch, length] = x.shape as [number, number]
        const places = positions(x, first)
        const angles = kind === 'rotary' ? rotaryAngles(places, features) : undefined
        let h = x
        if (kind === 'learned') h = tf.add(x, embedding(parameters.positions, tf.cast(documents ? placesIn(documents) : places, 'int32')))
        if (onGrid) h = tf.add(x, onGrid.vectors(parameters, tf.cast(places, 'int32')))
        const kept: Memory[] = []
        const thinned = (added: tf.Tensor, mask: string) => (masks ? dropped(added, masks[mask], rate) : added)
        for (let layer = 0; layer < layers; layer++) {
          const parameter = (name: string) => parameters[`layer${layer}/${name}`]
          const projected = linear(layerNormalization(h, parameter('attentionNormalization')), parameter('queriesKeysValues'))
          const allHeads = tf.transpose(tf.reshape(projected, [batch, length, 3 * heads, features]), [0, 2, 1, 3])
          const [projectedQueriesKeys, chunkValues] = tf.split(allHeads, [2 * heads, heads], 1)
          const queriesKeys = normalizeQueriesKeys ? rootMeanSquareNormalization(projectedQueriesKeys) : projectedQueriesKeys
          const [queries, chunkKeys] = tf.split(angles ? rotaryEmbedding(queriesKeys, angles) : queriesKeys, 2, 1)
          const keys = memory ? tf.concat([memory[layer].keys, chunkKeys], 2) : chunkKeys
          const values = memory ? tf.concat([memory[layer].values, chunkValues], 2) : chunkValues
          // What the next variable can still see: with it, one query finds at most `context` keys.
          if (memory) kept.push({ keys: last(keys, context - 1), values: last(values, context - 1) })
          const attended = causalAttention(queries, keys, values, { context }, documents)
          const joined = tf.reshape(tf.transpose(attended, [0, 2, 1, 3]), [batch, length, width])
          h = tf.add(h, thinned(linear(joined, parameter('attentionOutput')), `attention${layer}`))
          const hidden = activate(linear(layerNormalization(h, parameter('feedForwardNormalization')), parameter('feedForwardInput')))
          h = tf.add(h, thinned(linear(hidden, parameter('feedForwardOutput')), `feedForward${layer}`))
        }
        return { features: layerNormalization(h, parameters.normalization), memory: kept }
      }

      const state: StateTensor[] = [{ name: 'index', type: 'int32', shape: [1] }]
      for (let layer = 0; layer < layers; layer++) {
        for (const name of ['keys', 'values']) state.push({ name: `${name}${layer}`, type: 'float32', shape: ['batch', heads, 'past', features] })
      }

      const extend = (parameters: Tensors, state: Tensors, before: Previous) => {
        const memory = Array.from({ length: layers }, (_, layer) => ({ keys: state[`keys${layer}`], values: state[`values${layer}`] }))
        const x = embed(parameters, before)
        const result = run(parameters, x, state.index, { memory })
        const next: Tensors = { index: nextPosition(x, state.index) }
        result.memory.forEach(({ keys, values }, layer) => {
          next[`keys${layer}`] = keys
          next[`values${layer}`] = values
        })
        return { features: result.features, state: next }
      }

      return {
        width,
        emitsParameters: false,
        packs: true,
        conditions: ['label', 'controlSequence'],
        longest: kind === 'learned' ? context : onGrid?.length,
        state,
        ...(rate > 0 && {
          dropout: {
            rate,
            masks: (batch: number, length: number) => Object.fromEntries(Array.from({ length: layers }, (_, layer) => [`attention${layer}`, `feedForward${layer}`]).flat().map((name) => [name, [batch, length, width]])),
          },
        }),
        initialize(seed): ParameterArrays {
          const initial = (name: string, shape: number[], deviation = 0.02) => normalInitial(seed, `network/${name}`, shape, deviation)
          // Outputs into the residual stream begin smaller, so that its variance does not grow with the depth (GPT-2).
          const residual = residualStart === 'zero' ? 0 : 0.02 / Math.sqrt(2 * layers)
          const parameters: ParameterArrays = { ...(numbers?.initialize(seed) ?? { embedding: initial('embedding', [startRow + 1, width]) }), ...conditionInitial(seed, condition, { embedding: width }, 0.02) }
          if (kind === 'learned') parameters.positions = initial('positions', [context, width])
          for (const [name, count] of Object.entries(onGrid?.tables ?? {})) parameters[name] = initial(name, [count, width])
          for (let layer = 0; layer < layers; layer++) {
            const put = (name: string, shape: number[], deviation?: number) => {
              parameters[`layer${layer}/${name}`] = initial(`layer${layer}/${name}`, shape, deviation)
            }
            parameters[`layer${layer}/attentionNormalization`] = constantInitial([width], 1)
            put('queriesKeysValues', [width, 3 * width])
            put('attentionOutput', [width, width], residual)
            parameters[`layer${layer}/feedForwardNormalization`] = constantInitial([width], 1)
            put('feedForwardInput', [width, 4 * width])
            put('feedForwardOutput', [4 * width, width], residual)
          }
          parameters.normalization = constantInitial([width], 1)
          return parameters
        },
        forward(parameters, x, before, masks, condition) {
          if (kind === 'learned' && x.shape[1]! > context) {
            throw new InvalidOptionError(`transformer: learned positions end at context ${context}, x has ${x.shape[1]} variables. Use rotary positions to go on.`)
          }
          const zero = tf.tensor1d([0], 'int32')
          const documents = before && isPacked(before) ? documentNumbers(before.isStart) : undefined
          return restore(run(parameters, embed(parameters, previous(x, order, before, condition)), zero, { masks, documents }).features, order)
        },
        step(parameters, state, { values, isStart, condition }) {
          const result = extend(parameters, state, { values: tf.expandDims(values, 1), isStart: tf.expandDims(isStart, 1), condition: condition && tf.expandDims(condition, 1) })
          return { features: tf.squeeze(result.features, [1]), state: result.state }
        },
        extend,
        dependencies(position) {
          const rank = order.isLeftToRight ? position : order.inverse[position]
          const earliest = Math.max(0, rank - (layers * (context - 1) + 1))
          return Array.from({ length: rank - earliest }, (_, i) => (order.isLeftToRight ? earliest + i : order.permutation[earliest + i]))
        },
      }
    },
  }
}
