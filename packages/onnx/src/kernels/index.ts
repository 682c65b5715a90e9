/** All kernels that can be recorded, by the names that tfjs and core/tensors call them by. */
import type { Kernels } from '../recording.js'
import { attention } from './attention.js'
import { comparisons } from './comparison.js'
import { conditionals } from './conditional.js'
import { convolutions } from './convolution.js'
import { elementwise } from './elementwise.js'
import { gathering } from './gathering.js'
import { neighborLinears } from './neighbor-linear.js'
import { primitives } from './primitives.js'
import { products } from './products.js'
import { reductions } from './reductions.js'
import { scans } from './scan.js'
import { sequence } from './sequence.js'
import { shapes } from './shapes.js'
import { softmaxes } from './softmax.js'
import { truncations } from './truncation.js'

export const kernels: Kernels = { ...elementwise, ...comparisons, ...reductions, ...products, ...convolutions, ...shapes, ...gathering, ...softmaxes, ...primitives, ...neighborLinears, ...attention, ...sequence, ...scans, ...conditionals, ...truncations }
