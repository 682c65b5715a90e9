/** The mathematics without tensors: domains, orders, noise, units, errors, the tokenizer contract, file formats. No dependencies. */
export { checkDomain, type Domain, fixedLength } from './domain.js'
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
  manifestFile,
  manifestOrder,
  type ModelCard,
  type ModelManifest,
  type StateTensor,
  weightsFile,
} from './exported-model.js'
export { checkSeed, normal, philox, type Purpose, purposes, shuffled, uniform, uniformIndex } from './noise.js'
export { groupOfPosition, type Order, type ResolvedOrder, toGenerationOrder, toPositions } from './order.js'
export { custom, type CustomOrderOptions, type GroupOptions, leftToRight, orderFromName, random, reversed } from './order/index.js'
export { countParameters, type ParameterArray, type ParameterArrays, sizeOf } from './parameters.js'
export { describe, type Json, type JsonObject, type Piece } from './piece.js'
export { decodeSafetensors, encodeSafetensors, type SafetensorsContent, type StoredTensor, type TensorArray, type TensorPlace } from './safetensors.js'
export type { Tokenizer } from './tokenizer.js'
export { bitsPerByte, bitsPerCharacter, bitsPerDimension } from './units.js'
