/** Images as a modality: what opening, training, runs and export are made from. */
import type { Modality } from '@chainrule/modality'
import { type Reading, reader } from './loaded.js'
import { type ImageModel, imageModel } from './model.js'

export const modality: Modality<'image', Reading, ImageModel> = { ...reader, variable: 'variable', bind: imageModel }
