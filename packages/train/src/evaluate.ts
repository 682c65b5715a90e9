/** Exact likelihood of held-out data: nats of every variable, summed in float64. */
import { InvalidDataError, type ParameterArrays, throwIfInterrupted } from '@chainrule/core'
import type { CompiledProgram, Engine, Model } from '@chainrule/core/tensors'
import { type Data, type Example, joinExamples } from './data.js'

export interface EvaluateOptions {
  engine: Engine
  /** Examples side by side; changes speed only. */
  batchSize?: number
  signal?: AbortSignal
  /** Called after every batch. */
  onProgress?: (progress: { examples: number; of: number }) => void
}

export interface Evaluation {
  /** The sum over all variables of all examples. */
  readonly totalNats: number
  readonly variables: number
  readonly examples: number
}

/** Examples of one length, which share a compiled program. */
interface Group {
  readonly length: number
  readonly rows: number
  readonly indices: readonly number[]
}

function groupsOf(data: Data, components: number, batchSize: number): Group[] {
  if (data.length < 1) throw new InvalidDataError('There is nothing to evaluate: the data holds no example.')
  const byLength = new Map<number, number[]>()
  for (let i = 0; i < data.length; i++) {
    const length = data.at(i).x.length / components
    const same = byLength.get(length)
    if (same) same.push(i)
    else byLength.set(length, [i])
  }
  return [...byLength].map(([length, indices]) => ({ length, indices, rows: Math.min(batchSize, indices.length) }))
}

function compile({ domain: { components, length: domainLength }, logProbability }: Model, parameters: ParameterArrays, { length, rows }: Group, engine: Engine): Promise<CompiledProgram> {
  const continues = domainLength === 'variable'
  return engine.compile(
    (carried, inputs) => ({ outputs: { logProbability: logProbability(carried, inputs.x, continues ? { values: inputs.previous, isStart: inputs.isStart } : undefined) } }),
    {
      carried: parameters,
      inputs: {
        x: { shape: [rows, length, components], type: 'int32' },
        ...(continues && { previous: { shape: [rows, components], type: 'int32' as const }, isStart: { shape: [rows], type: 'bool' as const } }),
      },
    },
  )
}

/** The nats of a group, which `onBatch` hears of, batch by batch. */
async function natsOf({ domain }: Model, data: Data, { length, rows, indices }: Group, program: CompiledProgram, signal: AbortSignal | undefined, onBatch: (examples: number) => void): Promise<number> {
  let nats = 0
  for (let begin = 0; begin < indices.length; begin += rows) {
    throwIfInterrupted(signal, 'Evaluation')
    const chosen: Example[] = indices.slice(begin, begin + rows).map((i) => data.at(i))
    const real = chosen.length
    while (chosen.length < rows) chosen.push(chosen[0])
    const { x, previous, isStart } = joinExamples(chosen, length, domain.components)
    const { logProbability } = await program.run(domain.length === 'variable' ? { x, previous, isStart } : { x })
    for (let at = 0; at < real * length; at++) nats -= logProbability[at]
    onBatch(real)
  }
  return nats
}

/** −log p of all examples. Examples may differ in length; one program is open at a time. */
export async function evaluate(model: Model, parameters: ParameterArrays, data: Data, { engine, batchSize = 32, signal, onProgress }: EvaluateOptions): Promise<Evaluation> {
  let [totalNats, variables, examples] = [0, 0, 0]
  for (const group of groupsOf(data, model.domain.components, batchSize)) {
    const program = await compile(model, parameters, group, engine)
    try {
      totalNats += await natsOf(model, data, group, program, signal, (more) => {
        examples += more
        onProgress?.({ examples, of: data.length })
      })
      variables += group.indices.length * group.length
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
    for (const group of groupsOf(data, model.domain.components, batchSize)) compiled.push({ group, program: await compile(model, parameters, group, engine) })
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
        variables += group.indices.length * group.length
      }
      return nats / variables
    },
    release,
  }
}
