/** Animated pictures: GIF, at most 256 colours, or WebP, in which nothing is lost. */
import { writeFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { InvalidDataError, InvalidOptionError, refuseUnknownOptions, wholeNumber } from '@chainrule/core'
import { checkImage, type Image } from '../image.js'
import { loadSharp } from './sharp.js'

export interface AnimationOptions {
  /** Milliseconds of each frame (40). */
  durationMs?: number
  /** Of the last frame, before it all begins again (1500). */
  lastDurationMs?: number
}

const formats = ['gif', 'webp'] as const
export type AnimationFormat = (typeof formats)[number]

/** The bytes of an animation that goes on for ever. @throws {InvalidDataError} for no frame, or for different sizes */
export async function encodeAnimation(frames: readonly Image[], format: AnimationFormat, options: AnimationOptions = {}): Promise<Uint8Array> {
  refuseUnknownOptions('encodeAnimation', options, ['durationMs', 'lastDurationMs'])
  if (!formats.includes(format)) throw new InvalidOptionError(`encodeAnimation: format must be one of ${formats.join(', ')}, got ${JSON.stringify(format)}.`)
  if (frames.length === 0) throw new InvalidDataError('encodeAnimation: no frames. Give at least one.')
  const durationMs = wholeNumber('encodeAnimation', 'durationMs', options.durationMs ?? 40, 1, 65_535)
  const lastDurationMs = wholeNumber('encodeAnimation', 'lastDurationMs', options.lastDurationMs ?? 1500, 1, 65_535)
  const [{ height, width, channels }] = frames
  if (channels !== 1 && channels !== 3) throw new InvalidDataError(`encodeAnimation: the frames have ${channels} channels, expected 1 or 3.`)
  // All frames below each other, in three channels: animations have no gray.
  const data = new Uint8Array(frames.length * height * width * 3)
  frames.forEach((frame, which) => {
    checkImage('encodeAnimation', frame, frames[0])
    const at = which * height * width * 3
    for (let i = 0; i < height * width * 3; i++) data[at + i] = frame.data[channels === 3 ? i : Math.floor(i / 3)]
  })
  const sharp = await loadSharp()
  const picture = sharp(data, { raw: { height: frames.length * height, width, channels: 3, pageHeight: height } })
  const timing = { loop: 0, delay: frames.map((_, which) => (which === frames.length - 1 ? lastDurationMs : durationMs)) }
  return new Uint8Array(await (format === 'gif' ? picture.gif({ ...timing, dither: 0 }) : picture.webp({ ...timing, lossless: true })).toBuffer())
}

/** An animation as a file, in the format that its name ends in. @throws {InvalidOptionError} for another ending */
export async function writeAnimation(path: string, frames: readonly Image[], options: AnimationOptions = {}): Promise<void> {
  await writeFile(path, await encodeAnimation(frames, animationFormat(path), options))
}

/** @throws {InvalidOptionError} where the name does not say */
export function animationFormat(path: string): AnimationFormat {
  const format = extname(path).slice(1).toLowerCase()
  if (format !== 'gif' && format !== 'webp') throw new InvalidOptionError(`${path}: an animation is a .gif or a .webp file. Choose one of these endings.`)
  return format
}
