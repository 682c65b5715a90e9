/**
 * The laws of a model whose x has an end, and of documents side by side:
 *
 *   ending    after an end every variable is `end` with 0 nats and distance 0, by forward, in chunks and step by step, whatever is given;
 *             elsewhere all three agree
 *   packing   documents side by side = each document alone: nats, and their gradient in every parameter
 *
 * That Σ p over strings ended within N and unended prefixes of N variables is 1 stands with the laws of models. Axes: B batch, N variables.
 */
import { type ParameterArrays, uniform, valueCount } from '@chainrule/core'
import { begin, type Before, type Model, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { randomRows, randomValues } from './enumeration.js'
import { asTensors, shaken } from './parameters.js'
import { demand, demandClose } from './violation.js'

export interface EndingLawOptions {
  /** N (8, or as many as the network takes). */
  readonly length?: number
  readonly seed?: number
  /** Of log-probabilities, relative above 1 (1e-4). */
  readonly tolerance?: number
}

const nameOf = ({ network, head }: Model) => `model ${network.name} ${JSON.stringify(network.options)}, head ${head.name}`
/** Column `at` of rows [B, N]. */
const column = (rows: ArrayLike<number>, B: number, N: number, at: number): number[] => Array.from({ length: B }, (_, b) => rows[b * N + at])

/** @throws {LawViolation} */
export function endingLaws(model: Model, { length = 8, seed = 1, tolerance = 1e-4 }: EndingLawOptions = {}): void {
  const { domain, boundNetwork } = model
  const law = `${nameOf(model)}, ending`
  const { end } = domain
  const V = valueCount(domain, law)
  demand(law, end !== undefined, () => 'the domain has no end.')
  const [B, N] = [12, Math.min(length, boundNetwork.longest ?? length)]
  const x = randomRows(seed, { ...domain, values: V }, B, N)
  const K = model.boundHead.uniformsPerComponent
  const parameters = shaken(model.initialize(seed), seed)
  const isOver = Uint8Array.from(x, (_, i) => (i % N > 0 && x[i - 1] === end ? 1 : 0))
  demand(law, isOver.includes(1), () => 'no example ends before its last variable; choose another seed.')
  tf.tidy(() => {
    const tensors = asTensors(parameters)
    const forward = model.logProbability(tensors, tf.tensor(x, [B, N, 1], 'int32')).dataSync()
    forward.forEach((value, i) => demand(law, isOver[i] ? value === 0 : value < 0, () => `variable ${i % N} of example ${Math.floor(i / N)} stands ${isOver[i] ? 'after' : 'before'} its end and has a log-probability of ${value}.`))
    demandClose(law, inChunks(model, tensors, x, B, N, seed), forward, tolerance, 'in chunks')

    let state = begin(model.state, B)
    let before: Before = { values: tf.zeros([B, 1], 'int32'), isStart: tf.ones([B], 'bool') }
    for (let at = 0; at < N; at++) {
      // After an end something else is given, which must not matter.
      const given = column(x, B, N, at).map((value, b) => (isOver[b * N + at] ? 0 : value))
      const draw = model.step(tensors, state, before, {
        uniforms: tf.tensor(Float32Array.from({ length: B * K }, (_, i) => uniform(seed, 'sampling', i, at)), [B, 1, K]),
        temperature: tf.tensor1d([0.8]),
        given: tf.tensor(given, [B, 1], 'int32'),
        isGiven: tf.ones([B], 'bool'),
      })
      const [values, drawn, distance, logProbability, all] = [draw.values, draw.drawn, draw.distance, draw.logProbability, draw.logProbabilities].map((tensor) => tensor?.dataSync())
      for (let b = 0; b < B; b++) {
        demand(law, values![b] === x[b * N + at], () => `step ${at}: the value kept is ${values![b]}, expected ${x[b * N + at]}.`)
        if (!isOver[b * N + at]) continue
        demand(law, drawn![b] === end && distance![b] === 0 && logProbability![b] === 0, () => `step ${at}, after an end: drawn ${drawn![b]}, distance ${distance![b]}, log-probability ${logProbability![b]}; expected ${end}, 0, 0.`)
        if (all) demand(law, all.subarray(b * V, (b + 1) * V).every((value, v) => value === (v === end ? 0 : -Infinity)), () => `step ${at}, after an end: the log-probabilities do not say that ${end} is certain.`)
      }
      demandClose(law, logProbability!, column(forward, B, N, at), tolerance, `step ${at}`)
      state = draw.state
      before = { values: draw.values, isStart: tf.zeros([B], 'bool') }
    }
  })
}

/** log p by `extend`, in chunks of 1 to 3 variables. */
function inChunks(model: Model, parameters: Tensors, x: Int32Array, B: number, N: number, seed: number): Float32Array {
  const result = new Float32Array(B * N)
  const all = tf.tensor(x, [B, N, 1], 'int32')
  let state = begin(model.state, B)
  let before: Before = { values: tf.zeros([B, 1], 'int32'), isStart: tf.ones([B], 'bool') }
  for (let at = 0; at < N; ) {
    const size = Math.min(N - at, 1 + Math.floor(uniform(seed, 'batches', 3, at) * 3))
    const chunk = tf.slice(all, [0, at, 0], [B, size, 1])
    const extended = model.extend(parameters, state, chunk, before)
    extended.logProbability.dataSync().forEach((value, i) => (result[Math.floor(i / size) * N + at + (i % size)] = value))
    state = extended.state
    before = { values: tf.squeeze(tf.slice(chunk, [0, size - 1, 0], [B, 1, 1]), [2]), isStart: tf.zeros([B], 'bool') }
    at += size
  }
  return result
}

/** Documents side by side in rows of N; the first of a row may continue something. */
interface Row {
  readonly previous: number
  /** Each its variables; only the first may be a continuation. */
  readonly documents: readonly Int32Array[]
  readonly continues: boolean
}

function rowsOf({ domain }: Model, B: number, N: number, seed: number): Row[] {
  const inner = valueCount(domain, 'packing') - 1
  return Array.from({ length: B }, (_, row) => {
    const documents: Int32Array[] = []
    for (let at = 0; at < N; ) {
      const size = Math.min(N - at, 1 + Math.floor(uniform(seed, 'batches', 4, row, at) * (N - 1)))
      const ended = randomValues(seed + 7 * row + at, inner, size)
      // The last of a row is cut, as windows are.
      if (at + size < N) ended[size - 1] = domain.end!
      documents.push(ended)
      at += size
    }
    return { documents, continues: row % 2 === 1, previous: row % inner }
  })
}

/** @throws {LawViolation} */
export function packingLaw(model: Model, { length = 8, seed = 1, tolerance = 1e-4 }: EndingLawOptions = {}): void {
  const law = `${nameOf(model)}, packing`
  const [B, N] = [5, Math.min(length, model.boundNetwork.longest ?? length)]
  const rows = rowsOf(model, B, N, seed)
  demand(law, rows.some(({ documents }) => documents.length > 2), () => 'no row holds three documents; choose another seed.')
  const parameters = shaken(model.initialize(seed), seed)
  const isStart = Uint8Array.from(rows.flatMap(({ documents, continues }) => documents.flatMap((document, which) => Array.from(document, (_, at) => (at === 0 && !(which === 0 && continues) ? 1 : 0)))))
  const packed = gradientOf(model, parameters, (tensors) => {
    const x = tf.tensor(Int32Array.from(rows.flatMap(({ documents }) => documents.flatMap((document) => [...document]))), [B, N, 1], 'int32')
    return model.logProbability(tensors, x, { values: tf.tensor(rows.map(({ previous }) => [previous]), [B, 1], 'int32'), isStart: tf.tensor(isStart, [B, N], 'bool') })
  })
  const alone = gradientOf(model, parameters, (tensors) => {
    const pieces = rows.flatMap(({ documents, continues, previous }) =>
      documents.map((document, which) => {
        const begins = !(which === 0 && continues)
        return tf.squeeze(model.logProbability(tensors, tf.tensor(document, [1, document.length, 1], 'int32'), { values: tf.tensor([[previous]], [1, 1], 'int32'), isStart: tf.tensor([begins], [1], 'bool') }), [0])
      }),
    )
    return tf.reshape(tf.concat(pieces), [B, N])
  })
  demandClose(law, packed.logProbability, alone.logProbability, tolerance, 'log-probabilities side by side')
  for (const [name, gradient] of Object.entries(alone.gradients)) demandClose(law, packed.gradients[name], gradient, 10 * tolerance, `gradient in ${name}, side by side`)
}

/** log p [B, N], and the gradient of a sum in which each counts otherwise, so that none may take another's place. Fixed parameters have none. */
function gradientOf(model: Model, parameters: ParameterArrays, compute: (parameters: Tensors) => tf.Tensor): { logProbability: Float32Array; gradients: Record<string, Float32Array> } {
  return tf.tidy(() => {
    const names = Object.keys(parameters).filter((name) => !model.isFixed(name))
    const tensors = asTensors(parameters)
    let logProbability!: Float32Array
    const weighted = (...values: tf.Tensor[]) => {
      const result = compute({ ...tensors, ...Object.fromEntries(names.map((name, i) => [name, values[i]])) })
      logProbability = result.dataSync<'float32'>().slice()
      const weights = Float32Array.from({ length: result.size }, (_, i) => 1 + 0.3 * Math.sin(i))
      return tf.sum(tf.mul(result, tf.tensor(weights, result.shape))) as tf.Scalar
    }
    if (names.length === 0) weighted()
    const grads = names.length === 0 ? [] : tf.valueAndGrads(weighted)(names.map((name) => tensors[name])).grads
    return { logProbability, gradients: Object.fromEntries(grads.map((gradient, i) => [names[i], gradient.dataSync<'float32'>().slice()])) }
  })
}
