import * as tf from '@tensorflow/tfjs-core'
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import { beforeAll, describe, expect, it } from 'vitest'
import { ChainruleError, InvalidOptionError, UnavailableError } from '../src/index.js'
import { eagerEngine, type Program, type ProgramSpecification } from '../src/tensors/index.js'

/** A second backend, so that "which one is active" can be seen. */
const other = 'chainrule-test-other'

beforeAll(async () => {
  tf.registerBackend(other, () => new MathBackendCPU())
  tf.copyRegisteredKernels('cpu', other)
  await tf.setBackend('cpu')
})

const onCpu = () => eagerEngine('eager', async () => void (await tf.setBackend('cpu')))
const onOther = () => eagerEngine('other', async () => void (await tf.setBackend(other)))

/** One step down the gradient of Σ (w · x)², which is 2 (w · x) x, with rate 0.1. */
const descend: Program = ({ w }, { x }) => {
  const { value, grads } = tf.valueAndGrads((w: tf.Tensor) => tf.square(tf.sum(tf.mul(w, x))) as tf.Scalar)([w])
  return { carried: { w: tf.sub(w, tf.mul(grads[0], 0.1)) }, outputs: { loss: value } }
}
const specification = (): ProgramSpecification => ({
  inputs: { x: { shape: [2], type: 'float32' } },
  carried: { w: { shape: [2], data: new Float32Array([1, 2]) }, untouched: { shape: [1], data: new Float32Array([7]) } },
})

/** The same by hand. */
function descendByHand(steps: readonly (readonly [number, number])[]): { w: number[]; losses: number[] } {
  const w = [1, 2]
  const losses = steps.map((x) => {
    const product = w[0] * x[0] + w[1] * x[1]
    for (const axis of [0, 1]) w[axis] -= 0.2 * product * x[axis]
    return product * product
  })
  return { w, losses }
}

describe('values', () => {
  it('feeds every type of input and gives every type of output, in the shapes declared', async () => {
    const program = await onCpu().compile(
      (_, { number, whole, truth }) => ({
        outputs: { number: tf.add(number, tf.cast(whole, 'float32')), whole: tf.mul(whole, tf.scalar(2, 'int32')), truth: tf.logicalNot(truth), rank: tf.scalar(number.rank, 'int32') },
      }),
      { inputs: { number: { shape: [1, 2], type: 'float32' }, whole: { shape: [2], type: 'int32' }, truth: { shape: [3], type: 'bool' } }, carried: {} },
    )
    const outputs = await program.run({ number: new Float32Array([0.5, -1]), whole: new Int32Array([3, 4]), truth: new Uint8Array([1, 0, 1]) })
    expect(outputs).toEqual({
      number: new Float32Array([3.5, 3]),
      whole: new Int32Array([6, 8]),
      truth: new Uint8Array([0, 1, 0]),
      rank: new Int32Array([2]),
    })
  })

  it('carries updates over several steps, and leaves what a program does not return', async () => {
    const program = await onCpu().compile(descend, specification())
    const steps = [[1, 0], [0.5, 0.5], [-1, 1], [0.25, 2]] as const
    const expected = descendByHand(steps)
    for (const [index, x] of steps.entries()) {
      const { loss } = await program.run({ x: new Float32Array(x) })
      expect(loss[0]).toBeCloseTo(expected.losses[index], 5)
    }
    const carried = await program.carried()
    expect(carried.w.shape).toEqual([2])
    expected.w.forEach((value, axis) => expect(carried.w.data[axis]).toBeCloseTo(value, 5))
    expect(carried.untouched).toEqual({ shape: [1], data: new Float32Array([7]) })
  })

  it('lets a program exchange two carried tensors, and return one tensor under several names', async () => {
    const program = await onCpu().compile(({ a, b }) => ({ carried: { a: b, b: a }, outputs: { a, again: a } }), {
      inputs: {},
      carried: { a: { shape: [], data: new Float32Array([1]) }, b: { shape: [], data: new Float32Array([2]) } },
    })
    expect(await program.run({})).toEqual({ a: new Float32Array([1]), again: new Float32Array([1]) })
    expect(await program.run({})).toEqual({ a: new Float32Array([2]), again: new Float32Array([2]) })
    expect(await program.run({})).toEqual({ a: new Float32Array([1]), again: new Float32Array([1]) })
  })

  it('shares no array with the caller: not the first values, not an input that becomes carried, not an output', async () => {
    const first = new Float32Array([1])
    const program = await onCpu().compile(({ w }, { x }) => ({ carried: { w: x }, outputs: { w } }), {
      inputs: { x: { shape: [1], type: 'float32' } },
      carried: { w: { shape: [1], data: first } },
    })
    first[0] = 50
    const x = new Float32Array([2])
    const outputs = await program.run({ x })
    expect(outputs.w).toEqual(new Float32Array([1]))
    x[0] = 60
    ;(await program.carried()).w.data[0] = 70
    expect((await program.carried()).w.data).toEqual(new Float32Array([2]))
    const again = await program.run({ x: new Float32Array([3]) })
    again.w[0] = 80
    expect((await program.carried()).w.data).toEqual(new Float32Array([3]))
  })

  it('runs that are started together act one after the other', async () => {
    const program = await onCpu().compile(({ n }) => ({ carried: { n: tf.add(n, 1) }, outputs: { n } }), { inputs: {}, carried: { n: { shape: [], data: new Float32Array(1) } } })
    const outputs = await Promise.all([program.run({}), program.run({}), program.run({})])
    expect(outputs.map(({ n }) => n[0])).toEqual([0, 1, 2])
  })

  it('load replaces what is carried', async () => {
    const program = await onCpu().compile(descend, specification())
    await program.run({ x: new Float32Array([1, 1]) })
    await program.load(specification().carried)
    expect(await program.carried()).toEqual(specification().carried)
  })
})

describe('memory', () => {
  it('is flat over 1,000 runs', async () => {
    const program = await onCpu().compile(descend, specification())
    const step = () => program.run({ x: new Float32Array([1, 0.5]) })
    await step()
    const { numTensors, numDataBuffers } = tf.memory()
    for (let run = 0; run < 1000; run++) await step()
    await program.carried()
    await program.load(specification().carried)
    expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers })
  })

  it('release frees everything, and the program cannot run again', async () => {
    const { numTensors } = tf.memory()
    const program = await onCpu().compile(descend, specification())
    await program.run({ x: new Float32Array(2) })
    expect(tf.memory().numTensors).toBe(numTensors + 2)
    await program.release()
    await program.release()
    expect(tf.memory().numTensors).toBe(numTensors)
    await expect(program.run({ x: new Float32Array(2) })).rejects.toThrow(/was released/)
    await expect(program.carried()).rejects.toThrow(ChainruleError)
    await expect(program.load(specification().carried)).rejects.toThrow(ChainruleError)
  })

  it('a program that throws leaves nothing behind and changes nothing', async () => {
    const program = await onCpu().compile(
      ({ w }, { x }) => {
        const next = tf.add(w, x)
        if (x.dataSync()[0] < 0) throw new Error('refused')
        return { carried: { w: next }, outputs: {} }
      },
      { inputs: { x: { shape: [1], type: 'float32' } }, carried: { w: { shape: [1], data: new Float32Array([1]) } } },
    )
    const { numTensors } = tf.memory()
    await expect(program.run({ x: new Float32Array([-1]) })).rejects.toThrow('refused')
    expect(tf.memory().numTensors).toBe(numTensors)
    expect((await program.carried()).w.data[0]).toBe(1)
  })

  it('survives an enclosing tidy', async () => {
    const program = await onCpu().compile(descend, specification())
    let started: Promise<unknown> = Promise.resolve()
    tf.tidy(() => {
      started = program.run({ x: new Float32Array([1, 1]) })
    })
    await started
    await expect(program.run({ x: new Float32Array([1, 1]) })).resolves.toBeDefined()
  })
})

describe('the active backend', () => {
  it('is the engine’s inside a program and the one before everywhere else', async () => {
    const seen: string[] = []
    const program = await onOther().compile(
      ({ w }) => {
        seen.push(tf.getBackend())
        return { carried: { w: tf.add(w, 1) }, outputs: { w } }
      },
      { inputs: {}, carried: { w: { shape: [1], data: new Float32Array([1]) } } },
    )
    expect(tf.getBackend()).toBe('cpu')
    const pending = program.run({})
    expect(tf.getBackend()).toBe('cpu')
    expect((await pending).w[0]).toBe(1)
    expect((await program.carried()).w.data[0]).toBe(2)
    expect(seen).toEqual([other])
    expect(tf.getBackend()).toBe('cpu')
  })

  it('is restored when a program throws', async () => {
    const program = await onOther().compile(
      () => {
        throw new Error('refused')
      },
      { inputs: {}, carried: {} },
    )
    await expect(program.run({})).rejects.toThrow('refused')
    expect(tf.getBackend()).toBe('cpu')
  })

  it('belongs to each of two programs that are compiled at the same time', async () => {
    const report: Program = () => ({ outputs: { isOther: tf.scalar(tf.getBackend() === other ? 1 : 0) } })
    const slowly = (backend: string) =>
      eagerEngine(backend, async () => {
        await new Promise((resolve) => setTimeout(resolve, 5))
        await tf.setBackend(backend)
        await new Promise((resolve) => setTimeout(resolve, 5))
      })
    const programs = await Promise.all([slowly(other), slowly('cpu'), slowly(other)].map((engine) => engine.compile(report, { inputs: {}, carried: {} })))
    const outputs = await Promise.all(programs.map((program) => program.run({})))
    expect(outputs.map(({ isOther }) => isOther[0])).toEqual([1, 0, 1])
    expect(tf.getBackend()).toBe('cpu')
  })

  it('must exist; a failed load does not block the next', async () => {
    const unavailable = eagerEngine('absent', () => {
      throw new UnavailableError('absent: nothing is installed.')
    })
    await expect(unavailable.compile(descend, specification())).rejects.toThrow('absent: nothing is installed.')
    await expect(onCpu().compile(descend, specification())).resolves.toBeDefined()
  })
})

describe('checks', () => {
  const x = new Float32Array(2)
  it.each([
    ['a missing input', {}, /eager: input "x" is missing.*Expected: x; got: none/],
    ['an unknown input', { x, y: x }, /eager: input "y" is unknown.*Expected: x/],
    ['an input of another size', { x: new Float32Array(3) }, /eager: input "x": expected 2 numbers, shape \[2\], got 3/],
    ['an input of another type', { x: new Int32Array(2) }, /eager: input "x": expected a Float32Array \(float32\), got Int32Array/],
  ])('%s', async (_, inputs, message) => {
    const program = await onCpu().compile(descend, specification())
    const { numTensors } = tf.memory()
    await expect(program.run(inputs)).rejects.toThrow(InvalidOptionError)
    await expect(program.run(inputs)).rejects.toThrow(message)
    expect(tf.memory().numTensors).toBe(numTensors)
  })

  const w = { shape: [2], data: new Float32Array(2) }
  const untouched = { shape: [1], data: new Float32Array(1) }
  it.each([
    ['a name is missing', { w }, /carried tensor "untouched" is missing/],
    ['a name is unknown', { w, untouched, v: w }, /carried tensor "v" is unknown/],
    ['a shape differs', { w: { shape: [2, 1], data: new Float32Array(2) }, untouched }, /carried tensor "w": expected shape \[2\], got \[2,1\]/],
    ['an array is too short', { w: { shape: [2], data: new Float32Array(1) }, untouched }, /carried tensor "w": expected 2 numbers/],
  ])('load where %s', async (_, parameters, message) => {
    const program = await onCpu().compile(descend, specification())
    await expect(program.load(parameters)).rejects.toThrow(InvalidOptionError)
    await expect(program.load(parameters)).rejects.toThrow(message)
    expect((await program.carried()).w.data).toEqual(new Float32Array([1, 2]))
  })

  it.each<[string, Program, RegExp]>([
    ['an unknown name', ({ w }) => ({ carried: { v: w }, outputs: {} }), /carried tensor "v" is unknown/],
    ['another shape', () => ({ carried: { w: tf.zeros([3]) }, outputs: {} }), /carried tensor "w": expected shape \[2\], got \[3\]/],
    ['another type', () => ({ carried: { w: tf.zeros([2], 'int32') }, outputs: {} }), /carried tensor "w": expected float32, the program returned int32/],
  ])('a program that returns carried tensors of %s', async (_, wrong, message) => {
    const program = await onCpu().compile(wrong, specification())
    await expect(program.run({ x })).rejects.toThrow(message)
    expect((await program.carried()).w.data).toEqual(new Float32Array([1, 2]))
  })

  it('first values of another size than their shape', async () => {
    const carried = { w: { shape: [3], data: new Float32Array(2) } }
    await expect(onCpu().compile(descend, { inputs: {}, carried })).rejects.toThrow(/carried tensor "w": expected 3 numbers/)
  })
})
