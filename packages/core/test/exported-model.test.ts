import { describe, expect, it } from 'vitest'
import { decodeManifest, encodeManifest, graphFiles, InvalidModelError, InvalidOptionError, type Json, manifestCondition, manifestOrder, type ModelManifest, uniform, weightsFile } from '../src/index.js'

const manifest: ModelManifest = {
  formatVersion: 1,
  producer: 'chainrule 0.1.0',
  modality: 'image',
  domain: { length: 4, components: 1, values: 2 },
  order: { name: 'custom', options: { permutation: [2, 0, 3, 1] }, permutation: [2, 0, 3, 1], groups: [0, 0, 1, 2] },
  network: { name: 'multilayerPerceptron', options: { hidden: [8], direct: false } },
  head: { name: 'bernoulli', options: {} },
  uniformsPerComponent: 1,
  tokenizer: { name: 'pixels', options: { height: 2, width: 2, levels: 2 } },
  state: [
    { name: 'index', type: 'int32', shape: [1] },
    { name: 'hidden', type: 'float32', shape: ['batch', 8] },
    { name: 'keys0', type: 'float32', shape: ['batch', 2, 'past', 4] },
  ],
  parameters: 76,
  files: Object.fromEntries([weightsFile, ...Object.values(graphFiles)].map((name, i) => [name, { bytes: 100 + i, sha256: 'ab'.repeat(32) }])),
  card: { data: { examples: 3 }, results: { bitsPerDimension: 0.5 }, training: { seed: 1 }, exportedAt: '2020-01-01T00:00:00Z' },
}

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const changed = (change: object) => bytesOf({ ...manifest, ...change })

describe('model.json', () => {
  it('comes back as it was written', () => {
    expect(decodeManifest(encodeManifest(manifest), 'model.json')).toEqual(manifest)
  })

  it('gives its condition as data, where there is one', () => {
    const condition = { name: 'label', options: { values: 2, names: ['cat', 'dog'] } }
    expect(manifestCondition(manifest)).toBeUndefined()
    expect(manifestCondition(decodeManifest(changed({ condition }), 'model.json'))).toMatchObject({ name: 'label', values: 2, isSequence: false })
    for (const [wrong, message] of [[{ name: 'label' }, /"condition" has no name and options/], [{ name: 'mood', options: {} }, /No condition is called "mood"/], [{ name: 'label', options: { values: 0 } }, /at least 1, got 0/]] as const) {
      expect(() => decodeManifest(changed({ condition: wrong }), 'model.json')).toThrow(message)
      expect(() => decodeManifest(changed({ condition: wrong }), 'model.json')).toThrow(InvalidModelError)
    }
  })

  it('gives its order as data', () => {
    const order = manifestOrder(manifest)
    expect([...order.permutation]).toEqual([2, 0, 3, 1])
    expect([...order.inverse]).toEqual([1, 3, 0, 2])
    expect([...order.groups!]).toEqual([0, 0, 1, 2])
    expect(manifestOrder({ domain: { ...manifest.domain, length: 'variable' }, order: { name: 'leftToRight', options: {} } }).isLeftToRight).toBe(true)
    expect(() => manifestOrder({ domain: manifest.domain, order: { name: 'reversed', options: {} } })).toThrow(InvalidOptionError)
  })

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /not JSON/],
    ['not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), /not JSON/],
    ['a list', bytesOf([]), /not a JSON object/],
    ['another version', changed({ formatVersion: 2 }), /formatVersion is 2, this program reads 1/],
    ['no head', changed({ head: undefined }), /"head" has no name and options/],
    ['options as a list', changed({ network: { name: 'x', options: [] } }), /"network"/],
    ['a domain of one value', changed({ domain: { ...manifest.domain, values: 1 } }), /values must be a whole number of at least 2/],
    ['a permutation of fractions', changed({ order: { ...manifest.order, permutation: [2, 0.5, 3, 1] } }), /whole numbers/],
    ['a permutation as text', changed({ order: { ...manifest.order, permutation: '2031' } }), /whole numbers/],
    ['a permutation too long', changed({ order: { ...manifest.order, permutation: [2, 0, 3, 1, 4] } }), /whole numbers/],
    ['a length that nothing else has', changed({ domain: { ...manifest.domain, length: 2_000_000_000 } }), /2000000000 whole numbers/],
    ['groups of null', changed({ order: { ...manifest.order, groups: null } }), /groups/],
    ['groups that fall', changed({ order: { ...manifest.order, groups: [0, 1, 0, 1] } }), /groups must start at 0/],
    ['two pasts', changed({ state: [{ name: 'a', type: 'float32', shape: ['past', 'past'] }] }), /"state" holds/],
    ['a missing graph', changed({ files: { [weightsFile]: { bytes: 1, sha256: 'a'.repeat(64) } } }), /does not list score.onnx/],
    ['a path out of the directory', changed({ files: { ...manifest.files, '../secret.bin': { bytes: 1, sha256: 'a'.repeat(64) } } }), /not a plain file name/],
    ['a hash too short', changed({ files: { ...manifest.files, [weightsFile]: { bytes: 1, sha256: 'abc' } } }), /SHA-256 for weights/],
    ['no card', changed({ card: null }), /"card" is incomplete/],
    ['a negative count of parameters', changed({ parameters: -1 }), /"parameters" is not a whole number/],
    ['no modality', changed({ modality: 3 }), /"modality" is not text/],
    ['a state that is no list', changed({ state: {} }), /"state" is not a list/],
    ['a state that no memory holds', changed({ state: [{ name: 'a', type: 'float32', shape: ['batch', 1e15] }] }), /"state" holds/],
    ['a domain of objects', changed({ domain: { length: 'variable', components: 1, values: { name: 'x' } } }), /got \{"name":"x"\}/],
    ['a state of an unknown type', changed({ state: [{ name: 'a', type: 'float16', shape: [] }] }), /"state" holds/],
    ['no files', changed({ files: [] }), /"files" is missing/],
    ['no uniform', changed({ uniformsPerComponent: 0 }), /uniformsPerComponent/],
  ])('%s is refused, and the message names the file and the part', (_, bytes, message) => {
    expect(() => decodeManifest(bytes, 'digits/model.json')).toThrow(InvalidModelError)
    expect(() => decodeManifest(bytes, 'digits/model.json')).toThrow(message)
    expect(() => decodeManifest(bytes, 'digits/model.json')).toThrow(/digits\/model\.json/)
  })

  /** Every place of a JSON value, as paths. */
  function pathsOf(value: Json, path: string[] = []): string[][] {
    const below = typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([key, entry]) => pathsOf(entry as Json, [...path, key])) : []
    return path.length ? [path, ...below] : below
  }

  it('with any one part replaced or left out it is read, or refused with InvalidModelError', () => {
    const substitutes = [null, -1, 0, 0.5, 1e300, 2 ** 31, '', 'batch', '__proto__', [], [[]], {}, true, undefined]
    const plain = JSON.parse(JSON.stringify(manifest)) as Json
    let refused = 0
    let seen = 0
    for (const path of pathsOf(plain)) {
      for (const substitute of substitutes) {
        const copy = structuredClone(plain) as Record<string, never>
        let at = copy as Record<string, unknown>
        for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>
        if (substitute === undefined) delete at[path[path.length - 1]]
        else at[path[path.length - 1]] = substitute
        seen++
        try {
          manifestOrder(decodeManifest(bytesOf(copy), 'model.json'))
        } catch (error) {
          expect(error, `${path.join('.')} = ${JSON.stringify(substitute)}`).toBeInstanceOf(InvalidModelError)
          refused++
        }
      }
    }
    expect(seen).toBeGreaterThan(500)
    expect(refused / seen).toBeGreaterThan(0.6)
  })

  it('with bytes flipped it is read, or refused with InvalidModelError', () => {
    const bytes = encodeManifest(manifest)
    for (let seed = 0; seed < 1_000; seed++) {
      const damaged = bytes.slice()
      for (let k = 0; k < 1 + (seed % 3); k++) damaged[Math.floor(uniform(seed, 'batches', 0, k) * bytes.length)] ^= 1 << Math.floor(uniform(seed, 'batches', 1, k) * 8)
      try {
        decodeManifest(damaged, 'model.json')
      } catch (error) {
        expect(error, `seed ${seed}`).toBeInstanceOf(InvalidModelError)
      }
    }
  })
})
