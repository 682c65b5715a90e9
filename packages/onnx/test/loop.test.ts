/** The loop of sample.onnx: each step computes only what the next one waits for. That results stay the same is law (tooling/laws). */
import { leftToRight } from '@chainrule/core'
import { categorical, chained, createModel, type Head, type Model } from '@chainrule/core/tensors'
import { recurrent, transformer } from '@chainrule/networks'
import { openModel } from '@chainrule/runtime'
import { describe, expect, it } from 'vitest'
import { loopOverSteps } from '../src/export/loop.js'
import { recordModel } from '../src/export/model.js'
import { parameterPrefix, stepProgram } from '../src/export/programs.js'
import { type Graph, subgraphs } from '../src/graph.js'
import { recordSymbolic } from '../src/symbolic.js'

function loopOf(model: Model): Graph {
  const shapes = Object.fromEntries(Object.entries(model.initialize(1)).map(([name, { shape }]) => [name, shape]))
  const { program, inputs } = stepProgram(model, shapes)
  const recorded = recordSymbolic('step', program, inputs)
  const isWeight = ({ name }: { name: string }) => name.startsWith(parameterPrefix)
  const weights = recorded.inputs.filter(isWeight).map(({ name, type, shape }) => ({ name, type, shape: shape.map(Number), external: { file: 'w', offset: 0, length: 0 } }))
  const step: Graph = { ...recorded, inputs: recorded.inputs.filter((value) => !isWeight(value)), initializers: [...recorded.initializers, ...weights] }
  return loopOverSteps(step)
}

function operatorsOf(values: number, head: Head, components = 1): { inLoop: string[]; outside: string[] } {
  const { nodes } = loopOf(createModel({ domain: { length: 'variable', components, values }, order: leftToRight(), network: recurrent({ layers: 1, width: 4 }), head }))
  const [body] = subgraphs(nodes.find(({ operator }) => operator === 'Loop')!)
  return { inLoop: body.nodes.map(({ operator }) => operator), outside: nodes.map(({ operator }) => operator) }
}

describe('the loop over steps', () => {
  it('computes −log p and distances after the loop, for all steps at once', () => {
    const cases = [
      { ...operatorsOf(7, categorical()), told: ['Log', 'Pad', 'GatherElements'] },
      // Its components are drawn in a scan, which says distances by itself.
      { ...operatorsOf(7, chained(categorical(), { width: 3 }), 2), told: ['LogSoftmax', 'GatherElements'] },
    ]
    for (const { inLoop, outside, told } of cases) {
      for (const operator of told) {
        expect(inLoop).not.toContain(operator)
        expect(outside).toContain(operator)
      }
      // The draw itself cannot wait.
      expect(inLoop.some((operator) => operator === 'CumSum' || operator === 'Scan')).toBe(true)
    }
  })

  it('computes them in the loop where their lists would be too long to keep', () => {
    const { inLoop, outside } = operatorsOf(5_000, categorical())
    expect(inLoop).toContain('Log')
    expect(outside).not.toContain('Log')
  })

  const banded = (options = {}) =>
    createModel({ domain: { length: 'variable', components: 1, values: 5 }, order: leftToRight(), network: transformer({ layers: 2, heads: 2, width: 8, context: 6, ...options }), head: categorical() })

  it.each([{}, { normalizeQueriesKeys: true }, { positions: 'learned' }])('carries what attention remembers of its own steps only: transformer %o', (options) => {
    const loop = loopOf(banded(options)).nodes.find(({ operator }) => operator === 'Loop')!
    expect(loop.inputs.filter((name) => /keys|values/.test(name))).toHaveLength(4)
    expect(loop.inputs.filter((name) => /keys|values/.test(name) && !name.includes('recent'))).toEqual([])
  })

  it('sees exactly the context, whether that lies before the loop or in it', async () => {
    const model = banded()
    // Far from uniform, so that one variable more or less is seen in −log p.
    const parameters = Object.fromEntries(Object.entries(model.initialize(1)).map(([name, { shape, data }]) => [name, { shape, data: data.map((number) => number * (shape.length === 2 ? 30 : 1)) }]))
    const opened = await openModel(recordModel({ model, parameters, modality: 'law', tokenizer: { name: 'none', options: {} }, card: { data: {}, results: {}, training: {}, exportedAt: '' } }), { provider: 'cpu' })
    for (const prompt of [undefined, Int32Array.of(1, 4, 2), Int32Array.of(1, 4, 2, 0, 3, 3, 1, 2)]) {
      const drawn = await opened.sample({ count: 2, length: 90, seed: 3, prompt, sampler: 'graph' })
      const followed = await opened.replay({ values: drawn.values, count: 2, length: 90, seed: 3, prompt, sampler: 'steps' })
      expect(Math.max(...followed.distance)).toBeLessThan(1e-5)
      expect(Math.max(...followed.nats.map((nats, i) => Math.abs(nats - drawn.nats[i])))).toBeLessThan(1e-4)
    }
    await opened.release()
  })
})
