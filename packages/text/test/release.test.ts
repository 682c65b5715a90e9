/** What `sample` and `score` of a trained model open for one call is released, however the call ends. */
import { InterruptedError } from '@chainrule/core'
import { expect, test, vi } from 'vitest'
import type { LoadedText } from '../src/index.js'

const opened: LoadedText[] = []
vi.mock('../src/open-trained.js', async (original) => {
  const actual = await original<typeof import('../src/open-trained.js')>()
  return {
    ...actual,
    async openTrained(...given: Parameters<typeof actual.openTrained>) {
      const loaded = await actual.openTrained(...given)
      opened.push(loaded)
      return loaded
    },
  }
})
const { character, fit, sample, score, textModel, transformer } = await import('../src/index.js')

test('when it is done, fails, or is interrupted half way', async () => {
  const model = textModel({ tokenizer: character({ characters: 'ab' }), network: transformer({ layers: 1, heads: 1, width: 4, context: 4 }) })
  const trained = await fit(model, 'abba'.repeat(9), { steps: 1, seed: 1 })
  await sample(trained, { length: 3 })
  await expect(sample(trained, { prompt: 'c' })).rejects.toThrow(/not among/)
  await expect(score(trained, '')).rejects.toThrow(/empty/)
  const controller = new AbortController()
  const interrupted = sample(trained, { length: 1e6, signal: controller.signal, worker: true })
  setTimeout(() => controller.abort(), 300)
  await expect(interrupted).rejects.toThrow(InterruptedError)
  expect(opened).toHaveLength(4)
  for (const loaded of opened) await expect(score(loaded, 'a')).rejects.toThrow(/was released/)
})
