/** sharp, loaded when the first file is read or written: importing this package loads no native code. */
import { UnavailableError } from '@chainrule/core'
import type sharp from 'sharp'

export async function loadSharp(): Promise<typeof sharp> {
  try {
    return (await import('sharp')).default
  } catch (error) {
    throw new UnavailableError(`Image files need sharp, which does not load here: ${(error as Error).message} Install it for this platform (npm install sharp).`, { cause: error })
  }
}
