import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeSafetensors, encodeSafetensors, InvalidDataError, type StoredTensor, uniform } from '../src/index.js'

const bits = (data: StoredTensor['data']) => [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]

const anyTensor = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }).chain((shape) => {
  const size = shape.reduce((a, b) => a * b, 1)
  return fc.oneof(
    fc.array(fc.float(), { minLength: size, maxLength: size }).map((data): StoredTensor => ({ shape, data: Float32Array.from(data) })),
    fc.array(fc.integer(), { minLength: size, maxLength: size }).map((data): StoredTensor => ({ shape, data: Int32Array.from(data) })),
    fc.array(fc.integer({ min: 0, max: 255 }), { minLength: size, maxLength: size }).map((data): StoredTensor => ({ shape, data: Uint8Array.from(data) })),
  )
})
const anyName = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('__proto__', 'constructor', '0', '12', 'network/embedding')).filter((name) => name !== '__metadata__')
const anyContent = fc.record({
  tensors: fc.array(fc.tuple(anyName, anyTensor)).map((entries) => Object.fromEntries(entries)),
  metadata: fc.array(fc.tuple(anyName, fc.string({ unit: 'grapheme' }))).map((entries) => Object.fromEntries(entries)),
})

const example = encodeSafetensors({
  tensors: {
    'network/weight': { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, NaN) },
    count: { shape: [], data: Int32Array.of(-7) },
    empty: { shape: [0, 5], data: new Float32Array(0) },
    bytes: { shape: [3], data: Uint8Array.of(1, 0, 255) },
  },
  metadata: { step: '12', note: '“quoted”, with a line\nbreak' },
}).bytes

describe('safetensors', () => {
  it('brings back every tensor bit for bit, and the metadata', () => {
    fc.assert(
      fc.property(anyContent, (content) => {
        const { bytes, places } = encodeSafetensors(content)
        const decoded = decodeSafetensors(bytes, 'test')
        expect(Object.keys(decoded.tensors).sort()).toEqual(Object.keys(content.tensors).sort())
        expect(Object.entries(decoded.metadata).sort()).toEqual(Object.entries(content.metadata).sort())
        for (const [name, { shape, data }] of Object.entries(content.tensors)) {
          expect(decoded.tensors[name].shape).toEqual(shape)
          expect(decoded.tensors[name].data.constructor).toBe(data.constructor)
          expect(bits(decoded.tensors[name].data)).toEqual(bits(data))
          expect([...bytes.subarray(places[name].offset, places[name].offset + places[name].length)]).toEqual(bits(data))
        }
      }),
      { seed: 1, numRuns: 200 },
    )
  })

  it('starts its data on a multiple of 64 bytes, after a header that announces itself', () => {
    const { bytes, places } = encodeSafetensors({ tensors: { a: { shape: [1], data: Float32Array.of(1.5) } }, metadata: {} })
    expect(places.a.offset % 64).toBe(0)
    const view = new DataView(bytes.buffer)
    expect(Number(view.getBigUint64(0, true))).toBe(places.a.offset - 8)
    expect(JSON.parse(new TextDecoder().decode(bytes.subarray(8, places.a.offset)))).toEqual({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } })
    expect(view.getFloat32(places.a.offset, true)).toBe(1.5)
  })

  it('reads a Node Buffer that lies anywhere in its pool, and copies', () => {
    const pool = Buffer.alloc(example.length + 13, 0xaa)
    pool.set(example, 13)
    const file = pool.subarray(13)
    const { tensors } = decodeSafetensors(file, 'test')
    pool.fill(0)
    expect([...tensors['network/weight'].data]).toEqual([1, 2, 3, 4, 5, NaN])
    expect(tensors['network/weight'].data.buffer.byteLength).toBe(24)
  })

  it('encodes a view of part of a larger array', () => {
    const large = Float32Array.of(9, 1, 2, 9)
    const { bytes } = encodeSafetensors({ tensors: { part: { shape: [2], data: large.subarray(1, 3) } }, metadata: {} })
    expect([...decodeSafetensors(bytes, 'test').tensors.part.data]).toEqual([1, 2])
  })

  /** Bytes flipped, dropped, inserted, or digits and names of the header exchanged: by the seed alone. */
  function mutate(seed: number): Uint8Array {
    const pick = (n: number, k: number) => Math.floor(uniform(seed, 'batches', 0, 0, 0, k) * n)
    const place = uniform(seed, 'batches', 1) < 0.7 ? pick(Math.min(400, example.length), 1) : pick(example.length, 1)
    switch (pick(5, 0)) {
      case 0:
        return example.map((byte, i) => (i === place ? byte ^ (1 << pick(8, 2)) : byte))
      case 1:
        return example.map((byte, i) => (i === place ? pick(256, 2) : byte))
      case 2:
        return example.slice(0, place)
      case 3:
        return Uint8Array.from([...example.subarray(0, place), pick(256, 2), ...example.subarray(place)])
      default: {
        const replacements = ['-1', '1e99', '9007199254740993', 'null', '{}', '[]', '""', '2.5', '"__proto__"', '"F64"']
        const header = new TextDecoder().decode(example.subarray(8, 400))
        const numbers = [...header.matchAll(/\d+|"[^"]*"/g)]
        const target = numbers[pick(numbers.length, 2)]
        const text = header.slice(0, target.index) + replacements[pick(replacements.length, 3)] + header.slice(target.index + target[0].length)
        const length = 8 + Number(new DataView(example.buffer).getBigUint64(0, true))
        const body = new TextEncoder().encode(text).subarray(0, length - 8)
        const result = example.slice()
        result.fill(0x20, 8, length)
        result.set(body, 8)
        return result
      }
    }
  }

  it('of 2,000 damaged files each is read, or refused with InvalidDataError', () => {
    let refused = 0
    for (let seed = 0; seed < 2_000; seed++) {
      try {
        const { tensors, metadata } = decodeSafetensors(mutate(seed), 'damaged.safetensors')
        for (const { shape, data } of Object.values(tensors)) expect(data.length).toBe(shape.reduce((a, b) => a * b, 1))
        for (const text of Object.values(metadata)) expect(typeof text).toBe('string')
      } catch (error) {
        expect(error, `seed ${seed}`).toBeInstanceOf(InvalidDataError)
        expect((error as Error).message).toContain('damaged.safetensors')
        refused++
      }
    }
    // Flipped bits of the weights themselves cannot be seen here (hashes see them); everything in the frame can.
    expect(refused).toBeGreaterThan(1_000)
  })

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /0 bytes/],
    ['a header longer than the file', Uint8Array.of(255, 0, 0, 0, 0, 0, 0, 0, 1), /announces a header of 255 bytes/],
    ['a header of 2⁶⁰ bytes', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 16), /announces a header/],
    ['a truncated file', example.subarray(0, example.length - 1), /ends at byte/],
    ['bytes after the end', Uint8Array.from([...example, 0]), /tensors end at byte/],
    ['metadata as a list', frame('{"__metadata__":["a"]}'), /__metadata__ is not text by name/],
    ['a type of the prototype', frame('{"a":{"dtype":"constructor","shape":[],"data_offsets":[0,0]}}'), /type|bytes/],
    ['a gap between tensors', frame('{"a":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}}'), /begins at 4 of the data, expected 0/],
    ['a shape of halves', frame('{"a":{"dtype":"U8","shape":[0.5,4],"data_offsets":[0,2]}}', [1, 2]), /has the shape \[0.5,4\]/],
    ['a negative shape', frame('{"a":{"dtype":"U8","shape":[-1,-2],"data_offsets":[0,2]}}', [1, 2]), /has the shape/],
    ['a shape that disagrees with its place', frame('{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,2]}}', [1, 2]), /of shape \[3\] takes 3 bytes, its place has 2/],
    ['invalid UTF-8', Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0xff), /not JSON/],
    ['a list', frame('[]'), /not a JSON object/],
  ])('%s is refused, and the message says where', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes, 'a.safetensors')).toThrow(InvalidDataError)
    expect(() => decodeSafetensors(bytes, 'a.safetensors')).toThrow(message)
  })
})

/** A file with this header (shorter than 256 bytes) and data. */
function frame(header: string, data: number[] = []): Uint8Array {
  const text = new TextEncoder().encode(header)
  return Uint8Array.from([text.length, 0, 0, 0, 0, 0, 0, 0, ...text, ...data])
}
