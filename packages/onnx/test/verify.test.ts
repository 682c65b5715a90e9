/** `verifyModel` passes models of every kind, and finds what is wrong with models that were broken on purpose. */
import { createHash } from 'node:crypto'
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { type Condition, controlSequence, decodeManifest, decodeSafetensors, encodeManifest, encodeSafetensors, type GraphName, graphFiles, InterruptedError, label, leftToRight, manifestFile, type ModelManifest, type Order, random, weightsFile } from '@chainrule/core'
import { bernoulli, categorical, createModel, gaussianMixture, type Head, type Network } from '@chainrule/core/tensors'
import { multilayerPerceptron, recurrent, transformer } from '@chainrule/networks'
import { type GraphProto, type ModelProto, ModelProtoSchema, type NodeProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { GraphBuilder, recordModel, serialize, type Verification, verifyModel } from '../src/index.js'

type Files = Record<string, Uint8Array>

interface Pieces {
  domain: { length: number | 'variable'; components: number; values: number | 'real'; end?: number }
  order?: Order
  network: Network
  head?: Head
  condition?: Condition
  scale?: number
}

/** An exported model whose variables depend on each other clearly. */
function exported({ domain, order = leftToRight(), network, head = categorical(), condition, scale = 20 }: Pieces): Files {
  const model = createModel({ domain, order, network, head, condition })
  const parameters = Object.fromEntries(
    Object.entries(model.initialize(3)).map(([name, { shape, data }]) => [name, { shape, data: data.map((value, i) => (name.includes('ormalization') ? 1 : scale * (value + 0.01 * Math.sin(i + 1)))) }]),
  )
  return recordModel({ model, parameters, modality: 'none', tokenizer: { name: 'none', options: {} }, card: { data: {}, results: {}, training: {}, exportedAt: '2026-01-01T00:00:00.000Z' } })
}

const language = () => exported({ domain: { length: 'variable', components: 1, values: 5 }, network: transformer({ layers: 2, heads: 2, width: 12, context: 6 }), head: categorical({ tied: true }) })

const reals = (components: number) => exported({ domain: { length: 4, components, values: 'real' }, network: recurrent({ layers: 1, width: 6 }), head: gaussianMixture({ components: 2 }), scale: 2 })

/** The files with others in their places, and model.json telling of them as if they had been exported so. */
function replaced(files: Files, others: Files, changed: (manifest: ModelManifest) => ModelManifest = (manifest) => manifest): Files {
  const all = { ...files, ...others }
  const manifest = changed(decodeManifest(all[manifestFile], manifestFile))
  const listed = Object.fromEntries(Object.keys(manifest.files).map((name) => [name, { bytes: all[name].length, sha256: createHash('sha256').update(all[name]).digest('hex') }]))
  return { ...all, [manifestFile]: encodeManifest({ ...manifest, files: listed }) }
}

function edited(files: Files, names: readonly GraphName[], edit: (model: ModelProto) => void): Files {
  const others = names.map((name) => {
    const model = fromBinary(ModelProtoSchema, files[graphFiles[name]])
    edit(model)
    return [graphFiles[name], toBinary(ModelProtoSchema, model)] as const
  })
  return replaced(files, Object.fromEntries(others))
}

const innerGraphs = ({ attribute }: NodeProto): GraphProto[] => attribute.flatMap(({ g }) => (g ? [g] : []))
const allNodes = (graph: GraphProto): NodeProto[] => graph.node.flatMap((node) => [node, ...innerGraphs(node).flatMap(allNodes)])

/** Every reader of `name` reads it times `factor` instead. */
function scaleInput(model: ModelProto, name: string, factor: number): void {
  for (const node of allNodes(model.graph!)) node.input = node.input.map((input) => (input === name ? 'scaled' : input))
  const builder = new GraphBuilder('extra.')
  builder.input({ name, type: 'float32', shape: [1] })
  const product = builder.node('Mul', [name, builder.float(factor)])
  const { graph } = fromBinary(ModelProtoSchema, serialize({ name: 'extra', inputs: builder.inputs, outputs: [{ name: product, type: 'float32', shape: [1] }], initializers: [...builder.initializers.values()], nodes: builder.nodes }))
  graph!.node[0].output = ['scaled']
  model.graph!.node.unshift(...graph!.node)
  model.graph!.initializer.push(...graph!.initializer)
}

const failedOf = ({ checks }: Verification) => checks.filter(({ outcome }) => outcome === 'failed').map(({ name }) => name)
const reasonOf = ({ checks }: Verification, wanted: string) => checks.find(({ name }) => name === wanted)!.reason

describe('models as they are exported', () => {
  const ofLength = (length: number, values: number) => ({ length, components: 1, values })
  const kinds: Record<string, () => Files> = {
    'a language model': language,
    'documents that end': () => exported({ domain: { length: 'variable', components: 1, values: 4, end: 3 }, network: transformer({ layers: 1, heads: 2, width: 12, context: 6 }) }),
    'recurrent, of fixed length, in a random order': () => exported({ domain: ofLength(9, 4), order: random({ seed: 2 }), network: recurrent({ layers: 1, width: 10 }) }),
    'a multilayer perceptron over bits': () => exported({ domain: ofLength(8, 2), order: random({ seed: 5 }), network: multilayerPerceptron({ hidden: [20] }), head: bernoulli() }),
    'a label': () => exported({ domain: ofLength(9, 4), order: random({ seed: 2 }), network: recurrent({ layers: 1, width: 10 }), condition: label({ values: 5 }) }),
    'a control sequence': () => exported({ domain: { length: 'variable', components: 1, values: 5 }, network: transformer({ layers: 1, heads: 2, width: 12, context: 6 }), condition: controlSequence({ channels: 2 }) }),
    'learned positions that end': () => exported({ domain: { length: 'variable', components: 1, values: 6 }, network: transformer({ layers: 1, heads: 2, width: 12, context: 9, positions: 'learned' }) }),
  }
  it.each(Object.keys(kinds))('%s', async (kind) => {
    const told: string[] = []
    const result = await verifyModel(kinds[kind](), { provider: 'cpu', onCheck: ({ name }) => told.push(name) })
    expect(result.checks.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
    expect(result).toMatchObject({ passed: true, provider: 'cpu' })
    expect(told).toEqual(result.checks.map(({ name }) => name))
  })

  it.each([1, 2])('real values, %i a variable: their density, where nothing can be enumerated', async (components) => {
    const result = await verifyModel(reals(components), { provider: 'cpu' })
    expect(result.checks.filter(({ outcome }) => outcome !== 'passed').map(({ name, outcome }) => `${name} ${outcome}`)).toEqual(['normalised not run'])
    expect(reasonOf(result, 'draws')).toMatch(components === 1 ? /33 draws of one variable/ : /33 draws of the last component/)
  })

  it('says what it does not try: more values than can be enumerated', async () => {
    const many = exported({ domain: { length: 'variable', components: 1, values: 30_000 }, network: recurrent({ layers: 1, width: 4 }) })
    const result = await verifyModel(many, { provider: 'cpu' })
    expect(result.passed).toBe(true)
    expect(result.checks.filter(({ outcome }) => outcome === 'not run').map(({ name }) => name)).toEqual(['draws', 'normalised'])
    expect(reasonOf(result, 'normalised')).toMatch(/30,000 values/)
  })
})

describe('models that were broken', () => {
  const good = language()
  const verify = (files: Files) => verifyModel(files, { provider: 'cpu' })

  it('a file that was changed: nothing further is run', async () => {
    const weights = good[weightsFile].slice()
    weights[weights.length - 3] ^= 1
    const result = await verify({ ...good, [weightsFile]: weights })
    expect(failedOf(result)).toEqual(['files'])
    expect(reasonOf(result, 'files')).toMatch(/SHA-256/)
    expect(result.checks.slice(1).every(({ outcome }) => outcome === 'not run')).toBe(true)
  })

  it('attention that looks ahead', async () => {
    const result = await verify(edited(good, ['score'], ({ graph }) => {
      for (const node of graph!.node) if (node.opType === 'And') node.opType = 'Or'
    }))
    expect(failedOf(result)).toContain('causality')
    expect(reasonOf(result, 'causality')).toMatch(/which comes before it/)
  })

  it('variables that do not depend on each other', async () => {
    const result = await verify(exported({ domain: { length: 'variable', components: 1, values: 5 }, network: transformer({ layers: 1, heads: 2, width: 12, context: 6 }), scale: 0 }))
    expect(failedOf(result)).toEqual(['causality'])
    expect(reasonOf(result, 'causality')).toMatch(/no variable depends/)
  })

  it('a label that makes no difference', async () => {
    const files = exported({ domain: { length: 4, components: 1, values: 3 }, network: recurrent({ layers: 1, width: 4 }), condition: label({ values: 5 }) })
    const { tensors, metadata } = decodeSafetensors(files[weightsFile], weightsFile)
    for (const [name, { data }] of Object.entries(tensors)) if (name.endsWith('/condition')) (data as Float32Array).fill(0)
    const result = await verify(replaced(files, { [weightsFile]: encodeSafetensors({ tensors, metadata }).bytes }))
    expect(failedOf(result)).toEqual(['condition'])
  })

  it('one sampler at temperature 1.05', async () => {
    const result = await verify(edited(good, ['sample'], (model) => scaleInput(model, 'temperature', 1.05)))
    expect(failedOf(result)).toEqual(['replay', 'draws'])
  })

  it('both samplers at temperature 1.05: they agree with each other, not with the score', async () => {
    const result = await verify(edited(good, ['sample', 'step'], (model) => scaleInput(model, 'temperature', 1.05)))
    expect(failedOf(result)).toEqual(['draws'])
  })

  it('densities: both samplers at temperature 1.05', async () => {
    for (const components of [1, 2]) {
      const result = await verify(edited(reals(components), ['sample', 'step'], (model) => scaleInput(model, 'temperature', 1.05)))
      expect(failedOf(result)).toEqual(['draws'])
      expect(reasonOf(result, 'draws')).toMatch(/more or less of the density of score\.onnx/)
    }
  })

  it('a weight that is no number', async () => {
    const weights = good[weightsFile].slice()
    const { tensors } = decodeSafetensors(weights, weightsFile)
    const { data } = tensors['network/layer0/feedForwardInput']
    const view = new DataView(weights.buffer, weights.byteOffset)
    const header = Number(view.getBigUint64(0, true))
    const places = JSON.parse(new TextDecoder().decode(weights.subarray(8, 8 + header)))
    view.setFloat32(8 + header + places['network/layer0/feedForwardInput'].data_offsets[0] + 4 * 7, NaN, true)
    expect(data[7]).not.toBeNaN()
    const result = await verify(replaced(good, { [weightsFile]: weights }))
    expect(failedOf(result)).toEqual(expect.arrayContaining(['weights', 'finite', 'causality', 'step = score', 'replay', 'draws', 'normalised']))
    expect(reasonOf(result, 'weights')).toMatch(/number 7 of "network\/layer0\/feedForwardInput" is NaN/)
  })

  it('operators outside of the standard domain', async () => {
    const result = await verify(edited(good, ['score', 'step', 'sample'], (model) => {
      for (const node of allNodes(model.graph!)) if (node.opType === 'Gelu') node.domain = 'com.microsoft'
      model.opsetImport.push({ ...model.opsetImport[0], domain: 'com.microsoft', version: 1n })
    }))
    expect(failedOf(result)).toEqual(['graphs'])
    expect(reasonOf(result, 'graphs')).toMatch(/com\.microsoft\.Gelu/)
  })

  it('a later opset, a later IR version, weights from elsewhere', async () => {
    const versions = await verify(edited(good, ['step'], (model) => void (model.opsetImport[0].version = 24n)))
    expect(failedOf(versions)).toEqual(['graphs'])
    const format = await verify(edited(good, ['step'], (model) => void (model.irVersion = 12n)))
    expect(failedOf(format)).toEqual(['graphs'])
    const place = await verify(edited(good, ['sample'], ({ graph }) => void (graph!.initializer.find(({ externalData }) => externalData.length)!.externalData[0].value = 'other.bin')))
    expect(failedOf(place)).toContain('graphs')
    expect(reasonOf(place, 'graphs')).toMatch(/other\.bin/)
  })

  it('an operator that not every provider has', async () => {
    const result = await verify(edited(good, ['score', 'step', 'sample'], ({ graph }) => {
      for (const node of allNodes(graph!)) if (node.opType === 'Gelu') node.opType = 'Mish'
    }))
    expect(failedOf(result)).toEqual(['operators'])
    expect(reasonOf(result, 'operators')).toMatch(/^Mish/)
  })

  it('a state of another shape', async () => {
    const result = await verify(replaced(good, {}, (manifest) => ({ ...manifest, state: manifest.state.map((tensor) => (tensor.name === 'keys0' ? { ...tensor, shape: ['batch', 3, 'past', 4] } : tensor)) })))
    expect(failedOf(result)).toContain('state')
    expect(reasonOf(result, 'state')).toMatch(/keys0.*\[batch, 2, past, 6\].*\[batch, 3, past, 4\]/)
  })

  it('a memory that is cut too short, however long the context is', async () => {
    const long = exported({ domain: { length: 'variable', components: 1, values: 5 }, network: transformer({ layers: 1, heads: 2, width: 12, context: 40 }) })
    const result = await verify(edited(long, ['step', 'sample'], ({ graph }) => {
      for (const { initializer } of [graph!, ...allNodes(graph!).flatMap(innerGraphs)]) {
        for (const { dims, rawData } of initializer) if (dims.length === 1 && rawData.length === 8 && new DataView(rawData.buffer, rawData.byteOffset).getBigInt64(0, true) === -39n) new DataView(rawData.buffer, rawData.byteOffset).setBigInt64(0, -38n, true)
      }
    }))
    expect(failedOf(result)).toContain('step = score')
  })

  it('probabilities that do not sum to 1', async () => {
    const result = await verify(edited(good, ['score'], ({ graph }) => {
      const last = graph!.node.find(({ output }) => output.includes('nats'))!
      last.output = ['original']
      graph!.node.push({ ...last, name: 'twice', opType: 'Add', input: ['original', 'original'], output: ['nats'], attribute: [] })
    }))
    expect(failedOf(result)).toEqual(['step = score', 'draws', 'normalised'])
  })
})

describe('options', () => {
  it('a seed tries other sequences', async () => {
    const files = language()
    const reasons = await Promise.all([1, 1, 2].map(async (seed) => reasonOf(await verifyModel(files, { provider: 'cpu', seed }), 'finite')))
    expect(reasons[1]).toBe(reasons[0])
    expect(reasons[2]).not.toBe(reasons[0])
  })

  it('a signal ends it', async () => {
    const controller = new AbortController()
    const stopping = verifyModel(language(), { provider: 'cpu', signal: controller.signal, onCheck: ({ name }) => name === 'weights' && controller.abort() })
    await expect(stopping).rejects.toThrow(InterruptedError)
  })

  it('unknown ones are refused', async () => {
    await expect(verifyModel(language(), { tolerance: 1 } as never)).rejects.toThrow(/unknown option "tolerance"/)
  })
})
