/** Settings that are known to work, by name, for images of any size, gray or in colour. Times are those of two cores of a server. */
import { type Condition, InvalidOptionError, type Order, refuseUnknownOptions } from '@chainrule/core'
import { bernoulli, categorical, discretizedLogisticMixture, gaussianMixture, type Head, type Network, rgbLogisticMixture } from '@chainrule/core/tensors'
import { maskedConvolution, multilayerPerceptron, transformer } from '@chainrule/networks'
import type { TrainingSettings } from '@chainrule/train'
import { patchHead } from './heads.js'
import type { Image } from './image.js'
import { type ImageModel, imageModel } from './model.js'
import { type ImageTokenizer, palette, patches, pixels, rgbPixels } from './tokenizers/index.js'

export interface Preset {
  readonly description: string
  /** Intensities of a pixel or a channel. */
  readonly levels: number
  /** Whether images are binarised anew for every update (`binarized`); not otherwise. */
  readonly binarized?: boolean
  readonly network: (tokenizer: ImageTokenizer) => Network
  readonly settings: TrainingSettings
}

/** Colours of a palette are names, learned one by one; levels are numbers. */
const inputOf = ({ name }: ImageTokenizer) => (name === 'palette' ? 'embedding' : 'scaled')

export const presets: Readonly<Record<string, Preset>> = {
  small: {
    description: 'a masked convolution (PixelCNN) of 6 layers of width 32 on all 256 levels; about 7 minutes for images of 28 × 28',
    levels: 256,
    network: (tokenizer) => maskedConvolution({ layers: 6, width: 32, input: inputOf(tokenizer) }),
    settings: { steps: 1500, batchSize: 16, learningRate: 2e-3, weightDecay: 0.01, averageDecay: 0.995 },
  },
  quick: {
    description: 'a masked convolution of 2 layers of width 16 on 8 levels; seconds, to try things',
    levels: 8,
    network: (tokenizer) => maskedConvolution({ layers: 2, width: 16, firstKernel: 5, input: inputOf(tokenizer) }),
    settings: { steps: 200, batchSize: 8, learningRate: 5e-3, weightDecay: 0.01 },
  },
  binary: {
    description: 'black and white, binarised anew for every update: a masked perceptron (MADE) of 500 hidden units; about 3 minutes for 28 × 28',
    levels: 2,
    binarized: true,
    network: () => multilayerPerceptron({ hidden: [500] }),
    settings: { steps: 4000, batchSize: 32, learningRate: 2e-3, weightDecay: 0.01, averageDecay: 0.999 },
  },
  transformer: {
    description: 'attention to all pixels before (as Image GPT), 4 layers of width 64 on 16 levels; about 5 minutes for 16 × 16',
    levels: 16,
    network: ({ domain }) => transformer({ layers: 4, heads: 4, width: 64, context: domain.length as number, positions: 'learned2d' }),
    settings: { steps: 1500, batchSize: 4, learningRate: 2e-3, weightDecay: 0.01 },
  },
}

/** @throws {InvalidOptionError} naming the known ones */
export function presetNamed(name: string): Preset {
  if (!Object.hasOwn(presets, name)) throw new InvalidOptionError(`No preset is called "${name}". Known: ${Object.keys(presets).join(', ')}.`)
  return presets[name]
}

export interface PresetChanges {
  /** Instead of the preset's. */
  levels?: number
  /** k: variables are patches of k × k pixels instead of pixels. */
  patch?: number
  /** Variables are pixels in these colours, [red, green, blue] each (`trainPalette`), instead of levels. */
  palette?: readonly (readonly number[])[]
  /** True: levels are intervals of real numbers, with a density (`dequantized` of the tokenizers). */
  dequantized?: boolean
  /** Instead of the preset's. */
  network?: (tokenizer: ImageTokenizer) => Network
  order?: Order
  /** Labels; absent: the model is told nothing. */
  condition?: Condition
}

type Size = Pick<Image, 'height' | 'width' | 'channels'>

/** The model of a preset for images of this size. */
export function presetModel(preset: Preset, size: Size, changes: PresetChanges = {}): ImageModel {
  refuseUnknownOptions('presetModel', changes, ['levels', 'patch', 'palette', 'dequantized', 'network', 'order', 'condition'])
  const { network = preset.network, order, condition } = changes
  const tokenizer = tokenizerOf(size, preset, changes)
  return imageModel({ tokenizer, order, network: network(tokenizer), head: headOf(tokenizer), condition })
}

function tokenizerOf({ height, width, channels }: Size, preset: Preset, { palette: colors, ...changes }: PresetChanges): ImageTokenizer {
  if (channels !== 1 && channels !== 3) throw new InvalidOptionError(`presetModel: images have 1 or 3 channels, got ${channels}.`)
  const { levels = preset.levels, patch, dequantized } = changes
  if (colors) {
    const other = (['levels', 'patch', 'dequantized'] as const).find((name) => changes[name] !== undefined)
    if (other) throw new InvalidOptionError(`presetModel: a palette has colours, one for each pixel, so ${other} has no place beside it. Leave one of the two out.`)
    if (channels === 1) throw new InvalidOptionError('presetModel: a palette is for images in colour, these are gray. Leave palette out; levels says how many intensities there are.')
    return palette({ height, width, colors })
  }
  const coding = { height, width, levels, ...(dequantized && { dequantized }) }
  if (patch !== undefined) return patches({ ...coding, channels, size: patch })
  return channels === 3 ? rgbPixels(coding) : pixels(coding)
}

/** So many values are learned one by one; more are numbers that lie near each other. */
const mostCategories = 32

function headOf({ name, domain: { components, values } }: ImageTokenizer): Head {
  if (values === 'real') return gaussianMixture()
  if (name === 'palette') return categorical()
  if (components === 1) return values === 2 ? bernoulli() : values <= mostCategories ? categorical() : discretizedLogisticMixture({ components: 5 })
  return components === 3 ? rgbLogisticMixture({ components: 5 }) : patchHead()
}
