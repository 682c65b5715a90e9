/** Damage, by seed: the same seed does the same to the same bytes. */

/** Whole numbers below a bound, one after the other (mulberry32). */
export function numbers(seed) {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

const join = (...parts) => Uint8Array.from(Buffer.concat(parts))
const randomBytes = (next, count) => Uint8Array.from({ length: count }, () => next(256))

/** What can happen to a file's bytes. */
const byteDamage = {
  bitFlipped: (bytes, next) => {
    const copy = bytes.slice()
    copy[next(copy.length)] ^= 1 << next(8)
    return copy
  },
  someBytesReplaced: (bytes, next) => {
    const copy = bytes.slice()
    for (let i = next(8) + 1; i > 0; i--) copy[next(copy.length)] = next(256)
    return copy
  },
  truncated: (bytes, next) => bytes.slice(0, next(bytes.length)),
  emptied: () => new Uint8Array(0),
  extended: (bytes, next) => join(bytes, randomBytes(next, 1 + next(64))),
  partRemoved: (bytes, next) => {
    const at = next(bytes.length)
    return join(bytes.slice(0, at), bytes.slice(at + 1 + next(32)))
  },
  partInserted: (bytes, next) => {
    const at = next(bytes.length)
    return join(bytes.slice(0, at), randomBytes(next, 1 + next(32)), bytes.slice(at))
  },
  partDoubled: (bytes, next) => {
    const [at, length] = [next(bytes.length), 1 + next(256)]
    return join(bytes.slice(0, at + length), bytes.slice(at))
  },
  partZeroed: (bytes, next) => bytes.slice().fill(0, next(bytes.length), next(bytes.length)),
  partMoved: (bytes, next) => {
    const copy = bytes.slice()
    copy.copyWithin(next(copy.length), next(copy.length), next(copy.length) + 64)
    return copy
  },
  headReplaced: (bytes, next) => join(randomBytes(next, 16), bytes.slice(16)),
  anotherFormat: (bytes, next) => [Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10), Uint8Array.of(0x1f, 0x8b, 8, 0), new TextEncoder().encode('<!doctype html><title>404</title>'), Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b)][next(4)],
}

/** @returns {{ what: string, bytes: Uint8Array }} */
export function damageBytes(bytes, next) {
  const names = Object.keys(byteDamage)
  const what = names[next(names.length)]
  return { what, bytes: byteDamage[what](bytes, next) }
}

const strangeValues = [null, true, -1, 0, 1, 0.5, 1e308, -1e308, 2 ** 31, 2 ** 53, 1e15, '', 'x', '../secret', '/etc/passwd', 'a\u0000b', '\uD800', [], {}, [[]], [1, 2, 3], { name: 'x' }, ['batch', 'past', 'past'], '__proto__', 'constructor', 'toString']

/** Every place of a JSON document, as a path of keys. */
function placesOf(value, path = []) {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.keys(value).flatMap((key) => placesOf(value[key], [...path, key]))]
}

/** One value of a JSON document replaced, removed, doubled or renamed. @returns {{ what: string, bytes: Uint8Array }} */
export function damageJson(bytes, next) {
  const document = JSON.parse(new TextDecoder().decode(bytes))
  const places = placesOf(document).filter((path) => path.length > 0)
  // Long lists (a vocabulary, a permutation) would otherwise draw all the attention.
  const depth = Math.min(...[next(6) + 1, next(6) + 1])
  const candidates = places.filter((path) => path.length <= depth)
  const path = candidates[next(candidates.length)]
  const parent = path.slice(0, -1).reduce((value, key) => value[key], document)
  const key = path.at(-1)
  const action = ['replaced', 'replaced', 'replaced', 'removed', 'renamed', 'wrapped', 'scaled'][next(7)]
  const old = parent[key]
  if (action === 'replaced') parent[key] = strangeValues[next(strangeValues.length)]
  else if (action === 'removed' && Array.isArray(parent)) parent.splice(Number(key), 1)
  else if (action === 'removed') delete parent[key]
  else if (action === 'renamed' && !Array.isArray(parent)) {
    delete parent[key]
    parent[`${key}${next(10)}`] = old
  } else if (action === 'wrapped') parent[key] = [old]
  else if (typeof old === 'number') parent[key] = [old + 1, old - 1, old * 2, -old, old * 1e6, old + 0.5][next(6)]
  else parent[key] = typeof old === 'string' ? old.slice(0, next(old.length + 1)) : old
  return { what: `${path.join('.')} ${action}`, bytes: new TextEncoder().encode(JSON.stringify(document)) }
}
