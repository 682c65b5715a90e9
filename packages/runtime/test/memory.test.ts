/** A model that is released keeps nothing: opened, sampled and released again and again, the process does not grow. */
import { beforeAll, expect, test } from 'vitest'
import { openModel } from '../src/index.js'
import { chain } from './fixture.js'

const mebibyte = 2 ** 20
const times = 200
/** What a process may grow by in `times` rounds after a warm-up: far less than a round's own sessions, arenas and tensors together. */
const mostGrowth = 24 * mebibyte

let collect: () => void
beforeAll(async () => {
  const { setFlagsFromString } = await import('node:v8')
  const { runInNewContext } = await import('node:vm')
  setFlagsFromString('--expose-gc')
  collect = runInNewContext('gc') as () => void
})

test(`${times} times opened, sampled and released`, async () => {
  const residentAfter = async (rounds: number) => {
    for (let round = 0; round < rounds; round++) {
      const model = await openModel(chain.files)
      await model.sample({ seed: 1, length: 20, count: 8 })
      await model.sample({ seed: 1, length: 5, sampler: 'steps' })
      await model.release()
    }
    collect()
    return process.memoryUsage().rss
  }
  const before = await residentAfter(50)
  const after = await residentAfter(times)
  console.log(`resident: ${Math.round(before / mebibyte)} MiB, after ${times} more ${Math.round(after / mebibyte)} MiB`)
  expect(after - before).toBeLessThan(mostGrowth)
})
