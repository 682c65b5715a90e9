/**
 * The laws of a condition c. With c held fixed a network is one without a condition, and obeys all laws of such (`givenCondition`): so
 * Σₓ p(x | c) = 1 for each c. Beside them:
 *
 *   rows       each row of a batch is told its own c, by forward, in chunks and step by step
 *   liveness   another label changes log p of every variable, another control at p that of the variable at p
 *
 * Axes: B batch, N variables, C components, K numbers of a condition.
 */
import { type Condition, conditionSpecification, type ConditionValues, sizeOf, uniform } from '@chainrule/core'
import { begin, type Before, createModel, type Model, type ModelPieces, type Network, type Tensors, type WaveSteps } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { randomRows } from './enumeration.js'
import { asTensors, shaken } from './parameters.js'
import { demand, demandClose } from './violation.js'

/** Random conditions of some sequences of n variables, the same for the same seed. */
export function randomConditions(seed: number, condition: Condition, sequences: number, length: number): ConditionValues {
  const { shape } = conditionSpecification(condition, sequences, length)
  const at = (i: number) => uniform(seed, 'batches', 5, i)
  const { values } = condition
  if (values === undefined) return Float32Array.from({ length: sizeOf(shape) }, (_, i) => 4 * at(i) - 2)
  return Int32Array.from({ length: sizeOf(shape) }, (_, i) => Math.floor(at(i) * values))
}

/**
 * The network without a condition that a conditional one is for one c.
 * @param given of one x, at least as long as any that the network is to take
 */
export function givenCondition(network: Network, condition: Condition, given: ConditionValues): Network {
  const { values: V, size: K, isSequence } = condition
  const entries = V === undefined ? given.length / K : given.length
  const numbers = V === undefined ? given : Float32Array.from({ length: entries * V }, (_, i) => (given[Math.floor(i / V)] === i % V ? 1 : 0))
  /** Of these positions: [B, positions, K]. */
  const at = (batch: number, positions: readonly number[]) => tf.tile(tf.tensor(positions.flatMap((position) => [...numbers.subarray(position * K, (position + 1) * K)]), [1, positions.length, K]), [batch, 1, 1])
  const upTo = (size: number, first = 0) => Array.from({ length: size }, (_, i) => first + i)
  /** Of the slots of each wave: its positions are one more table of places; the slots without a variable are told what the first position is. */
  const givenToWaves = (steps: WaveSteps): WaveSteps => {
    const { count, widest, waveOf, slotOf } = steps.waves
    const positions = new Int32Array(count * widest)
    waveOf.forEach((wave, position) => (positions[wave * widest + slotOf[position]] = position))
    return {
      ...steps,
      places: { ...steps.places, positions: { width: widest, indices: positions } },
      step: (parameters, state, values, places) => steps.step(parameters, state, values, places, at(values.shape[0], isSequence ? [...places.positions.dataSync()] : [0])),
    }
  }
  return {
    name: network.name,
    options: network.options,
    bind(binding) {
      const bound = network.bind({ ...binding, condition })
      const { permutation, isLeftToRight } = binding.order
      const ofRanks = (batch: number, state: Tensors, size: number) => {
        if (!isSequence) return at(batch, [0])
        return at(batch, upTo(size, state.index.dataSync()[0]).map((rank) => (isLeftToRight ? rank : permutation[rank])))
      }
      return {
        ...bound,
        forward: (parameters, x, before, masks) => bound.forward(parameters, x, before, masks, at(x.shape[0], isSequence ? upTo(x.shape[1]!) : [0])),
        step: (parameters, state, before) => bound.step(parameters, state, { ...before, condition: tf.squeeze(ofRanks(before.values.shape[0], state, 1), [1]) }),
        extend: (parameters, state, before) => bound.extend(parameters, state, { ...before, condition: ofRanks(before.values.shape[0], state, before.values.shape[1]!) }),
        ...(bound.waves && { waves: () => givenToWaves(bound.waves!()) }),
      }
    },
  }
}

export interface ConditionLawOptions {
  /** N, for a domain of variable length (6, or as many as the network takes). */
  readonly length?: number
  readonly seed?: number
  /** Of log-probabilities, relative above 1 (1e-4). */
  readonly tolerance?: number
}

/** @throws {LawViolation} */
export function conditionLaws(pieces: ModelPieces & { readonly condition: Condition }, { length = 6, seed = 1, tolerance = 1e-4 }: ConditionLawOptions = {}): void {
  const { condition, network, head, order } = pieces
  const model = createModel(pieces)
  const { domain, boundNetwork } = model
  const law = `condition ${condition.name} ${JSON.stringify(condition.options)} of network ${network.name} ${JSON.stringify(network.options)}, head ${head.name}, order ${order.name}`
  const [B, N, C] = [4, domain.length === 'variable' ? Math.min(length, boundNetwork.longest ?? length) : domain.length, domain.components]
  const parameters = shaken(model.initialize(seed), seed)
  const x = randomRows(seed, domain, B, N)
  const given = randomConditions(seed, condition, B, N)
  const width = given.length / B
  tf.tidy(() => {
    const tensors = asTensors(parameters)
    const { shape, type } = conditionSpecification(condition, B, N)
    const tensor = (values: ConditionValues) => tf.tensor(values, shape, type)
    const all = tf.tensor(x, [B, N, C], 'int32')
    const forward = model.logProbability(tensors, all, undefined, undefined, tensor(given)).dataSync()
    for (let b = 0; b < B; b++) {
      const fixed = createModel({ ...pieces, network: givenCondition(network, condition, given.slice(b * width, (b + 1) * width)), condition: undefined })
      const alone = fixed.logProbability(tensors, tf.slice(all, [b, 0, 0], [1, N, C])).dataSync()
      demandClose(law, forward.slice(b * N, (b + 1) * N), alone, tolerance, `row ${b}, with its condition held fixed`)
    }
    demandClose(law, byStep(model, tensors, all, tensor(given)), forward, tolerance, 'step by step')
    if (domain.length === 'variable') demandClose(law, inChunks(model, tensors, all, tensor(given)), forward, tolerance, 'in chunks')
  })
  livenessLaw(law, model, given, B, N, seed)
}

/** Sets of parameters, in one of which a change must show: small networks have units that are shut. */
const attempts = 12

function livenessLaw(law: string, model: Model, given: ConditionValues, B: number, N: number, seed: number): void {
  const { domain } = model
  const { isSequence, values: V } = model.condition!
  const width = given.length / B
  const { shape, type } = conditionSpecification(model.condition!, B, N)
  const changedAt = (position: number): ConditionValues => given.map((value, i) => (isSequence && Math.floor((i % width) / (width / N)) !== position ? value : V === undefined ? value + 1 : (value + 1) % V))
  const isSeen = Array.from({ length: N }, () => false)
  for (let attempt = 0; attempt < attempts && !isSeen.every(Boolean); attempt++) {
    tf.tidy(() => {
      const tensors = asTensors(shaken(model.initialize(seed + attempt), seed + attempt))
      const x = tf.tensor(randomRows(seed + attempt, domain, B, N), [B, N, domain.components], 'int32')
      const logProbability = (values: ConditionValues) => model.logProbability(tensors, x, undefined, undefined, tf.tensor(values, shape, type)).dataSync()
      const before = logProbability(given)
      for (let p = 0; p < N; p++) {
        const after = logProbability(changedAt(p))
        if (Array.from({ length: B }, (_, b) => after[b * N + p] !== before[b * N + p]).includes(true)) isSeen[p] = true
      }
    })
  }
  isSeen.forEach((seen, p) => demand(law, seen, () => `liveness: log p of variable ${p} never changes with the condition.`))
}

/** Of a sequence, the entries from `begin` on along the second axis. */
const entriesOf = ({ condition }: Model, given: tf.Tensor, begin: number, size: number) => (condition!.isSequence ? tf.slice(given, [0, begin], [-1, size]) : given)

function byStep(model: Model, parameters: Tensors, x: tf.Tensor, given: tf.Tensor): Float32Array {
  const [B, N, C] = x.shape as [number, number, number]
  const { permutation, isLeftToRight } = model.resolvedOrder
  const result = new Float32Array(B * N)
  let state = begin(model.state, B)
  let before: Before = { values: tf.zeros([B, C], 'int32'), isStart: tf.ones([B], 'bool') }
  for (let rank = 0; rank < N; rank++) {
    const position = isLeftToRight ? rank : permutation[rank]
    const values = tf.squeeze(tf.slice(x, [0, position, 0], [B, 1, C]), [1])
    const entry = entriesOf(model, given, position, 1)
    const request = { uniforms: tf.fill([B, C, model.boundHead.uniformsPerComponent], 0.5), temperature: tf.tensor1d([1]), given: values, isGiven: tf.ones([B], 'bool') }
    const draw = model.step(parameters, state, before, request, model.condition!.isSequence ? tf.squeeze(entry, [1]) : entry)
    draw.logProbability.dataSync().forEach((value, b) => (result[b * N + position] = value))
    state = draw.state
    before = { values, isStart: tf.zeros([B], 'bool') }
  }
  return result
}

/** In chunks of 2 variables. */
function inChunks(model: Model, parameters: Tensors, x: tf.Tensor, given: tf.Tensor): Float32Array {
  const [B, N, C] = x.shape as [number, number, number]
  const pieces: tf.Tensor[] = []
  let state = begin(model.state, B)
  let before: Before = { values: tf.zeros([B, C], 'int32'), isStart: tf.ones([B], 'bool') }
  for (let at = 0; at < N; at += 2) {
    const size = Math.min(2, N - at)
    const chunk = tf.slice(x, [0, at, 0], [B, size, C])
    const result = model.extend(parameters, state, chunk, before, entriesOf(model, given, at, size))
    pieces.push(result.logProbability)
    state = result.state
    before = { values: tf.squeeze(tf.slice(chunk, [0, size - 1, 0], [B, 1, C]), [1]), isStart: tf.zeros([B], 'bool') }
  }
  return tf.concat(pieces, 1).dataSync<'float32'>()
}
