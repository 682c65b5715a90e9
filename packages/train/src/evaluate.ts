/** Exact likelihood of held-out data: nats of every variable, summed in float64. */
import { InvalidDataError, type ParameterArrays, throwIfInterrupted } from '@chainrule/core'
import type { Engine, Model } from '@chainrule/core/tensors'
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

/** −log p of all examples. Examples may differ in length; those of one length share a compiled program. */
export async function evaluate(model: Model, parameters: ParameterArrays, data: Data, { engine, batchSize = 32, signal, onProgress }: EvaluateOptions): Promise<Evaluation> {
  if (data.length < 1) throw new InvalidDataError('There is nothing to evaluate: the data holds no example.')
  const { components } = model.domain
  const continues = model.domain.length === 'variable'
  const byLength = new Map<number, number[]>()
  for (let i = 0; i < data.length; i++) {
    const length = data.at(i).x.length / components
    const same = byLength.get(length)
    if (same) same.push(i)
    else byLength.set(length, [i])
  }
  let totalNats = 0
  let variables = 0
  let examples = 0
  for (const [length, indices] of byLength) {
    const rows = Math.min(batchSize, indices.length)
    const program = await engine.compile(
      (carried, inputs) => ({ outputs: { logProbability: model.logProbability(carried, inputs.x, continues ? { values: inputs.previous, isStart: inputs.isStart } : undefined) } }),
      {
        carried: parameters,
        inputs: {
          x: { shape: [rows, length, components], type: 'int32' },
          ...(continues && { previous: { shape: [rows, components], type: 'int32' as const }, isStart: { shape: [rows], type: 'bool' as const } }),
        },
      },
    )
    try {
      for (let begin = 0; begin < indices.length; begin += rows) {
        throwIfInterrupted(signal, 'Evaluation')
        const chosen: Example[] = indices.slice(begin, begin + rows).map((i) => data.at(i))
        const real = chosen.length
        while (chosen.length < rows) chosen.push(chosen[0])
        const { x, previous, isStart } = joinExamples(chosen, length, components)
        const { logProbability } = await program.run(continues ? { x, previous, isStart } : { x })
        for (let at = 0; at < real * length; at++) totalNats -= logProbability[at]
        variables += real * length
        examples += real
        onProgress?.({ examples, of: data.length })
      }
    } finally {
      await program.release()
    }
  }
  return { totalNats, variables, examples }
}
