/**
 * Truncation of a distribution to its likeliest values; core/tensors/primitives/truncation.ts has the formula, and sorts all V
 * values. Here only candidates are sorted: the k likeliest, or without k as many as have
 *
 *   p ≥ m p₍₁₎   and   p ≥ (1 − P) / 2V
 *
 * Values below (1 − P) / V have less than 1 − P together, so the likelier ones reach P without them; the 2 is for rounding.
 */
import { dataTypeOf } from '../serialize.js'
import type { Kernels } from '../recording.js'

export const truncations: Kernels = {
  ChainruleTruncation: (recording, { 0: probabilities, 1: count, 2: mass, 3: share }) => {
    const { builder } = recording
    const V = probabilities.shape[1]
    const [p, k, P, m] = [probabilities, count, mass, share].map((tensor) => recording.full(tensor))
    const [one, valueAxis] = [builder.float(1), builder.integers([1])]
    const sum = (x: string) => builder.node('ReduceSum', [x, valueAxis])

    const least = builder.node('Mul', [m, builder.node('ReduceMax', [p, valueAxis])])
    const negligible = builder.node('Div', [builder.node('Sub', [one, P]), builder.float(2 * V)])
    const isCandidate = builder.node('GreaterOrEqual', [p, builder.node('Max', [least, negligible])])
    const candidates = builder.node('ReduceMax', [sum(builder.node('Cast', [isCandidate], { to: dataTypeOf('int64') })), builder.integers([0])])
    const isCounted = builder.node('Greater', [k, builder.constant('int32', [], Int32Array.of(0))])
    const mostCounted = builder.node('Min', [builder.node('Cast', [k], { to: dataTypeOf('int64') }), builder.integers([V])])
    const size = builder.node('Where', [isCounted, mostCounted, builder.node('Reshape', [candidates, builder.integers([1])])])
    const [likeliest, places] = builder.several('TopK', [p, size], 2, { axis: 1 })

    const total = builder.node('Where', [isCounted, sum(likeliest), sum(p)])
    const before = builder.node('CumSum', [likeliest, builder.integer(1)], { exclusive: 1 })
    const isInMass = builder.node('Or', [builder.node('Less', [before, builder.node('Mul', [P, total])]), builder.node('GreaterOrEqual', [P, one])])
    const stays = builder.node('And', [isInMass, builder.node('GreaterOrEqual', [likeliest, least])])
    const kept = builder.node('Where', [stays, likeliest, builder.float(0)])
    const zeros = recording.full(recording.filled(0, probabilities.shape, 'float32'))
    const result = builder.node('ScatterElements', [zeros, places, builder.node('Div', [kept, sum(kept)])], { axis: 1 })
    return [recording.tensor(result, probabilities.shape, 'float32')]
  },
}
