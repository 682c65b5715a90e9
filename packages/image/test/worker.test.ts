/** Real values and labels in a thread of its own: the same numbers as without one. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exportModel, fit, gaussianMixture, type Image, imageModel, label, loadModel, type LoadedImage, maskedConvolution, pixels, sample, score, stream } from '../src/index.js'

const images: Image[] = Array.from({ length: 6 }, (_, which) => ({ height: 4, width: 8, channels: 1, label: which % 2, data: Uint8Array.from({ length: 32 }, (_, i) => ((which % 2 ? i % 8 : Math.floor(i / 8)) % 2) * 200 + which) }))

test('real values with labels: samples wave by wave, streams and scores', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chainrule-worker-'))
  const model = imageModel({ tokenizer: pixels({ height: 4, width: 8, dequantized: true }), network: maskedConvolution({ layers: 1, width: 4, firstKernel: 3 }), head: gaussianMixture({ components: 2 }), condition: label({ names: ['rows', 'columns'] }) })
  await exportModel(await fit(model, images, { steps: 20, batchSize: 4, seed: 1, learningRate: 1e-2, threads: 1 }), join(folder, 'model'))
  const all = async (loaded: LoadedImage) => {
    const drawn = await sample(loaded, { label: ['rows', 'columns'], seed: 1 })
    const streamed: number[] = []
    for await (const { values } of stream(loaded, { label: 'rows', seed: 1 })) streamed.push(...values)
    const scores = await score(loaded, images)
    await loaded.release()
    return { drawn, streamed, scores }
  }
  try {
    const here = await all(await loadModel(join(folder, 'model'), { provider: 'cpu', threads: 1 }))
    expect(here.drawn[0]).not.toEqual(here.drawn[1])
    expect(here.streamed).toHaveLength(32)
    expect(await all(await loadModel(join(folder, 'model'), { provider: 'cpu', threads: 1, worker: true }))).toEqual(here)
  } finally {
    await rm(folder, { recursive: true })
  }
})
