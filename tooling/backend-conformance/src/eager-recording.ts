/**
 * The recorder, evaluated: a tfjs backend whose kernels are the recorder's own. They append to a recording, as ever; when a
 * test reads a tensor, the nodes that it needs become a graph, which onnxruntime runs.
 *
 * What a test writes is fed to the graph or stands in it as constants, as the environment says: a program's inputs and
 * its constants take different ways through the recorder and through onnxruntime.
 */
import { UnsupportedError } from '@chainrule/core'
import { type ElementArray, finish, foldScales, type Graph, type Inputs, kernels, liveNodes, namesRead, type Parts, Recording, serialize, type Target } from '@chainrule/onnx'
import { type Feeds, loadOnnxRuntime, openSession } from '@chainrule/runtime'
import * as tf from '@tensorflow/tfjs-core'

/** One way to run a recording. */
export interface Environment {
  readonly name: string
  readonly target: Target
  /** How the numbers that a test writes get into the graph. */
  readonly written: 'as inputs' | 'as constants'
}

const elementTypes = ['float32', 'int32', 'bool'] as const
const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const

interface Written {
  readonly name: string
  readonly type: (typeof elementTypes)[number]
  readonly shape: readonly number[]
  readonly data: Float32Array | Int32Array | Uint8Array
}

type Information = tf.TensorInfo & { readonly dtype: Written['type'] }

export class EagerRecording extends Recording {
  readonly #tensors = new WeakMap<tf.DataId, Information>()
  /** How many tensors share what a data id stands for: tfjs counts its tensors by it. */
  readonly #references = new WeakMap<tf.DataId, number>()
  /** What was written, where it becomes inputs, by name. */
  readonly #written = new Map<string, Written>()
  readonly #computed = new Map<string, Promise<ElementArray>>()

  constructor(readonly environment: Environment) {
    super(environment.target, false)
  }

  override tensor(...given: Parameters<Recording['tensor']>): tf.TensorInfo {
    const tensor = super.tensor(...given)
    this.#remember(tensor as Information)
    return tensor
  }

  /** As an input, the recorder knows no more of it than type and shape. */
  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId {
    const type = elementTypes.find((known) => known === dtype)
    // A constant; or a type that the recorder refuses.
    if (this.environment.written === 'as constants' || type === undefined) return super.write(values, shape, dtype)
    const name = this.builder.input({ name: `written_${this.#written.size}`, type, shape })
    this.#written.set(name, { name, type, shape, data: arrays[type].from(values as ArrayLike<number>) })
    return this.tensor(name, shape, type).dataId
  }

  override move(dataId: tf.DataId, values: tf.BackendValues, shape: number[], dtype: tf.DataType): void {
    super.move(dataId, values, shape, dtype)
    this.#remember({ dataId, shape, dtype } as Information)
  }

  override readSync(): never {
    throw new UnsupportedError('The evaluated recording has no synchronous read: sessions of onnxruntime are asynchronous. Use tensor.data().')
  }

  /** The numbers of a tensor, each value computed once. */
  override read(dataId?: tf.DataId): never {
    const tensor = this.#tensors.get(dataId!)!
    const name = this.full(tensor)
    const known = (this.#written.get(name) ?? this.builder.initializers.get(name))?.data
    const data = this.#computed.get(name) ?? (known ? Promise.resolve(known) : this.#run(this.#graph(name, tensor)))
    this.#computed.set(name, data)
    // The recorder's own `read` always throws, so its type allows no result.
    return data.then((numbers) => numbers.slice()) as never
  }

  override incRef(dataId?: tf.DataId): void {
    this.#references.set(dataId!, this.refCount(dataId) + 1)
  }

  override refCount(dataId?: tf.DataId): number {
    return this.#references.get(dataId!) ?? 0
  }

  override disposeData(dataId?: tf.DataId, isForced = false): boolean {
    this.#references.set(dataId!, this.refCount(dataId) - 1)
    return isForced || this.refCount(dataId) <= 0
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: true }
  }

  #remember(tensor: Information): void {
    this.#tensors.set(tensor.dataId, tensor)
    this.#references.set(tensor.dataId, 1)
  }

  /** What the value needs, simplified as `record` does it. */
  #graph(value: string, { shape, dtype }: Information): { graph: Graph; fed: Written[] } {
    const nodes = liveNodes(this.builder.nodes, [value])
    const read = [...new Set(nodes.flatMap(namesRead))]
    const fed = read.flatMap((name) => this.#written.get(name) ?? [])
    const parts: Parts = { inputs: fed, initializers: read.flatMap((name) => this.builder.initializers.get(name) ?? []), nodes }
    const results = [{ name: 'result', value, type: dtype, shape }]
    if (this.target === 'standard') return { graph: finish('test', parts, results), fed }
    const folded = foldScales(parts, results)
    return { graph: finish('test', folded, folded.results), fed }
  }

  async #run({ graph, fed }: { graph: Graph; fed: readonly Written[] }): Promise<ElementArray> {
    const { Tensor } = await loadOnnxRuntime()
    const session = await openSession(serialize(graph), { provider: 'cpu' })
    try {
      const feeds: Feeds = Object.fromEntries(fed.map(({ name, type, data, shape }) => [name, new Tensor(type, data as Float32Array, shape)]))
      const { result } = await session.run(feeds)
      return result.data as ElementArray
    } finally {
      await session.release()
    }
  }
}

/** Makes an environment a tfjs backend of its name, with every kernel of the recorder; `onRun` hears of each kernel that runs. */
export function registerEnvironment(environment: Environment, onRun: (kernelName: string) => void): void {
  tf.registerBackend(environment.name, () => new EagerRecording(environment))
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    tf.registerKernel({
      kernelName,
      backendName: environment.name,
      kernelFunc: ({ inputs, attrs, backend }) => {
        onRun(kernelName)
        return kernel(backend as Recording, inputs as Inputs, (attrs ?? {}) as never)
      },
    })
  }
}
