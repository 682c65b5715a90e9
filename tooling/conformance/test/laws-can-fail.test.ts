/** Every law has a defect that it must catch: pieces that are wrong on purpose. */
import '@tensorflow/tfjs-backend-cpu'
import { type Domain, leftToRight, type Order, random, valueCount } from '@chainrule/core'
import { begin, bernoulli, type BoundHead, type BoundNetwork, categorical, createModel, embedding, extendByStep, type DrawFilters, type DrawRequest, type Head, linear, type Model, type Network, normalInitial, previous, type Previous, restore, tabular, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  eagerSampler,
  endingLaws,
  freeRunningLaw,
  goodnessOfFit,
  headLaws,
  jointProbabilities,
  modelLaws,
  networkLaws,
  orderLaws,
  overfitsOneBatch,
  packingLaw,
  replayLaw,
  sampleFit,
  samplerLaws,
  samplesFollowModel,
  shaken,
  startsUniform,
  sumsToOne,
  tokenizerLaws,
} from '../src/index.js'

const domain: Domain = { length: 5, components: 1, values: 3 }
const order = random({ seed: 4 })

beforeAll(async () => {
  await tf.setBackend('cpu')
})

/** A 1-D convolution over the inputs, `taps` as offsets in the order of generation. Tap −1 is the variable before; 0 and 1 see too much. */
function convolution(taps: readonly number[], declared: readonly number[] = taps.map((tap) => -tap)): Network {
  return {
    name: 'convolution',
    options: { taps },
    bind({ domain, order, parametersPerVariable: P }): BoundNetwork {
      const d = domain.length as number
      const V = valueCount(domain, 'test')
      const forward = (parameters: Tensors, x: tf.Tensor) => {
        const [B] = x.shape
        const ranked = tf.oneHot(tf.squeeze(tf.gather(x, tf.tensor1d(order.permutation, 'int32'), 1), [2]) as tf.Tensor1D, V, 1, 0, 'float32')
        const padded = tf.pad(ranked, [[0, 0], [2, 2], [0, 0]])
        const windows = taps.map((tap) => tf.slice(padded, [0, 2 + tap, 0], [B!, d, V]))
        return restore(linear(tf.concat(windows, 2), parameters.weight), order)
      }
      const step: BoundNetwork['step'] = (_, state) => ({ features: tf.zeros([state.past.shape[0]!, P]), state: { ...state, index: tf.add(state.index, tf.scalar(1, 'int32')) } })
      return {
        width: P,
        emitsParameters: true,
        longest: d,
        state: [
          { name: 'index', type: 'int32', shape: [1] },
          { name: 'past', type: 'float32', shape: ['batch', 1] },
        ],
        initialize: (seed) => ({ weight: normalInitial(seed, 'weight', [taps.length * V, P], 0.3) }),
        forward,
        step,
        extend: (parameters, state, before) => {
          const features = tf.stack(tf.unstack(before.values, 1).map((values) => step(parameters, state, { values, isStart: values }).features), 1)
          return { features, state: { ...state, index: tf.add(state.index, tf.scalar(before.values.shape[1]!, 'int32')) } }
        },
        dependencies: (p) => declared.map((back) => order.inverse[p] - back).filter((rank) => rank >= 0 && rank < d && rank < order.inverse[p]).map((rank) => order.permutation[rank]),
      }
    },
  }
}

/** A network with one method replaced. */
function altered(network: Network, change: (bound: BoundNetwork) => Partial<BoundNetwork>): Network {
  return { ...network, bind: (binding) => ({ ...network.bind(binding), ...change(network.bind(binding)) }) }
}

/** A head with one method replaced. */
function alteredHead(head: Head, change: (bound: BoundHead) => Partial<BoundHead>): Head {
  return { ...head, bind: (binding) => ({ ...head.bind(binding), ...change(head.bind(binding)) }) }
}

describe('orderLaws', () => {
  const resolveTo = (change: object): Order => ({ ...order, resolve: (domain) => ({ ...order.resolve(domain), ...change }) })
  it('holds for an order, and sees a wrong inverse, a repeated position, broken groups', () => {
    orderLaws(order, domain)
    expect(() => orderLaws(resolveTo({ inverse: Int32Array.of(0, 1, 2, 3, 4) }), domain)).toThrow(/inverse/)
    expect(() => orderLaws(resolveTo({ permutation: Int32Array.of(0, 1, 1, 3, 4) }), domain)).toThrow(/twice/)
    expect(() => orderLaws(resolveTo({ groups: Int32Array.of(0, 1, 3, 3, 4) }), domain)).toThrow(/runs/)
    expect(() => orderLaws({ ...order, options: { seed: 5, groupSize: 1 } }, domain)).toThrow(/another order/)
  })
})

describe('networkLaws', () => {
  const options = { domain, order, head: categorical() }
  it('an ordinary convolution, which sees the variable itself and the next one, fails causality', () => {
    expect(() => networkLaws(convolution([-1, 0, 1], [1]), options)).toThrow(/causality/)
    expect(() => networkLaws(convolution([0], []), options)).toThrow(/causality/)
  })
  it('a dependence that is not declared, not earlier, or declared and not there', () => {
    expect(() => networkLaws(convolution([-1, -2], [1]), options)).toThrow(/causality/)
    expect(() => networkLaws(convolution([-1], [1, 2]), options)).toThrow(/liveness/)
    expect(() => networkLaws(altered(tabular(), () => ({ dependencies: (p) => [p] })), options)).toThrow(/not earlier/)
  })
  it('a step that disagrees with forward', () => {
    expect(() => networkLaws(convolution([-1]), options)).toThrow(/agreement, step by step/)
  })
  it('a chunk that disagrees, a state that does not keep what it declares, initial values that change', () => {
    networkLaws(tabular(), options)
    const shifted = altered(tabular(), (bound) => ({ extend: (...args) => ({ ...bound.extend(...args), features: tf.add(bound.extend(...args).features, 1e-3) }) }))
    expect(() => networkLaws(shifted, options)).toThrow(/agreement, one chunk/)
    const uncounted = altered(tabular(), (bound) => ({ step: (parameters, state, before) => ({ ...bound.step(parameters, state, before), state: { ...bound.step(parameters, state, before).state, index: state.index } }) }))
    expect(() => networkLaws(uncounted, options)).toThrow(/index is 0 after 1/)
    let seed = 0
    const restless = altered(tabular(), (bound) => ({ initialize: () => shaken(bound.initialize(0), seed++) }))
    expect(() => networkLaws(restless, options)).toThrow(/same seed/)
  })
})

/** A request with some of its filters replaced, where it has filters that are on. */
const withFilters = (request: DrawRequest, change: Partial<DrawFilters>): DrawRequest => (request.filters ? { ...request, filters: { ...request.filters, ...change } } : request)

describe('headLaws', () => {
  it('hold for a right head', () => {
    headLaws(categorical(), { domain })
  })
  const binary: Domain = { length: 4, components: 1, values: 2 }
  it.each<[string, Head, Domain, RegExp]>([
    ['probabilities that do not sum to 1', alteredHead(categorical(), (head) => ({ logProbability: (...args) => tf.sub(head.logProbability(...args), 0.01) })), domain, /Σ p\(v\)/],
    ['a sampler at temperature 1.05', alteredHead(categorical(), (head) => ({ draw: (parameters, features, request) => head.draw(parameters, features, { ...request, temperature: tf.mul(request.temperature, 1.05) }) })), domain, /do not follow p/],
    ['a sampler of other values', alteredHead(bernoulli(), (head) => ({ draw: (parameters, features, request) => ({ ...head.draw(parameters, features, request), values: tf.sub(tf.scalar(1, 'int32'), head.draw(parameters, features, request).values) }) })), binary, /do not follow p/],
    ['temperature ignored', alteredHead(categorical(), (head) => ({ draw: (parameters, features, request) => head.draw(parameters, features, { ...request, temperature: tf.tensor1d([1]) }) })), domain, /control/],
    ['top-p ignored', alteredHead(categorical(), (head) => ({ draw: (parameters, features, request) => head.draw(parameters, features, withFilters(request, { topP: tf.tensor1d([1]) })) })), domain, /topP.* do not follow the truncated/],
    ['top-k of one value too many', alteredHead(categorical(), (head) => ({ draw: (parameters, features, request) => head.draw(parameters, features, withFilters(request, { topK: tf.tensor1d([2], 'int32') })) })), domain, /topK.* do not follow the truncated/],
    ['min-p ignored', alteredHead(categorical(), (head) => ({ draw: (parameters, features, request) => head.draw(parameters, features, withFilters(request, { minP: tf.tensor1d([0]) })) })), domain, /minP.* do not follow the truncated/],
    ['a repetition penalty ignored', alteredHead(categorical(), (head) => ({ draw: (parameters, features, request) => head.draw(parameters, features, withFilters(request, { repetitionPenalty: tf.tensor1d([1]) })) })), domain, /less likely/],
    ['a repetition penalty for all values', alteredHead(categorical(), (head) => ({ draw: (parameters, features, request) => head.draw(parameters, features, withFilters(request, { seen: tf.ones([features.shape[0]!, 3], 'bool') })) })), domain, /odds of values that did not occur/],
    ['given values dropped', alteredHead(categorical(), (head) => ({ draw: (parameters, features, request) => head.draw(parameters, features, { ...request, isGiven: tf.zerosLike(request.isGiven) }) })), domain, /did not stay/],
    ['distances left out', alteredHead(categorical(), (head) => ({ draw: (parameters, features, request) => ({ ...head.draw(parameters, features, request), distance: tf.zeros([features.shape[0]!]) }) })), domain, /the distance is 0/],
    ['log-probabilities at the temperature of the draw', alteredHead(categorical(), (head) => ({ draw: (parameters, features, request) => ({ ...head.draw(parameters, features, request), logProbability: head.draw(parameters, tf.div(features, request.temperature), request).logProbability }) })), domain, /log-probability/],
  ])('see %s', (_, head, domain, message) => {
    expect(() => headLaws(head, { domain })).toThrow(message)
  })
})

describe('modelLaws and samplerLaws', () => {
  const model = createModel({ domain: { length: 4, components: 1, values: 3 }, order, network: tabular(), head: categorical() })
  const parameters = shaken(model.initialize(1), 1, 1)
  const sampler = eagerSampler(model, parameters)
  const pieces = { domain: model.domain, order }

  it('hold for a right model and its sampler', async () => {
    await modelLaws(model)
    await samplerLaws(sampler, pieces)
  })
  it('a model that sees the future does not sum to 1, or learns below what is possible', () => {
    const leaking = createModel({ domain, order: leftToRight(), network: convolution([0], []), head: categorical() })
    expect(() => sumsToOne(leaking, shaken(leaking.initialize(1), 1))).toThrow(/Σ p\(x\)/)
    expect(() => overfitsOneBatch(leaking, { steps: 400, learningRate: 0.2 })).toThrow(/below the least possible/)
  })
  it('a model that cannot learn, and one that begins far from uniform', () => {
    const deaf: Model = { ...model, logProbability: (_, x) => tf.add(tf.mul(tf.cast(tf.squeeze(x, [2]), 'float32'), 0), -Math.log(3)) }
    expect(() => overfitsOneBatch({ ...deaf, logProbability: (weights, x) => tf.add(deaf.logProbability(weights, x), tf.mul(tf.sum(weights['network/logits']), 0)) }, { steps: 20 })).toThrow(/after 20 steps/)
    expect(() => startsUniform({ ...model, initialize: (seed) => shaken(model.initialize(seed), seed, 3) })).toThrow(/log V/)
  })
  it('samples of a hotter model are told apart', async () => {
    expect((await sampleFit(model, parameters)).probability).toBeGreaterThan(1e-6)
    await expect(samplesFollowModel(model, parameters, { temperature: 1.6 })).rejects.toThrow(/do not follow p\(x\)/)
  })
  it.each<[string, Parameters<typeof samplerLaws>[0], RegExp]>([
    ['one that forgets what is given', (request) => sampler({ ...request, isGiven: undefined }), /replay|expected/],
    ['one without a seed', (request) => sampler({ ...request, seed: 1 }), /another seed/],
    ['noise by the batch', (request) => sampler({ ...request, seed: request.seed + 100 * request.count }), /number of samples/],
    ['log-probabilities off by a little', (request) => ({ ...sampler(request), logProbability: sampler(request).logProbability.map((nats) => (request.isGiven ? nats + 0.01 : nats)) }), /log-probabilities of a replay/],
    ['another model when it replays', (request) => eagerSampler(model, request.isGiven ? shaken(parameters, 2, 1) : parameters)(request), /distance/],
  ])('see %s', async (_, wrong, message) => {
    await expect(samplerLaws(wrong, pieces)).rejects.toThrow(message)
  })
  it('replay and free running', () => {
    const sampled = sampler({ count: 3, length: 4, seed: 9 })
    replayLaw(sampled, sampled)
    expect(() => replayLaw({ ...sampled, distance: sampled.distance.map(() => 2e-5) }, sampled)).toThrow(/distance/)
    expect(() => replayLaw(sampled, { values: sampled.values.map((value) => (value + 1) % 3) })).toThrow(/given was/)
    const other = sampled.values.slice()
    other[1 * 4 + 2] = (other[1 * 4 + 2] + 1) % 3
    const distance = new Float32Array(12)
    expect(() => freeRunningLaw(sampled.values, other, distance, [0, 1, 2, 3])).toThrow(/sample 1, position 2/)
    distance[1 * 4 + 1] = 1e-7
    freeRunningLaw(sampled.values, other, distance, [0, 1, 2, 3])
    expect(() => freeRunningLaw(sampled.values, other, distance, [3, 2, 1, 0])).toThrow(/position 2/)
  })
  it('the joint of a table is the product of its conditionals', () => {
    const p = jointProbabilities(model, model.initialize(1))
    p.forEach((value) => expect(value).toBeCloseTo(3 ** -4, 6))
  })
  it('the state before the first variable is zeros', () => {
    expect(Object.keys(begin(model.state, 2)).sort()).toEqual(['context', 'index'])
  })
})

/** Reads the variable before and nothing else, so that documents side by side need no care but for their starts. */
function bigram(change: (given: Previous) => Previous = (given) => given): Network {
  return {
    name: 'bigram',
    options: {},
    bind({ domain, order, parametersPerVariable: P }): BoundNetwork {
      const V = valueCount(domain, 'test')
      const rows = (parameters: Tensors, { values, isStart }: Previous) => {
        const read = tf.squeeze(values, [values.rank - 1])
        return embedding(parameters.table, tf.where(isStart, tf.mul(tf.onesLike(read), tf.scalar(V, 'int32')), read))
      }
      const step: BoundNetwork['step'] = (parameters, state, given) => ({ features: rows(parameters, given), state: { index: tf.add(state.index, tf.scalar(1, 'int32')) } })
      return {
        width: P,
        emitsParameters: true,
        packs: true,
        state: [{ name: 'index', type: 'int32', shape: [1] }],
        initialize: (seed) => ({ table: normalInitial(seed, 'table', [V + 1, P], 0.3) }),
        forward: (parameters, x, before) => rows(parameters, change(previous(x, order, before))),
        step,
        extend: (parameters, state, given) => extendByStep(step, parameters, state, given),
        dependencies: (p) => (p > 0 ? [p - 1] : []),
      }
    },
  }
}

describe('endingLaws and packingLaw', () => {
  const ended: Domain = { length: 'variable', components: 1, values: 3, end: 2 }
  const pieces = { domain: ended, order: leftToRight(), network: bigram(), head: categorical() }
  const model = createModel(pieces)
  const parameters = shaken(model.initialize(1), 1)
  /** What the model would say had its domain no end. */
  const endless = createModel({ ...pieces, domain: { ...ended, end: undefined } })

  it('hold for a right model, and its p sums to 1', async () => {
    endingLaws(model)
    packingLaw(model)
    await modelLaws(model)
    await samplerLaws(eagerSampler(model, parameters), pieces)
  })
  it('a model that goes on after its end: in what it says, in its steps, in chunks, in its samples', async () => {
    const loud: Model = { ...model, logProbability: endless.logProbability }
    expect(() => sumsToOne(loud, parameters)).toThrow(/Σ p\(x\)/)
    expect(() => endingLaws(loud)).toThrow(/after its end and has a log-probability/)
    expect(() => endingLaws({ ...model, step: endless.step })).toThrow(/the value kept is 0, expected 2/)
    expect(() => endingLaws({ ...model, extend: endless.extend })).toThrow(/in chunks/)
    await expect(samplesFollowModel(model, parameters, { sampler: eagerSampler(endless, parameters) })).rejects.toThrow(/do not follow p\(x\)/)
    await expect(samplerLaws(eagerSampler(endless, parameters), pieces)).rejects.toThrow(/expected/)
    expect(() => endingLaws(endless)).toThrow(/no end/)
  })
  it('a draw after the end that has a distance, or other log-probabilities', () => {
    const drawing = (change: object): Model => ({ ...model, step: (...given) => ({ ...model.step(...given), ...change }) })
    expect(() => endingLaws(drawing({ distance: tf.ones([12]) }))).toThrow(/distance 1/)
    expect(() => endingLaws(drawing({ logProbabilities: tf.zeros([12, 3]) }))).toThrow(/certain/)
  })
  it('a network that begins anew in the wrong places, or cannot at all', () => {
    const blind = createModel({ ...pieces, network: bigram(({ values, isStart }) => ({ values, isStart: tf.concat([tf.slice(isStart, [0, 0], [isStart.shape[0]!, 1]), tf.zerosLike(tf.slice(isStart, [0, 1], [isStart.shape[0]!, isStart.shape[1]! - 1]))], 1) })) })
    expect(() => packingLaw(blind)).toThrow(/side by side/)
    expect(() => packingLaw(createModel({ ...pieces, network: altered(bigram(), () => ({ packs: undefined })) }))).toThrow(/cannot take documents side by side/)
  })
})

describe('tokenizerLaws', () => {
  const tokenizer = { name: 'digits', options: {}, domain: { length: 'variable', components: 1, values: 10 } as Domain, encode: (raw: string) => Int32Array.from(raw, Number), decode: (values: ArrayLike<number>) => Array.from(values).join('') }
  it('hold, and see a value outside and a lossy decoder', () => {
    tokenizerLaws(tokenizer, { examples: ['', '0193'] })
    expect(() => tokenizerLaws({ ...tokenizer, encode: (raw) => Int32Array.from(raw, (c) => Number(c) + 1) }, { examples: ['9'] })).toThrow(/outside/)
    expect(() => tokenizerLaws({ ...tokenizer, decode: () => '1' }, { examples: ['12'] })).toThrow(/decode\(encode/)
  })
})

describe('goodnessOfFit', () => {
  it('sees what is impossible, and counts rare cells as one', () => {
    expect(goodnessOfFit([10, 1], [1, 0]).probability).toBe(0)
    expect(goodnessOfFit([50, 48, 1, 1], [0.5, 0.48, 0.01, 0.01]).freedom).toBe(2)
  })
})
