/**
 * The programs of an exported model, and what goes in and comes out. One step draws or keeps one variable;
 * the score of a fixed length takes the whole x by position, that of a variable length a chunk and the state before it.
 *
 * Axes: batch; sequence (a chunk); past (what a state remembers); C components, K uniforms per component.
 */
import { conditionInput, conditionSpecification, type StateTensor, valueCount, valueType, weightPrefix } from '@chainrule/core'
import { type Blocks, type Draw, type DrawFilters, marked, type Model, scoped, type Tensors, type WaveSteps } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import type { SymbolicSpecification } from '../symbolic.js'

export interface ExportedProgram {
  readonly program: (inputs: Tensors) => Tensors
  readonly inputs: Readonly<Record<string, SymbolicSpecification>>
}

/** Parameters are inputs of the recording; they become weights of the graph afterwards. */
export const parameterPrefix = weightPrefix
export const statePrefix = 'state.'
export const nextPrefix = 'next.'
/** The last value of a block; of a single step it is its value. */
export const nextPrevious = 'next.previous'
/** Which values occurred before: what the sampler, not the network, carries from step to step. */
export const seenInput = 'seen'
/** What the slots of a wave read of the state. */
export const placesPrefix = 'places.'

const withPrefix = <T>(record: Record<string, T>, prefix: string): Record<string, T> => Object.fromEntries(Object.entries(record).map(([name, value]) => [prefix + name, value]))

const parameterInputs = (shapes: Readonly<Record<string, readonly number[]>>): Record<string, SymbolicSpecification> =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [parameterPrefix + name, { shape, type: 'float32' }]))

const stateInputs = (state: readonly StateTensor[]): Record<string, SymbolicSpecification> => Object.fromEntries(state.map(({ name, type, shape }) => [statePrefix + name, { shape, type }]))

/** −log p. Not a negation, which makes −0 of the 0 after an end and of what is certain. */
const natsOf = (logProbability: tf.Tensor) => tf.sub(0, logProbability)

const truncationInputs = { topK: { shape: [1], type: 'int32' }, topP: { shape: [1], type: 'float32' }, minP: { shape: [1], type: 'float32' } } as const

const filterInputs = ({ domain, boundHead }: Model): Record<string, SymbolicSpecification> => ({
  ...truncationInputs,
  ...(boundHead.samplingFilters?.includes('repetitionPenalty') && {
    repetitionPenalty: { shape: [1], type: 'float32' },
    [seenInput]: { shape: ['batch', valueCount(domain, 'samplingFilters')], type: 'bool' },
  }),
})

/** The filters among the inputs. */
const filtersOf = ({ topK, topP, minP, repetitionPenalty, [seenInput]: seen }: Tensors): DrawFilters => ({ topK, topP, minP, ...(seen && { repetitionPenalty, seen }) })

/** A model's condition as an input, of one variable where `sequence` is absent. */
const conditionInputs = ({ condition }: Model, sequence?: number | 'sequence'): Record<string, SymbolicSpecification> =>
  condition ? { [conditionInput(condition)]: conditionSpecification<number | 'batch' | 'sequence'>(condition, 'batch', sequence) } : {}

const conditionOf = ({ condition }: Model, inputs: Tensors): tf.Tensor | undefined => condition && inputs[conditionInput(condition)]

type Shapes = Readonly<Record<string, readonly number[]>>

export function stepProgram(model: Model, shapes: Shapes): ExportedProgram {
  const { components } = model.domain
  const type = valueType(model.domain)
  const hasFilters = model.boundHead.samplingFilters !== undefined
  return {
    inputs: {
      ...parameterInputs(shapes),
      previous: { shape: ['batch', components], type },
      isStart: { shape: ['batch'], type: 'bool' },
      uniforms: { shape: ['batch', components, model.boundHead.uniformsPerComponent], type: 'float32' },
      temperature: { shape: [1], type: 'float32' },
      given: { shape: ['batch', components], type },
      isGiven: { shape: ['batch'], type: 'bool' },
      ...conditionInputs(model),
      ...(hasFilters && filterInputs(model)),
      ...stateInputs(model.state),
    },
    program(inputs) {
      const { uniforms, temperature, given, isGiven, [seenInput]: seen } = inputs
      const draw = model.step(
        scoped(inputs, parameterPrefix),
        scoped(inputs, statePrefix),
        { values: inputs.previous, isStart: inputs.isStart },
        { uniforms, temperature, given, isGiven, ...(hasFilters && { filters: filtersOf(inputs) }) },
        conditionOf(model, inputs),
      )
      return {
        value: draw.values,
        drawn: draw.drawn,
        distance: draw.distance,
        nats: natsOf(draw.logProbability),
        ...(draw.logProbabilities && { logProbabilities: draw.logProbabilities }),
        ...withPrefix(draw.state, nextPrefix),
        ...(seen && { [nextPrefix + seenInput]: marked(seen, draw.values) }),
      }
    },
  }
}

/** U variables in a row. Sampling filters are left out: where one is on, the chain goes step by step (block-loop.ts). */
export function blockProgram(model: Model, blocks: Blocks, shapes: Shapes): ExportedProgram {
  const { components: C } = model.domain
  const type = valueType(model.domain)
  const K = model.boundHead.uniformsPerComponent
  const U = blocks.length
  return {
    inputs: {
      ...parameterInputs(shapes),
      previous: { shape: ['batch', C], type },
      isStart: { shape: ['batch'], type: 'bool' },
      uniforms: { shape: ['batch', U, C, K], type: 'float32' },
      temperature: { shape: [1], type: 'float32' },
      given: { shape: ['batch', U, C], type },
      isGiven: { shape: ['batch', U], type: 'bool' },
      ...conditionInputs(model, U),
      ...stateInputs(model.state),
    },
    program(inputs) {
      const batch = inputs.previous.shape[0]
      const { previous, isStart, temperature } = inputs
      /** [B, U, …] → for each step [B, …]. */
      const perStep = (tensor: tf.Tensor) => {
        const rest = tensor.shape.slice(2)
        return tf.split(tf.reshape(tensor, [batch, -1]), U, 1).map((part) => tf.reshape(part, [batch, ...rest]))
      }
      const [uniforms, given, isGiven] = [inputs.uniforms, inputs.given, inputs.isGiven].map(perStep)
      const requests = uniforms.map((uniform, u) => ({ uniforms: uniform, temperature, given: given[u], isGiven: isGiven[u] }))
      const { draws, state } = model.drawBlock(scoped(inputs, parameterPrefix), blocks, scoped(inputs, statePrefix), { values: previous, isStart }, requests, conditionOf(model, inputs))
      const inARow = (of: (draw: Draw) => tf.Tensor) => tf.stack(draws.map(of), 1)
      return {
        value: inARow(({ values }) => values),
        drawn: inARow(({ drawn }) => drawn),
        distance: inARow(({ distance }) => distance),
        nats: natsOf(inARow(({ logProbability }) => logProbability)),
        [nextPrevious]: draws[U - 1].values,
        ...withPrefix(state, nextPrefix),
      }
    },
  }
}

/** All variables of a wave, by slot. A repetition penalty is left out: what occurred before is known of whole waves only. */
export function waveProgram(model: Model, steps: WaveSteps, shapes: Shapes): ExportedProgram {
  const { components: C } = model.domain
  const type = valueType(model.domain)
  const K = model.boundHead.uniformsPerComponent
  const M = steps.waves.widest
  const hasFilters = model.boundHead.samplingFilters !== undefined
  return {
    inputs: {
      ...parameterInputs(shapes),
      previous: { shape: ['batch', M, C], type },
      uniforms: { shape: ['batch', M, C, K], type: 'float32' },
      temperature: { shape: [1], type: 'float32' },
      given: { shape: ['batch', M, C], type },
      isGiven: { shape: ['batch', M], type: 'bool' },
      ...conditionInputs(model, M),
      ...(hasFilters && truncationInputs),
      ...Object.fromEntries(Object.entries(steps.places).map(([name, { width }]) => [placesPrefix + name, { shape: [width], type: 'int32' as const }])),
      ...stateInputs(steps.state),
    },
    program(inputs) {
      const batch = inputs.previous.shape[0]
      const rows = batch * M
      const request = {
        uniforms: tf.reshape(inputs.uniforms, [rows, C, K]),
        temperature: inputs.temperature,
        given: tf.reshape(inputs.given, [rows, C]),
        isGiven: tf.reshape(inputs.isGiven, [rows]),
        ...(hasFilters && { filters: filtersOf(inputs) }),
      }
      const before = { values: inputs.previous, places: scoped(inputs, placesPrefix) }
      const draw = model.drawWave(scoped(inputs, parameterPrefix), steps, scoped(inputs, statePrefix), before, request, conditionOf(model, inputs))
      const bySlot = (tensor: tf.Tensor) => tf.reshape(tensor, [batch, M, ...tensor.shape.slice(1)])
      return {
        value: bySlot(draw.values),
        drawn: bySlot(draw.drawn),
        distance: bySlot(draw.distance),
        nats: natsOf(bySlot(draw.logProbability)),
        ...withPrefix(draw.state, nextPrefix),
      }
    },
  }
}

export function scoreProgram(model: Model, shapes: Shapes): ExportedProgram {
  const { components, length } = model.domain
  const type = valueType(model.domain)
  if (length !== 'variable') {
    return {
      inputs: { ...parameterInputs(shapes), x: { shape: ['batch', length, components], type }, ...conditionInputs(model, length) },
      program: (inputs) => ({ nats: natsOf(model.logProbability(scoped(inputs, parameterPrefix), inputs.x, undefined, undefined, conditionOf(model, inputs))) }),
    }
  }
  return {
    inputs: {
      ...parameterInputs(shapes),
      x: { shape: ['batch', 'sequence', components], type },
      previous: { shape: ['batch', components], type },
      isStart: { shape: ['batch'], type: 'bool' },
      ...conditionInputs(model, 'sequence'),
      ...stateInputs(model.state),
    },
    program(inputs) {
      const { logProbability, state } = model.extend(scoped(inputs, parameterPrefix), scoped(inputs, statePrefix), inputs.x, { values: inputs.previous, isStart: inputs.isStart }, conditionOf(model, inputs))
      return { nats: natsOf(logProbability), ...withPrefix(state, nextPrefix) }
    },
  }
}
