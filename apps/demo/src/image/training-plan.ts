/** What `train image` is going to do, decided and checked before anything is written: a fresh run, or one to go on with. */
import { type Condition, describe, InvalidDataError, InvalidOptionError } from '@chainrule/core'
import * as modality from '@chainrule/image'
import { describeData, describeRun, fingerprint, type Image, type ImageModel, type ImageSet, label, labelsFingerprint, type LoadedImage, presetModel, presetNamed, readRun, type RunDescription, splitImages, type SplitOptions, tokenizerFromName, trainPalette } from '@chainrule/image'
import { initialState, stateOf, type TrainingSettings } from '@chainrule/train'
import { type Source, sourceAt } from '../source.js'
import type { TrainingPlan } from '../training.js'
import { defaultHeldOut, defaultPreset, hasSettingsOf, refuseContradiction, refuseContradictions, settingsOf, type TrainOptions, validationOf } from '../training-options.js'
import { shareableCommand } from '../wording.js'
import { type ImageData, type ImageDataOptions, measuredBits, readForModel, readImageData, trainingBits } from './image-data.js'
import { imageNetworkNamed } from './network-named.js'
import { orderNamed } from './order-named.js'

export interface ImageTrainOptions extends TrainOptions, ImageDataOptions {
  levels?: number
  /** k: variables are patches of k × k pixels. */
  patch?: number
  /** Variables are pixels in so many colours, learned from the part that is trained on. */
  palette?: number
  /** Levels are intervals of real numbers. */
  dequantize?: boolean
  order?: string
  network?: string
  /** Binarise anew for every update. */
  binarize?: boolean
}

export interface ImageTrainingPlan extends TrainingPlan<ImageModel, RunDescription> {
  readonly images: { readonly training: ImageSet; readonly validation: ImageSet; readonly heldOut: ImageSet }
}

/** The parts as they are learned from and measured. */
function partsOf(images: readonly Image[], { heldOut, validation, splitSeed, binarizationSeed }: RunDescription['data']): ImageTrainingPlan['images'] {
  const parts = splitImages(images, { heldOut, validation, seed: splitSeed })
  if (binarizationSeed === undefined) return parts
  return { training: trainingBits(parts.training, binarizationSeed), validation: measuredBits(parts.validation, binarizationSeed), heldOut: measuredBits(parts.heldOut, binarizationSeed) }
}

const splitOf = ({ heldOut = defaultHeldOut, validation = 0, seed = 0 }: ImageTrainOptions): SplitOptions => ({ heldOut, validation, seed })

/** The pieces of a preset with what the command line changes. */
function modelFor(options: ImageTrainOptions, images: readonly Image[], condition: Condition | undefined): { model: ImageModel; isBinarized: boolean } {
  const { preset = defaultPreset, levels, patch, palette, dequantize: dequantized, order, network, binarize } = options
  const chosen = presetNamed(preset)
  if (palette !== undefined && images[0].channels !== 3) throw new InvalidOptionError(`--palette ${palette} is for images in colour, these are gray. Leave it out; --levels says how many intensities there are.`)
  const model = presetModel(chosen, images[0], {
    levels,
    patch,
    dequantized,
    ...(palette !== undefined && { palette: trainPalette(splitImages(images, splitOf(options)).training, { colors: palette, seed: options.seed ?? 0 }) }),
    ...(network !== undefined && { network: (tokenizer) => imageNetworkNamed(network, tokenizer) }),
    order: order === undefined ? undefined : orderNamed(order),
    condition,
  })
  return { model, isBinarized: checkBinarized(binarize ?? chosen.binarized ?? false, model) }
}

function checkBinarized(isBinarized: boolean, { tokenizer }: ImageModel): boolean {
  if (isBinarized && tokenizer.domain.values !== 2) throw new InvalidOptionError(`--binarize makes black and white of images, which have 2 levels; this model has ${tokenizer.domain.values}. Say --levels 2 or --preset binary, or leave --binarize out.`)
  return isBinarized
}

/** As many labels as there are names, or up to the highest that occurs. */
const labelsOf = ({ images, names }: ImageData): Condition => (names ? label({ names }) : label({ values: images.reduce((most, image) => Math.max(most, image.label! + 1), 1) }))

const belongsToPieces = ['preset', 'levels', 'patch', 'palette', 'dequantize', 'order', 'network'] as const

/** What a new training begins with: the model of a preset, or another one as it was trained. */
async function beginning(options: ImageTrainOptions): Promise<{ images: Image[]; model: ImageModel; isBinarized: boolean; settings: Partial<TrainingSettings> } & Partial<Source<ImageModel>>> {
  const { from } = options
  if (from === undefined) {
    const read = await readImageData(options)
    const { settings } = presetNamed(options.preset ?? defaultPreset)
    return { images: read.images, settings, ...modelFor(options, read.images, options.labels ? labelsOf(read) : undefined) }
  }
  const foreign = belongsToPieces.find((name) => options[name] !== undefined)
  if (foreign) throw new InvalidOptionError(`--${foreign} ${String(options[foreign])} contradicts --from ${from}, whose pieces and settings are taken. Leave one of the two out.`)
  const source = await sourceAt<ImageModel, LoadedImage>(modality, from)
  const { tokenizer, model } = source.model
  const images = await readForModel(options, tokenizer, model.condition, { resized: options.size !== undefined })
  tokenizer.encode(images[0]) // or images of another size would fail later
  return { ...source, images, isBinarized: checkBinarized(options.binarize ?? false, source.model) }
}

/** @throws {InvalidDataError | InvalidOptionError} */
export async function freshImagePlan(options: ImageTrainOptions): Promise<ImageTrainingPlan> {
  const { images, model, isBinarized, settings: known, parameters, from } = await beginning(options)
  const settings = settingsOf(known, options)
  const split = splitOf(options)
  const data = describeData(options.data, images, split, { ...(options.size && { resized: true }), ...(isBinarized && { binarizationSeed: settings.seed }), ...(model.model.condition && { labelsSha256: labelsFingerprint(images) }) })
  const description = describeRun(model, settings, data, { ...validationOf(options, settings, 'images', data.validation > 0), ...(from && { from }), command: shareableCommand(process.argv.slice(2)) })
  return { images: partsOf(images, data), model, description, state: parameters ? stateOf(model.model, parameters) : initialState(model.model, settings.seed), isResumed: false }
}

/** @throws {InvalidDataError} for other images. @throws {InvalidOptionError} naming an option that contradicts the run */
export async function resumedImagePlan(options: ImageTrainOptions): Promise<ImageTrainingPlan> {
  const { description, model, state, best } = await readRun(options.out)
  refuseOthers(options, description)
  const images = await readForModel(options, model.tokenizer, model.model.condition, description.data)
  const sha256 = fingerprint(images)
  if (sha256 !== description.data.sha256) {
    throw new InvalidDataError(`${options.data} are not the images that ${options.out} was trained on: expected ${description.data.file} with SHA-256 ${description.data.sha256}, got ${sha256}. Give the same ones, or train anew in another folder.`)
  }
  if (description.data.labelsSha256 !== undefined && labelsFingerprint(images) !== description.data.labelsSha256) throw new InvalidDataError(`${options.data}: its labels are not those that ${options.out} was trained with. Give the same ones, or train anew in another folder.`)
  return { images: partsOf(images, description.data), model, description, state, best, isResumed: true }
}

function refuseOthers(options: ImageTrainOptions, description: RunDescription): void {
  const { settings, data, tokenizer, order, network } = description
  refuseContradictions(options, description, [
    ['held-out', options.heldOut, data.heldOut],
    ['validation', options.validation, data.validation],
    ['binarize', options.binarize, data.binarizationSeed !== undefined],
    ['levels', options.levels, tokenizer.options.levels],
    ['patch', options.patch, tokenizer.options.size ?? 'single pixels'],
    ['palette', options.palette, (tokenizer.options.colors as unknown[] | undefined)?.length ?? 'no palette'],
    ['dequantize', options.dequantize, tokenizer.options.dequantized ?? false],
    ['order', options.order && JSON.stringify(describe(orderNamed(options.order))), JSON.stringify(order)],
    ['network', options.network && JSON.stringify(describe(imageNetworkNamed(options.network, tokenizerFromName(tokenizer)))), JSON.stringify(network)],
    ['size', options.size && `${options.size.height}x${options.size.width}`, data.resized ? `${data.height}x${data.width}` : 'the files’ own size'],
    ['channels', options.channels, data.channels],
  ])
  if (options.preset === undefined) return
  const asked = presetNamed(options.preset)
  const sameNetwork = options.network !== undefined || JSON.stringify(describe(asked.network(tokenizerFromName(tokenizer)))) === JSON.stringify(network)
  if (!hasSettingsOf(asked, settings) || !sameNetwork) refuseContradiction(options.out, 'preset', options.preset, 'another network or other settings')
}
