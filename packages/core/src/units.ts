/**
 * Units: everything is computed in nats (natural logarithms); these are the only conversions.
 */

/** Bits per dimension: nats of one example divided by its number of dimensions, in bits. */
export function bitsPerDimension(nats: number, dimensions: number): number {
  return nats / dimensions / Math.LN2
}

/** Bits per byte of the raw data, whatever the tokenizer. */
export function bitsPerByte(nats: number, bytes: number): number {
  return nats / bytes / Math.LN2
}

/** Bits per character of the raw text. */
export function bitsPerCharacter(nats: number, characters: number): number {
  return nats / characters / Math.LN2
}

/** Bits per sample of a sound, however many of them a variable holds. */
export function bitsPerSample(nats: number, samples: number): number {
  return nats / samples / Math.LN2
}
