/**
 * A mixture of networks: log p(v | h) = log Σₖ wₖ pₖ(v | h),  w = softmax(h₀ G + g),  h₀ the features of the first network.
 *
 * The weights depend on what came before only, never on v, so p sums to 1. Every network brings a distribution of its own: the mixture
 * projects features to V values, as `categorical()` would (with `tied` by the network's embedding), and gives log-probabilities to its head.
 *
 * By default its networks are models that were trained before (`mixtureParameters`), and only G and g are learned. Learn them from text
 * that no network was trained on: a counted network knows the text it was counted on better than any other, and would be trusted too much.
 *
 * Axes: B batch, N variables, V values, K networks, W width of the first network's features.
 */
import { InvalidOptionError, type ParameterArrays, refuseUnknownOptions, type StateTensor, UnsupportedError, valueCount } from '@chainrule/core'
import { type Binding, type BoundNetwork, constantInitial, type Dropout, linear, type Network, normalInitial, type Previous, scoped, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'

export interface MixtureOptions {
  /** Two or more; the features of the first say how much each is trusted. */
  networks: readonly Network[]
  /** 'features' (default): the weights depend on the first network's features. 'constant': they are the same everywhere (G = 0). */
  weights?: 'features' | 'constant'
  /** Each network's projection is its value embedding, as for `categorical({ tied: true })`; false by default. */
  tied?: boolean
  /** Train the networks too; false by default. What is counted stays as it was counted. */
  trainNetworks?: boolean
}

const owner = 'mixture'

/** A network for sequences that its networks all can take; its head is `categorical()`. @throws {InvalidOptionError} */
export function mixture(options: MixtureOptions): Network {
  refuseUnknownOptions(owner, options, ['networks', 'weights', 'tied', 'trainNetworks'])
  const { networks, weights = 'features', tied = false, trainNetworks = false } = options
  if (!Array.isArray(networks) || networks.length < 2) throw new InvalidOptionError(`${owner}: networks must be a list of at least two networks, got ${Array.isArray(networks) ? networks.length : String(networks)}.`)
  if (weights !== 'features' && weights !== 'constant') throw new InvalidOptionError(`${owner}: weights must be 'features' or 'constant', got ${JSON.stringify(weights)}.`)
  for (const [name, value] of Object.entries({ tied, trainNetworks })) if (typeof value !== 'boolean') throw new InvalidOptionError(`${owner}: ${name} must be true or false, got ${String(value)}.`)
  const pieces = networks.map(({ name, options }: Network) => ({ name, options }))
  return { name: owner, options: { networks: pieces, weights, tied, trainNetworks }, bind: (binding) => bind(binding, { networks, weights, tied, trainNetworks }) }
}

const prefixOf = (k: number) => `${k}/`
const prefixed = <T>(record: Readonly<Record<string, T>>, prefix: string): Record<string, T> => Object.fromEntries(Object.entries(record).map(([name, value]) => [prefix + name, value]))
/** The records of all networks as one. */
const joined = <T>(records: readonly Readonly<Record<string, T>>[]): Record<string, T> => Object.assign({}, ...records.map((record, k) => prefixed(record, prefixOf(k))))

function bind(binding: Binding, { networks, weights, tied, trainNetworks }: Required<MixtureOptions>): BoundNetwork {
  const { components } = binding.domain
  const V = valueCount(binding.domain, owner)
  if (components !== 1) throw new UnsupportedError(`${owner}: variables must have one component, these have ${components}.`)
  if (binding.parametersPerVariable !== V) throw new UnsupportedError(`${owner}: gives ${V} log-probabilities for each variable, the head wants ${binding.parametersPerVariable} numbers. Use categorical().`)
  const parts = networks.map((network) => network.bind(binding))
  const { width: W } = parts[0]
  const K = parts.length
  const of = (parameters: Tensors, k: number) => scoped(parameters, prefixOf(k))
  const masksOf = (masks: Tensors | undefined, k: number) => (masks && parts[k].dropout ? scoped(masks, prefixOf(k)) : undefined)

  /** Features [..., Wₖ] of a network → log pₖ [..., V]. */
  const logProbabilities = (parameters: Tensors, k: number, features: tf.Tensor): tf.Tensor => {
    if (parts[k].emitsParameters) return tf.logSoftmax(features)
    const { projection, embedding } = of(parameters, k)
    return tf.logSoftmax(tied ? linear(features, tf.slice(embedding, [0, 0], [V, parts[k].width]), true) : linear(features, projection))
  }

  const combine = (parameters: Tensors, features: readonly tf.Tensor[]): tf.Tensor => {
    const bias = parameters['weights/bias']
    const scores = weights === 'constant' ? tf.add(tf.zeros([...features[0].shape.slice(0, -1), K]), bias) : tf.add(linear(features[0], parameters['weights/kernel']), bias)
    const logWeights = tf.split(tf.logSoftmax(scores), K, -1)
    return tf.logSumExp(tf.stack(features.map((each, k) => tf.add(logProbabilities(parameters, k, each), logWeights[k]))), 0)
  }

  const advance = (way: 'step' | 'extend') => (parameters: Tensors, state: Tensors, before: Previous) => {
    const results = parts.map((part, k) => part[way](of(parameters, k), { ...scoped(state, prefixOf(k)), index: state.index }, before))
    const states = results.map(({ state: { index: _index, ...rest } }) => rest)
    return { features: combine(parameters, results.map(({ features }) => features)), state: { index: results[0].state.index, ...joined(states) } }
  }

  const longest = Math.min(...parts.map((part) => part.longest ?? Infinity))
  const dropout = trainNetworks ? joinedDropout(parts) : undefined
  const initializePart = (seed: number, k: number): ParameterArrays => {
    // Two networks of one kind do not begin alike.
    const own = parts[k].initialize((seed + k) % 2 ** 32)
    if (parts[k].emitsParameters) return own
    if (!tied) return { ...own, projection: normalInitial(seed, `network/${k}/projection`, [parts[k].width, V], 0.02) }
    if (!('embedding' in own)) throw new UnsupportedError(`${owner}: tied needs networks with an embedding, ${networks[k].name} has none.`)
    return own
  }

  return {
    width: V,
    emitsParameters: true,
    ...(longest < Infinity && { longest }),
    packs: parts.every(({ packs }) => packs === true),
    conditions: parts.map(({ conditions = [] }) => conditions).reduce((all, own) => all.filter((name) => own.includes(name))),
    isFixed: (name) => !name.startsWith('weights/') && (!trainNetworks || parts.some((part, k) => name.startsWith(prefixOf(k)) && part.isFixed?.(name.slice(prefixOf(k).length)))),
    ...(dropout && { dropout }),
    state: [
      { name: 'index', type: 'int32', shape: [1] },
      ...parts.flatMap(({ state }, k) => state.filter(({ name }) => name !== 'index').map((tensor): StateTensor => ({ ...tensor, name: prefixOf(k) + tensor.name }))),
    ],
    initialize: (seed) => ({
      ...joined(parts.map((_, k) => initializePart(seed, k))),
      ...(weights === 'features' && { 'weights/kernel': constantInitial([W, K], 0) }),
      'weights/bias': constantInitial([K], 0),
    }),
    forward: (parameters, x, before, masks, condition) => combine(parameters, parts.map((part, k) => part.forward(of(parameters, k), x, before, masksOf(masks, k), condition))),
    step: advance('step'),
    extend: advance('extend'),
    dependencies: (position) => [...new Set(parts.flatMap((part) => part.dependencies(position)))].sort((a, b) => a - b),
  }
}

/** What the networks drop, together. @throws {UnsupportedError} where they drop at different rates */
function joinedDropout(parts: readonly BoundNetwork[]): Dropout | undefined {
  const rates = new Set(parts.flatMap(({ dropout }) => dropout?.rate ?? []))
  if (rates.size > 1) throw new UnsupportedError(`${owner}: its networks drop at different rates (${[...rates].join(', ')}); all that drop must do so at the same.`)
  const [rate] = rates
  return rate === undefined ? undefined : { rate, masks: (batch, length) => joined(parts.map(({ dropout }) => dropout?.masks(batch, length) ?? {})) }
}

/**
 * The parameters of a mixture's networks, from models that were trained each for itself with the head `categorical()`.
 * @param fresh of the mixture's model
 * @param parts of the models, in the order of the mixture's networks
 * @throws {InvalidOptionError} where they are not those of the mixture's networks
 */
export function mixtureParameters(fresh: ParameterArrays, parts: readonly ParameterArrays[]): ParameterArrays {
  const given = joined(parts.map((part) => ({ ...scoped(part, 'network/'), ...prefixed(scoped(part, 'head/weight'), 'projection') })))
  const all = prefixed(given, 'network/')
  for (const name of new Set([...Object.keys(fresh), ...Object.keys(all)])) {
    if (name.startsWith('network/weights/') || (name in fresh && name in all)) continue
    throw new InvalidOptionError(`${owner}: "${name}" is ${name in fresh ? 'missing from the parameters given' : 'no parameter of the mixture'}. Give the parameters of one model for each network, in their order; both tied or both not.`)
  }
  return { ...fresh, ...all }
}
