/** The mathematics without tensors: domains, conditions, orders, noise, units, errors, the tokenizer contract, file formats. No dependencies. */
export {
  checkConditionValues,
  type Condition,
  conditionFromName,
  conditionInput,
  conditionSpecification,
  type ConditionValues,
  controlSequence,
  type ControlSequenceOptions,
  type Label,
  label,
  labelNumber,
  type LabelOptions,
  labelValues,
  refuseCondition,
} from './condition.js'
export { checkDomain, checkEnded, type DiscreteDomain, type Domain, emptyValues, endedLength, fixedLength, isReal, levelCount, valueCount, type Values, valueType } from './domain.js'
export {
  ChainruleError,
  finiteNumber,
  InterruptedError,
  InvalidCheckpointError,
  InvalidDataError,
  InvalidModelError,
  InvalidOptionError,
  NonFiniteError,
  refuseUnknownOptions,
  throwIfInterrupted,
  UnavailableError,
  UnknownPieceError,
  UnsupportedError,
  wholeNumber,
} from './errors.js'
export {
  decodeManifest,
  encodeManifest,
  formatVersion,
  graphFiles,
  type GraphName,
  graphNames,
  manifestCondition,
  manifestFile,
  manifestOrder,
  type ModelCard,
  type ModelManifest,
  type StateTensor,
  weightsFile,
} from './exported-model.js'
export { type Grid, gridOf, type Locations } from './locations.js'
export { checkSeed, normal, philox, type Purpose, purposes, shuffled, uniform, uniformIndex } from './noise.js'
export { groupOfPosition, type Order, type ResolvedOrder, toGenerationOrder, toPositions } from './order.js'
export {
  checkerboard,
  type CheckerboardOptions,
  columnMajor,
  custom,
  type CustomOrderOptions,
  diagonal,
  type GroupOptions,
  hilbert,
  leftToRight,
  morton,
  orderFromName,
  random,
  raster,
  reversed,
  serpentine,
  spiral,
  type SpiralOptions,
} from './order/index.js'
export { countParameters, type ParameterArray, type ParameterArrays, sizeOf } from './parameters.js'
export { describe, type Json, type JsonObject, type Piece } from './piece.js'
export { decodeSafetensors, encodeSafetensors, type SafetensorsContent, type StoredTensor, type TensorArray, type TensorPlace } from './safetensors.js'
export { checkSamplingFilters, noSamplingFilters, type SamplingFilterName, samplingFilterNames, type SamplingFilters, truncations } from './sampling-filters.js'
export { packSingleFile, type UnpackedFile, unpackSingleFile, weightPrefix } from './single-file.js'
export type { Tokenizer } from './tokenizer.js'
export { bitsPerByte, bitsPerCharacter, bitsPerDimension, bitsPerSample } from './units.js'
export { type Waves, wavesFromDependencies, wavesOf } from './waves.js'
