/**
 * The engine that compiles: a program is recorded once as an ONNX graph and run by onnxruntime. What is carried stays in
 * arrays of this engine: an update is written over the old value where that is provably safe (aliasing.ts); otherwise two
 * arrays take turns.
 */
import { availableParallelism } from 'node:os'
import { InvalidOptionError, type ParameterArrays, refuseUnknownOptions, sizeOf, type TensorArray, wholeNumber } from '@chainrule/core'
import { type Arrays, type CompiledProgram, type ElementType, type Engine, type Program, type ProgramSpecification, scoped, type Tensors, type TensorSpecification } from '@chainrule/core/tensors'
import { type Feeds, loadOnnxRuntime, openSession, type Provider } from '@chainrule/runtime'
import { mayOverwrite } from './aliasing.js'
import { blockedDomain } from './blocked-layout.js'
import { blockSizes, channelBlock } from './channel-block.js'
import { domainsOf, type Graph } from './graph.js'
import { record } from './recorder.js'
import { serialize } from './serialize.js'

export interface OnnxOptions {
  /** Threads inside one operator: two, or the number of cores where there are fewer; more pay off for large models only. */
  threads?: number
  /** 'cpu', the default; 'cuda' works, but hands every array to and from the device at each run. */
  provider?: Provider
  /**
   * Convolutions by onnxruntime's operators on blocked channels, where this machine's processor has them (true); else, and where false, by
   * Gather and product, as exported models have them.
   */
  blockedConvolutions?: boolean
}

const arrayTypes = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const

const prefixed = <T>(prefix: string, values: Readonly<Record<string, T>>): Record<string, T> => Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]))

/**
 * The engine on onnxruntime.
 * @throws {InvalidOptionError} for an unknown option, or threads that are no whole number
 */
export function onnx(options: OnnxOptions = {}): Engine {
  refuseUnknownOptions('onnx', options, ['threads', 'provider', 'blockedConvolutions'])
  const { provider = 'cpu', blockedConvolutions = true } = options
  if (provider !== 'cpu' && provider !== 'cuda') throw new InvalidOptionError(`onnx: provider must be 'cpu' or 'cuda', got ${JSON.stringify(provider)}.`)
  if (typeof blockedConvolutions !== 'boolean') throw new InvalidOptionError(`onnx: blockedConvolutions must be true or false, got ${String(blockedConvolutions)}.`)
  const threads = wholeNumber('onnx', 'threads', options.threads ?? Math.min(2, availableParallelism()))
  return { name: 'onnx', compile: (program, specification) => compile(program, specification, { threads, provider, blockedConvolutions }) }
}

/** An array that is fed, and the one that its new value is written into: the same, or two that take turns. */
interface Slot {
  readonly shape: readonly number[]
  current: Float32Array
  next: Float32Array
}

/** The graph of a program, and how its convolutions are computed, in a line for people. */
async function recorded(program: Program, { inputs, carried }: ProgramSpecification, { provider, blockedConvolutions }: Required<OnnxOptions>): Promise<{ graph: Graph; convolutions?: string }> {
  const carriedTensors = Object.fromEntries(Object.entries(carried).map(([name, { shape }]) => [name, { shape, type: 'float32' as const }]))
  const withBlocks = (channelBlock?: number) =>
    record(
      (all) => {
        const result = program(scoped(all, 'carried/'), scoped(all, 'input/'))
        const updated: Tensors = result.carried ?? {}
        for (const [name, tensor] of Object.entries(updated)) checkUpdate(name, tensor.shape, tensor.dtype, carriedTensors[name])
        return { ...prefixed('next/', updated), ...prefixed('output/', result.outputs) }
      },
      { ...prefixed<TensorSpecification>('carried/', carriedTensors), ...prefixed('input/', inputs) },
      { target: 'onnxruntime', ...(channelBlock && { channelBlock }) },
    )
  if (!blockedConvolutions || provider !== 'cpu') return { graph: withBlocks() }
  // Most programs have no convolution: only for those that have is the machine tried.
  const graph = withBlocks(blockSizes[0])
  if (!domainsOf(graph).has(blockedDomain)) return { graph }
  const block = await channelBlock()
  if ('obstacle' in block) return { graph: withBlocks(), convolutions: `convolutions by Gather and product (${block.obstacle})` }
  return { graph: block.size === blockSizes[0] ? graph : withBlocks(block.size), convolutions: `convolutions in blocks of ${block.size} channels` }
}

async function compile(program: Program, specification: ProgramSpecification, options: Required<OnnxOptions>): Promise<CompiledProgram> {
  const { inputs, carried } = specification
  const { provider, threads } = options
  const { graph, convolutions } = await recorded(program, specification, options)
  const updated = Object.keys(carried).filter((name) => graph.outputs.some((output) => output.name === `next/${name}`))
  const slots: Record<string, Slot> = Object.fromEntries(
    Object.entries(carried).map(([name, { shape, data }]) => {
      const current = Float32Array.from(data)
      const isOverwritten = !updated.includes(name) || mayOverwrite(graph, `carried/${name}`, `next/${name}`)
      return [name, { shape, current, next: isOverwritten ? current : new Float32Array(data.length) }]
    }),
  )
  const { Tensor } = await loadOnnxRuntime()
  const session = await openSession(serialize(graph), { provider, threads })
  const outputNames = graph.outputs.filter(({ name }) => name.startsWith('output/')).map(({ name }) => name)
  let isReleased = false
  let last: Promise<unknown> = Promise.resolve()
  /** One thing after the other: what is carried has one value at a time. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(() => {
      if (isReleased) throw new InvalidOptionError('onnx: the program was released and cannot be used again. Compile it anew.')
      return work()
    })
    last = turn.catch(() => undefined)
    return turn
  }

  const run = async (given: Arrays): Promise<Arrays> => {
    const feeds: Feeds = {}
    for (const [name, { shape, type }] of Object.entries(inputs)) feeds[`input/${name}`] = new Tensor(type, given[name] as Float32Array, shape)
    for (const [name, { shape, current }] of Object.entries(slots)) feeds[`carried/${name}`] = new Tensor('float32', current, shape)
    const fetches: Record<string, InstanceType<typeof Tensor> | null> = Object.fromEntries(outputNames.map((name) => [name, null]))
    for (const name of updated) fetches[`next/${name}`] = new Tensor('float32', slots[name].next, slots[name].shape)
    const results = await session.run(feeds, fetches as Feeds)
    for (const name of updated) {
      const { current, next } = slots[name]
      Object.assign(slots[name], { current: next, next: current })
    }
    return Object.fromEntries(outputNames.map((name) => [name.slice('output/'.length), results[name].data as TensorArray]))
  }

  return {
    description: [`onnxruntime on ${provider}`, `${threads} thread${threads === 1 ? '' : 's'}`, ...(convolutions ? [convolutions] : [])].join(', '),
    run: (given) => {
      checkInputs(inputs, given)
      return inTurn(() => run(given))
    },
    carried: () => inTurn(async () => Object.fromEntries(Object.entries(slots).map(([name, { shape, current }]) => [name, { shape, data: current.slice() }]))),
    load: (arrays) => {
      checkCarried(carried, arrays)
      return inTurn(async () => {
        for (const [name, { data }] of Object.entries(arrays)) slots[name].current.set(data)
      })
    },
    release: () =>
      inTurn(async () => {
        isReleased = true
        await session.release()
      }),
  }
}

function checkUpdate(name: string, shape: readonly number[], type: string, carried: TensorSpecification | undefined): void {
  if (!carried) throw new InvalidOptionError(`onnx: the program returns a carried tensor "${name}" that it was not given. Add it to what is carried.`)
  if (type !== carried.type || String(shape) !== String(carried.shape)) {
    throw new InvalidOptionError(`onnx: the program returns the carried tensor "${name}" as ${type} [${shape}], expected ${carried.type} [${carried.shape}].`)
  }
}

/** @throws {InvalidOptionError} */
function checkInputs(inputs: Readonly<Record<string, { shape: readonly number[]; type: ElementType }>>, given: Arrays): void {
  for (const name of Object.keys(given)) {
    if (!(name in inputs)) throw new InvalidOptionError(`onnx: unknown input "${name}". The program takes: ${Object.keys(inputs).join(', ') || 'none'}.`)
  }
  for (const [name, { shape, type }] of Object.entries(inputs)) {
    const array = given[name]
    if (!array) throw new InvalidOptionError(`onnx: the input "${name}" is missing, expected ${type} [${shape}].`)
    if (!(array instanceof arrayTypes[type])) throw new InvalidOptionError(`onnx: the input "${name}" must be a ${arrayTypes[type].name}, got ${(array as object).constructor.name}.`)
    if (array.length !== sizeOf(shape)) throw new InvalidOptionError(`onnx: the input "${name}" has ${array.length} elements, expected ${sizeOf(shape)} for [${shape}].`)
  }
}

/** @throws {InvalidOptionError} */
function checkCarried(carried: ParameterArrays, given: ParameterArrays): void {
  for (const name of new Set([...Object.keys(carried), ...Object.keys(given)])) {
    const [want, got] = [carried[name]?.shape, given[name]?.shape]
    if (String(want) !== String(got) || given[name].data.length !== sizeOf(want)) {
      throw new InvalidOptionError(`onnx: carried "${name}" is ${got ? `[${got}] with ${given[name].data.length} elements` : 'missing'}, expected ${want ? `[${want}]` : 'nothing of that name'}.`)
    }
  }
}
