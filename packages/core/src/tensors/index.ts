/** The mathematics with tensors: factorization, models, heads, the loss, primitives and the contract of engines. */
import './gradients.js'

export { conditional, type ConditionalAttributes } from './conditional.js'
export { drawnRate, type Dropout, dropped } from './dropout.js'
export { eagerEngine } from './eager-engine.js'
export type { Arrays, CompiledProgram, ElementType, Engine, Program, ProgramSpecification, TensorSpecification } from './engine.js'
export { type Before, documentNumbers, earlierPositions, isPacked, mask, positionBeforeRank, positionOfRank, type Previous, previous, rankedCondition, restore } from './factorization.js'
export type { BoundHead, Draw, DrawFilters, DrawRequest, Head, HeadBinding } from './head.js'
export {
  bernoulli,
  categorical,
  type CategoricalOptions,
  chained,
  type ChainedOptions,
  discretizedLogisticMixture,
  type DiscretizedLogisticMixtureOptions,
  factorized,
  gaussianMixture,
  type GaussianMixtureOptions,
  headFromName,
  rgbLogisticMixture,
  type RgbLogisticMixtureOptions,
} from './head/index.js'
export { constantInitial, normalInitial, uniformInitial } from './initial.js'
export { negativeLogLikelihood } from './loss.js'
export { createModel, type Model, type ModelPieces, scoped } from './model.js'
export type { Binding, Block, Blocks, BoundNetwork, Network, Tensors } from './network.js'
export { definePrimitive, type Primitive } from './primitive.js'
export { attentionMask, type AttentionAttributes, causalAttention } from './primitives/causal-attention.js'
export { categoricalLogProbability } from './primitives/categorical-log-probability.js'
export { embedding } from './primitives/embedding.js'
export { entryAt, marked } from './primitives/entry.js'
export { gelu } from './primitives/gelu.js'
export { layerNormalization } from './primitives/layer-normalization.js'
export { linear } from './primitives/linear.js'
export { multiplyEach, sumOfOuterProducts } from './primitives/multiply-each.js'
export { gatheredGradients, gatheredLinear, neighborhood, type Neighborhood, neighborLinear, rowsAt } from './primitives/neighbor-linear.js'
export { reluSquared } from './primitives/relu-squared.js'
export { rootMeanSquareNormalization } from './primitives/root-mean-square-normalization.js'
export { rotaryAngles, rotaryEmbedding } from './primitives/rotary-embedding.js'
export { last, nextPosition, positions } from './primitives/sequence.js'
export { sumOfSquares } from './primitives/sum-of-squares.js'
export { truncated } from './primitives/truncation.js'
export { scaledValues } from './scaled-values.js'
export { scan, type ScanArguments, type ScanAttributes, type ScanBody, type ScanResult, type ScanStep } from './scan.js'
export { begin, extendByStep } from './state.js'
export { countTabular, tabular } from './tabular.js'
export { planSampling, type SamplingPlan, type WaveSteps } from './waves.js'
