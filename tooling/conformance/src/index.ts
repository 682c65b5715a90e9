/** The laws that every order, network, head, sampler, tokenizer and model obeys. Every piece is an argument; a broken law throws. */
export { chiSquareTail, type Fit, goodnessOfFit } from './chi-square.js'
export { conditionLaws, type ConditionLawOptions, givenCondition, randomConditions } from './condition-laws.js'
export { eagerSampler, type Sampled, type Sampler, type SampleRequest } from './eager-sampler.js'
export { densityHeadLaws, integratesToOne } from './density-laws.js'
export { endingLaws, type EndingLawOptions, packingLaw } from './ending-laws.js'
export { allTuples, isPossible, randomNumbers, randomRows, randomValues } from './enumeration.js'
export { filteredDistribution, type FilterSettings } from './filtered-distribution.js'
export { falseAlarm, type HeadLawOptions, headLaws } from './head-laws.js'
export {
  jointProbabilities,
  type ModelLawOptions,
  modelLaws,
  type OverfittingOptions,
  overfitsOneBatch,
  sampleFit,
  type SampleLawOptions,
  samplesFollowModel,
  startsUniform,
  sumsToOne,
} from './model-laws.js'
export { type NetworkLawOptions, networkLaws } from './network-laws.js'
export { orderLaws } from './order-laws.js'
export { asTensors, numbersOf, shaken } from './parameters.js'
export { freeRunningLaw, replayLaw, type SamplerLawOptions, samplerLaws } from './sampler-laws.js'
export { type TokenizerLawOptions, tokenizerLaws } from './tokenizer-laws.js'
export { LawViolation } from './violation.js'
export { type WaveLawOptions, waveLaws } from './wave-laws.js'
