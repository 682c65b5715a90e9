import { refuseUnknownOptions, UnsupportedError } from '../errors.js'
import { groupsOfSize, type Order, resolvedOrder } from '../order.js'

export interface GroupOptions {
  /** Consecutive variables that are assumed independent given all earlier groups (1: a plain chain). */
  groupSize?: number
}

/** The first variable first: the order of text and sound, and the only one for a variable length. */
export function leftToRight(options: GroupOptions = {}): Order {
  refuseUnknownOptions('leftToRight', options, ['groupSize'])
  const { groupSize = 1 } = options
  return {
    name: 'leftToRight',
    options: { groupSize },
    resolve(domain) {
      if (domain.length === 'variable') {
        if (groupSize !== 1) throw new UnsupportedError('leftToRight: groups need a domain of fixed length.')
        return { permutation: new Int32Array(0), inverse: new Int32Array(0), isLeftToRight: true }
      }
      const permutation = Int32Array.from({ length: domain.length }, (_, i) => i)
      return resolvedOrder('leftToRight', permutation, groupsOfSize('leftToRight', groupSize, domain.length))
    },
  }
}
