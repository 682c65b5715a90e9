/**
 * The laws of waves, on a domain small enough for whole features:
 *
 *   schedule    all that a variable depends on lies in earlier waves, so that within a wave no features depend on any variable of it (what
 *               features do depend on is the law of causality); and no wave is later than it must be
 *   agreement   features wave by wave = forward, with NaN in all that is stale: in the state before it is written, and in slots without a variable
 *
 * Axes: B batch, N variables, M slots of a wave, C components, W width.
 */
import { type Domain, type ResolvedOrder, valueType, wavesFromDependencies } from '@chainrule/core'
import { type BoundNetwork, begin, type Tensors, type WaveSteps } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { randomRows } from './enumeration.js'
import { asTensors, shaken } from './parameters.js'
import { demand, demandClose } from './violation.js'

export interface WaveLawOptions {
  readonly law: string
  readonly domain: Domain
  readonly order: ResolvedOrder
  readonly seed: number
  readonly tolerance: number
}

/** @throws {LawViolation} */
export function waveLaws(network: BoundNetwork, steps: WaveSteps, options: WaveLawOptions): void {
  scheduleLaw(network, steps, options)
  agreementLaw(network, steps, options)
}

function scheduleLaw(network: BoundNetwork, { waves }: WaveSteps, { law, order }: WaveLawOptions): void {
  const { waveOf, slotOf, widest, count } = waves
  const taken = new Set<number>()
  waveOf.forEach((wave, position) => {
    for (const earlier of network.dependencies(position)) {
      demand(law, waveOf[earlier] < wave, () => `waves: position ${position} of wave ${wave} depends on ${earlier}, which is drawn in wave ${waveOf[earlier]}.`)
    }
    const cell = wave * widest + slotOf[position]
    demand(law, wave < count && slotOf[position] < widest && !taken.has(cell), () => `waves: position ${position} stands in slot ${slotOf[position]} of wave ${wave}, which is taken or does not exist.`)
    taken.add(cell)
  })
  const earliest = wavesFromDependencies(order, (position) => network.dependencies(position))
  demand(law, earliest.count === count, () => `waves: there are ${count}, ${earliest.count} would do.`)
}

function agreementLaw(network: BoundNetwork, { waves, wavesOfMaps, state: declared, places, step }: WaveSteps, { law, domain, order, seed, tolerance }: WaveLawOptions): void {
  const { count, widest: M, waveOf, slotOf } = waves
  const [B, C, W, N] = [2, domain.components, network.width, order.permutation.length]
  const x = randomRows(seed, domain, B, N)
  const expected = tf.tidy(() => network.forward(asTensors(shaken(network.initialize(seed), seed)), tf.tensor(x, [B, N, C], valueType(domain))).dataSync())
  tf.tidy(() => {
    const parameters = asTensors(shaken(network.initialize(seed), seed))
    let state: Tensors = Object.fromEntries(Object.entries(begin(declared, B)).map(([name, zeros]) => [name, tf.fill(zeros.shape, NaN)]))
    let values = tf.zeros([B, M, C], valueType(domain))
    for (let wave = 0; wave < count; wave++) {
      const members = Array.from(order.permutation).filter((position) => waveOf[position] === wave)
      const rows = Object.fromEntries(Object.entries(places).map(([name, { width, indices }]) => [name, tf.tensor1d(indices.slice(wave * width, (wave + 1) * width), 'int32')]))
      const result = step(parameters, state, values, rows)
      const features = result.features.dataSync()
      const next = randomRows(seed + wave, domain, B, M)
      for (const position of members) {
        const slot = slotOf[position]
        for (let b = 0; b < B; b++) {
          demandClose(law, features.subarray((b * M + slot) * W, (b * M + slot + 1) * W), expected.subarray((b * N + position) * W, (b * N + position + 1) * W), tolerance, `features of position ${position}, drawn in wave ${wave}`)
          next.set(x.subarray((b * N + position) * C, (b * N + position + 1) * C), (b * M + slot) * C)
        }
      }
      // What slots without a variable leave behind is poison. The newest M rows of a map stand last; they are of this wave, or of the one before.
      state = Object.fromEntries(
        Object.entries(result.state).map(([name, map]) => {
          const made = wavesOfMaps[name]
          const isLive = new Uint8Array(made.widest)
          made.waveOf.forEach((other, row) => {
            if (other === wave || other === wave - 1) isLive[made.slotOf[row]] = 1
          })
          const kept = tf.tensor3d([...Array<number>(map.shape[1]! - made.widest).fill(1), ...isLive], [1, map.shape[1]!, 1], 'bool')
          return [name, tf.where(kept, map, tf.fill(map.shape, NaN))]
        }),
      )
      values = tf.tensor(next, [B, M, C], valueType(domain))
    }
  })
}
