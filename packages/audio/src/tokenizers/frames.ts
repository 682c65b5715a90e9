/**
 * Frames: one variable for every L samples, with one component each. L = 1 is a model of samples (WaveNet), L > 1 one of frames (SampleRNN).
 *
 * A sound has `count` frames, or any number of them; with `ends` its end is a value of its own (L = 1 only), so that a model
 * knows when a sound is over. Axes: N frames, L samples of a frame, V values.
 */
import { checkDomain, type Domain, emptyValues, endedLength, InvalidDataError, InvalidOptionError, type Piece, refuseUnknownOptions, type Tokenizer, valueCount, wholeNumber } from '@chainrule/core'
import { checkSound, type Sound } from '../sound.js'
import { encodingFromName } from './encodings.js'

export interface FramesOptions {
  /** L (1). */
  length?: number
  /** Of the sounds that it takes and gives. */
  sampleRateHz: number
  /** muLaw({ … }), linear({ … }) or real(). */
  encoding: Piece
  /** N, of sounds that all have one length; absent: any length. */
  count?: number
  /** Of any length: sounds end, and samples do too (false). */
  ends?: boolean
}

export interface SoundTokenizer extends Tokenizer<Sound> {
  readonly sampleRateHz: number
  /** L. */
  readonly frameLength: number
  /** How far a decoded amplitude may lie from the one that was encoded. */
  readonly largestError: number
}

const owner = 'frames'

/** @throws {InvalidOptionError} for options unknown, out of range or against each other */
export function frames(options: FramesOptions): SoundTokenizer {
  refuseUnknownOptions(owner, options, ['length', 'sampleRateHz', 'encoding', 'count', 'ends'])
  const L = wholeNumber(owner, 'length', options.length ?? 1)
  const sampleRateHz = wholeNumber(owner, 'sampleRateHz', options.sampleRateHz)
  const encoding = encodingFromName(options.encoding)
  const { count, ends = false } = options
  if (count !== undefined) wholeNumber(owner, 'count', count)
  if (typeof ends !== 'boolean') throw new InvalidOptionError(`${owner}: ends must be true or false, got ${String(ends)}.`)
  if (ends && (count !== undefined || L > 1)) throw new InvalidOptionError(`${owner}: ends is for sounds of any length in frames of one sample, got ${count === undefined ? `frames of ${L}` : `a count of ${count}`}. Leave it out.`)
  const V = encoding.values
  const end = ends ? valueCount(encoding, `${owner}: ends`) : undefined
  const domain: Domain = checkDomain({
    length: count ?? 'variable',
    components: L,
    values: end === undefined ? V : end + 1,
    ...(end !== undefined && { end }),
    ...(count !== undefined && { locations: { axes: ['time'], shape: [count] } }),
  })
  return {
    name: owner,
    options: { length: L, sampleRateHz, encoding: { name: encoding.name, options: encoding.options }, ...(count !== undefined && { count }), ends },
    domain,
    sampleRateHz,
    frameLength: L,
    largestError: encoding.largestError,
    encode(sound) {
      checkSound(owner, sound)
      const { samples } = sound
      if (sound.sampleRateHz !== sampleRateHz) throw new InvalidDataError(`${owner}: the sound has ${sound.sampleRateHz} Hz, expected ${sampleRateHz}. Resample it (readSound does: { sampleRateHz: ${sampleRateHz} }).`)
      if (samples.length % L > 0) throw new InvalidDataError(`${owner}: the sound has ${samples.length} samples, which are no whole frames of ${L}. Cut it with wholeFrames(sound, ${L}).`)
      if (count !== undefined && samples.length !== count * L) throw new InvalidDataError(`${owner}: the sound has ${samples.length / L} frames, expected ${count}.`)
      const values = emptyValues(domain, samples.length + (ends ? 1 : 0))
      samples.forEach((amplitude, at) => (values[at] = encoding.levelOf(amplitude)))
      if (end !== undefined) values[samples.length] = end
      return values
    },
    decode(values) {
      if (values.length % L > 0) throw new InvalidDataError(`${owner}: ${values.length} values are no whole frames of ${L}.`)
      const wanted = count === undefined ? undefined : count * L
      if (wanted !== undefined && values.length !== wanted) throw new InvalidDataError(`${owner}: a sound has ${wanted} values, got ${values.length}.`)
      const own = end === undefined ? values.length : endedLength(values, end)
      const hasEnded = end !== undefined && own > 0 && values[own - 1] === end
      const samples = new Float32Array(hasEnded ? own - 1 : own)
      for (let at = 0; at < values.length; at++) {
        const value = values[at]
        if (at >= samples.length && value === end) continue
        const isInside = V === 'real' ? Number.isFinite(value) : Number.isInteger(value) && value >= 0 && value < V
        if (!isInside || at >= samples.length) throw new InvalidDataError(`${owner}: value ${at} is ${value}, expected ${at >= samples.length ? `${end}: the sound has ended` : V === 'real' ? 'a finite number' : `0 … ${V - 1}`}.`)
        samples[at] = encoding.amplitudeOf(value)
      }
      return { sampleRateHz, samples }
    },
  }
}
