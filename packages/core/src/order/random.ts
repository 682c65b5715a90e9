import { fixedLength } from '../domain.js'
import { refuseUnknownOptions } from '../errors.js'
import { checkSeed, shuffled } from '../noise.js'
import { groupsOfSize, type Order, resolvedOrder } from '../order.js'
import type { GroupOptions } from './left-to-right.js'

/** One permutation drawn by `seed`, uniform over all d!. */
export function random(options: GroupOptions & { seed: number }): Order {
  refuseUnknownOptions('random', options, ['seed', 'groupSize'])
  const { groupSize = 1 } = options
  const seed = checkSeed('random', options.seed)
  return {
    name: 'random',
    options: { seed, groupSize },
    resolve(domain) {
      const length = fixedLength(domain, 'random')
      return resolvedOrder('random', shuffled(seed, 'order', length), groupsOfSize('random', groupSize, length))
    },
  }
}
