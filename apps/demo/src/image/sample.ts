/** `chainrule sample` of an image model: a grid of samples as a PNG file, and how the first of them is drawn as an animation. */
import { InvalidOptionError, type JsonObject, type SamplingFilters } from '@chainrule/core'
import * as image from '@chainrule/image'
import { animationFormat, conditionOf, type Image, imageGrid, type LoadedImage, type OpenOptions, sample, stream, writeAnimation, writePngGrid } from '@chainrule/image'
import type { Context } from '../context.js'
import { startProgress } from '../progress.js'
import { withSubject } from '../subject.js'
import { counted } from '../wording.js'
import { scaleFor } from './train.js'

export interface ImageSampleCommandOptions extends SamplingFilters, Pick<OpenOptions, 'provider' | 'threads'> {
  /** Of models with labels, without `label`: of each label. */
  count?: number
  /** The label of all samples, by its name or number; of models with labels. */
  label?: string
  seed: number
  temperature: number
  out?: string
  animation?: string
  scale?: number
}

const defaultCount = 16
/** Of each label. */
const defaultOfEach = 8
/** Of an animation; of images with more variables, some are drawn between two frames. */
const mostFrames = 120

export async function sampleImages(path: string, { count: asked, label, out, animation, scale, provider, threads, ...options }: ImageSampleCommandOptions, { output, signal }: Context): Promise<JsonObject> {
  if (out === undefined) throw new InvalidOptionError('sample: say where the picture of the samples goes: --out samples.png.')
  if (animation !== undefined) animationFormat(animation)
  return withSubject<LoadedImage, JsonObject>(image, path, { provider, threads }, async (loaded) => {
    output.say(`provider ${loaded.reason}`)
    const size = scale ?? scaleFor(loaded.tokenizer)
    const condition = conditionOf(loaded)
    // One row of the picture for each label.
    const ofEach = condition && label === undefined ? (asked ?? defaultOfEach) : undefined
    const labels = ofEach === undefined ? label : Array.from({ length: condition!.size * ofEach }, (_, which) => Math.floor(which / ofEach))
    const count = Array.isArray(labels) ? labels.length : (asked ?? defaultCount)
    const progress = startProgress({ label: 'sampling', total: count * (loaded.tokenizer.domain.length as number), signal })
    const images = await sample(loaded, { ...options, count, label: labels, signal, onProgress: ({ done }) => progress.update(done, 'variables') }).finally(progress.stop)
    await writePngGrid(out, images, { scale: size, ...(ofEach !== undefined && { columns: ofEach }) })
    output.print(`${counted(count, 'sample')}${ofEach === undefined ? '' : `, a row for each label${condition!.names ? ` (${condition!.names.join(', ')})` : ''}`}: ${out}`)
    if (animation !== undefined) {
      const frames: Image[] = []
      const variables = loaded.tokenizer.domain.length as number
      const every = Math.ceil(variables / mostFrames)
      for await (const { rank, picture } of stream(loaded, { ...options, label: Array.isArray(labels) ? labels[0] : labels, signal })) {
        if ((rank + 1) % every === 0 || rank === variables - 1) frames.push(imageGrid([picture()], { scale: size }))
      }
      await writeAnimation(animation, frames)
      output.print(`how the first is drawn: ${animation} (${counted(frames.length, 'frame')})`)
    }
    return { command: 'sample', model: path, ...options, count, label: label ?? null, picture: out, animation: animation ?? null, provider: loaded.opened.provider, reason: loaded.reason }
  })
}
