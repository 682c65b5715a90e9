/**
 * Gated masked convolutions in two stacks, which together see everything earlier (no blind spot). By line and place:
 *
 *   vertical     sₗ = Vₗ ∗ vₗ₋₁,  vₗ = g(sₗ)                 v₋₁ = x; the first kernel has the lines above only, the others their own line too
 *   horizontal   tₗ = Hₗ ∗ hₗ₋₁ + Aₗ sₗ,  hₗ = hₗ₋₁ + Oₗ g(tₗ)   h₋₁ = x, h₀ = O₀ g(t₀); the first kernel has the places before only, the others their own too
 *   features     relu(F relu(Σₗ Sₗ g(tₗ)))                    g(a, b) = tanh(a) σ(b)
 *
 * A label c adds Uₗ c to the sums of both stacks, a control sequence to those of the horizontal one, which speaks of one place.
 * van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves, Kavukcuoglu 2016 (arXiv 1606.05328). The vertical stack at a line depends on
 * the lines above it, so a step computes it for all places of a line at the line's first place, and only reads it at the others. Wave by
 * wave each of its layers runs ahead of the layers after it, by the places that those reach to the side.
 *
 * Axes: B batch, N variables, L + 1 layers, W width, D numbers of an input, M places of a line.
 */
import { fixedLength, type StateTensor, UnsupportedError, type Waves, wavesOf } from '@chainrule/core'
import { type Binding, type BoundNetwork, conditional, constantInitial, dropped, extendByStep, linear, neighborhood, type Neighborhood, neighborLinear, normalInitial, type Previous, rankedCondition, restore, type Tensors } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { conditioned, conditionInitial } from './condition-input.js'
import { gridInput } from './grid-input.js'
import { gridNeighbors, liveOffsets, meanTaps, type Offset, readThrough, square } from './grid-neighbors.js'
import { byRank, linesOf } from './lines.js'
import type { ConvolutionSettings, Convolve } from './masked-convolution.js'
import { recall, recentRows, remember, tapLinear } from './recent-rows.js'
import { byPosition, latestRead, latestWaves, type WaveRead, waveSteps } from './wave-rows.js'

/** Of two halves a and b of the last axis: tanh(a) σ(b). */
export function gated(x: tf.Tensor): tf.Tensor {
  const [value, gate] = tf.split(x, 2, -1)
  return tf.mul(tf.tanh(value), tf.sigmoid(gate))
}

/** What the places of one line read of a few lines that end `back` lines above it (0: with it): sources are held · places rows. */
function lineNeighbors(places: number, held: number, back: number, offsets: readonly Offset[]): Neighborhood {
  const reads = Array.from({ length: places }, (_, place) =>
    offsets.map(([down, right]) => (place + right >= 0 && place + right < places ? (held - 1 + back + down) * places + place + right : -1)),
  )
  return neighborhood(Int32Array.from(reads.flat()), offsets.length, held * places)
}

export function bindGated(owner: string, { domain, order, condition }: Binding, settings: ConvolutionSettings): BoundNetwork {
  const { layers, width: W, kernel, firstKernel, rate } = settings
  const d = fixedLength(domain, owner)
  const grid = linesOf(owner, domain, order)
  const places = grid.width
  const input = gridInput(settings.input, domain, W)
  const all = Array.from({ length: layers + 1 }, (_, l) => l)
  const offsetsOf = (side: number, keep: (offset: Offset) => boolean) => liveOffsets(grid, square(side).filter(keep))
  const above = offsetsOf(firstKernel, ([down]) => down < 0)
  const upTo = offsetsOf(kernel, ([down]) => down <= 0)
  const before = offsetsOf(firstKernel, ([down, right]) => down === 0 && right < 0)
  const toHere = offsetsOf(kernel, ([down, right]) => down === 0 && right <= 0)
  const stackOf = (first: readonly Offset[], others: readonly Offset[]) => {
    const [firstLayer, other] = [gridNeighbors(grid, first), gridNeighbors(grid, others)]
    return all.map((l) => (l === 0 ? firstLayer : other))
  }
  const [vertical, horizontal] = [stackOf(above, upTo), stackOf(before, toHere)]
  const read = all.map((l) => (l === 0 ? input.size : W))

  const biased = (parameters: Tensors, x: tf.Tensor, name: string) => tf.add(x, parameters[`${name}/bias`])
  const product = (parameters: Tensors, x: tf.Tensor, name: string) => linear(x, parameters[`${name}/weight`])

  const reachesVertical = condition?.isSequence === false
  /** The vertical stack as the horizontal one reads it, Aₗ sₗ [.., 2W] of each layer, from `convolve`, which is given vₗ₋₁; `label` [B, 1, K]. */
  const goDown = (parameters: Tensors, encoded: tf.Tensor, convolve: Convolve, label?: tf.Tensor): tf.Tensor[] => {
    let v = encoded
    return all.map((l) => {
      const sum = conditioned(convolve(v, parameters[`vertical${l}/weight`], parameters[`vertical${l}/bias`], l), parameters, `vertical${l}`, label)
      v = gated(sum)
      return product(parameters, sum, `across${l}`)
    })
  }

  /** The horizontal stack and the features, for a whole image or for one position: `convolve` is given hₗ₋₁. */
  const goAlong = (parameters: Tensors, encoded: tf.Tensor, across: readonly tf.Tensor[], convolve: Convolve, masks?: Tensors, condition?: tf.Tensor): tf.Tensor => {
    let h = encoded
    const skips = all.map((l) => {
      const sum = conditioned(tf.add(convolve(h, parameters[`horizontal${l}/weight`], parameters[`horizontal${l}/bias`], l), across[l]), parameters, `horizontal${l}`, condition)
      const value = masks && l > 0 ? dropped(gated(sum), masks[`layer${l}`], rate) : gated(sum)
      if (l < layers) {
        const out = biased(parameters, product(parameters, value, `out${l}`), `out${l}`)
        h = l === 0 ? out : tf.add(h, out)
      }
      return product(parameters, value, `skip${l}`)
    })
    const sum = biased(parameters, skips.length === 1 ? skips[0] : tf.addN(skips), 'skip')
    return tf.relu(biased(parameters, product(parameters, tf.relu(sum), 'features'), 'features'))
  }

  // A step's state: the inputs of the last lines; for each place of the line what the vertical stack says, and vₗ of the lines above; hₗ of the last places.
  const deepest = (offsets: readonly Offset[]) => Math.max(1, ...offsets.map(([down]) => -down))
  const inputLines = deepest(above)
  const heldLines = upTo.some(([down]) => down < 0) ? deepest(upTo) : 0
  const recent = all.map((l) => (l === 0 ? recentRows(horizontal[l], byRank(d), 1, inputLines * places - 1) : recentRows(horizontal[l], byRank(d), 0)))
  const lineInput = lineNeighbors(places, inputLines, 1, above)
  const lineVertical = lineNeighbors(places, heldLines + 1, 0, upTo)
  /** In the state of a place: first what each layer says, then vₗ of the lines above, the nearest first. */
  const said = (layers + 1) * 2 * W
  const lineWidth = said + layers * heldLines * W
  const slice = (x: tf.Tensor, begin: number, size: number) => tf.slice(x, [0, 0, begin], [-1, -1, size])

  /** What the state of the line's places becomes at its first place; rows [B, K + 2, D] of inputs, the last one of the line above. */
  const nextLine = (parameters: Tensors, line: tf.Tensor, rows: tf.Tensor, label?: tf.Tensor): tf.Tensor => {
    const kept: tf.Tensor[] = []
    const across = goDown(parameters, tf.slice(rows, [0, rows.shape[1]! - inputLines * places, 0], [-1, -1, -1]), (v, weight, bias, l) => {
      if (l === 0) return neighborLinear(v, weight, bias, lineInput)
      const lines = Array.from({ length: heldLines }, (_, back) => slice(line, said + ((l - 1) * heldLines + back) * W, W))
      kept.push(...[v, ...lines].slice(0, heldLines))
      return neighborLinear(tf.concat([...lines.reverse(), v], 1), weight, bias, lineVertical)
    }, label)
    return tf.concat([...across, ...kept], 2)
  }

  const step = (parameters: Tensors, state: Tensors, { values, isStart, condition }: Previous): { features: tf.Tensor; state: Tensors } => {
    // Before the first variable there is nothing: zeros, as beyond the edge.
    const isKnown = tf.expandDims(tf.sub(1, tf.cast(isStart, 'float32')), 1)
    const encoded = tf.mul(input.encode(parameters, values), isKnown)
    const inputs = remember(state.rows0, encoded)
    const place = tf.mod(state.index, tf.scalar(places, 'int32'))
    const label = condition && reachesVertical ? tf.expandDims(condition, 1) : undefined
    const line = conditional(tf.equal(place, tf.scalar(0, 'int32')), () => nextLine(parameters, state.line, inputs.all, label), () => state.line)
    const next: Tensors = { index: tf.add(state.index, tf.scalar(1, 'int32')), rows0: inputs.next, line }
    const here = tf.squeeze(tf.gather(tf.slice(line, [0, 0, 0], [-1, -1, said]), place as tf.Tensor1D, 1), [1])
    const features = goAlong(parameters, encoded, tf.split(here, layers + 1, 1), (h, weight, bias, l) => {
      const rows = l === 0 ? inputs : remember(state[`rows${l}`], h)
      next[`rows${l}`] = rows.next
      return tapLinear(recall(rows.all, recent[l], state.index), weight, bias)
    }, undefined, condition)
    return { features, state: next }
  }

  return {
    width: W,
    emitsParameters: false,
    longest: d,
    conditions: ['label', 'controlSequence'],
    state: [
      { name: 'index', type: 'int32', shape: [1] },
      { name: 'line', type: 'float32', shape: ['batch', places, lineWidth] },
      ...all.map((l): StateTensor => ({ name: `rows${l}`, type: 'float32', shape: ['batch', recent[l].count, read[l]] })),
    ],
    ...(rate > 0 && { dropout: { rate, masks: (batch: number) => Object.fromEntries(all.slice(1).map((l) => [`layer${l}`, [batch, d, W]])) } }),
    initialize(seed) {
      const conditionedStacks = reachesVertical ? ['vertical', 'horizontal'] : ['horizontal']
      const sums = Object.fromEntries(conditionedStacks.flatMap((stack) => all.map((l) => [`${stack}${l}`, 2 * W])))
      const parameters = { ...input.initialize(seed), ...conditionInitial(seed, condition, sums) }
      const weight = (name: string, shape: number[], fanIn: number) => {
        parameters[`${name}/weight`] = normalInitial(seed, `network/${name}/weight`, shape, 1 / Math.sqrt(fanIn))
      }
      const bias = (name: string, size: number) => {
        parameters[`${name}/bias`] = constantInitial([size], 0)
      }
      for (const l of all) {
        for (const [stack, neighbors] of Object.entries({ vertical, horizontal })) {
          weight(`${stack}${l}`, [neighbors[l].taps, read[l], 2 * W], meanTaps(neighbors[l]) * (l === 0 ? input.energy : W))
          bias(`${stack}${l}`, 2 * W)
        }
        weight(`across${l}`, [2 * W, 2 * W], 2 * W)
        if (l < layers) {
          weight(`out${l}`, [W, W], W)
          bias(`out${l}`, W)
        }
        weight(`skip${l}`, [W, W], W * (layers + 1))
      }
      bias('skip', W)
      weight('features', [W, W], W / 2)
      bias('features', W)
      return parameters
    },
    forward(parameters, x, before, masks, condition) {
      if (before) throw new UnsupportedError(`${owner}: x has a fixed length and begins with its first variable; nothing can come before it.`)
      const ranked = order.isLeftToRight ? x : tf.gather(x, tf.tensor1d(order.permutation, 'int32'), 1)
      const encoded = input.encode(parameters, ranked)
      const ofRanks = condition && rankedCondition(condition, order)
      const across = goDown(parameters, encoded, (v, weight, bias, l) => neighborLinear(v, weight, bias, vertical[l]), reachesVertical ? ofRanks : undefined)
      return restore(goAlong(parameters, encoded, across, (h, weight, bias, l) => neighborLinear(h, weight, bias, horizontal[l]), masks, ofRanks), order)
    },
    step,
    extend: (parameters, state, before) => extendByStep(step, parameters, state, before),
    waves() {
      // A line's vertical stack reads nothing but lines above, through a kernel a layer: the waves of those are known when the line begins.
      const latest = all.map(() => new Int32Array(d))
      const waves = wavesOf(byRank(d), (rank, waveOf) => {
        if (rank % places === 0) for (const l of all) for (let q = rank; q < rank + places; q++) latest[l][q] = latestRead(vertical[l], q, l === 0 ? waveOf : latest[l - 1])
        return Math.max(latest[layers][rank], latestRead(horizontal[0], rank, waveOf))
      })
      const down: Waves[] = []
      for (const l of [...all].reverse()) down[l] = l === layers ? waves : latestWaves(vertical[l + 1], down[l + 1], waves)
      const itself = gridNeighbors(grid, [[0, 0]])
      const reads: Record<string, WaveRead> = {}
      for (const l of all) {
        const [lag, above] = l === 0 ? [1, waves] : [0, down[l - 1]]
        reads[`vertical${l}`] = { neighbors: vertical[l], readers: down[l], sources: above, lag, size: read[l] }
        reads[`across${l}`] = { neighbors: itself, readers: waves, sources: down[l], lag: 0, size: 2 * W }
        reads[`horizontal${l}`] = { neighbors: horizontal[l], readers: waves, sources: waves, lag, size: read[l] }
      }
      return waveSteps(byPosition(waves, order), reads, (memory, parameters, values, given) => {
        const through = (stack: string): Convolve => (x, weight, bias, l) => tapLinear(memory.read(`${stack}${l}`, x), weight, bias)
        const encoded = input.encode(parameters, values)
        const across = goDown(parameters, encoded, through('vertical'), reachesVertical ? given : undefined).map((map, l) => memory.read(`across${l}`, map))
        return goAlong(parameters, encoded, across, through('horizontal'), undefined, given)
      })
    },
    dependencies(position) {
      let [h, v] = [new Set([order.inverse[position]]), new Set<number>()]
      for (const l of [...all].reverse()) {
        v = readThrough(new Set([...v, ...h]), vertical[l])
        h = readThrough(h, horizontal[l])
      }
      return [...new Set([...h, ...v])].map((rank) => order.permutation[rank]).sort((a, b) => a - b)
    },
  }
}
