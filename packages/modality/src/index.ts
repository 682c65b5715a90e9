/** What text, image and audio have in common. */
export { exportBound, describeTraining, type ExportOptions, type FurtherLayout, type Layout, layouts, recordTrained } from './export.js'
export { type Beginning, fitBound, type FitOptions, type FitParts, planBound, type PlanOptions } from './fit.js'
export { type Loaded, openAs, type OpenOptions, type Reader } from './loaded.js'
export { type Bound, boundFrom, conditionOf, type DescribedPieces, type Modality, modelOf, type Pieces, type TrainedBound } from './modality.js'
export { withParameters } from './preview.js'
export { type DataCheck, describeBound, readRunOf, recordResults, type Run, type RunDescription, type RunNotes, trainedOf } from './run.js'
export { withOpened } from './verbs.js'
export { writeModel, writeSingleFile } from './write-model.js'
