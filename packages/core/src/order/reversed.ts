import { fixedLength } from '../domain.js'
import { refuseUnknownOptions } from '../errors.js'
import { groupsOfSize, type Order, resolvedOrder } from '../order.js'
import type { GroupOptions } from './left-to-right.js'

/** The last variable first. For text of variable length reverse the text instead. */
export function reversed(options: GroupOptions = {}): Order {
  refuseUnknownOptions('reversed', options, ['groupSize'])
  const { groupSize = 1 } = options
  return {
    name: 'reversed',
    options: { groupSize },
    resolve(domain) {
      const length = fixedLength(domain, 'reversed')
      const permutation = Int32Array.from({ length }, (_, rank) => length - 1 - rank)
      return resolvedOrder('reversed', permutation, groupsOfSize('reversed', groupSize, length))
    },
  }
}
