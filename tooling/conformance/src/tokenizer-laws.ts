/** The laws of a tokenizer: decode(encode(raw)) = raw, encode(decode(x)) = x, values inside the domain. */
import type { Tokenizer } from '@chainrule/core'
import { demand } from './violation.js'

export interface TokenizerLawOptions<Raw> {
  readonly examples: readonly Raw[]
  readonly isSame?: (a: Raw, b: Raw) => boolean
}

/** @throws {LawViolation} */
export function tokenizerLaws<Raw>(tokenizer: Tokenizer<Raw>, { examples, isSame = Object.is }: TokenizerLawOptions<Raw>): void {
  const law = `tokenizer ${tokenizer.name}`
  const { length, components, values } = tokenizer.domain
  const isInside = (value: number) => (values === 'real' ? Number.isFinite(value) : value >= 0 && value < values)
  examples.forEach((raw, which) => {
    const encoded = tokenizer.encode(raw)
    demand(law, encoded.every(isInside), () => `example ${which} has a value outside of the domain's (${values === 'real' ? 'finite numbers' : `0 … ${values - 1}`}).`)
    demand(law, encoded.length % components === 0 && (length === 'variable' || encoded.length === length * components), () => `example ${which} has ${encoded.length} values, the domain ${length} × ${components}.`)
    const decoded = tokenizer.decode(encoded)
    demand(law, isSame(decoded, raw), () => `decode(encode(x)) is ${String(decoded)}, expected ${String(raw)}.`)
    demand(law, String(tokenizer.encode(decoded)) === String(encoded), () => `encode(decode(t)) is not t for example ${which}.`)
  })
}
