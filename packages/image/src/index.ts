/** Image models: tokenizers, files, training, evaluation, sampling, completion, scoring, export. Nothing native is loaded until a verb runs or a file is read. */
export { checkerboard, columnMajor, type Condition, custom, diagonal, hilbert, label, type Label, leftToRight, morton, type Order, random, raster, reversed, serpentine, spiral } from '@chainrule/core'
export { bernoulli, categorical, chained, discretizedLogisticMixture, factorized, gaussianMixture, rgbLogisticMixture, tabular } from '@chainrule/core/tensors'
export {
  diagonalLstm,
  type LineRecurrentOptions,
  maskedConvolution,
  type MaskedConvolutionOptions,
  mixture,
  type MixtureOptions,
  mixtureParameters,
  multilayerPerceptron,
  type MultilayerPerceptronOptions,
  nade,
  type NadeOptions,
  recurrent,
  type RecurrentOptions,
  rowLstm,
  transformer,
  type TransformerOptions,
} from '@chainrule/networks'
export { conditionOf, type ExportOptions, type Layout, layouts, type PlanOptions as PlanImageOptions, recordResults, trainedOf } from '@chainrule/modality'
export { type Check, checkNames, type GraphSummary, onnx, readGraph, type Verification, verifyModel, type VerifyOptions } from '@chainrule/onnx'
export { bestFile, checkpointFile, createRunDirectory, eager, metricsFile, settingNames, type Plan, type Selection, type TrainingProgress, type TrainingSettings, type TrainingState } from '@chainrule/train'
export { binarized, type BinarizedOptions } from './binarization.js'
export { type CompleteImageOptions, type Completion, rectangle } from './complete.js'
export { evaluate, type EvaluateImageOptions } from './evaluate.js'
export { describeTraining, exportModel, recordTrained } from './export.js'
export { animationFormat, type AnimationFormat, type AnimationOptions, encodeAnimation, writeAnimation } from './files/animation.js'
export { decodeIdx, type IdxContent, readIdx, type ReadIdxOptions } from './files/idx.js'
export { encodePng, type GridOptions, imageGrid, writePng, writePngGrid } from './files/png.js'
export { readImage, type ReadImageOptions, readImages, readLabelledImages } from './files/read-images.js'
export { fit, type FitImageOptions, type ImageValidationOptions, plan } from './fit.js'
export { patchHead, type PatchHeadOptions, rgbCategorical } from './heads.js'
export { checkImage, type Image, type Images, type ImageSet } from './image.js'
export type { ImageEvaluation } from './image-units.js'
export { type LoadedImage, loadModel, type OpenOptions } from './loaded.js'
export { type ImageModel, imageModel, type ImageModelOptions, type TrainedImage } from './model.js'
export { modelOf, openTrained } from './open-trained.js'
export { orderPicture, type OrderPictureOptions } from './order-picture.js'
export { type Preset, type PresetChanges, presetModel, presetNamed, presets } from './presets.js'
export type { PreviewImageOptions } from './preview.js'
export { describeData, describeRun, fingerprint, labelsFingerprint, readRun, type Run, type RunData, type RunDescription } from './run.js'
export { type DrawnVariable, type SampleImageOptions, stream, type StreamImageOptions } from './sample.js'
export { bitMap, type BitMapOptions, type ImageScore, type ScoreImageOptions } from './score.js'
export { type Split, splitImages, type SplitOptions } from './split.js'
export {
  colorTransform,
  type ColorTransform,
  type ColorTransformName,
  type ImageTokenizer,
  palette,
  type PaletteOptions,
  patches,
  type PatchesOptions,
  pixels,
  type PixelsOptions,
  rgbPixels,
  type RgbPixelsOptions,
  rootMeanSquareError,
  tokenizerFromName,
  trainPalette,
  type TrainPaletteOptions,
} from './tokenizers/index.js'
export { complete, sample, score } from './verbs.js'
