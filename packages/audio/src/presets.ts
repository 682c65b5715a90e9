/** Settings that are known to work, by name, for sounds of any rate. Times are those of two cores of a server. */
import { type Condition, InvalidOptionError, refuseUnknownOptions } from '@chainrule/core'
import { categorical, discretizedLogisticMixture, type Head, type Network } from '@chainrule/core/tensors'
import { causalConvolution } from '@chainrule/networks'
import type { TrainingSettings } from '@chainrule/train'
import { frameHead } from './heads.js'
import { type AudioModel, audioModel } from './model.js'
import { frames, linear, muLaw, type SoundEncoding, type SoundTokenizer } from './tokenizers/index.js'

export const encodingNames = ['mu-law', 'linear'] as const
export type EncodingName = (typeof encodingNames)[number]

export interface Preset {
  readonly description: string
  readonly encoding: EncodingName
  /** Of an amplitude. */
  readonly levels: number
  /** L: samples of a variable. */
  readonly frameLength: number
  /** Frames of a training window. */
  readonly window: number
  /** Whether a linear filter foresees what it can, and the network the rest: `network` is then given one, which `predictionFilter` finds. */
  readonly prediction?: boolean
  readonly network: (filter?: readonly number[]) => Network
  readonly settings: TrainingSettings
}

/** The share of full scale in which predictions and the components of a mixture over many levels are told: recordings are that loud. */
const loudness = 1 / 64

export const presets: Readonly<Record<string, Preset>> = {
  small: {
    description: 'dilated causal convolutions (WaveNet) of 10 layers of width 32, 256 levels by μ-law, a receptive field of 1,024 samples; about 10 minutes',
    encoding: 'mu-law',
    levels: 256,
    frameLength: 1,
    window: 1024,
    network: () => causalConvolution({ layers: 10, width: 32, skipWidth: 64, input: 'scaled' }),
    settings: { steps: 3000, batchSize: 4, learningRate: 2e-3, weightDecay: 0.01, averageDecay: 0.999 },
  },
  quick: {
    description: 'dilated causal convolutions of 7 layers of width 16 on 32 levels; seconds, to try things',
    encoding: 'mu-law',
    levels: 32,
    frameLength: 1,
    window: 256,
    network: () => causalConvolution({ layers: 7, width: 16, input: 'scaled' }),
    settings: { steps: 200, batchSize: 4, learningRate: 5e-3, weightDecay: 0.01 },
  },
  exact: {
    description: 'all 16 bits of a WAV file, as FLAC keeps them: what a linear filter foresees, and 10 dilated layers of width 32 for the rest; about 5 minutes',
    encoding: 'linear',
    levels: 65_536,
    frameLength: 1,
    window: 1024,
    prediction: true,
    network: (filter) => causalConvolution({ layers: 10, width: 32, prediction: { filter, lags: 32, unit: loudness } }),
    settings: { steps: 3000, batchSize: 8, learningRate: 3e-3, minimumLearningRate: 3e-5, weightDecay: 0.01 },
  },
  frames: {
    description: 'frames of 16 samples (as SampleRNN), 8 dilated layers of width 64, the samples of a frame one by one, 256 levels by μ-law; about 10 minutes',
    encoding: 'mu-law',
    levels: 256,
    frameLength: 16,
    window: 64,
    network: () => causalConvolution({ layers: 8, width: 64, input: 'scaled' }),
    settings: { steps: 3000, batchSize: 8, learningRate: 2e-3, weightDecay: 0.01, averageDecay: 0.999 },
  },
}

/** @throws {InvalidOptionError} naming the known ones */
export function presetNamed(name: string): Preset {
  if (!Object.hasOwn(presets, name)) throw new InvalidOptionError(`No preset is called "${name}". Known: ${Object.keys(presets).join(', ')}.`)
  return presets[name]
}

/** Instead of the preset's. */
export interface PresetChanges {
  encoding?: EncodingName
  levels?: number
  frameLength?: number
  network?: (tokenizer: SoundTokenizer) => Network
  /** Of presets with `prediction`, which need it: what `predictionFilter` finds in the sounds to train on. */
  filter?: readonly number[]
  /** Labels; absent: the model is told nothing. */
  condition?: Condition
}

/** The model of a preset for sounds of any length and this rate. */
export function presetModel(preset: Preset, sampleRateHz: number, changes: PresetChanges = {}): AudioModel {
  refuseUnknownOptions('presetModel', changes, ['encoding', 'levels', 'frameLength', 'network', 'filter', 'condition'])
  const { encoding = preset.encoding, levels = preset.levels, frameLength: length = preset.frameLength, network, filter, condition } = changes
  const needsFilter = preset.prediction === true && network === undefined
  if (needsFilter !== (filter !== undefined)) throw new InvalidOptionError(needsFilter ? 'presetModel: the preset foresees by a filter: give one, predictionFilter(sounds) of those to train on.' : 'presetModel: a filter is for presets with prediction, and their own network. Leave it out.')
  const tokenizer = frames({ sampleRateHz, length, encoding: encodingNamed(encoding, levels) })
  return audioModel({ tokenizer, network: network ? network(tokenizer) : preset.network(filter), head: headOf(tokenizer, needsFilter), condition })
}

function encodingNamed(name: EncodingName, levels: number): SoundEncoding {
  if (name === 'mu-law') return muLaw({ levels })
  if (name !== 'linear') throw new InvalidOptionError(`presetModel: encoding must be one of ${encodingNames.join(', ')}, got ${JSON.stringify(name)}.`)
  const bits = Math.log2(levels)
  if (!Number.isInteger(bits)) throw new InvalidOptionError(`presetModel: linear levels are a power of 2 (65,536 for 16 bits), got ${levels}.`)
  return linear({ bits })
}

/** So many values are learned one by one; more are numbers that lie near each other. */
const mostCategories = 256

function headOf({ domain: { values }, frameLength }: SoundTokenizer, isPredicted: boolean): Head {
  if (isPredicted) return discretizedLogisticMixture({ components: 3, range: loudness })
  if (frameLength > 1) return frameHead({ sample: (values as number) <= 32 ? categorical() : discretizedLogisticMixture({ components: 5 }) })
  return (values as number) <= mostCategories ? categorical() : discretizedLogisticMixture({ components: 5 })
}
