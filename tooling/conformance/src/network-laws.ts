/**
 * The laws of a network, on a domain small enough to try every change of every variable:
 *
 *   causality   a change of x at q leaves the features at p bit for bit the same, unless p declares to depend on q
 *   liveness    what p declares to depend on does change its features
 *   agreement   step by step = steps and chunks of random length = forward; and the laws of waves (wave-laws.ts), where there are any
 *
 * Bitwise invariance under every change is an exactly zero dependence, not a small one. Axes: B batch, N variables, C components, W width.
 */
import { type Domain, type Order, type ResolvedOrder, uniform, valueType } from '@chainrule/core'
import { begin, type BoundNetwork, earlierPositions, type Head, type Network, previous, type Previous, restore, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { randomRows } from './enumeration.js'
import { asTensors, numbersOf, shaken } from './parameters.js'
import { demand, demandClose } from './violation.js'
import { waveLaws } from './wave-laws.js'

export interface NetworkLawOptions {
  readonly domain: Domain
  readonly order: Order
  /** Says how many parameters the network is asked for. */
  readonly head: Head
  /** N, for a domain of variable length (6, or as many as the network takes). */
  readonly length?: number
  readonly seed?: number
  /** Of features, relative above 1 (1e-5). */
  readonly tolerance?: number
  /** Sets of parameters, each with its own x, in one of which every declared dependence must show (up to 12, at least 3). */
  readonly attempts?: number
}

interface Case {
  readonly law: string
  readonly domain: Domain
  readonly order: ResolvedOrder
  readonly network: BoundNetwork
  readonly length: number
  readonly seed: number
  readonly tolerance: number
  readonly attempts: number
}

/** All laws of a network for one domain, order and head. @throws {LawViolation} */
export function networkLaws(network: Network, options: NetworkLawOptions): void {
  const { domain, order, head, length = 6, seed = 1, tolerance = 1e-5, attempts = 12 } = options
  const resolved = order.resolve(domain)
  const bound = network.bind({ domain, order: resolved, parametersPerVariable: head.parametersPerVariable(domain) })
  const subject: Case = {
    law: `network ${network.name} ${JSON.stringify(network.options)}, order ${order.name}`,
    domain,
    order: resolved,
    network: bound,
    length: domain.length === 'variable' ? Math.min(length, bound.longest ?? length) : domain.length,
    seed,
    tolerance,
    attempts,
  }
  initializationLaw(subject)
  dependenceLaws(subject)
  agreementLaw(subject)
  if (bound.waves) waveLaws(bound, bound.waves(), subject)
}

function initializationLaw({ law, network, seed }: Case): void {
  const [first, second] = [network.initialize(seed), network.initialize(seed)]
  for (const [name, { shape, data }] of Object.entries(first)) {
    demand(law, data.length === shape.reduce((a, b) => a * b, 1), () => `${name} has ${data.length} numbers for the shape [${shape}].`)
    demand(law, data.every((value, i) => value === second[name].data[i]), () => `${name} differs between two initializations with the same seed.`)
  }
}

function dependenceLaws({ law, domain, order, network, length: N, seed, attempts }: Case): void {
  const { components: C } = domain
  const type = valueType(domain)
  /** How many ways a value is changed in: all others, or two steps of a real one. */
  const ways = domain.values === 'real' ? 2 : domain.values - 1
  const changed = (value: number, by: number) => (domain.values === 'real' ? value + (by - 1.4) : (value + by) % domain.values)
  for (let p = 0; p < N; p++) {
    const earlier = domain.length === 'variable' ? Array.from({ length: p }, (_, q) => q) : earlierPositions(p, order)
    for (const q of network.dependencies(p)) demand(law, earlier.includes(q), () => `position ${p} declares to depend on ${q}, which is not earlier in the order.`)
  }
  // Row by row the same x, and the same with one component changed: equal rows go through equal arithmetic.
  const changes = Array.from({ length: N * C * ways }, (_, which) => ({ slot: Math.floor(which / ways), by: 1 + (which % ways) }))
  const seen = Array.from({ length: N }, () => new Uint8Array(N))
  const isComplete = () => seen.every((row, p) => network.dependencies(p).every((q) => row[q]))
  for (let attempt = 0; attempt < attempts && !(attempt >= 3 && isComplete()); attempt++) {
    const base = randomRows(seed + attempt, { ...domain, end: undefined }, 1, N)
    const same = Float32Array.from({ length: changes.length * N * C }, (_, i) => base[i % (N * C)])
    const others = same.slice()
    changes.forEach(({ slot, by }, row) => (others[row * N * C + slot] = changed(base[slot], by)))
    const parameters = shaken(network.initialize(seed + attempt), seed + attempt)
    const features = (x: Float32Array) => numbersOf(() => network.forward(asTensors(parameters), tf.tensor(x, [changes.length, N, C], type)))
    const [before, after] = [features(same), features(others)]
    const W = network.width
    demand(law, before.length === changes.length * N * W, () => `forward gives ${before.length} numbers, expected [${changes.length}, ${N}, ${W}].`)
    changes.forEach(({ slot }, row) => {
      const q = Math.floor(slot / C)
      for (let at = 0; at < N * W; at++) {
        const i = row * N * W + at
        demand(law, Number.isFinite(after[i]), () => `a feature is ${after[i]}.`)
        if (before[i] !== after[i]) seen[Math.floor(at / W)][q] = 1
      }
    })
  }
  for (let p = 0; p < N; p++) {
    const declared = network.dependencies(p)
    for (let q = 0; q < N; q++) {
      if (seen[p][q]) demand(law, declared.includes(q), () => `causality: the features at position ${p} change with x at ${q}, which position ${p} must not see or does not declare.`)
      else demand(law, !declared.includes(q), () => `liveness: the features at position ${p} never change with x at ${q}, though position ${p} declares to depend on it.`)
    }
  }
}

function agreementLaw({ law, domain, order, network, length: N, seed, tolerance }: Case): void {
  const B = 3
  const { components: C } = domain
  const type = valueType(domain)
  const W = network.width
  const parameters = shaken(network.initialize(seed), seed)
  const values = randomRows(seed, { ...domain, end: undefined }, B, N)
  // A piece of something longer has a variable before its first one; only a variable length knows such pieces.
  const beginnings = domain.length === 'variable' ? [false, true] : [false]
  for (const continues of beginnings) {
    tf.tidy(() => {
      const tensors = asTensors(parameters)
      const x = tf.tensor(values, [B, N, C], type)
      const before: Previous | undefined = continues
        ? { values: tf.tensor(randomRows(seed + 1, { ...domain, end: undefined }, B, 1), [B, C], type), isStart: tf.tensor([0, 0, 0], [B], 'bool') }
        : undefined
      const forward = network.forward(tensors, x, before)
      demand(law, String(forward.shape) === String([B, N, W]), () => `forward gives [${forward.shape}], expected [${[B, N, W]}].`)
      const expected = forward.dataSync()
      const given = previous(x, order, before)
      const ways: Record<string, (rank: number) => number> = {
        'step by step': () => 0,
        'one chunk': () => N,
        'chunks of random length': (rank) => Math.floor(uniform(seed, 'batches', 2, rank) * 4),
      }
      for (const [way, chunkAt] of Object.entries(ways)) {
        let state = begin(network.state, B)
        const pieces: tf.Tensor[] = []
        for (let rank = 0; rank < N; ) {
          const size = Math.min(chunkAt(rank), N - rank)
          // 0 stands for `step`, so that chunks of one are tried too.
          const result = size === 0 ? stepOnce(network, tensors, state, given, rank) : network.extend(tensors, state, slicePrevious(given, rank, size))
          rank += Math.max(1, size)
          pieces.push(result.features)
          state = result.state
          stateLaw(law, network, state, B, rank)
        }
        demandClose(law, restore(tf.concat(pieces, 1), order).dataSync(), expected, tolerance, `agreement, ${way}${continues ? ', continued' : ''}`)
      }
    })
  }
}

function slicePrevious({ values, isStart }: Previous, rank: number, size: number): Previous {
  const [batch, , components] = values.shape as [number, number, number]
  return { values: tf.slice(values, [0, rank, 0], [batch, size, components]), isStart: tf.slice(isStart, [0, rank], [batch, size]) }
}

function stepOnce(network: BoundNetwork, parameters: Tensors, state: Tensors, given: Previous, rank: number) {
  const { values, isStart } = slicePrevious(given, rank, 1)
  const result = network.step(parameters, state, { values: tf.squeeze(values, [1]), isStart: tf.squeeze(isStart, [1]) })
  return { features: tf.expandDims(result.features, 1), state: result.state }
}

/** The state keeps the names, types and shapes that are declared, and its index counts. */
function stateLaw(law: string, network: BoundNetwork, state: Tensors, batch: number, rank: number): void {
  const names = (list: string[]) => list.sort().join(', ')
  demand(law, names(Object.keys(state)) === names(network.state.map(({ name }) => name)), () => `the state holds ${names(Object.keys(state))}, declared are ${names(network.state.map(({ name }) => name))}.`)
  for (const { name, type, shape } of network.state) {
    const tensor = state[name]
    const fits = tensor.dtype === type && tensor.shape.length === shape.length && shape.every((axis, i) => axis === 'past' || tensor.shape[i] === (axis === 'batch' ? batch : axis))
    demand(law, fits, () => `state ${name} is ${tensor.dtype} [${tensor.shape}], declared is ${type} [${shape}].`)
  }
  const index = state.index?.dataSync()[0]
  demand(law, index === rank, () => `the state's index is ${index} after ${rank} variables.`)
}
