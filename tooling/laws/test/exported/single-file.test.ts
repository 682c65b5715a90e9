/** The single file: it unpacks into the directory's files, and the graph that other runtimes see, weights inside, is `sample.onnx`. */
import '@tensorflow/tfjs-backend-cpu'
import { createHash } from 'node:crypto'
import { shaken } from '@chainrule/conformance'
import { decodeManifest, encodeManifest, graphFiles, manifestFile, unpackSingleFile } from '@chainrule/core'
import { createModel } from '@chainrule/core/tensors'
import { recordModel, singleFileOf } from '@chainrule/onnx'
import { openModel } from '@chainrule/runtime'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, expect, it } from 'vitest'
import { type Combination, endedCombinations, fixedLengthCombinations, pairwise, variableLengthCombinations } from '../eager/combinations.js'

const combinations = [...pairwise(fixedLengthCombinations()).slice(0, 4), ...variableLengthCombinations(), ...endedCombinations()]

beforeAll(async () => {
  await tf.setBackend('cpu')
})

it.each(combinations.map((combination): [string, Combination] => [combination.title, combination]))('is the model: %s', async (_, pieces) => {
  const model = createModel(pieces)
  const card = { data: {}, results: {}, training: {}, exportedAt: new Date(0).toISOString() }
  const files = recordModel({ model, parameters: shaken(model.initialize(3), 3), modality: 'law', tokenizer: { name: 'none', options: {} }, card })
  const single = singleFileOf(files)
  const unpacked = unpackSingleFile(single, 'single')
  for (const [name, bytes] of Object.entries(unpacked.files)) expect(bytes, name).toEqual(files[name])

  const graph = single.subarray(0, unpacked.graphBytes)
  const manifest = decodeManifest(files[manifestFile], manifestFile)
  const listed = { ...manifest.files, [graphFiles.sample]: { bytes: graph.length, sha256: createHash('sha256').update(graph).digest('hex') } }
  const swapped = { ...files, [graphFiles.sample]: graph, [manifestFile]: encodeManifest({ ...manifest, files: listed }) }
  const request = { seed: 4, count: 3, ...(pieces.domain.length === 'variable' && { length: 6 }) }
  const samples = []
  for (const source of [files, single, swapped]) {
    const opened = await openModel(source, { provider: 'cpu' })
    samples.push(await opened.sample(request))
    await opened.release()
  }
  expect(samples[1]).toEqual(samples[0])
  expect(samples[2]).toEqual(samples[0])
})
