/**
 * Replay on trained models, one of each modality: the eager sampler, single steps, the whole loop and, for images, waves follow what each
 * other drew. The data are made here; CHAINRULE_LONG trains ten times as long and draws longer.
 */
import '@tensorflow/tfjs-backend-cpu'
import { eagerSampler, freeRunningLaw, replayLaw, type Sampler } from '@chainrule/conformance'
import { type Domain, leftToRight, raster } from '@chainrule/core'
import { bernoulli, categorical, createModel, type Model } from '@chainrule/core/tensors'
import { causalConvolution, maskedConvolution, transformer } from '@chainrule/networks'
import { onnx } from '@chainrule/onnx'
import { fit } from '@chainrule/train'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, expect, it } from 'vitest'
import { exported, samplerOf } from './exported.js'

const more = process.env.CHAINRULE_LONG ? 10 : 1
const text = 'she sells sea shells by the sea shore, the shells she sells are sea shells. '.repeat(20)
const letters = [...new Set(text)].toSorted()
const variable = (values: number): Domain => ({ length: 'variable', components: 1, values })
const image: Domain = { length: 96, components: 1, values: 2, locations: { axes: ['row', 'column'], shape: [12, 8] } }

interface Case {
  readonly model: Model
  /** Variables of a training example, and of a sample. */
  readonly window: number
  readonly length: number
  example(index: number): Int32Array
}

const cases: Record<string, Case> = {
  text: {
    model: createModel({ domain: variable(letters.length), order: leftToRight(), network: transformer({ layers: 2, heads: 2, width: 32, context: 24 }), head: categorical({ tied: true }) }),
    window: 24,
    length: 80 * more,
    example: (index) => Int32Array.from(text.slice((index * 7) % 1000).slice(0, 24), (letter) => letters.indexOf(letter)),
  },
  image: {
    model: createModel({ domain: image, order: raster(), network: maskedConvolution({ layers: 2, width: 16, firstKernel: 3 }), head: bernoulli() }),
    window: 96,
    length: 96,
    // A bar that leans.
    example: (index) => Int32Array.from({ length: 96 }, (_, i) => (Math.abs((i % 8) - ((index + Math.floor(i / 8)) % 8)) < 2 ? 1 : 0)),
  },
  audio: {
    model: createModel({ domain: variable(32), order: leftToRight(), network: causalConvolution({ layers: 4, width: 16 }), head: categorical() }),
    window: 64,
    length: 100 * more,
    example: (index) => Int32Array.from({ length: 64 }, (_, t) => Math.round(15.5 + 15 * Math.sin((2 * Math.PI * (t + index)) / (8 + (index % 5))))),
  },
}

beforeAll(async () => {
  await tf.setBackend('cpu')
})

it.each(Object.keys(cases))('all samplers replay each other: %s', async (name) => {
  const { model, window, length, example } = cases[name]
  const isVariable = model.domain.length === 'variable'
  const trained = await fit(model, { length: 60, at: (index) => ({ x: example(index) }) }, { engine: onnx({ threads: 1 }), ...(isVariable && { length: window }), steps: 60 * more, batchSize: 8, learningRate: 1e-2, warmupSteps: 5, seed: 1 })
  const opened = await exported(model, trained.parameters)
  try {
    const samplers: Record<string, Sampler> = { eager: eagerSampler(model, trained.parameters), steps: samplerOf(opened, 'steps'), graph: samplerOf(opened, 'graph'), ...(name === 'image' && { waves: samplerOf(opened, 'waves') }) }
    const request = { count: 2, length, seed: 4 }
    const drawn = Object.fromEntries(await Promise.all(Object.entries(samplers).map(async ([sampler, draw]) => [sampler, await draw(request)] as const)))
    const logProbability = drawn.graph.logProbability.reduce((sum, each) => sum + each, 0) / (2 * length)
    expect(logProbability, 'it has learned something').toBeGreaterThan(-0.6 * Math.log(Number(model.domain.values)))
    const isGiven = new Uint8Array(2 * length).fill(1)
    for (const [one, original] of Object.entries(drawn)) {
      for (const [other, draw] of Object.entries(samplers)) {
        if (one === other) continue
        const replayed = await draw({ ...request, given: original.values, isGiven })
        replayLaw(replayed, original)
        freeRunningLaw(original.values, drawn[other].values, replayed.distance, isVariable ? Array.from({ length }, (_, i) => i) : model.resolvedOrder.permutation)
      }
    }
  } finally {
    await opened.release()
  }
})
