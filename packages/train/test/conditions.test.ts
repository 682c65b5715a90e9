/** Training with a condition: what is learned is p(x | c), examples carry theirs, and what does not fit is refused. */
import { controlSequence, InvalidCheckpointError, InvalidDataError, label, leftToRight } from '@chainrule/core'
import { categorical, createModel } from '@chainrule/core/tensors'
import { recurrent } from '@chainrule/networks'
import { expect, test } from 'vitest'
import { type Data, eager, evaluate, fit, initialState, joinExamples, train } from '../src/index.js'
import { bits } from './counting-model.js'

const engine = eager()
const domain = { length: 5, components: 1, values: 4 } as const
const network = recurrent({ cell: 'gru', layers: 1, width: 8 })
const labelled = createModel({ domain, order: leftToRight(), network, head: categorical(), condition: label({ values: 4 }) })
const settings = { steps: 60, batchSize: 8, seed: 3, learningRate: 5e-2 }

/** x counts up from its label, which the model is told: so all of x is certain. */
const counting: Data = { length: 4, at: (i) => ({ x: Int32Array.from({ length: 5 }, (_, j) => (i + j) % 4), condition: Int32Array.of(i) }) }

test('a label says what x is: its nats fall to 0, and a wrong label costs', async () => {
  const { model, parameters } = await fit(labelled, counting, { ...settings, engine })
  const right = await evaluate(model, parameters, counting, { engine })
  expect(right.totalNats / right.examples).toBeLessThan(0.1)
  const wrong: Data = { length: 4, at: (i) => ({ ...counting.at(i), condition: Int32Array.of((i + 1) % 4) }) }
  expect((await evaluate(model, parameters, wrong, { engine })).totalNats / 4).toBeGreaterThan(2)
})

test('a control sequence is told by position: real numbers, of a variable length with an end', async () => {
  const model = createModel({
    domain: { length: 'variable', components: 1, values: 4, end: 3 },
    order: leftToRight(),
    network: recurrent({ cell: 'gru', layers: 1, width: 8 }),
    head: categorical(),
    condition: controlSequence({ channels: 2 }),
  })
  // x is 0, 1 or 2 as the first channel says; it ends where the second does.
  const data: Data = {
    length: 30,
    at(i) {
      const own = 2 + (i % 5)
      const digit = (j: number) => (i * 7 + j * 5 + ((i * j) % 4)) % 3
      const condition = Float32Array.from({ length: own * 2 }, (_, at) => (at % 2 ? Number(at === own * 2 - 1) : digit((at - 1) / 2 + 0.5) - 1))
      return { x: Int32Array.from({ length: own }, (_, j) => (j === own - 1 ? 3 : digit(j))), condition }
    },
  }
  const sameLength: Data = { length: 6, at: (i) => data.at(i * 5 + 4) }
  const { parameters } = await fit(model, sameLength, { ...settings, engine, length: 6, validation: { data: sameLength, everySteps: 30 } })
  // Examples of other lengths, which evaluation fills.
  const { totalNats, variables } = await evaluate(model, parameters, data, { engine })
  expect(totalNats / variables).toBeLessThan(0.3)
})

test('a training that goes on equals one that was not interrupted', async () => {
  const short = { ...settings, steps: 6, engine }
  const whole = await fit(labelled, counting, short)
  const updates = train(labelled, counting, short)
  let state = initialState(labelled, settings.seed)
  for (let step = 0; step < 3; step++) {
    const next = await updates.next()
    if (!next.done) state = await next.value.state()
  }
  await updates.return(undefined as never)
  const resumed = await fit(labelled, counting, { ...short, state })
  expect(bits(resumed.parameters)).toEqual(bits(whole.parameters))
  const other = createModel({ ...labelled, condition: label({ values: 5 }) })
  await expect(fit(other, counting, { ...short, state })).rejects.toThrow(InvalidCheckpointError)
})

test('what does not fit is refused', () => {
  const layout = { length: 5, components: 1, values: 4, condition: label({ values: 4 }) }
  const x = new Int32Array(5)
  const join = (condition?: Int32Array | Float32Array, more = {}) => joinExamples([{ x, condition, ...more }], layout)
  expect(join(Int32Array.of(2)).condition).toEqual(Int32Array.of(2))
  expect(() => join()).toThrow(/condition is missing/)
  expect(() => join(Int32Array.of(4))).toThrow(/label 0 is 4, expected a whole number from 0 to 3/)
  expect(() => join(Float32Array.of(1))).toThrow(/Int32Array of 1 labels, got Float32Array of 1/)
  expect(() => join(Int32Array.of(1), { isStart: Uint8Array.of(1, 0, 1, 0, 0) })).toThrow(/belongs to one document/)
  expect(() => joinExamples([{ x, condition: Int32Array.of(1) }], { length: 5, components: 1, values: 4 })).toThrow(/takes none/)
  const controls = { ...layout, condition: controlSequence({ channels: 2 }) }
  expect(() => joinExamples([{ x, condition: new Float32Array(9) }], controls)).toThrow(/Float32Array of 1 × 5 × 2 numbers, got Float32Array of 9/)
  expect(() => joinExamples([{ x, condition: new Float32Array(10).fill(NaN) }], controls)).toThrow(InvalidDataError)
})
