/** `chainrule score` of an image model: −log p of every image, and where in it the bits are, as a picture. */
import { InvalidOptionError, type JsonObject } from '@chainrule/core'
import * as image from '@chainrule/image'
import { bitMap, conditionOf, type Image, imageGrid, type LoadedImage, type OpenOptions, score, writePngGrid } from '@chainrule/image'
import type { Context } from '../context.js'
import { withSubject } from '../subject.js'
import { counted } from '../wording.js'
import { firstImages, partToMeasure, readForModel } from './image-data.js'
import { scaleFor } from './train.js'

export interface ImageScoreCommandOptions extends Pick<OpenOptions, 'provider' | 'threads'> {
  data: string
  /** The file of labels of an IDX file. */
  labels?: string | true
  out?: string
  count?: number
  scale?: number
}

/** Images in the picture. */
const defaultCount = 16

export async function scoreImages(path: string, { data, labels, out, count, scale, provider, threads }: ImageScoreCommandOptions, { output, signal }: Context): Promise<JsonObject> {
  if (count !== undefined && out === undefined) throw new InvalidOptionError('--count says how many images the picture shows; --out is missing. Give both, or neither.')
  return withSubject<LoadedImage, JsonObject>(image, path, { provider, threads }, async (loaded, trainedOn) => {
    const { part, why, images } = partToMeasure(await readForModel({ data, labels }, loaded.tokenizer, conditionOf(loaded), trainedOn), trainedOn)
    output.say(`${data}, ${part}: ${why}`)
    output.say(`provider ${loaded.reason}`)
    const scores = await score(loaded, images, { signal })
    const mean = scores.reduce((sum, { nats }) => sum + nats, 0) / scores.length
    output.print(`${mean.toFixed(3)} nats per image, the mean of ${counted(scores.length, 'image')}`)
    let mostBits: number | null = null
    if (out !== undefined) {
      const shown = firstImages(images, count ?? defaultCount)
      mostBits = scores.slice(0, shown.length).reduce((most, { bitsOfPixels }) => bitsOfPixels.reduce((a, b) => Math.max(a, b), most), 0)
      const pairs = shown.flatMap((image, which) => [inColour(loaded.tokenizer.decode(loaded.tokenizer.encode(image))), bitMap(scores[which], { mostBits: mostBits! })])
      await writePngGrid(out, pairs, { scale: scale ?? scaleFor(shown[0]), columns: 2 * Math.ceil(Math.sqrt(shown.length / 2)) })
      output.print(`${counted(shown.length, 'image')}, each beside its bits, from dark blue (0) to yellow (${mostBits.toFixed(2)} bits a pixel): ${out}`)
    }
    return {
      command: 'score',
      model: path,
      data,
      part,
      images: scores.length,
      natsPerImage: mean,
      mostBitsOfPixel: mostBits,
      picture: out ?? null,
      provider: loaded.opened.provider,
      reason: loaded.reason,
      nats: scores.map(({ nats }) => nats),
      bitsPerDimension: scores.map(({ bitsPerDimension }) => bitsPerDimension),
    }
  })
}

/** Gray as three equal channels, to stand beside colours. */
export function inColour(image: Image): Image {
  const gray = imageGrid([image], {})
  return image.channels === 3 ? gray : { ...image, channels: 3, data: Uint8Array.from({ length: image.data.length * 3 }, (_, i) => image.data[Math.floor(i / 3)]) }
}
