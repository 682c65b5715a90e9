/**
 * Recurrent networks: the features of a variable are the state of the last layer after reading everything before it.
 *
 *   LSTM   [i f g o] = W x + b + U h     c' = σ(f) c + σ(i) tanh(g)     h' = σ(o) tanh(c')
 *   GRU    [r z n] = W x + b, [ρ ζ ν] = U h     m = tanh(n + σ(r + ρ) (ν + k))     h' = m + σ(z + ζ) (h − m)
 *
 * Hochreiter, Schmidhuber 1997, with the forget gate of Gers, Schmidhuber, Cummins 2000; Cho et al. 2014 (arXiv 1406.1078), with the
 * reset after the product, so that a step has one product. W x + b of all steps is one product before the scan; a scan's states are
 * columns, [H, B], which make the product of a step about twice as fast as rows do. A single step keeps to rows. Where documents stand
 * side by side, the states before the first variable of each are zeros again. A condition adds a vector to x of the first layer.
 *
 * Axes: B batch, N variables, T steps (the variables in the order of generation), C components, H width, G gates, R rows of the embedding.
 */
import { InvalidOptionError, type ParameterArrays, refuseUnknownOptions, type StateTensor, UnsupportedError, wholeNumber } from '@chainrule/core'
import {
  type BoundNetwork,
  constantInitial,
  embedding,
  isPacked,
  linear,
  multiplyEach,
  type Network,
  nextPosition,
  normalInitial,
  type Previous,
  previous,
  restore,
  scan,
  type Tensors,
  uniformInitial,
} from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { conditioned, conditionInitial } from './condition-input.js'
import { type CellName, cells } from './recurrent-cells.js'
import { sequenceInput } from './sequence-input.js'

export interface RecurrentOptions {
  /** Default 'lstm'. */
  cell?: CellName
  layers: number
  /** H, of the embedding (of real values: the linear map in its place) and of every layer's state. */
  width: number
}

const owner = 'recurrent'

/**
 * A network for fixed and variable lengths, in any order without groups. It has an embedding, for tied heads.
 * @throws {InvalidOptionError} for options unknown or out of range
 */
export function recurrent(options: RecurrentOptions): Network {
  refuseUnknownOptions(owner, options, ['cell', 'layers', 'width'])
  const { cell: cellName = 'lstm' } = options
  if (!Object.hasOwn(cells, cellName)) throw new InvalidOptionError(`${owner}: cell must be ${Object.keys(cells).map((name) => `'${name}'`).join(' or ')}, got ${JSON.stringify(cellName)}.`)
  const layers = wholeNumber(owner, 'layers', options.layers)
  const width = wholeNumber(owner, 'width', options.width)
  const cell = cells[cellName]
  const states = ['hidden', ...cell.carries]
  const perLayer = <T>(make: (layer: number) => T): T[] => Array.from({ length: layers }, (_, layer) => make(layer))

  return {
    name: owner,
    options: { cell: cellName, layers, width },
    bind({ domain, order, condition }): BoundNetwork {
      if (order.groups) throw new UnsupportedError(`${owner}: an order with groups is not supported. Use groups of one, or a multilayer perceptron.`)
      const { components } = domain
      /** Real values enter by a linear map, whole numbers as rows of the embedding. */
      const numbers = domain.values === 'real' ? sequenceInput('scaled', domain, width) : undefined
      const V = domain.values === 'real' ? 0 : domain.values
      const startRow = components * V

      /** The rows of the embedding that speak of what came before (values [..., C], isStart [...]): one [...] for each component; `start` has its own, the last. */
      const rowsOf = ({ values, isStart }: Previous): tf.Tensor[] =>
        tf.unstack(values, values.rank - 1).map((component, c) => {
          const row = c === 0 ? component : tf.add(component, tf.scalar(c * V, 'int32'))
          return tf.where(isStart, tf.mul(tf.onesLike(row), tf.scalar(startRow, 'int32')), row)
        })
      const sumOf = (tensors: tf.Tensor[]) => (tensors.length === 1 ? tensors[0] : tf.addN(tensors))
      const biasOf = (parameters: Tensors, layer: number) => parameters[`layer${layer}/bias`]
      const embed = (parameters: Tensors, before: Previous) => conditioned(numbers?.encode(parameters, before) ?? sumOf(rowsOf(before).map((rows) => embedding(parameters.embedding, rows))), parameters, 'embedding', before.condition)

      /**
       * W x + b of the first layer for all steps, [T, G H, B]. x is a sum of rows of the embedding; with few rows it is cheaper to
       * take each through W first, and to look the results up.
       */
      const firstLayer = (parameters: Tensors, before: Previous): tf.Tensor => {
        if (numbers || before.condition || 2 * (startRow + 1) > 3 * width) return fromColumns(parameters, 0, tf.transpose(embed(parameters, before), [1, 2, 0]))
        // C rows are summed at each step, so each brings its part of the bias.
        const share = components === 1 ? biasOf(parameters, 0) : tf.div(biasOf(parameters, 0), components)
        const table = tf.add(linear(parameters.embedding, parameters['layer0/input'], true), share)
        return tf.transpose(sumOf(rowsOf(before).map((rows) => embedding(table, rows))), [1, 2, 0])
      }
      /** W x + b of any layer for all steps: x [T, H, B] → [T, G H, B]. */
      const fromColumns = (parameters: Tensors, layer: number, x: tf.Tensor) =>
        tf.add(multiplyEach(parameters[`layer${layer}/input`], x), tf.expandDims(biasOf(parameters, layer), 1))

      const constantsOf = (parameters: Tensors, layer: number): Tensors => Object.fromEntries(cell.constants.map((name) => [name, parameters[`layer${layer}/${name}`]]))

      /** A chunk, given the states before it ([H, B]) → features [B, T, H] and the states after it. `keeps` [T, 1, B]: 0 where states begin anew. */
      const run = (parameters: Tensors, before: Previous, states: readonly Tensors[], keeps?: tf.Tensor): { features: tf.Tensor; states: Tensors[] } => {
        let fromInput = firstLayer(parameters, before)
        let hidden: tf.Tensor = fromInput
        const after: Tensors[] = []
        for (let layer = 0; layer < layers; layer++) {
          if (layer > 0) fromInput = fromColumns(parameters, layer, hidden)
          const constants = Object.fromEntries(Object.entries(constantsOf(parameters, layer)).map(([name, constant]) => [name, tf.expandDims(constant, 1)]))
          const { state, outputs } = scan(
            ({ state: last, inputs, constants, multiply }) => {
              const state = inputs.keeps ? Object.fromEntries(Object.entries(last).map(([name, each]) => [name, tf.mul(each, inputs.keeps)])) : last
              const next = cell.advance({ fromInput: inputs.fromInput, fromHidden: multiply('recurrent', state.hidden), state, constants, axis: 0 })
              return { state: next, outputs: { hidden: next.hidden } }
            },
            { state: states[layer], inputs: { fromInput, ...(keeps && { keeps }) }, weights: { recurrent: parameters[`layer${layer}/recurrent`] }, constants },
          )
          hidden = outputs.hidden
          after.push(state)
        }
        return { features: tf.transpose(hidden, [2, 0, 1]), states: after }
      }

      const eachState = (make: (name: string, layer: number) => tf.Tensor): Tensors[] => perLayer((layer) => Object.fromEntries(states.map((name) => [name, make(name, layer)])))
      const flat = (all: readonly Tensors[], index: tf.Tensor): Tensors =>
        Object.assign({ index }, ...all.map((state, layer) => Object.fromEntries(states.map((name) => [`${name}${layer}`, state[name]]))))

      return {
        width,
        emitsParameters: false,
        packs: true,
        conditions: ['label', 'controlSequence'],
        state: [{ name: 'index', type: 'int32', shape: [1] }, ...perLayer((layer) => states.map((name): StateTensor => ({ name: `${name}${layer}`, type: 'float32', shape: ['batch', width] }))).flat()],
        initialize(seed): ParameterArrays {
          // Rows of the embedding have a length of about ½: a tied head begins nearly uniform, and the first layer's weights make up for it.
          const parameters: ParameterArrays = {
            ...(numbers?.initialize(seed) ?? { embedding: normalInitial(seed, 'network/embedding', [startRow + 1, width], 0.5 / Math.sqrt(width)) }),
            ...conditionInitial(seed, condition, { embedding: width }, 0.5 / Math.sqrt(width)),
          }
          const bound = 1 / Math.sqrt(width)
          for (let layer = 0; layer < layers; layer++) {
            const put = (name: string, shape: number[], bound: number) => {
              parameters[`layer${layer}/${name}`] = uniformInitial(seed, `network/layer${layer}/${name}`, shape, bound)
            }
            put('input', [cell.gates * width, width], layer > 0 ? bound : numbers ? Math.sqrt(3 / numbers.energy) : 2)
            put('recurrent', [cell.gates * width, width], bound)
            parameters[`layer${layer}/bias`] = { shape: [cell.gates * width], data: Float32Array.from({ length: cell.gates * width }, (_, unit) => cell.biases[Math.floor(unit / width)]) }
            for (const name of cell.constants) parameters[`layer${layer}/${name}`] = constantInitial([width], 0)
          }
          return parameters
        },
        forward(parameters, x, before, _, condition) {
          const given = previous(x, order, before, condition)
          const zeros = eachState(() => tf.zeros([width, x.shape[0]]))
          const keeps = before && isPacked(before) ? tf.expandDims(tf.transpose(tf.sub(1, tf.cast(before.isStart, 'float32'))), 1) : undefined
          return restore(run(parameters, given, zeros, keeps).features, order)
        },
        extend(parameters, state, before) {
          const { features, states } = run(parameters, before, eachState((name, layer) => tf.transpose(state[`${name}${layer}`])))
          const rows = states.map((all) => Object.fromEntries(Object.entries(all).map(([name, columns]) => [name, tf.transpose(columns)])))
          return { features, state: flat(rows, nextPosition(before.values, state.index)) }
        },
        step(parameters, state, before) {
          let x = embed(parameters, before)
          const after = eachState((name, layer) => state[`${name}${layer}`]).map((old, layer) => {
            const fromInput = tf.add(linear(x, parameters[`layer${layer}/input`], true), biasOf(parameters, layer))
            const fromHidden = linear(old.hidden, parameters[`layer${layer}/recurrent`], true)
            const next = cell.advance({ fromInput, fromHidden, state: old, constants: constantsOf(parameters, layer), axis: 1 })
            x = next.hidden
            return next
          })
          return { features: x, state: flat(after, tf.add(state.index, tf.scalar(1, 'int32'))) }
        },
        dependencies(position) {
          if (order.isLeftToRight) return Array.from({ length: position }, (_, earlier) => earlier)
          return Array.from(order.permutation.subarray(0, order.inverse[position]))
        },
      }
    },
  }
}
