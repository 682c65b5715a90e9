/** The laws of the heads, with a projection of their own and with parameters received (every other head each way; all of them both ways with CHAINRULE_LONG=1). */
import '@tensorflow/tfjs-backend-cpu'
import { headLaws } from '@chainrule/conformance'
import type { Domain } from '@chainrule/core'
import { bernoulli, categorical, chained, discretizedLogisticMixture, factorized, gaussianMixture, type Head, headFromName, rgbLogisticMixture } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const isLong = Boolean(process.env.CHAINRULE_LONG)

/** Fewer than usual, where a temperature of 1.05 shows at once. */
const draws = 25_000

const domain = (components: number, values: number): Domain => ({ length: 1, components, values })

const ended = (values: number): Domain => ({ length: 'variable', components: 1, values, end: values - 1 })

const real = (components: number): Domain => ({ length: 1, components, values: 'real' })

const cases: [Head, Domain][] = [
  [categorical(), domain(1, 7)],
  [discretizedLogisticMixture({ components: 1 }), domain(1, 6)],
  [discretizedLogisticMixture({ components: 2 }), domain(1, 9)],
  [discretizedLogisticMixture({ components: 2 }), ended(7)],
  [discretizedLogisticMixture({ components: 1, range: 0.5 }), ended(2)],
  [rgbLogisticMixture({ components: 1 }), domain(3, 3)],
  [rgbLogisticMixture({ components: 2 }), domain(3, 4)],
  [chained(categorical()), domain(1, 5)],
  [chained(categorical(), { width: 8 }), domain(3, 4)],
  [chained(bernoulli(), { width: 6 }), domain(6, 2)],
  [chained(discretizedLogisticMixture({ components: 2 }), { width: 8, input: 'scaled' }), domain(3, 5)],
  [factorized(categorical()), domain(3, 4)],
  [factorized(bernoulli()), domain(5, 2)],
  [factorized(discretizedLogisticMixture({ components: 2 })), domain(2, 5)],
  [chained(discretizedLogisticMixture({ components: 2 }), { width: 8, input: 'scaled' }), ended(5)],
  [factorized(discretizedLogisticMixture({ components: 2 })), ended(5)],
  [gaussianMixture({ components: 1 }), real(1)],
  [gaussianMixture({ components: 3 }), real(1)],
  [gaussianMixture({ components: 3 }), real(3)],
  [gaussianMixture({ components: 2 }), real(5)],
  [chained(gaussianMixture({ components: 2 }), { width: 6 }), real(3)],
  [factorized(gaussianMixture({ components: 2 })), real(2)],
]

describe('heads', () => {
  it.each(cases.map(([head, of], which): [string, Head, Domain, number] => [`${head.name} ${JSON.stringify(head.options)} of ${of.components} × ${of.values}${of.end === undefined ? '' : ' with an end'}`, head, of, which]))('%s', (_, head, domain, which) => {
    for (const receivesParameters of isLong ? [false, true] : [which % 2 === 1]) headLaws(head, { domain, draws, receivesParameters })
    const again = headFromName(JSON.parse(JSON.stringify({ name: head.name, options: head.options })))
    expect({ name: again.name, options: again.options }).toEqual({ name: head.name, options: head.options })
  })
})
