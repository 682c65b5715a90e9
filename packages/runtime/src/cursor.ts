/**
 * The cursor: where a generation stands. The variable before the next one, and the state of the network.
 * Everything is in the order of generation. Axes: B batch, C components.
 */
import { emptyValues, type ModelManifest, sizeOf, type StateTensor, valueCount, type Values } from '@chainrule/core'
import type { Feeds } from './session.js'

export interface Cursor {
  readonly batch: number
  /** [B, C]; where `isStart`, anything. */
  readonly previous: Values
  /** [B], 1: nothing came before. */
  readonly isStart: Uint8Array
  /** By the names of the manifest's `state`. */
  readonly state: Feeds
  /** bool [B, V]: which values occurred, for models with sampling filters; kept only where a penalty needs it. */
  readonly seen?: Feeds[string]
}

/** A tensor as sessions take it; bytes stand for true and false. */
export function tensor(data: Float32Array | Int32Array | Uint8Array, dims: readonly number[]): Feeds[string] {
  return { type: data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'bool', data, dims }
}

/** Before the first variable: state of zeros with a past of 0. */
export function beginning({ domain, state, samplingFilters }: ModelManifest, batch: number): Cursor {
  const zeros = ({ type, shape }: StateTensor) => {
    const sizes = shape.map((axis) => (axis === 'batch' ? batch : axis === 'past' ? 0 : axis))
    return tensor(type === 'int32' ? new Int32Array(sizeOf(sizes)) : new Float32Array(sizeOf(sizes)), sizes)
  }
  return {
    batch,
    previous: emptyValues(domain, batch * domain.components),
    isStart: new Uint8Array(batch).fill(1),
    state: Object.fromEntries(state.map((declared) => [declared.name, zeros(declared)])),
    ...(samplingFilters?.includes('repetitionPenalty') && { seen: unseen(batch, valueCount(domain, 'samplingFilters')) }),
  }
}

const unseen = (batch: number, V: number) => tensor(new Uint8Array(batch * V), [batch, V])

/** A cursor of batch 1, repeated: what many samples of one prompt begin with. */
export function repeated(cursor: Cursor, state: readonly StateTensor[], batch: number): Cursor {
  const repeatRows = <A extends Float32Array | Int32Array | Uint8Array>(rows: A, length: number): A => {
    const result = new (rows.constructor as new (size: number) => A)(rows.length * batch)
    for (let from = 0; from < rows.length; from += length) {
      for (let copy = 0; copy < batch; copy++) result.set(rows.subarray(from, from + length), from * batch + copy * length)
    }
    return result
  }
  const repeatedTensor = ({ name, shape }: StateTensor): Feeds[string] => {
    const old = cursor.state[name]
    const axis = shape.indexOf('batch')
    if (axis < 0) return old
    const sizes = old.dims.map((size, i) => (i === axis ? batch : size))
    return tensor(repeatRows(old.data as Float32Array | Int32Array, sizeOf(old.dims.slice(axis))), sizes)
  }
  const { seen } = cursor
  return {
    batch,
    previous: repeatRows(cursor.previous, cursor.previous.length),
    isStart: repeatRows(cursor.isStart, 1),
    state: Object.fromEntries(state.map((declared) => [declared.name, repeatedTensor(declared)])),
    ...(seen && { seen: tensor(repeatRows(seen.data as Uint8Array, seen.dims[1]), [batch, seen.dims[1]]) }),
  }
}

/** The cursor after these values, which all its rows have in common. */
export function withSeen(cursor: Cursor, values: Values): Cursor {
  if (!cursor.seen) return cursor
  const flags = (cursor.seen.data as Uint8Array).slice()
  const [batch, count] = cursor.seen.dims
  for (let row = 0; row < batch; row++) for (const value of values) flags[row * count + value] = 1
  return { ...cursor, seen: tensor(flags, cursor.seen.dims) }
}

/** The inputs of a graph that a cursor stands for, but `seen`. */
export function cursorFeeds({ batch, previous, isStart, state }: Cursor): Feeds {
  return {
    previous: tensor(previous, [batch, previous.length / batch]),
    isStart: tensor(isStart, [batch]),
    ...Object.fromEntries(Object.entries(state).map(([name, value]) => [`state.${name}`, value])),
  }
}

/** The cursor after a run: its state among the outputs, the last variable as it was kept. */
export function advanced(cursor: Cursor, outputs: Feeds, last: Values): Cursor {
  return {
    batch: cursor.batch,
    previous: last,
    isStart: new Uint8Array(cursor.batch),
    state: Object.fromEntries(Object.keys(cursor.state).map((name) => [name, outputs[`next.${name}`]])),
    ...(cursor.seen && { seen: outputs['next.seen'] ?? cursor.seen }),
  }
}

/** The last variable of each row: x [B, S, C] → [B, C]. */
export function lastVariable<A extends Values>(x: A, batch: number, components: number): A {
  const rowLength = x.length / batch
  const result = new (x.constructor as new (size: number) => A)(batch * components)
  for (let row = 0; row < batch; row++) result.set(x.subarray((row + 1) * rowLength - components, (row + 1) * rowLength), row * components)
  return result
}
