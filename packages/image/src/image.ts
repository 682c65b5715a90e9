/** An image as data: intensities 0 … 255, row by row, the channels of a pixel side by side. */
import { InvalidDataError } from '@chainrule/core'

export interface Image {
  readonly height: number
  readonly width: number
  /** 1: gray; 3: red, green, blue. */
  readonly channels: number
  /** height × width × channels. */
  readonly data: Uint8Array
  /** A class, from 0. */
  readonly label?: number
}

/** Any number of images, each made when it is asked for. */
export interface Images {
  readonly length: number
  at(index: number): Image
}

/** Images, all at once or each when it is asked for. */
export type ImageSet = Images | readonly Image[]

/** Height × width × channels, as messages say it. */
export const sizeText = ({ height, width, channels }: Pick<Image, 'height' | 'width' | 'channels'>): string => `${height}×${width}×${channels}`

/** Checks that an image has the size and the channels that are expected, and as many numbers. @throws {InvalidDataError} */
export function checkImage(owner: string, image: Image, expected: Pick<Image, 'height' | 'width' | 'channels'>): void {
  const { height, width, channels, data } = image
  if (height !== expected.height || width !== expected.width || channels !== expected.channels) {
    throw new InvalidDataError(
      `${owner}: the image is ${sizeText(image)} (height × width × channels), expected ${sizeText(expected)}. Read it with resize and channels set, or make the tokenizer for its size.`,
    )
  }
  if (!(data instanceof Uint8Array) || data.length !== height * width * channels) {
    throw new InvalidDataError(`${owner}: an image of ${sizeText(image)} needs ${height * width * channels} bytes of data, got ${data instanceof Uint8Array ? data.length : typeof data}.`)
  }
}
