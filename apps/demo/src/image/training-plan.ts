/** What `train image` is going to do, decided and checked before anything is written: a fresh run, or one to go on with. */
import { type Condition, describe, InvalidDataError, InvalidOptionError, type Order } from '@chainrule/core'
import { describeData, describeRun, fingerprint, type Image, type ImageModel, type ImageSet, label, labelsFingerprint, presetModel, presetNamed, readRun, type RunDescription, splitImages, tokenizerFromName, type TrainingState } from '@chainrule/image'
import { type BestParameters, initialState, type ResolvedSettings } from '@chainrule/train'
import { type SettingChanges, settingsOf } from '../trainings.js'
import { shareableCommand } from '../wording.js'
import { type ImageData, type ImageDataOptions, measuredBits, readForModel, readImageData, trainingBits } from './image-data.js'
import { orderNamed } from './order-named.js'

export interface ImageTrainOptions extends ImageDataOptions, SettingChanges {
  out: string
  preset?: string
  levels?: number
  /** k: variables are patches of k × k pixels. */
  patch?: number
  order?: string
  /** Binarise anew for every update. */
  binarize?: boolean
  heldOut?: number
  validation?: number
  validateEvery?: number
  patience?: number
  resume?: boolean
}

export interface ImageTrainingPlan {
  readonly images: { readonly training: ImageSet; readonly validation: ImageSet; readonly heldOut: ImageSet }
  readonly model: ImageModel
  readonly description: RunDescription
  readonly state: TrainingState
  readonly best?: BestParameters
  readonly isResumed: boolean
}

const defaultPreset = 'small'
const defaultHeldOut = 0.1

/** The parts as they are learned from and measured. */
function partsOf(images: readonly Image[], { heldOut, validation, splitSeed, binarizationSeed }: RunDescription['data']): ImageTrainingPlan['images'] {
  const parts = splitImages(images, { heldOut, validation, seed: splitSeed })
  if (binarizationSeed === undefined) return parts
  return { training: trainingBits(parts.training, binarizationSeed), validation: measuredBits(parts.validation, binarizationSeed), heldOut: measuredBits(parts.heldOut, binarizationSeed) }
}

/** The pieces of a preset with what the command line changes. */
function modelFor({ preset = defaultPreset, levels, patch, order, binarize }: ImageTrainOptions, size: Pick<Image, 'height' | 'width' | 'channels'>, condition: Condition | undefined): { model: ImageModel; isBinarized: boolean } {
  const chosen = presetNamed(preset)
  const named: Order | undefined = order === undefined ? undefined : orderNamed(order)
  const model = presetModel(chosen, size, { levels, patch, order: named, condition })
  const isBinarized = binarize ?? chosen.binarized ?? false
  if (isBinarized && model.tokenizer.domain.values !== 2) throw new InvalidOptionError(`--binarize makes black and white of images, which have 2 levels; this model has ${model.tokenizer.domain.values}. Say --levels 2 or --preset binary, or leave --binarize out.`)
  return { model, isBinarized }
}

/** As many labels as there are names, or up to the highest that occurs. */
const labelsOf = ({ images, names }: ImageData): Condition => (names ? label({ names }) : label({ values: images.reduce((most, image) => Math.max(most, image.label! + 1), 1) }))

/** @throws {InvalidDataError | InvalidOptionError} */
export async function freshImagePlan(options: ImageTrainOptions): Promise<ImageTrainingPlan> {
  const read = await readImageData(options)
  const { images } = read
  const { model, isBinarized } = modelFor(options, images[0], options.labels ? labelsOf(read) : undefined)
  const settings = settingsOf(presetNamed(options.preset ?? defaultPreset).settings, options)
  const split = { heldOut: options.heldOut ?? defaultHeldOut, validation: options.validation ?? 0, seed: settings.seed }
  const data = describeData(options.data, images, split, { ...(options.size && { resized: true }), ...(isBinarized && { binarizationSeed: settings.seed }), ...(options.labels && { labelsSha256: labelsFingerprint(images) }) })
  const description = describeRun(model, settings, data, { ...validationOf(options, settings), command: shareableCommand(process.argv.slice(2)) })
  return { images: partsOf(images, data), model, description, state: initialState(model.model, settings.seed), isResumed: false }
}

function validationOf({ validation, validateEvery, patience }: ImageTrainOptions, { steps }: ResolvedSettings): Pick<RunDescription, 'validation'> {
  if (!validation) {
    const [option] = Object.entries({ '--validate-every': validateEvery, '--patience': patience }).find(([, value]) => value !== undefined) ?? []
    if (option) throw new InvalidOptionError(`${option} needs images to validate with: say how many (--validation 0.05, for example).`)
    return {}
  }
  return { validation: { everySteps: validateEvery ?? Math.max(1, Math.floor(steps / 20)), ...(patience !== undefined && { patience }) } }
}

/** @throws {InvalidDataError} for other images. @throws {InvalidOptionError} naming an option that contradicts the run */
export async function resumedImagePlan(options: ImageTrainOptions): Promise<ImageTrainingPlan> {
  const { description, model, state, best } = await readRun(options.out)
  refuseContradictions(options, description)
  const images = await readForModel(options, model.tokenizer, model.model.condition, description.data)
  const sha256 = fingerprint(images)
  if (sha256 !== description.data.sha256) {
    throw new InvalidDataError(`${options.data} are not the images that ${options.out} was trained on: expected ${description.data.file} with SHA-256 ${description.data.sha256}, got ${sha256}. Give the same ones, or train anew in another folder.`)
  }
  if (description.data.labelsSha256 !== undefined && labelsFingerprint(images) !== description.data.labelsSha256) throw new InvalidDataError(`${options.data}: its labels are not those that ${options.out} was trained with. Give the same ones, or train anew in another folder.`)
  return { images: partsOf(images, description.data), model, description, state, best, isResumed: true }
}

function refuseContradictions(options: ImageTrainOptions, description: RunDescription): void {
  const { settings, data, validation, tokenizer, order, network } = description
  const refuse = (option: string, given: unknown, stored: unknown) => {
    throw new InvalidOptionError(`--${option} ${String(given)} contradicts ${options.out}, which was begun with ${String(stored)}. A run goes on with its own settings: leave --${option} out, or train anew in another folder.`)
  }
  const same: [option: string, given: unknown, stored: unknown][] = [
    ['steps', options.steps, settings.steps],
    ['seed', options.seed, settings.seed],
    ['learning-rate', options.learningRate, settings.learningRate],
    ['accumulation', options.accumulation, settings.accumulation],
    ['average-decay', options.averageDecay, settings.averageDecay],
    ['held-out', options.heldOut, data.heldOut],
    ['validation', options.validation, data.validation],
    ['validate-every', options.validateEvery, validation?.everySteps ?? 'no validation'],
    ['patience', options.patience, validation?.patience ?? 'none'],
    ['binarize', options.binarize, data.binarizationSeed !== undefined],
    ['levels', options.levels, tokenizer.options.levels],
    ['patch', options.patch, tokenizer.options.size ?? 'single pixels'],
    ['order', options.order && JSON.stringify(describe(orderNamed(options.order))), JSON.stringify(order)],
    ['size', options.size && `${options.size.height}x${options.size.width}`, data.resized ? `${data.height}x${data.width}` : 'the files’ own size'],
    ['channels', options.channels, data.channels],
  ]
  for (const [option, given, stored] of same) if (given !== undefined && given !== stored) refuse(option, given, stored)
  if (options.preset === undefined) return
  const asked = presetNamed(options.preset)
  // What the command line may have changed is compared above.
  const learningRate = settings.learningRate === asked.settings.learningRate ? undefined : settings.learningRate
  const sameSettings = JSON.stringify(settingsOf(asked.settings, { ...settings, learningRate })) === JSON.stringify(settings)
  const { domain } = tokenizerFromName(tokenizer)
  const sameNetwork = JSON.stringify(describe(asked.network(domain))) === JSON.stringify(network)
  if (!sameSettings || !sameNetwork) refuse('preset', options.preset, 'another network or other settings')
}
