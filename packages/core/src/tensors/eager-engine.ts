/**
 * The eager engine: runs every program directly on a tfjs backend, kernel by kernel. The reference for every other engine.
 *
 * Compiling keeps the program as it is; a run is one `tidy` on the backend, which is made active for that time only; what is
 * carried stays on the backend. Only this file disposes.
 */
import * as tf from '@tensorflow/tfjs-core'
import { ChainruleError, InvalidOptionError, UnavailableError } from '../errors.js'
import { type ParameterArrays, sizeOf } from '../parameters.js'
import type { TensorArray } from '../safetensors.js'
import type { Arrays, CompiledProgram, ElementType, Engine, Program, ProgramSpecification, TensorSpecification } from './engine.js'
import type { Tensors } from './network.js'

const arrayTypes = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const

/** The end of the queue of those who change the active backend and have to wait for it. */
let queue: Promise<unknown> = Promise.resolve()

/**
 * An engine that runs programs eagerly on one tfjs backend. Where another backend was active before a run, it is active again after it.
 * @param name the engine's, for messages
 * @param ensureBackend makes the backend active, loading it first if need be; called once per compiled program
 */
export function eagerEngine(name: string, ensureBackend: () => Promise<void> | void): Engine {
  return {
    name,
    async compile(program, specification) {
      const backend = await backendOf(name, ensureBackend)
      return compileEagerly(name, backend, program, specification)
    },
  }
}

/** The name of the backend that `ensureBackend` activates, ready to run; leaves the one active before. */
async function backendOf(name: string, ensureBackend: () => Promise<void> | void): Promise<string> {
  const found = queue.then(async () => {
    const before = activeBackend()
    try {
      await ensureBackend()
      const backend = activeBackend()
      if (backend === undefined || !tf.findBackend(backend)) {
        throw new UnavailableError(`${name}: expected an active tfjs backend, got ${backend ?? 'none'}. Import one (@tensorflow/tfjs-backend-cpu, say) and await tf.setBackend.`)
      }
      return backend
    } finally {
      if (before !== undefined) await tf.setBackend(before)
    }
  })
  queue = found.catch(() => undefined)
  return found
}

/** tfjs's types do not say that none may be active. */
const activeBackend = () => (tf.getBackend() as string | null | undefined) ?? undefined

/** Runs `action` with the backend active. No turn of the event loop passes, so nobody else sees the change. */
function onBackend<T>(backend: string, action: () => T): T {
  const before = activeBackend()
  if (before === backend) return action()
  void tf.setBackend(backend) // takes effect at once: the backend is initialised
  try {
    return action()
  } finally {
    if (before !== undefined) void tf.setBackend(before)
  }
}

/** Tensors of their own on the same data, which outlive the tidy: a program may return one tensor under two names, or one it was given. */
const kept = (tensors: Tensors): Tensors => mapValues(tensors, (tensor) => tf.keep(tf.clone(tensor)))

/** Copies: a backend may hand out, or hold on to, the very array. */
async function read(tensors: Tensors): Promise<Arrays> {
  const entries = Object.entries(tensors).map(async ([key, tensor]) => [key, new arrayTypes[tensor.dtype as ElementType](await tensor.data())] as const)
  return Object.fromEntries(await Promise.all(entries))
}

const mapValues = <From, To>(record: Readonly<Record<string, From>>, map: (value: From, key: string) => To): Record<string, To> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]))

function compileEagerly(name: string, backend: string, program: Program, specification: ProgramSpecification): CompiledProgram {
  const carriedSpecification = mapValues(specification.carried, ({ shape }): TensorSpecification => ({ shape, type: 'float32' }))
  const put = (parameters: ParameterArrays) =>
    onBackend(backend, () => {
      const arrays = mapValues(parameters, ({ data }) => data)
      checkArrays(`${name}: carried tensor`, arrays, carriedSpecification)
      return mapValues(arrays, (data, key) => tf.keep(tf.tensor(data.slice(), [...carriedSpecification[key].shape], 'float32')))
    })
  let carried = put(specification.carried)
  let isReleased = false

  const refuseReleased = () => {
    if (isReleased) throw new ChainruleError(`${name}: this program was released and cannot be used again. Compile it anew.`)
  }

  return {
    async run(inputs) {
      refuseReleased()
      checkArrays(`${name}: input`, inputs, specification.inputs)
      const { updated, outputs } = onBackend(backend, () =>
        tf.tidy(() => {
          const fed = mapValues(specification.inputs, ({ shape, type }, key) => tf.tensor(inputs[key].slice(), [...shape], type))
          const result = program({ ...carried }, fed)
          checkCarried(name, result.carried ?? {}, carriedSpecification)
          return { updated: kept(result.carried ?? {}), outputs: kept(result.outputs) }
        }),
      )
      tf.dispose(mapValues(updated, (_, key) => carried[key]))
      carried = { ...carried, ...updated }
      try {
        return await read(outputs)
      } finally {
        tf.dispose(outputs)
      }
    },
    async carried() {
      refuseReleased()
      const copies = onBackend(backend, () => kept(carried)) // a run may replace the originals while they are read
      try {
        const arrays = await read(copies)
        return mapValues(carriedSpecification, ({ shape }, key) => ({ shape: [...shape], data: arrays[key] as Float32Array }))
      } finally {
        tf.dispose(copies)
      }
    },
    async load(parameters) {
      refuseReleased()
      checkShapes(name, parameters, carriedSpecification)
      const replaced = carried
      carried = put(parameters)
      tf.dispose(replaced)
    },
    async release() {
      if (!isReleased) tf.dispose(carried)
      isReleased = true
      carried = {}
    },
  }
}

/** @throws {InvalidOptionError} where a name is missing or unknown, or an array is of another type or size */
function checkArrays(what: string, arrays: Readonly<Record<string, TensorArray>>, specification: Readonly<Record<string, TensorSpecification>>): void {
  refuseOtherNames(what, arrays, specification)
  for (const [key, { shape, type }] of Object.entries(specification)) {
    const array = arrays[key]
    if (!(array instanceof arrayTypes[type])) throw new InvalidOptionError(`${what} "${key}": expected a ${arrayTypes[type].name} (${type}), got ${typeName(array)}.`)
    if (array.length !== sizeOf(shape)) throw new InvalidOptionError(`${what} "${key}": expected ${sizeOf(shape)} numbers, shape [${shape}], got ${array.length}.`)
  }
}

/** @throws {InvalidOptionError} */
function checkShapes(name: string, parameters: ParameterArrays, specification: Readonly<Record<string, TensorSpecification>>): void {
  refuseOtherNames(`${name}: carried tensor`, parameters, specification)
  for (const [key, { shape }] of Object.entries(specification)) refuseOtherShape(name, key, parameters[key].shape, shape)
}

/** What a program returns as carried. @throws {InvalidOptionError} */
function checkCarried(name: string, updated: Tensors, specification: Readonly<Record<string, TensorSpecification>>): void {
  refuseUnknownNames(`${name}: carried tensor`, updated, specification)
  for (const [key, { shape, dtype }] of Object.entries(updated)) {
    refuseOtherShape(name, key, shape, specification[key].shape)
    if (dtype !== 'float32') throw new InvalidOptionError(`${name}: carried tensor "${key}": expected float32, the program returned ${dtype}.`)
  }
}

function refuseOtherNames(what: string, given: object, expected: object): void {
  refuseUnknownNames(what, given, expected)
  const missing = Object.keys(expected).find((key) => !Object.hasOwn(given, key))
  if (missing !== undefined) throw new InvalidOptionError(`${what} "${missing}" is missing. Expected: ${list(expected)}; got: ${list(given)}.`)
}

function refuseUnknownNames(what: string, given: object, expected: object): void {
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(expected, key))
  if (unknown !== undefined) throw new InvalidOptionError(`${what} "${unknown}" is unknown. Expected: ${list(expected)}.`)
}

function refuseOtherShape(name: string, key: string, got: readonly number[], expected: readonly number[]): void {
  if (got.length !== expected.length || got.some((dimension, axis) => dimension !== expected[axis])) {
    throw new InvalidOptionError(`${name}: carried tensor "${key}": expected shape [${expected}], got [${got}].`)
  }
}

const list = (record: object) => Object.keys(record).join(', ') || 'none'
const typeName = (value: unknown) => (value === null || typeof value !== 'object' ? String(value) : value.constructor.name)
