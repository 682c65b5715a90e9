/**
 * Amplitudes in −1 … 1 ↔ levels 0 … V − 1, or the amplitudes themselves.
 *
 *   linear   v = round(2ᵇ⁻¹ x) + 2ᵇ⁻¹, at most 2ᵇ − 1         x = (v − 2ᵇ⁻¹) / 2ᵇ⁻¹                  b bits: PCM, 16-bit files without loss
 *   muLaw    v = round(μ (1 + F(x)) / 2)                       x = F⁻¹(2 v/μ − 1)                      μ = V − 1
 *
 *   real     v = x                                             a real number: p is a density, measured in nats, never in bits of levels
 *
 * F(x) = sign(x) log(1 + μ |x|) / log(1 + μ) makes the steps of quiet amplitudes finer. It is the curve that ITU-T G.711 draws with
 * straight lines; levels here lie on the curve itself, evenly, so none of them is exactly silence where V is even.
 */
import { type Domain, InvalidOptionError, type Piece, refuseUnknownOptions, UnknownPieceError, wholeNumber } from '@chainrule/core'

export interface SoundEncoding extends Piece {
  /** V. */
  readonly values: Domain['values']
  /** How far a decoded amplitude may lie from the one that was encoded. */
  readonly largestError: number
  /** Of an amplitude in −1 … 1. */
  levelOf(amplitude: number): number
  amplitudeOf(level: number): number
}

export interface LinearOptions {
  /** 1 … 16 (16). */
  bits?: number
}

export function linear(options: LinearOptions = {}): SoundEncoding {
  refuseUnknownOptions('linear', options, ['bits'])
  const bits = wholeNumber('linear', 'bits', options.bits ?? 16, 1, 16)
  const half = 2 ** (bits - 1)
  return {
    name: 'linear',
    options: { bits },
    values: 2 * half,
    // A whole step at the loudest amplitude, which has no level of its own; half a step elsewhere.
    largestError: 1 / half,
    levelOf: (amplitude) => Math.min(2 * half - 1, Math.round(amplitude * half) + half),
    amplitudeOf: (level) => (level - half) / half,
  }
}

export interface MuLawOptions {
  /** V, 2 … 65 536 (256). */
  levels?: number
}

export function muLaw(options: MuLawOptions = {}): SoundEncoding {
  refuseUnknownOptions('muLaw', options, ['levels'])
  const levels = wholeNumber('muLaw', 'levels', options.levels ?? 256, 2, 65_536)
  const mu = levels - 1
  const compressed = (x: number) => (Math.sign(x) * Math.log1p(mu * Math.abs(x))) / Math.log1p(mu)
  const expanded = (y: number) => (Math.sign(y) * Math.expm1(Math.abs(y) * Math.log1p(mu))) / mu
  return {
    name: 'muLaw',
    options: { levels },
    values: levels,
    // Steps grow with the amplitude: the largest is the half step below the loudest level; and the rounding of float32.
    largestError: 1 - expanded(1 - 1 / mu) + 2 ** -24,
    levelOf: (amplitude) => Math.round((mu * (1 + compressed(amplitude))) / 2),
    amplitudeOf: (level) => expanded((2 * level) / mu - 1),
  }
}

/** Samples as real numbers, for `gaussianMixture()`. What a model draws beyond full scale is cut to it. */
export function real(options: Record<never, never> = {}): SoundEncoding {
  refuseUnknownOptions('real', options, [])
  return { name: 'real', options: {}, values: 'real', largestError: 0, levelOf: (amplitude) => amplitude, amplitudeOf: (value) => Math.min(1, Math.max(-1, value)) }
}

const byName: Record<string, (options: never) => SoundEncoding> = { linear, muLaw, real }

/** The encoding that a file names, or the encoding itself. @throws {UnknownPieceError} */
export function encodingFromName(encoding: Piece): SoundEncoding {
  if (typeof encoding !== 'object' || encoding === null) throw new InvalidOptionError(`frames: encoding must be muLaw({ … }), linear({ … }) or real(), got ${String(encoding)}.`)
  if ('levelOf' in encoding) return encoding as SoundEncoding
  const make = Object.hasOwn(byName, encoding.name) ? byName[encoding.name] : undefined
  if (!make) throw new UnknownPieceError(`No encoding of sound is called "${encoding.name}". Known: ${Object.keys(byName).join(', ')}.`)
  return make(encoding.options as never)
}
