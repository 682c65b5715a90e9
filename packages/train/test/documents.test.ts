/** Documents: side by side in training, filled up with their end in evaluation; both change nothing of what each says alone. */
import '@tensorflow/tfjs-backend-cpu'
import { InvalidDataError, leftToRight } from '@chainrule/core'
import { categorical, createModel } from '@chainrule/core/tensors'
import { transformer } from '@chainrule/networks'
import { expect, test } from 'vitest'
import { type Data, eager, evaluate, type Example, initialState, joinExamples, train } from '../src/index.js'

const end = 3
const model = createModel({ domain: { length: 'variable', components: 1, values: 4, end }, order: leftToRight(), network: transformer({ layers: 1, heads: 2, width: 8, context: 8 }), head: categorical({ tied: true }) })
const engine = eager('cpu')
const { parameters } = initialState(model, 1)
const dataOf = (examples: Example[]): Data => ({ length: examples.length, at: (i) => examples[i] })
const of = (...values: number[]) => Int32Array.from(values)

test('an example says where its documents begin; what contradicts itself is refused', () => {
  const layout = { length: 4, components: 1, values: 4, end, isPacked: true }
  const join = (example: Example, more = {}) => joinExamples([example, { x: of(0, 1, 2, end) }], { ...layout, ...more })
  expect([...join({ x: of(1, end, 2, 0), previous: of(2), isStart: Uint8Array.of(0, 0, 1, 0) }).isStart]).toEqual([0, 0, 1, 0, 1, 0, 0, 0])
  expect([...join({ x: of(1, end, end, end), previous: of(2) }, { isPacked: false }).isStart]).toEqual([0, 1])
  expect(() => join({ x: of(1, end, 2, 0) })).toThrow(/holds 2 at variable 2, after its end/)
  expect(() => join({ x: of(1, end, end, end), previous: of(end) })).toThrow(/holds 1 at variable 0, after its end/)
  expect(() => join({ x: of(1, 1, 1, 1), isStart: Uint8Array.of(0, 0, 1, 0) })).toThrow(/previous is missing/)
  expect(() => join({ x: of(1, 1, 1, 1), isStart: Uint8Array.of(1, 0) })).toThrow(/says of 2 variables .* expected 4/)
  expect(() => join({ x: of(1, 1, 1, 1), isStart: Uint8Array.of(1, 0, 0, 0) }, { isPacked: false })).toThrow(InvalidDataError)
})

test('evaluation of documents of many lengths, side by side or filled up, is that of each alone', async () => {
  const documents = [of(0, end), of(1, 2, 0, 1, end), of(end), of(2, 2, 1, end), of(0, 1)]
  let nats = 0
  for (const x of documents) nats += (await evaluate(model, parameters, dataOf([{ x }]), { engine })).totalNats
  const together = await evaluate(model, parameters, dataOf(documents.map((x) => ({ x }))), { engine, batchSize: 2 })
  expect(together).toMatchObject({ variables: 14, examples: 5 })
  expect(together.totalNats).toBeCloseTo(nats, 4)
  const packed: Example = { x: Int32Array.from(documents.flatMap((x) => [...x])), isStart: Uint8Array.from(documents.flatMap((x) => [...x].map((_, at) => (at === 0 ? 1 : 0)))) }
  // Longer than the context: attention must not reach into the document before.
  const sideBySide = await evaluate(model, parameters, dataOf([packed, { x: documents[1] }]), { engine })
  expect(sideBySide.totalNats).toBeCloseTo(nats + (await evaluate(model, parameters, dataOf([{ x: documents[1] }]), { engine })).totalNats, 4)
})

test('where documents begin changes what is learned', async () => {
  const x = of(0, end, 1, end, 2, end)
  const learned = async (isStart: Uint8Array) => {
    const updates = train(model, dataOf([{ x, isStart }]), { engine, steps: 1, batchSize: 2, seed: 1, length: 6 })
    return (await updates.next()).value!
  }
  const [many, fewer] = [await learned(Uint8Array.of(1, 0, 1, 0, 1, 0)), await learned(Uint8Array.of(1, 0, 1, 0, 1, 1))]
  expect('nats' in many && 'nats' in fewer && many.nats !== fewer.nats).toBe(true)
})
