/**
 * The masks of dropout for one micro-batch, as bytes: 0 where something is dropped. Each is a pure function of its address,
 * so that a training that goes on drops the same; 16 elements come from one call of Philox.
 *
 *   kept(seed; step, micro, mask, element e) = byte e mod 16 of Philox(step, micro, mask, ⌊e / 16⌋; seed) ≥ 256 · rate
 */
import { philox, purposes, sizeOf } from '@chainrule/core'
import type { Arrays, Dropout, ProgramSpecification } from '@chainrule/core/tensors'

export const maskPrefix = 'mask/'

/** The masks as inputs of the training program. */
export function maskInputs(dropout: Dropout | undefined, batch: number, length: number): ProgramSpecification['inputs'] {
  return Object.fromEntries(Object.entries(dropout?.masks(batch, length) ?? {}).map(([name, shape]) => [maskPrefix + name, { shape, type: 'bool' as const }]))
}

/** Their values for one micro-batch; nothing where the network drops nothing. */
export function drawMasks(dropout: Dropout | undefined, batch: number, length: number, seed: number, step: number, micro: number): Arrays {
  if (!dropout) return {}
  const threshold = dropout.rate * 256
  return Object.fromEntries(
    Object.entries(dropout.masks(batch, length)).map(([name, shape], which) => {
      const mask = new Uint8Array(sizeOf(shape))
      for (let block = 0; block * 16 < mask.length; block++) {
        const words = philox([step, micro, which, block], [seed, purposes.dropout])
        for (let k = 0; k < 16; k++) mask[block * 16 + k] = ((words[k >> 2] >>> (8 * (k & 3))) & 255) >= threshold ? 1 : 0
      }
      return [maskPrefix + name, mask]
    }),
  )
}
