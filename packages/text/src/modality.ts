/** Text as a modality: what opening, training, runs and export are made from. */
import type { Modality } from '@chainrule/modality'
import type { Reading } from './documents.js'
import { reader } from './loaded.js'
import { type TextModel, textModel } from './model.js'

export const modality: Modality<'text', Reading, TextModel> = { ...reader, variable: 'token', bind: textModel }
