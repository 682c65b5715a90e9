/**
 * A model: domain, order, network and head, bound once. p(x) = ∏ᵢ F_β(f_θ(x_π(<i))).
 * Its parameters are one record with the prefixes `network/` and `head/`. Axes as in network.ts and head.ts.
 */
import * as tf from '@tensorflow/tfjs-core'
import { checkDomain, type Domain } from '../domain.js'
import { UnsupportedError } from '../errors.js'
import type { StateTensor } from '../exported-model.js'
import type { Order, ResolvedOrder } from '../order.js'
import type { ParameterArrays } from '../parameters.js'
import { type Previous, previous } from './factorization.js'
import type { BoundHead, Draw, DrawRequest, Head } from './head.js'
import type { BoundNetwork, Network, Tensors } from './network.js'

export interface ModelPieces {
  readonly domain: Domain
  readonly order: Order
  readonly network: Network
  readonly head: Head
}

export interface Model extends ModelPieces {
  readonly resolvedOrder: ResolvedOrder
  readonly boundNetwork: BoundNetwork
  readonly boundHead: BoundHead
  readonly state: readonly StateTensor[]
  /** Fresh parameters; the same seed gives the same ones everywhere. */
  initialize(seed: number): ParameterArrays
  /** log p of each variable given the ones before it, in nats: x [B, N, C] → [B, N]. With masks only in training. */
  logProbability(parameters: Tensors, x: tf.Tensor, before?: Previous, masks?: Tensors): tf.Tensor
  /** The same for a chunk x [B, S, C] of a variable-length x, given the state before it. */
  extend(parameters: Tensors, state: Tensors, x: tf.Tensor, before: Previous): { logProbability: tf.Tensor; state: Tensors }
  /** The next variable of the order, drawn or given. */
  step(parameters: Tensors, state: Tensors, before: Previous, request: DrawRequest): Draw & { state: Tensors }
}

/** The entries of a record whose names begin with the prefix, without it. */
export function scoped<T>(record: Record<string, T>, prefix: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [])))
}

const prefixed = (record: ParameterArrays, prefix: string): ParameterArrays =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [prefix + name, value]))

/** Binds the pieces to the domain. @throws {UnsupportedError} where two of them do not fit */
export function createModel({ domain, order, network, head }: ModelPieces): Model {
  checkDomain(domain)
  const resolvedOrder = order.resolve(domain)
  const boundNetwork = network.bind({ domain, order: resolvedOrder, parametersPerVariable: head.parametersPerVariable(domain) })
  const boundHead = head.bind({ domain, width: boundNetwork.width, receivesParameters: boundNetwork.emitsParameters })
  const ofNetwork = (parameters: Tensors) => scoped(parameters, 'network/')
  const ofHead = (parameters: Tensors) => {
    const own = scoped(parameters, 'head/')
    return boundHead.isTied ? { ...own, embedding: parameters['network/embedding'] } : own
  }
  const sumComponents = (logProbability: tf.Tensor) => tf.sum(logProbability, 2)
  return {
    domain,
    order,
    network,
    head,
    resolvedOrder,
    boundNetwork,
    boundHead,
    state: boundNetwork.state,
    initialize(seed) {
      const parameters = { ...prefixed(boundNetwork.initialize(seed), 'network/'), ...prefixed(boundHead.initialize(seed), 'head/') }
      if (boundHead.isTied && !('network/embedding' in parameters)) throw new UnsupportedError(`${head.name}: tied needs a network with an embedding, ${network.name} has none.`)
      return parameters
    },
    logProbability(parameters, x, before, masks) {
      return sumComponents(boundHead.logProbability(ofHead(parameters), boundNetwork.forward(ofNetwork(parameters), x, before, masks), x))
    },
    extend(parameters, state, x, before) {
      if (domain.length !== 'variable') throw new UnsupportedError('extend: a chunk of x belongs to a variable length; x of a fixed length is taken whole, by logProbability.')
      const result = boundNetwork.extend(ofNetwork(parameters), state, previous(x, resolvedOrder, before))
      return { logProbability: sumComponents(boundHead.logProbability(ofHead(parameters), result.features, x)), state: result.state }
    },
    step(parameters, state, before, request) {
      const result = boundNetwork.step(ofNetwork(parameters), state, before)
      return { ...boundHead.draw(ofHead(parameters), result.features, request), state: result.state }
    },
  }
}
