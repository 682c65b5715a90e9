/**
 * A model: domain, order, network and head, bound once. p(x) = ∏ᵢ F_β(f_θ(x_π(<i))); with a condition p(x | c) = ∏ᵢ F_β(f_θ(x_π(<i), c)).
 * Its parameters are one record with the prefixes `network/` and `head/`. Axes as in network.ts and head.ts.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { Condition } from '../condition.js'
import { checkDomain, type Domain } from '../domain.js'
import { UnsupportedError } from '../errors.js'
import type { StateTensor } from '../exported-model.js'
import type { Order, ResolvedOrder } from '../order.js'
import type { ParameterArrays } from '../parameters.js'
import { conditionNumbers } from './condition.js'
import { afterEnd, isAfterEnd, zeroWhere } from './ending.js'
import { type Before, isPacked, type Previous, previous } from './factorization.js'
import type { BoundHead, Draw, DrawRequest, Head } from './head.js'
import type { Blocks, BoundNetwork, Network, Tensors } from './network.js'
import type { WaveSteps } from './waves.js'

export interface ModelPieces {
  readonly domain: Domain
  readonly order: Order
  readonly network: Network
  readonly head: Head
  /** What the model is told beside x: `label(…)`, `controlSequence(…)`; absent: nothing. */
  readonly condition?: Condition
}

export interface Model extends ModelPieces {
  readonly resolvedOrder: ResolvedOrder
  readonly boundNetwork: BoundNetwork
  readonly boundHead: BoundHead
  readonly state: readonly StateTensor[]
  /** Fresh parameters; the same seed gives the same ones everywhere. */
  initialize(seed: number): ParameterArrays
  /** Whether no gradient changes this parameter (network.ts). */
  isFixed(name: string): boolean
  /** Parameters by counting, of networks that have nothing else to learn (network.ts). */
  count?(sequences: Iterable<ArrayLike<number>>): ParameterArrays
  /**
   * log p of each variable given the ones before it, in nats: x [B, N, C] → [B, N]; 0 after an end. With masks only in training.
   * @param condition int32 [B] of labels; [B, N] (categories) or float32 [B, N, K] of a control sequence, by position
   * @throws {UnsupportedError} for documents side by side where the network cannot tell them apart
   * @throws {InvalidDataError} for a condition that is missing, of another shape, or not asked for
   */
  logProbability(parameters: Tensors, x: tf.Tensor, before?: Before, masks?: Tensors, condition?: tf.Tensor): tf.Tensor
  /** The same for a chunk x [B, S, C] of a variable-length x, given the state before it and the chunk's condition; one document in each row. */
  extend(parameters: Tensors, state: Tensors, x: tf.Tensor, before: Before, condition?: tf.Tensor): { logProbability: tf.Tensor; state: Tensors }
  /**
   * The variables of a wave, given the values int32 [B, M, C] of the one before it: draws of B · M rows, for requests of as many.
   * @param condition int32 [B] of a label, or those variables' entries of the sequence: int32 [B, M] or float32 [B, M, K]
   */
  drawWave(parameters: Tensors, steps: WaveSteps, state: Tensors, before: { values: tf.Tensor; places: Tensors }, request: DrawRequest, condition?: tf.Tensor): Draw & { state: Tensors }
  /**
   * The next variable of the order, drawn or given; after an end it is `end`, whatever is given.
   * @param condition int32 [B] of a label, or that variable's entry of the sequence: int32 [B] or float32 [B, K]
   */
  step(parameters: Tensors, state: Tensors, before: Before, request: DrawRequest, condition?: tf.Tensor): Draw & { state: Tensors }
  /**
   * The next U variables, a request for each: what as many steps give. For networks with `blocks`, which say U.
   * @param condition int32 [B] of a label, or those variables' entries of the sequence: int32 [B, U] or float32 [B, U, K]
   */
  drawBlock(parameters: Tensors, blocks: Blocks, state: Tensors, before: Before, requests: readonly DrawRequest[], condition?: tf.Tensor): { draws: Draw[]; state: Tensors }
}

/** The entries of a record whose names begin with the prefix, without it. */
export function scoped<T>(record: Record<string, T>, prefix: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [])))
}

const prefixed = (record: ParameterArrays, prefix: string): ParameterArrays =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [prefix + name, value]))

/** Binds the pieces to the domain. @throws {UnsupportedError} where two of them do not fit */
export function createModel({ domain, order, network, head, condition }: ModelPieces): Model {
  checkDomain(domain)
  const resolvedOrder = order.resolve(domain)
  const boundNetwork = network.bind({ domain, order: resolvedOrder, parametersPerVariable: head.parametersPerVariable(domain), ...(condition && { condition }) })
  if (condition && !boundNetwork.conditions?.includes(condition.name)) {
    throw new UnsupportedError(`${network.name}: does not take the condition ${condition.name}; it takes ${boundNetwork.conditions?.join(', ') || 'none'}. Leave the condition out, or use another network, transformer() say.`)
  }
  const boundHead = head.bind({ domain, width: boundNetwork.width, receivesParameters: boundNetwork.emitsParameters })
  const ofNetwork = (parameters: Tensors) => scoped(parameters, 'network/')
  const ofHead = (parameters: Tensors) => {
    const own = scoped(parameters, 'head/')
    return boundHead.isTied ? { ...own, embedding: parameters['network/embedding'] } : own
  }
  const { end } = domain
  const draw = (parameters: Tensors, features: tf.Tensor, request: DrawRequest): Draw => boundHead.draw(ofHead(parameters), features, request)
  /** A draw of one variable, which is `end` after an end. */
  const drawAfter = (parameters: Tensors, before: Before, features: tf.Tensor, request: DrawRequest): Draw => {
    const drawn = draw(parameters, features, request)
    return end === undefined ? drawn : afterEnd(drawn, isAfterEnd(before, end), end)
  }
  /** log p of each variable from that of its components; what comes before each is looked at only where there is an end. */
  const ofVariables = (logProbability: tf.Tensor, given: () => Previous) => {
    const sums = tf.sum(logProbability, 2)
    return end === undefined ? sums : zeroWhere(sums, isAfterEnd(given(), end))
  }
  return {
    domain,
    order,
    network,
    head,
    ...(condition && { condition }),
    resolvedOrder,
    boundNetwork,
    boundHead,
    state: boundNetwork.state,
    initialize(seed) {
      const parameters = { ...prefixed(boundNetwork.initialize(seed), 'network/'), ...prefixed(boundHead.initialize(seed), 'head/') }
      if (boundHead.isTied && !('network/embedding' in parameters)) throw new UnsupportedError(`${head.name}: tied needs a network with an embedding, ${network.name} has none.`)
      const wide = parameters['network/embedding']?.shape[1]
      if (boundHead.isTied && wide !== boundNetwork.width) throw new UnsupportedError(`${head.name}: tied needs features as wide as the embedding, ${wide}, these have ${boundNetwork.width}.`)
      return parameters
    },
    isFixed: (name) => name.startsWith('network/') && boundNetwork.isFixed?.(name.slice('network/'.length)) === true,
    ...(boundNetwork.count && { count: (sequences: Iterable<ArrayLike<number>>) => prefixed(boundNetwork.count!(sequences), 'network/') }),
    logProbability(parameters, x, before, masks, given) {
      if (before && isPacked(before) && !boundNetwork.packs) throw new UnsupportedError(`${network.name}: cannot take documents side by side, since it does not begin anew within x. Use transformer() or recurrent().`)
      const features = boundNetwork.forward(ofNetwork(parameters), x, before, masks, conditionNumbers('logProbability', condition, given, false))
      return ofVariables(boundHead.logProbability(ofHead(parameters), features, x), () => previous(x, resolvedOrder, before))
    },
    extend(parameters, state, x, before, ofChunk) {
      if (domain.length !== 'variable') throw new UnsupportedError('extend: a chunk of x belongs to a variable length; x of a fixed length is taken whole, by logProbability.')
      if (isPacked(before)) throw new UnsupportedError('extend: a chunk belongs to one document in each row, since it continues a state. Documents side by side are for logProbability.')
      const given = previous(x, resolvedOrder, before, conditionNumbers('extend', condition, ofChunk, false))
      const result = boundNetwork.extend(ofNetwork(parameters), state, given)
      return { logProbability: ofVariables(boundHead.logProbability(ofHead(parameters), result.features, x), () => given), state: result.state }
    },
    drawWave(parameters, { step }, state, { values, places }, request, given) {
      const result = step(ofNetwork(parameters), state, values, places, conditionNumbers('drawWave', condition, given, false))
      return { ...draw(parameters, tf.reshape(result.features, [-1, boundNetwork.width]), request), state: result.state }
    },
    step(parameters, state, { values, isStart }, request, given) {
      const before: Previous = { values, isStart, condition: conditionNumbers('step', condition, given, true) }
      const result = boundNetwork.step(ofNetwork(parameters), state, before)
      return { ...drawAfter(parameters, before, result.features, request), state: result.state }
    },
    drawBlock(parameters, { begin }, state, before, requests, given) {
      const block = begin(ofNetwork(parameters), state, conditionNumbers('drawBlock', condition, given, false))
      const draws: Draw[] = []
      for (const request of requests) {
        const last: Before = draws.length === 0 ? before : { values: draws[draws.length - 1].values, isStart: tf.zerosLike(before.isStart) }
        draws.push(drawAfter(parameters, last, block.step(last), request))
      }
      return { draws, state: block.state() }
    },
  }
}
