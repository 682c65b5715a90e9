/**
 * The graph that transformers.js runs, by the names that Optimum's exports have: a chunk of tokens, and the keys and values of what
 * came before → logits of the token after each.
 *
 *   input_ids int64 [batch_size, sequence_length], attention_mask int64 [batch_size, past + sequence], past_key_values.N.key and .value
 *   → logits [batch_size, sequence_length, V + 1], present.N.key and .value
 *
 * `start` is the token V, so that a text begins with it; logits are log-probabilities, that of V is out of reach. What `attention_mask`
 * says 0 of is padding, at either side. Axes: B batch, S sequence, K past + sequence, H heads, F features of a head, V values.
 */
import { ChainruleError, type ParameterArrays, UnsupportedError, valueCount } from '@chainrule/core'
import { type Model, scoped, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { type Dimension, type Graph, type Node, withWeights } from '../graph.js'
import { dataTypeOf, serialize } from '../serialize.js'
import { finish, type Result } from '../simplify.js'
import { recordSymbolic, type SymbolicSpecification } from '../symbolic.js'
import { nextPrefix, parameterPrefix, statePrefix } from './programs.js'

/** The log-probability of what cannot come: far below all others, and finite where somebody multiplies it by 0. */
const never = -1e9
/** A file of protocol buffers ends at 2 GiB. */
const mostBytes = 2 ** 31 - 1

/** What transformers.js must be told of the graph. */
export interface CausalGraph {
  readonly bytes: Uint8Array
  readonly layers: number
  readonly heads: number
  /** F. */
  readonly features: number
  /** The token that stands for `start`; there is one more token than this. */
  readonly start: number
}

/** Layers, heads and features of a state that is nothing but keys and values. @throws {UnsupportedError} for any other */
function cacheOf({ state, network, boundNetwork, domain, condition }: Model): { layers: number; heads: number; features: number } {
  const refuse = (why: string): never => {
    throw new UnsupportedError(`The layout of transformers.js is for language models that carry keys and values of attention: ${why}. Export the model in chainrule's own layout.`)
  }
  if (domain.length !== 'variable' || domain.components !== 1) refuse(`this one has ${domain.length} variables of ${domain.components} components`)
  if (condition) refuse(`that library has no place for this one's condition, ${condition.name}`)
  if (boundNetwork.longest !== undefined) refuse(`learned positions end at ${boundNetwork.longest} and know no padding; train with rotary positions`)
  const layers = (state.length - 1) / 2
  const caches = state.filter(({ name }) => name !== 'index')
  const isCache = caches.every(({ name, shape }) => /^(keys|values)\d+$/.test(name) && shape.length === 4 && shape[0] === 'batch' && shape[2] === 'past')
  if (layers < 1 || !isCache) refuse(`the network "${network.name}" carries ${state.map(({ name }) => name).join(', ')}`)
  const [, heads, , features] = caches[0].shape as [string, number, string, number]
  return { layers, heads, features }
}

/** tokens int32 [B, S], each the variable before the next → log p of every value of the next, and of V: [B, S, V + 1]. */
function program(model: Model, inputs: Tensors): Tensors {
  const { end } = model.domain
  const values = valueCount(model.domain, 'The layout of transformers.js')
  const { tokens } = inputs
  const [batch, length] = tokens.shape as [number, number]
  const isStart = tf.equal(tokens, tf.scalar(values, 'int32'))
  const previous = { values: tf.expandDims(tf.where(isStart, tf.zerosLike(tokens), tokens), 2), isStart }
  const parameters = scoped(inputs, parameterPrefix)
  const { features, state } = model.boundNetwork.extend(scoped(parameters, 'network/'), scoped(inputs, statePrefix), previous)
  const rows = batch * length
  const ofHead = { ...scoped(parameters, 'head/'), ...(model.boundHead.isTied && { embedding: parameters['network/embedding'] }) }
  const { logProbabilities } = model.boundHead.draw(ofHead, tf.reshape(features, [rows, model.boundNetwork.width]), {
    uniforms: tf.fill([rows, 1, model.boundHead.uniformsPerComponent], 0.5),
    temperature: tf.ones([1]),
    given: tf.zeros([rows, 1], 'int32'),
    isGiven: tf.zeros([rows], 'bool'),
  })
  if (!logProbabilities) throw new UnsupportedError(`The layout of transformers.js needs a head that gives the probability of every value; "${model.head.name}" does not.`)
  const all = tf.concat([tf.reshape(logProbabilities, [batch, length, values]), tf.fill([batch, length, 1], never)], 2)
  // After the end nothing but the end follows, so that the rows of a batch that end early do not go on.
  const onlyEnd = Float32Array.from({ length: values + 1 }, (_, value) => (value === end ? 0 : never))
  const logits = end === undefined ? all : tf.where(tf.expandDims(tf.equal(tokens, tf.scalar(end, 'int32')), 2), tf.tensor3d(onlyEnd, [1, 1, values + 1]), all)
  return { logits, ...Object.fromEntries(Object.entries(state).map(([name, value]) => [nextPrefix + name, value])) }
}

const node = (operator: string, inputs: string[], output: string, attributes: Node['attributes'] = {}): Node => ({ operator, domain: '', inputs, outputs: [output], attributes })

const dimensions = { batch: 'batch_size', past: 'past_sequence_length', sequence: 'sequence_length' } as const
const total = `${dimensions.past} + ${dimensions.sequence}`

/** The masks of attention, each and-ed with `isVisible`: a Softmax of scores to which a Where adds 0 or a large negative number. */
function withPadding(nodes: readonly Node[], layers: number, isVisible: string): Node[] {
  const producer = new Map(nodes.flatMap((each) => each.outputs.map((name) => [name, each] as const)))
  const attentions = nodes.filter(({ operator }) => operator === 'Softmax')
  const masks = attentions.flatMap(({ inputs: [scores] }) => (producer.get(scores)?.inputs ?? []).filter((name) => producer.get(name)?.operator === 'Where'))
  if (masks.length !== layers) throw new ChainruleError(`The recorded network has ${masks.length} masked attentions, expected one for each of its ${layers} layers.`)
  return nodes.flatMap((each) => {
    if (!masks.includes(each.outputs[0])) return [each]
    const seen = `${each.outputs[0]}.seen`
    return [node('And', [each.inputs[0], isVisible], seen), { ...each, inputs: [seen, ...each.inputs.slice(1)] }]
  })
}

/** What the recording took for granted: every row begins at its start, and memory ends where attention does. Here neither holds. */
function inLayout(recorded: Graph, layers: number): Graph {
  const cache = (prefix: string, layer: number, kind: string) => `${prefix}.${layer}.${kind === 'keys' ? 'key' : 'value'}`
  const caches = Array.from({ length: layers }, (_, layer) => ['keys', 'values'].map((kind) => ({ layer, kind }))).flat()
  const before: Node[] = [
    ...caches.map(({ layer, kind }) => node('Identity', [cache('past_key_values', layer, kind)], `${statePrefix}${kind}${layer}`)),
    node('Cast', ['input_ids'], 'tokens', { to: dataTypeOf('int32') }),
    node('Shape', [`${statePrefix}keys0`], 'past.length', { start: 2, end: 3 }),
    node('Cast', ['past.length'], `${statePrefix}index`, { to: dataTypeOf('int32') }),
    node('Cast', ['attention_mask'], 'isToken', { to: dataTypeOf('bool') }),
    node('Unsqueeze', ['isToken', 'isToken.axes'], 'isVisible'),
  ]
  const inputOf = (name: string) => recorded.inputs.find((input) => input.name === name)!
  const ofCache = ({ layer, kind }: (typeof caches)[number], name: string, past: Dimension) => {
    const { type, shape } = inputOf(`${statePrefix}${kind}${layer}`)
    return { name, type, shape: shape.map((axis) => (axis === 'batch' ? dimensions.batch : axis === 'past' ? past : axis)) }
  }
  /** The keys or values before they are cut to the context: transformers.js counts what it has read by them. */
  const whole = ({ layer, kind }: (typeof caches)[number]) => {
    const cut = recorded.nodes.find(({ outputs }) => outputs.includes(`${nextPrefix}${kind}${layer}`))
    if (cut?.operator !== 'Slice') throw new ChainruleError(`The recorded network keeps its ${kind} by ${cut?.operator ?? 'nothing'}, expected a Slice of all of them.`)
    return cut.inputs[0]
  }
  const logits = recorded.outputs.find(({ name }) => name === 'logits')!
  const results: Result[] = [
    { ...logits, shape: [dimensions.batch, dimensions.sequence, logits.shape[2]], value: 'logits' },
    ...caches.map((each) => ({ ...ofCache(each, cache('present', each.layer, each.kind), total), value: whole(each) })),
  ]
  const inputs = [
    { name: 'input_ids', type: 'int64' as const, shape: [dimensions.batch, dimensions.sequence] },
    { name: 'attention_mask', type: 'int64' as const, shape: [dimensions.batch, total] },
    ...caches.map((each) => ofCache(each, cache('past_key_values', each.layer, each.kind), dimensions.past)),
  ]
  const initializers = [...recorded.initializers, { name: 'isToken.axes', type: 'int64' as const, shape: [2], data: BigInt64Array.of(1n, 2n) }]
  return finish('model', { inputs, initializers, nodes: [...before, ...withPadding(recorded.nodes, layers, 'isVisible')] }, results)
}

/**
 * Records the graph, its weights inside.
 * @throws {UnsupportedError} where the model carries something else than keys and values, or is too large for one file
 */
export function recordCausalGraph(model: Model, parameters: ParameterArrays): CausalGraph {
  const cache = cacheOf(model)
  const inputs: Record<string, SymbolicSpecification> = {
    ...Object.fromEntries(Object.entries(parameters).map(([name, { shape }]) => [parameterPrefix + name, { shape, type: 'float32' }])),
    tokens: { shape: ['batch', 'sequence'], type: 'int32' },
    ...Object.fromEntries(model.state.map(({ name, type, shape }) => [statePrefix + name, { shape, type }])),
  }
  const recorded = recordSymbolic('model', (given) => program(model, given), inputs)
  const weights = Object.fromEntries(Object.entries(parameters).map(([name, { data }]) => [parameterPrefix + name, { data }]))
  const bytes = serialize(inLayout(withWeights(recorded, weights), cache.layers))
  if (bytes.length > mostBytes) throw new UnsupportedError(`The graph with its weights has ${bytes.length} bytes; one file holds at most ${mostBytes}. Export the model in chainrule's own layout.`)
  return { bytes, ...cache, start: valueCount(model.domain, 'The layout of transformers.js') }
}
