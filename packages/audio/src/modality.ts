/** Sound as a modality: what opening, training, runs and export are made from. */
import type { Modality } from '@chainrule/modality'
import { type Reading, reader } from './loaded.js'
import { type AudioModel, audioModel } from './model.js'

export const modality: Modality<'audio', Reading, AudioModel> = { ...reader, variable: 'frame', bind: audioModel }
