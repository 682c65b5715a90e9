/** The loop of sample.onnx: each step computes only what the next one waits for. That results stay the same is law (tooling/laws). */
import { leftToRight } from '@chainrule/core'
import { categorical, chained, createModel, type Head } from '@chainrule/core/tensors'
import { recurrent } from '@chainrule/networks'
import { describe, expect, it } from 'vitest'
import { loopOverSteps } from '../src/export/loop.js'
import { parameterPrefix, stepProgram } from '../src/export/programs.js'
import { type Graph, subgraphs } from '../src/graph.js'
import { recordSymbolic } from '../src/symbolic.js'

function operatorsOf(values: number, head: Head, components = 1): { inLoop: string[]; outside: string[] } {
  const model = createModel({ domain: { length: 'variable', components, values }, order: leftToRight(), network: recurrent({ layers: 1, width: 4 }), head })
  const shapes = Object.fromEntries(Object.entries(model.initialize(1)).map(([name, { shape }]) => [name, shape]))
  const { program, inputs } = stepProgram(model, shapes)
  const recorded = recordSymbolic('step', program, inputs)
  const isWeight = ({ name }: { name: string }) => name.startsWith(parameterPrefix)
  const weights = recorded.inputs.filter(isWeight).map(({ name, type, shape }) => ({ name, type, shape: shape.map(Number), external: { file: 'w', offset: 0, length: 0 } }))
  const step: Graph = { ...recorded, inputs: recorded.inputs.filter((value) => !isWeight(value)), initializers: [...recorded.initializers, ...weights] }
  const { nodes } = loopOverSteps(step)
  const [body] = subgraphs(nodes.find(({ operator }) => operator === 'Loop')!)
  return { inLoop: body.nodes.map(({ operator }) => operator), outside: nodes.map(({ operator }) => operator) }
}

describe('the loop over steps', () => {
  it('computes −log p and distances after the loop, for all steps at once', () => {
    for (const { inLoop, outside } of [operatorsOf(7, categorical()), operatorsOf(7, chained(categorical(), { width: 3 }), 2)]) {
      for (const operator of ['Log', 'Pad', 'GatherElements']) {
        expect(inLoop).not.toContain(operator)
        expect(outside).toContain(operator)
      }
      // The draw itself cannot wait.
      expect(inLoop).toContain('CumSum')
    }
  })

  it('computes them in the loop where their lists would be too long to keep', () => {
    const { inLoop, outside } = operatorsOf(5_000, categorical())
    expect(inLoop).toContain('Log')
    expect(outside).not.toContain('Log')
  })
})
