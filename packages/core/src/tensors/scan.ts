/**
 * The scan: a body runs over time, from the first entry of its inputs to the last, and carries a state of fixed shape.
 *
 *   (s_t+1, y_t) = body(s_t, x_t; W, k)      t = 0 … T − 1; the time axis is the first one of every input and output
 *
 * A body reads its weights by `multiply(name, x)` only, which is W x. So the gradient needs no sum over time while it runs:
 * the reverse scan carries ds, hands out the cotangent dz_t of every product z_t = W x_t, and dW = Σ_t dz_t x_tᵀ is one product
 * of all steps afterwards. The products themselves are not computed again: the forward scan hands out s_t, x_t and z_t. Constants k
 * may be read in any way; their gradients are summed step by step, so they should be small.
 *
 * Eagerly it is a loop. A backend that has a kernel ChainruleScan runs that: an engine that records makes one node of it.
 * Axes: T time, B batch, R rows and K columns of a weight.
 */
import * as tf from '@tensorflow/tfjs-core'
import { InvalidOptionError } from '../errors.js'
import { isTaped, vectorJacobian, withSeveralResults } from './differentiation.js'
import type { Tensors } from './network.js'
import { definePrimitive } from './primitive.js'
import { multiplyPlain, sumOfOuterProducts } from './primitives/multiply-each.js'

export interface ScanStep {
  readonly state: Tensors
  /** One entry of each input, without the time axis. */
  readonly inputs: Tensors
  readonly constants: Tensors
  /** The weight [R, K] of this name times x [K, B] → [R, B]. */
  multiply(weight: string, x: tf.Tensor): tf.Tensor
}

export interface ScanResult {
  /** Same names and shapes as before the step. */
  readonly state: Tensors
  readonly outputs: Tensors
}

export type ScanBody = (step: ScanStep) => ScanResult

export interface ScanArguments {
  /** s_0. */
  readonly state: Tensors
  /** Each [T, …], T ≥ 1. */
  readonly inputs: Tensors
  /** Each [R, K]; read by `multiply` only. */
  readonly weights?: Tensors
  readonly constants?: Tensors
}

/** How a body looks to the kernel: positions for names, and everything but state and inputs inside it already. */
export interface ScanAttributes {
  /** How many of the tensors are the state; the others are inputs. */
  readonly stateCount: number
  /** From the last entry to the first, outputs too. */
  readonly isReversed: boolean
  readonly body: (state: tf.Tensor[], inputs: tf.Tensor[]) => { state: tf.Tensor[]; outputs: tf.Tensor[] }
}

/** [s_0 …, x …] → [s_T …, y …]. */
const loop = definePrimitive<ScanAttributes>('ChainruleScan', (tensors, { stateCount, isReversed, body }) => {
  let state = tensors.slice(0, stateCount)
  const entries = tensors.slice(stateCount).map((input) => tf.unstack(input))
  const length = entries[0].length
  const outputs: tf.Tensor[][] = []
  for (let i = 0; i < length; i++) {
    const t = isReversed ? length - 1 - i : i
    const step = tf.tidy(() => {
      const result = body(state, entries.map((entry) => entry[t]))
      return [...result.state, ...result.outputs]
    })
    state = step.slice(0, stateCount)
    outputs[t] = step.slice(stateCount)
  }
  return [...state.map((tensor) => tf.clone(tensor)), ...outputs[0].map((_, which) => tf.stack(outputs.map((step) => step[which])))]
})

/**
 * Runs a body over time; the values, and the gradients with respect to everything in the arguments, are those of the loop written out.
 * What the body reads in any other way (a tensor of the code around it) is taken as constant: no gradient reaches it.
 * @param body a pure function that does the same operations whatever the values; it is called again for the gradient
 * @returns the state after the last step, and the outputs [T, …]
 * @throws {InvalidOptionError} for tensors that are not float32, inputs of different lengths, a state that changes its names or shapes
 */
export function scan(body: ScanBody, { state, inputs, weights = {}, constants = {} }: ScanArguments): ScanResult {
  check(state, inputs, weights, constants)
  const [stateNames, inputNames, weightNames, constantNames] = [state, inputs, weights, constants].map((record) => Object.keys(record))
  const named = (names: readonly string[], tensors: readonly tf.Tensor[]): Tensors => Object.fromEntries(names.map((name, i) => [name, tensors[i]]))
  let outputNames: string[] = []
  /** The body with positions for names. */
  const run = (s: tf.Tensor[], x: tf.Tensor[], constants: Tensors, multiply: ScanStep['multiply']) => {
    const result = body({ state: named(stateNames, s), inputs: named(inputNames, x), constants, multiply })
    checkState(s, stateNames, result.state)
    outputNames = Object.keys(result.outputs)
    return { state: stateNames.map((name) => result.state[name]), outputs: outputNames.map((name) => result.outputs[name]) }
  }
  const sequences = [...Object.values(state), ...Object.values(inputs)]
  const stateCount = stateNames.length
  const weightOf = (weights: Tensors, name: string) => weights[name] ?? unknownWeight(name, weightNames)
  const result = (tensors: tf.Tensor[]): ScanResult => ({ state: named(stateNames, tensors), outputs: named(outputNames, tensors.slice(stateCount)) })

  if (!isTaped()) {
    const multiply = (name: string, x: tf.Tensor) => multiplyPlain(weightOf(weights, name), x)
    return result(loop(sequences, { stateCount, isReversed: false, body: (s, x) => run(s, x, constants, multiply) }))
  }

  const given = [...sequences, ...Object.values(weights), ...Object.values(constants)]
  const tensors = withSeveralResults(given, (save) => {
    /** The weight of each product in a step. */
    let products: string[] = []
    const all = loop(sequences, {
      stateCount,
      isReversed: false,
      body: (s, x) => {
        products = []
        const [operands, values]: tf.Tensor[][] = [[], []]
        const { state, outputs } = run(s, x, constants, (name, operand) => {
          const value = multiplyPlain(weightOf(weights, name), operand)
          products.push(name)
          operands.push(operand)
          values.push(value)
          return value
        })
        return { state, outputs: [...outputs, ...s, ...operands, ...values] }
      },
    })
    const resultCount = stateCount + outputNames.length
    save([...given.slice(stateCount), ...all.slice(resultCount)])
    return {
      values: all.slice(0, resultCount),
      gradient(cotangents, saved) {
        const [x, w, k, s, operands, z] = split(saved, [inputNames.length, weightNames.length, constantNames.length, stateCount, products.length, products.length])
        // Turned once, not in each step.
        const turned = Object.fromEntries(weightNames.map((name, i) => [name, tf.transpose(w[i])]))
        const [ds, dy] = [cotangents.slice(0, stateCount), cotangents.slice(stateCount)]
        const leaves = [s, x, z]
        const back = loop([...ds, ...k.map((constant) => tf.zerosLike(constant)), ...dy, ...leaves.flat()], {
          stateCount: stateCount + k.length,
          isReversed: true,
          body: (carried, entries) => {
            const [dyNow, point] = [entries.slice(0, dy.length), entries.slice(dy.length)]
            const pullBack = (all: tf.Tensor[]) => {
              const [s, x, z, k] = split(all, [...leaves.map(({ length }) => length), constantNames.length])
              const { state, outputs } = run(s, x, named(constantNames, k), (name, operand) => linked(z.shift()!, operand, turned[name]))
              return [...state, ...outputs]
            }
            const gradients = vectorJacobian(pullBack, [...point, ...k], [...carried.slice(0, stateCount), ...dyNow])
            const [ds, dx, dz, dk] = split(gradients, [...leaves.map(({ length }) => length), k.length])
            return { state: [...ds, ...dk.map((gradient, i) => tf.add(carried[stateCount + i], gradient))], outputs: [...dx, ...dz] }
          },
        })
        const [dsFirst, dk, dx, dz] = split(back, [stateCount, k.length, x.length, products.length])
        const dw = weightNames.map((name, i) => {
          const shares = products.flatMap((product, p) => (product === name ? [sumOfOuterProducts(dz[p], operands[p])] : []))
          return shares.length > 0 ? tf.addN(shares) : tf.zerosLike(w[i])
        })
        return [...dsFirst, ...dx, ...dw, ...dk]
      },
    }
  })
  return result(tensors)
}

/** A product z = W x that is known already: its gradient goes to z as it is, and to x by Wᵀ. */
const linked = (z: tf.Tensor, x: tf.Tensor, turnedWeight: tf.Tensor): tf.Tensor =>
  tf.customGrad(() => ({ value: tf.clone(z), gradFunc: (dz: tf.Tensor) => [dz, multiplyPlain(turnedWeight, dz)] }))(z, x)

function split<T>(list: readonly T[], counts: readonly number[]): T[][] {
  let at = 0
  return counts.map((count) => list.slice(at, (at += count)))
}

function check(state: Tensors, inputs: Tensors, weights: Tensors, constants: Tensors): void {
  for (const [kind, record] of Object.entries({ state, inputs, weights, constants })) {
    for (const [name, { dtype, shape }] of Object.entries(record)) {
      if (dtype !== 'float32') throw new InvalidOptionError(`scan: ${kind} "${name}" is ${dtype}, expected float32. Cast it before.`)
      if (kind === 'weights' && shape.length !== 2) throw new InvalidOptionError(`scan: the weight "${name}" has the shape [${shape}], expected two axes.`)
    }
  }
  const lengths = Object.entries(inputs).map(([name, { shape }]) => ({ name, length: shape[0] }))
  if (lengths.length === 0) throw new InvalidOptionError('scan: there is no input, so nothing says how many steps there are. Give at least one [T, …].')
  const odd = lengths.find(({ length }) => length !== lengths[0].length || !(length >= 1))
  if (odd) throw new InvalidOptionError(`scan: the input "${odd.name}" has ${odd.length} entries and "${lengths[0].name}" has ${lengths[0].length}; expected the same number of at least 1 for each.`)
}

function checkState(before: readonly tf.Tensor[], names: readonly string[], after: Tensors): void {
  const others = Object.keys(after).filter((name) => !names.includes(name))
  if (others.length > 0) throw new InvalidOptionError(`scan: the body returns a state "${others[0]}" that it was not given, expected ${names.join(', ') || 'none'}.`)
  names.forEach((name, i) => {
    const [want, got] = [before[i].shape, after[name]?.shape]
    if (String(want) !== String(got)) throw new InvalidOptionError(`scan: the body returns the state "${name}" as ${got ? `[${got}]` : 'nothing'}, expected [${want}].`)
  })
}

function unknownWeight(name: string, known: readonly string[]): never {
  throw new InvalidOptionError(`scan: the body multiplies by a weight "${name}" that it was not given. Given: ${known.join(', ') || 'none'}.`)
}
