/** The engine: carried tensors over several steps equal the eager ones; memory is shared only where that is safe. */
import type { ParameterArrays } from '@chainrule/core'
import type { Arrays, Program, Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { describe, expect, it } from 'vitest'
import { mayOverwrite } from '../src/aliasing.js'
import { onnx } from '../src/engine.js'
import { record } from '../src/recorder.js'

const wave = (count: number, phase: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(phase + i * 1.3))
const carried: ParameterArrays = { w: { shape: [4, 3], data: wave(12, 1) }, m: { shape: [4, 3], data: new Float32Array(12) } }
const inputs = { x: { shape: [5, 4], type: 'float32' }, y: { shape: [5], type: 'int32' }, isKept: { shape: [5], type: 'bool' } } as const
const batch = (step: number): Arrays => ({ x: wave(20, step), y: Int32Array.of(0, 1, 2, 1, 0), isKept: Uint8Array.of(1, 0, 1, 1, step % 2) })

const loss = (w: tf.Tensor, { x, y, isKept }: Tensors) =>
  tf.neg(tf.mean(tf.mul(tf.cast(isKept, 'float32'), tf.sum(tf.mul(tf.logSoftmax(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D)), tf.oneHot(y as tf.Tensor1D, 3, 1, 0, 'float32')), 1)))) as tf.Scalar

/** Momentum after clipping by the norm: every update depends on every reader of the old values. */
const training: Program = ({ w, m }, inputs) => {
  const { value, grad } = tf.valueAndGrad((w: tf.Tensor) => loss(w, inputs))(w)
  const norm = tf.sqrt(tf.sum(tf.square(grad)))
  const next = tf.add(tf.mul(m, 0.9), tf.mul(grad, tf.minimum(tf.div(0.5, norm), 1)))
  return { carried: { w: tf.sub(w, tf.mul(next, 0.1)), m: next }, outputs: { value, norm } }
}

async function eagerSteps(program: Program, steps: number) {
  await tf.setBackend('cpu')
  let state = Object.fromEntries(Object.entries(carried).map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape])]))
  const outputs: Record<string, number[]>[] = []
  for (let step = 0; step < steps; step++) {
    const given = Object.fromEntries(Object.entries(batch(step)).map(([name, array]) => [name, tf.tensor(array as Float32Array, [...inputs[name as 'x'].shape], inputs[name as 'x'].type)]))
    const result = tf.tidy(() => program(state, given) as never) as unknown as ReturnType<Program>
    outputs.push(Object.fromEntries(Object.entries(result.outputs).map(([name, tensor]) => [name, Array.from(tensor.dataSync())])))
    state = { ...state, ...result.carried }
  }
  return { outputs, carried: Object.fromEntries(Object.entries(state).map(([name, tensor]) => [name, Array.from(tensor.dataSync())])) }
}

const expectClose = (got: ArrayLike<number>, want: ArrayLike<number>) => {
  expect(got.length).toBe(want.length)
  for (let i = 0; i < want.length; i++) expect(Math.abs(got[i] - want[i])).toBeLessThanOrEqual(2e-6 + 2e-5 * Math.abs(want[i]))
}

async function expectEngineIsEager(program: Program, steps = 6) {
  const want = await eagerSteps(program, steps)
  const compiled = await onnx({ threads: 2 }).compile(program, { inputs, carried })
  for (let step = 0; step < steps; step++) {
    const outputs = await compiled.run(batch(step))
    expect(Object.keys(outputs).sort()).toEqual(Object.keys(want.outputs[step]).sort())
    for (const name of Object.keys(outputs)) expectClose(outputs[name] as Float32Array, want.outputs[step][name])
  }
  const after = await compiled.carried()
  for (const name of Object.keys(carried)) {
    expect(after[name].shape).toEqual(carried[name].shape)
    expectClose(after[name].data, want.carried[name])
  }
  await compiled.release()
}

const graphOf = (program: Program) => {
  const specifications = { ...Object.fromEntries(Object.keys(carried).map((name) => [name, { shape: carried[name].shape, type: 'float32' as const }])), ...inputs }
  return record(
    (all) => {
      const { carried: next = {}, outputs } = program({ w: all.w, m: all.m }, all)
      return Object.fromEntries([...Object.entries(next).map(([name, tensor]) => [`next/${name}`, tensor]), ...Object.entries(outputs).map(([name, tensor]) => [`output/${name}`, tensor])])
    },
    specifications,
    { target: 'onnxruntime' },
  )
}
const isShared = (program: Program, name: string) => mayOverwrite(graphOf(program), name, `next/${name}`)

describe('steps of the engine = eager steps', () => {
  it('training, whose updates are written over the old values', async () => {
    expect(isShared(training, 'w')).toBe(true)
    expect(isShared(training, 'm')).toBe(true)
    await expectEngineIsEager(training)
  })

  it('a program that reads the old weights beside their update', async () => {
    const program: Program = (state, inputs) => {
      const { carried, outputs } = training(state, inputs)
      // Nothing makes these run before the update: they must still see the old values.
      return { carried, outputs: { ...outputs, old: tf.sum(state.w), slow: tf.sum(tf.softmax(tf.matMul(tf.matMul(state.w as tf.Tensor2D, state.w as tf.Tensor2D, false, true), state.w as tf.Tensor2D))) } }
    }
    expect(isShared(program, 'w')).toBe(false)
    expect(isShared(program, 'm')).toBe(true)
    await expectEngineIsEager(program)
  })

  it('updates that are no sum: a product, the other tensor, itself, a view', async () => {
    const programs: Record<string, Program> = {
      product: ({ w, m }) => ({ carried: { w: tf.matMul(tf.matMul(w as tf.Tensor2D, w as tf.Tensor2D, false, true), tf.add(m, 0.5)) }, outputs: {} }),
      productAndSum: ({ w, m }) => ({ carried: { w: tf.add(tf.matMul(tf.matMul(w as tf.Tensor2D, m as tf.Tensor2D, false, true), w as tf.Tensor2D), 0.1), m: tf.add(m, tf.mul(w, 0.1)) }, outputs: {} }),
      exchange: ({ w, m }) => ({ carried: { w: m, m: w }, outputs: {} }),
      itself: ({ w }) => ({ carried: { w }, outputs: { w } }),
      turned: ({ w, m }) => ({ carried: { w: tf.add(tf.reshape(tf.transpose(w), [4, 3]), m), m: tf.sub(tf.mul(m, 0.5), tf.reverse(m)) }, outputs: {} }),
    }
    for (const [name, program] of Object.entries(programs)) {
      expect(isShared(program, 'w'), name).toBe(false)
      await expectEngineIsEager(program, 4)
    }
    expect(isShared(programs.turned, 'm')).toBe(false)
  })

  it('a mean over time, which reads the new weights', () =>
    expectEngineIsEager((state, inputs) => {
      const { carried, outputs } = training(state, inputs)
      return { carried, outputs: { ...outputs, after: tf.sum(carried!.w) } }
    }))

  it('nothing carried is changed where the program returns nothing', () => expectEngineIsEager(({ w }, inputs) => ({ outputs: { value: loss(w, inputs) } }), 2))
})

describe('the contract', () => {
  const compile = () => onnx({ threads: 1 }).compile(training, { inputs, carried })

  it('copies what it is given and gives copies', async () => {
    const mine = { w: { shape: [4, 3], data: wave(12, 1) }, m: carried.m }
    const compiled = await onnx().compile(training, { inputs, carried: mine })
    const before = await compiled.carried()
    await compiled.run(batch(0))
    expect(mine.w.data).toEqual(wave(12, 1))
    expect(before.w.data).toEqual(wave(12, 1))
    const first = await compiled.run(batch(1))
    const kept = Array.from(first.value as Float32Array)
    await compiled.run(batch(2))
    expect(Array.from(first.value as Float32Array)).toEqual(kept)
    await compiled.load(before)
    expect((await compiled.carried()).w.data).toEqual(wave(12, 1))
    await compiled.release()
    await expect(compiled.run(batch(0))).rejects.toThrow(/released/)
  })

  it('runs one after the other, however it is called', async () => {
    // Two arrays take turns here.
    const program: Program = ({ w, m }, { x }) => ({ carried: { w: tf.add(tf.matMul(tf.matMul(w as tf.Tensor2D, m as tf.Tensor2D, false, true), w as tf.Tensor2D), tf.mean(x)), m: w }, outputs: {} })
    const [a, b] = [await onnx().compile(program, { inputs, carried }), await onnx().compile(program, { inputs, carried })]
    for (let step = 0; step < 3; step++) await a.run(batch(step))
    await Promise.all([0, 1, 2].map((step) => b.run(batch(step))))
    expect((await b.carried()).w.data).toEqual((await a.carried()).w.data)
    await a.release()
    await b.release()
  })

  it('is as good the second time: two engines give the same bits on one thread', async () => {
    const [a, b] = [await compile(), await compile()]
    for (let step = 0; step < 3; step++) expect((await a.run(batch(step))).value).toEqual((await b.run(batch(step))).value)
    await a.release()
    await b.release()
  })

  it('refuses inputs that do not fit', async () => {
    const compiled = await compile()
    const { x, y, isKept } = batch(0)
    expect(() => compiled.run({ x, y })).toThrow(/"isKept" is missing, expected bool \[5\]/)
    expect(() => compiled.run({ x, y, isKept, z: x })).toThrow(/unknown input "z"/)
    expect(() => compiled.run({ x: wave(19, 0), y, isKept })).toThrow(/has 19 elements, expected 20/)
    expect(() => compiled.run({ x, y: x, isKept })).toThrow(/must be a Int32Array/)
    await expect(async () => compiled.load({ w: carried.w })).rejects.toThrow(/"m" is missing/)
    await expect(async () => compiled.load({ ...carried, w: { shape: [3, 4], data: wave(12, 0) } })).rejects.toThrow(/"w" is \[3,4\]/)
    await compiled.release()
  })

  it('refuses options and programs that do not fit', async () => {
    expect(() => onnx({ gpu: true } as never)).toThrow(/unknown option "gpu"/)
    expect(() => onnx({ threads: 0 })).toThrow(/threads/)
    expect(() => onnx({ provider: 'tpu' as never })).toThrow(/provider/)
    const engine = onnx()
    await expect(engine.compile(({ w }) => ({ carried: { v: w }, outputs: {} }), { inputs, carried })).rejects.toThrow(/"v" that it was not given/)
    await expect(engine.compile(({ w }) => ({ carried: { w: tf.transpose(w) }, outputs: {} }), { inputs, carried })).rejects.toThrow(/as float32 \[3,4\], expected float32 \[4,3\]/)
  })
})
