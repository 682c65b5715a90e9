/** An excluded test must fail, and for the reason that it is excluded for. */
import { describe, expect, it } from 'vitest'
import { mustFail } from '../src/jasmine.js'

const exclusion = { topic: 'strings', reason: 'There are none.', error: /type string/ }
const failing = (message: string) => () => {
  throw new Error(message)
}

describe('an excluded test', () => {
  it('holds where it fails with its error, at once, later or by its callback', async () => {
    await mustFail(failing('tensors of type string cannot be'), exclusion)
    await mustFail(async () => failing('type string')(), exclusion)
    await mustFail((done) => void setTimeout(() => done.fail('type string')), exclusion)
  })
  it('fails the run where it passes', async () => {
    await expect(mustFail(() => undefined, exclusion)).rejects.toThrow(/passes.*Take it off the list/)
    await expect(mustFail((done) => done(), exclusion)).rejects.toThrow(/passes/)
  })
  it('fails the run where it fails for another reason', async () => {
    await expect(mustFail(failing('Arrays differ'), exclusion)).rejects.toThrow(/another reason.*Arrays differ/)
  })
  it('may pass where rounding decides, but not fail in another way', async () => {
    await mustFail(() => undefined, { ...exclusion, dependsOnProcessor: true })
    await expect(mustFail(failing('no kernel'), { ...exclusion, dependsOnProcessor: true })).rejects.toThrow(/another reason/)
  })
})
