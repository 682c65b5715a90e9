/** Settings that are known to work, by name. Times are those of two cores of a server. */
import { InvalidOptionError } from '@chainrule/core'
import { categorical } from '@chainrule/core/tensors'
import { transformer, type TransformerOptions } from '@chainrule/networks'
import type { TrainingSettings } from '@chainrule/train'
import { type TextModel, textModel } from './model.js'
import type { TextTokenizer } from './tokenizers/index.js'

export interface Preset {
  readonly description: string
  readonly network: TransformerOptions
  readonly settings: TrainingSettings
}

export const presets: Readonly<Record<string, Preset>> = {
  small: {
    description: 'a transformer of 0.8 million parameters, 4 layers of width 128, context 64; about 2 minutes',
    network: { layers: 4, heads: 4, width: 128, context: 64 },
    settings: { steps: 2000, batchSize: 12, learningRate: 1e-3, minimumLearningRate: 1e-4, warmupSteps: 100, beta2: 0.99, weightDecay: 0.1 },
  },
  tiny: {
    description: 'the lowest loss that was found for about 3 minutes: as small, with context 128, squared rectifiers, outputs that begin at zero and a linear decay',
    network: { layers: 4, heads: 4, width: 128, context: 128, activation: 'reluSquared', residualStart: 'zero' },
    settings: { steps: 4000, batchSize: 6, learningRate: 3e-3, minimumLearningRate: 0, warmupSteps: 100, decay: 'linear', beta2: 0.99, weightDecay: 0.1 },
  },
  names: {
    description: 'for many short documents, such as names: a transformer of 0.2 million parameters, 4 layers of width 64, window 64; about 4 minutes',
    network: { layers: 4, heads: 4, width: 64, context: 64, dropout: 0.125 },
    settings: { steps: 4000, batchSize: 32, learningRate: 3e-3, minimumLearningRate: 0, warmupSteps: 100, decay: 'linear', beta2: 0.99, weightDecay: 0.1, averageDecay: 0.999 },
  },
  quick: {
    description: 'a transformer of 0.1 million parameters, 2 layers of width 64, context 64; seconds, to try things',
    network: { layers: 2, heads: 2, width: 64, context: 64 },
    settings: { steps: 300, batchSize: 12, learningRate: 3e-3, minimumLearningRate: 3e-4, warmupSteps: 15, beta2: 0.99, weightDecay: 0.1 },
  },
}

/** @throws {InvalidOptionError} naming the known ones */
export function presetNamed(name: string): Preset {
  if (!Object.hasOwn(presets, name)) throw new InvalidOptionError(`No preset is called "${name}". Known: ${Object.keys(presets).join(', ')}.`)
  return presets[name]
}

/** The model of a preset. */
export function presetModel({ network }: Preset, tokenizer: TextTokenizer, documents = false): TextModel {
  return textModel({ tokenizer, network: transformer(network), head: categorical({ tied: true }), documents })
}
