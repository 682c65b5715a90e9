import '@tensorflow/tfjs-backend-cpu'
import { asTensors, shaken } from '@chainrule/conformance'
import { InvalidOptionError } from '@chainrule/core'
import { categorical, type Head, headFromName } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { frameHead, frames, linear, muLaw } from '../src/index.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('frameHead', () => {
  it('suits what frames say of x, and comes back from files', () => {
    const small = frames({ sampleRateHz: 8_000, length: 4, encoding: muLaw({ levels: 16 }) }).domain
    const wide = frames({ sampleRateHz: 8_000, length: 8, encoding: linear() }).domain
    const cases: [Head, typeof small, string, number][] = [
      [frameHead(), wide, 'chained', 128],
      [frameHead({ sample: categorical(), width: 32 }), small, 'chained', 32],
      [frameHead({ independent: true }), wide, 'factorized', 8 * 15],
      [frameHead({ sample: categorical(), independent: true }), small, 'factorized', 4 * 16],
    ]
    for (const [head, domain, name, numbers] of cases) {
      expect(head.name).toBe(name)
      expect(head.parametersPerVariable(domain)).toBe(numbers)
      expect(headFromName(JSON.parse(JSON.stringify({ name: head.name, options: head.options }))).options).toEqual(head.options)
    }
  })
  it('samples of a frame depend on those before them, unless they are independent', () => {
    const { domain } = frames({ sampleRateHz: 8_000, length: 3, encoding: muLaw({ levels: 4 }) })
    const of = (options: Parameters<typeof frameHead>[0], x: readonly number[]) => {
      const head = frameHead({ sample: categorical(), ...options }).bind({ domain, width: 5, receivesParameters: false })
      return tf.tidy(() => [...head.logProbability(asTensors(shaken(head.initialize(1), 1)), tf.ones([1, 1, 5]), tf.tensor(x, [1, 1, 3], 'int32')).dataSync()])
    }
    for (const independent of [false, true]) {
      const [a, b] = [of({ independent }, [0, 1, 2]), of({ independent }, [3, 1, 2])]
      expect(a[1] === b[1] && a[2] === b[2]).toBe(independent)
    }
  })
  it('options that do not belong are refused', () => {
    expect(() => frameHead({ independent: true, width: 3 })).toThrow(InvalidOptionError)
    expect(() => frameHead({ independent: true, input: 'scaled' })).toThrow(/input belongs to the network over the samples/)
    expect(frameHead({ input: 'embedding' }).options).toMatchObject({ input: 'embedding' })
    expect(frameHead().options).not.toHaveProperty('input')
    expect(() => frameHead({ independent: 1 as never })).toThrow(InvalidOptionError)
    expect(() => frameHead({ chained: true } as never)).toThrow(/unknown option "chained"/)
  })
})
