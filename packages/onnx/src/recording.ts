/**
 * The recording backend: a tfjs KernelBackend whose kernels append nodes to a graph instead of computing.
 *
 * A tensor that is the broadcast of something smaller stays small: the recording knows the value and the shape it has, and
 * element-wise nodes read it as it is (ONNX broadcasts too). Only a kernel that needs every element has it expanded.
 */
import { ChainruleError, UnsupportedError } from '@chainrule/core'
import * as tf from '@tensorflow/tfjs-core'
import { GraphBuilder } from './graph-builder.js'
import type { Attributes, ElementType } from './graph.js'

/** 'onnxruntime' may use operators of com.microsoft; 'standard' only those of ONNX that CPU, CUDA and web providers have. */
export type Target = 'onnxruntime' | 'standard'

export type Inputs = Record<string, tf.TensorInfo>

/** Appends what a tfjs kernel computes; `never` stands for the attributes that each kernel declares itself. */
export type Kernel = (recording: Recording, inputs: Inputs, attributes: never) => tf.TensorInfo | tf.TensorInfo[]
export type Kernels = Record<string, Kernel>

/** A value of the graph and the shape it has there. */
export interface Recorded {
  readonly name: string
  readonly shape: readonly number[]
}

export const sameShape = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((dimension, i) => dimension === b[i])
export const broadcast = (shapes: readonly (readonly number[])[]): number[] =>
  shapes.reduce<number[]>((all, shape) => tf.broadcast_util.assertAndGetBroadcastShape(all, [...shape]), [])

/** The graph's type of a tensor. */
export function typeOf({ dtype }: tf.TensorInfo): 'float32' | 'int32' | 'bool' {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype
  throw new UnsupportedError(`Recording: tensors of type ${dtype} cannot be recorded, only float32, int32 and bool.`)
}

export class Recording extends tf.KernelBackend {
  readonly builder = new GraphBuilder()
  #data = new WeakMap<tf.DataId, Recorded>()
  #expanded = new Map<string, string>()
  readonly #shapes = new Map<string, readonly number[]>()
  readonly #types = new Map<string, ElementType>()

  /**
   * @param hasFreeLengths lengths are examples only: what depends on them must be computed from shapes in the graph
   * @param channelBlock how many channels onnxruntime's convolution of blocked channels takes together on this machine; absent: not to be used
   */
  constructor(
    readonly target: Target,
    readonly hasFreeLengths: boolean,
    readonly channelBlock?: number,
  ) {
    super()
  }

  /** The value of a tensor as it is known, which may be smaller than the tensor. */
  value(tensor: tf.TensorInfo): Recorded {
    const known = this.#data.get(tensor.dataId)
    if (known) return known
    // A tensor of another backend: its values become a constant; it stays where it is.
    const recorded = this.#constant(tf.engine().readSync(tensor.dataId) as ArrayLike<number>, tensor.shape, typeOf(tensor))
    this.#data.set(tensor.dataId, recorded)
    return recorded
  }

  /** The name of a value that has every element of the tensor. */
  full(tensor: tf.TensorInfo): string {
    const { name, shape } = this.value(tensor)
    if (sameShape(shape, tensor.shape)) return name
    const key = `${name} ${tensor.shape}`
    const known = this.#expanded.get(key)
    const expanded = known ?? this.builder.node('Expand', [name, this.builder.integers(tensor.shape)])
    this.#expanded.set(key, expanded)
    this.#shapes.set(expanded, tensor.shape)
    this.#types.set(expanded, typeOf(tensor))
    return expanded
  }

  /** Records what may not run: nothing that it expands is there for others. */
  inBranch<T>(work: () => T): T {
    const outside = this.#expanded
    this.#expanded = new Map(outside)
    try {
      return work()
    } finally {
      this.#expanded = outside
    }
  }

  /** The shape of a value that is, or was, a tensor's. */
  shapeOf(name: string): readonly number[] | undefined {
    return this.#shapes.get(name)
  }

  /** The type of such a value. */
  typeOf(name: string): ElementType | undefined {
    return this.#types.get(name)
  }

  /** A tensor for a value; `own` is the value's shape where it is smaller. */
  tensor(name: string, shape: readonly number[], dtype: ElementType, own: readonly number[] = shape): tf.TensorInfo {
    const dataId = {}
    this.#data.set(dataId, { name, shape: own })
    this.#shapes.set(name, own)
    this.#types.set(name, dtype)
    return { dataId, shape: [...shape], dtype: dtype as tf.DataType }
  }

  /** The same value as another tensor, perhaps of another shape that it broadcasts to. */
  alias(tensor: tf.TensorInfo, shape: readonly number[] = tensor.shape): tf.TensorInfo {
    const { name, shape: own } = this.value(tensor)
    return this.tensor(name, shape, typeOf(tensor), own)
  }

  /** A node that reads the tensors in full. */
  node(operator: string, tensors: readonly tf.TensorInfo[], shape: readonly number[], dtype: ElementType, attributes?: Attributes, more: readonly string[] = []): tf.TensorInfo {
    return this.tensor(this.builder.node(operator, [...tensors.map((tensor) => this.full(tensor)), ...more], attributes), shape, dtype)
  }

  /** A node that computes each element from one element of each tensor. */
  elementwise(operator: string, tensors: readonly tf.TensorInfo[], dtype: ElementType, attributes?: Attributes): tf.TensorInfo {
    const values = tensors.map((tensor) => this.value(tensor))
    const name = this.builder.node(operator, values.map((value) => value.name), attributes)
    return this.tensor(name, broadcast(tensors.map(({ shape }) => shape)), dtype, broadcast(values.map(({ shape }) => shape)))
  }

  /** A tensor whose elements are all the same. */
  filled(value: number, shape: readonly number[], dtype: 'float32' | 'int32' | 'bool'): tf.TensorInfo {
    return this.tensor(this.#constant([value], [], dtype).name, shape, dtype, [])
  }

  /** The number that every element of a tensor is, where it is a constant; else undefined. */
  uniform(tensor: tf.TensorInfo): number | undefined {
    const { name, shape } = this.value(tensor)
    const data = shape.length === 0 ? this.builder.initializers.get(name)?.data : undefined
    return data && Number(data[0])
  }

  #constant(values: ArrayLike<number>, shape: readonly number[], dtype: 'float32' | 'int32' | 'bool'): Recorded {
    const isUniform = values.length > 0 && Array.prototype.every.call(values, (value: number) => Object.is(value, values[0]))
    const [kept, own] = isUniform ? [[values[0]], []] : [values, shape]
    const data = dtype === 'float32' ? Float32Array.from(kept) : dtype === 'int32' ? Int32Array.from(kept) : Uint8Array.from(kept)
    return { name: this.builder.constant(dtype, own, data), shape: own }
  }

  // What tfjs asks of a backend.
  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId {
    const dataId = {}
    this.move(dataId, values, shape, dtype)
    return dataId
  }
  override move(dataId: tf.DataId, values: tf.BackendValues, shape: number[], dtype: tf.DataType): void {
    const type = typeOf({ dataId, shape, dtype })
    this.#data.set(dataId, this.#constant((values ?? new Float32Array(tf.util.sizeFromShape(shape))) as ArrayLike<number>, shape, type))
  }
  override readSync(): never {
    throw new ChainruleError('Recording: a value was read (dataSync, data, array, print, …), but while a program is recorded nothing is computed. Express the decision with tensors (tf.where, tf.gather, …), or make the number an argument of the program.')
  }
  override read(): never {
    return this.readSync()
  }
  override disposeData(): boolean {
    return true
  }
  override incRef(): void {}
  override refCount(): number {
    return 1
  }
  override numDataIds(): number {
    return 0
  }
  override floatPrecision(): 16 | 32 {
    return 32
  }
  override epsilon(): number {
    return 1e-7
  }
  override dispose(): void {
    this.#data = new WeakMap()
  }
}
