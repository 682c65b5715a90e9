/** `chainrule complete`: parts of images are kept, the rest is drawn; a row of the picture is an image, what of it is given, and completions. */
import { InvalidDataError, InvalidOptionError, type JsonObject } from '@chainrule/core'
import * as image from '@chainrule/image'
import { complete, conditionOf, type Image, type LoadedImage, type OpenOptions, readImage, rectangle, writePngGrid } from '@chainrule/image'
import type { Context } from '../context.js'
import { startProgress } from '../progress.js'
import { withSubject } from '../subject.js'
import { counted } from '../wording.js'
import { firstImages, partToMeasure, readForModel } from './image-data.js'
import { scaleFor } from './train.js'

export interface CompleteCommandOptions extends Pick<OpenOptions, 'provider' | 'threads'> {
  data: string
  /** The file of labels of an IDX file. */
  labels?: string | true
  out: string
  /** Which half is given, or the path of a mask: an image that is white where pixels are given. */
  keep: string
  images: number
  count: number
  candidates: number
  seed: number
  temperature: number
  scale?: number
}

export async function completeImages(path: string, { data, labels, out, keep, images: asked, count, candidates, seed, temperature, scale, provider, threads }: CompleteCommandOptions, { output, signal }: Context): Promise<JsonObject> {
  return withSubject<LoadedImage, JsonObject>(image, path, { provider, threads }, async (loaded, trainedOn) => {
    const { tokenizer } = loaded
    const { part, why, images } = partToMeasure(await readForModel({ data, labels }, tokenizer, conditionOf(loaded), trainedOn), trainedOn)
    const known = await maskFor(keep, tokenizer)
    output.say(`${data}, ${part}: ${why}`)
    output.say(`provider ${loaded.reason}`)
    const shown = firstImages(images, asked)
    const progress = startProgress({ label: 'completing', total: shown.length * count * candidates * (tokenizer.domain.length as number), signal })
    const completion = await complete(loaded, shown, { known, count, candidates, seed, temperature, signal, onProgress: ({ done }) => progress.update(done, 'variables') }).finally(progress.stop)
    const rows = shown.flatMap((image, which) => {
      const seen = tokenizer.decode(tokenizer.encode(image))
      return [seen, hidden(seen, known), ...completion.images[which]]
    })
    await writePngGrid(out, rows, { scale: scale ?? scaleFor(tokenizer), columns: count + 2 })
    const { isExact, givenLater, effectiveCandidates } = completion
    output.print(`${counted(shown.length, 'image')} and ${counted(count, 'completion')} of each: ${out}`)
    output.print(meaningOf(completion, candidates))
    return { command: 'complete', model: path, data, part, keep, images: shown.length, count, candidates, seed, temperature, picture: out, isExact, givenLater, effectiveCandidates: effectiveCandidates ?? null, provider: loaded.opened.provider, reason: loaded.reason }
  })
}

function meaningOf({ isExact, givenLater, effectiveCandidates }: { isExact: boolean; givenLater: number; effectiveCandidates?: number }, candidates: number): string {
  if (isExact) return 'exact: all that is given comes first in the order'
  if (effectiveCandidates === undefined) return `not exact: ${counted(givenLater, 'given variable')} after missing ones in the order ${givenLater === 1 ? 'does' : 'do'} not count. More --candidates let what is given count wherever it is, or a model in an order that puts it first`
  return `approximate: one of ${counted(candidates, 'candidate')} was kept each time by what it makes of ${counted(givenLater, 'given variable')} after missing ones; ${effectiveCandidates.toFixed(1)} of them counted on average, and the more, the nearer to exact`
}

const halves = ['top', 'bottom', 'left', 'right']

async function maskFor(keep: string, size: Pick<Image, 'height' | 'width'>): Promise<Uint8Array> {
  const { height, width } = size
  const [row, column] = [Math.floor(height / 2), Math.floor(width / 2)]
  if (keep === 'top') return rectangle(size, { bottom: row })
  if (keep === 'bottom') return rectangle(size, { top: row })
  if (keep === 'left') return rectangle(size, { right: column })
  if (keep === 'right') return rectangle(size, { left: column })
  if (!/\.\w+$/.test(keep)) throw new InvalidOptionError(`--keep ${keep}: expected ${halves.join(', ')}, or the path of a mask, white where pixels are given.`)
  const mask = await readImage(keep, { channels: 1 })
  if (mask.height !== height || mask.width !== width) throw new InvalidDataError(`${keep}: the mask is ${mask.height} × ${mask.width}, the images are ${height} × ${width}.`)
  return mask.data.map((intensity) => (intensity >= 128 ? 1 : 0))
}

/** What is not given in mid gray. */
const hidden = (image: Image, known: Uint8Array): Image => ({ ...image, data: image.data.map((value, i) => (known[Math.floor(i / image.channels)] ? value : 128)) })
