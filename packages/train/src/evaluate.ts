/** Exact likelihood of held-out data: nats of every variable, summed in float64. */
import { conditionInput, InvalidDataError, type ParameterArrays, throwIfInterrupted } from '@chainrule/core'
import type { CompiledProgram, Engine, Model } from '@chainrule/core/tensors'
import { batchArrays, batchInputs, type Data, type Example, joinExamples, type Layout } from './data.js'

export interface EvaluateOptions {
  engine: Engine
  /** Examples side by side; changes speed only. */
  batchSize?: number
  signal?: AbortSignal
  /** Called after every batch. */
  onProgress?: (progress: { examples: number; of: number }) => void
  /** Told −log p of each variable of every example, in nats; examples come in any order. */
  onExample?: (index: number, nats: Float32Array) => void
}

export interface Evaluation {
  /** The sum over all variables of all examples. */
  readonly totalNats: number
  readonly variables: number
  readonly examples: number
}

/** Examples that share a compiled program. */
interface Group {
  readonly layout: Layout
  readonly rows: number
  readonly indices: readonly number[]
  /** Of all its examples together, what they are filled with not counted. */
  readonly variables: number
}

/**
 * Examples of one length make a group. Where x has an end, shorter ones are filled with it up to the next power of two, or the longest
 * example: what is filled comes after everything that counts, and does not count itself.
 */
function groupsOf({ domain: { components, values, end }, condition }: Model, data: Data, batchSize: number): Group[] {
  if (data.length < 1) throw new InvalidDataError('There is nothing to evaluate: the data holds no example.')
  const sizes = Array.from({ length: data.length }, (_, i) => {
    const { x, isStart } = data.at(i)
    return { own: x.length / components, isPacked: isStart !== undefined }
  })
  const longest = sizes.reduce((most, { own }) => Math.max(most, own), 0)
  const groups = new Map<string, { layout: Layout; indices: number[]; variables: number }>()
  sizes.forEach(({ own, isPacked }, i) => {
    const length = end === undefined || isPacked ? own : Math.min(2 ** Math.ceil(Math.log2(own)), longest)
    const key = `${length} ${isPacked}`
    const group = groups.get(key) ?? { layout: { length, components, values, end, isPacked, ...(condition && { condition }) }, indices: [], variables: 0 }
    group.indices.push(i)
    group.variables += own
    groups.set(key, group)
  })
  return Array.from(groups.values(), (group) => ({ ...group, rows: Math.min(batchSize, group.indices.length) }))
}

function compile({ domain, logProbability, condition }: Model, parameters: ParameterArrays, { layout, rows }: Group, engine: Engine): Promise<CompiledProgram> {
  const continues = domain.length === 'variable'
  return engine.compile(
    (carried, inputs) => ({ outputs: { logProbability: logProbability(carried, inputs.x, continues ? { values: inputs.previous, isStart: inputs.isStart } : undefined, undefined, condition && inputs[conditionInput(condition)]) } }),
    {
      carried: parameters,
      inputs: batchInputs(rows, layout, continues),
    },
  )
}

/** The nats of a group, which `onBatch` hears of, batch by batch. */
async function natsOf({ domain }: Model, data: Data, { layout, rows, indices }: Group, program: CompiledProgram, signal: AbortSignal | undefined, onBatch: (examples: number) => void, onExample?: EvaluateOptions['onExample']): Promise<number> {
  let nats = 0
  for (let begin = 0; begin < indices.length; begin += rows) {
    throwIfInterrupted(signal, 'Evaluation')
    const chosen: Example[] = indices.slice(begin, begin + rows).map((i) => data.at(i))
    const real = chosen.length
    while (chosen.length < rows) chosen.push(chosen[0])
    const batch = joinExamples(chosen.map((example) => filled(example, layout)), layout)
    const { logProbability } = await program.run(batchArrays(batch, layout, domain.length === 'variable'))
    for (let row = 0; row < real; row++) {
      const own = chosen[row].x.length / layout.components
      for (let at = 0; at < own; at++) nats -= logProbability[row * layout.length + at]
      onExample?.(indices[begin + row], Float32Array.from({ length: own }, (_, at) => -logProbability[row * layout.length + at]))
    }
    onBatch(real)
  }
  return nats
}

/** An example of an x with an end, as long as the layout wants it. */
function filled(example: Example, { length, end, condition }: Layout): Example {
  if (end === undefined || example.x.length >= length) return example
  const x = new Int32Array(length).fill(end)
  x.set(example.x)
  const { condition: given } = example
  if (!given || !condition?.isSequence) return { ...example, x }
  const size = length * (given.length / example.x.length)
  const control = given instanceof Int32Array ? new Int32Array(size) : new Float32Array(size)
  control.set(given)
  return { ...example, x, condition: control }
}

/** −log p of all examples. Examples may differ in length; one program is open at a time. */
export async function evaluate(model: Model, parameters: ParameterArrays, data: Data, { engine, batchSize = 32, signal, onProgress, onExample }: EvaluateOptions): Promise<Evaluation> {
  let [totalNats, variables, examples] = [0, 0, 0]
  for (const group of groupsOf(model, data, batchSize)) {
    const program = await compile(model, parameters, group, engine)
    try {
      const onBatch = (more: number) => {
        examples += more
        onProgress?.({ examples, of: data.length })
      }
      totalNats += await natsOf(model, data, group, program, signal, onBatch, onExample)
      variables += group.variables
    } finally {
      await program.release()
    }
  }
  return { totalNats, variables, examples }
}

/** An evaluation that is made again and again, with other parameters each time. */
export interface Evaluator {
  /** Nats per variable. */
  evaluate(parameters: ParameterArrays): Promise<number>
  release(): Promise<void>
}

/** Compiles once what `evaluate` compiles each time. */
export async function createEvaluator(model: Model, parameters: ParameterArrays, data: Data, { engine, batchSize = 32 }: Pick<EvaluateOptions, 'engine' | 'batchSize'>): Promise<Evaluator> {
  const compiled: { group: Group; program: CompiledProgram }[] = []
  const release = async () => {
    for (const { program } of compiled) await program.release()
  }
  try {
    for (const group of groupsOf(model, data, batchSize)) compiled.push({ group, program: await compile(model, parameters, group, engine) })
  } catch (error) {
    await release()
    throw error
  }
  return {
    async evaluate(parameters) {
      let [nats, variables] = [0, 0]
      for (const { group, program } of compiled) {
        await program.load(parameters)
        nats += await natsOf(model, data, group, program, undefined, () => undefined)
        variables += group.variables
      }
      return nats / variables
    },
    release,
  }
}
