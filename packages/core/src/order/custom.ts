import { fixedLength } from '../domain.js'
import { InvalidOptionError, refuseUnknownOptions, wholeNumber } from '../errors.js'
import { type Order, resolvedOrder } from '../order.js'

export interface CustomOrderOptions {
  /** Rank → position. */
  permutation: readonly number[]
  /** The group of each rank, from 0, never falling; absent: groups of one. */
  groups?: readonly number[]
}

/** Any order, as data. */
export function custom(options: CustomOrderOptions): Order {
  refuseUnknownOptions('custom', options, ['permutation', 'groups'])
  for (const option of ['permutation', 'groups'] as const) {
    const list: unknown = options[option]
    if (option === 'groups' && list === undefined) continue
    if (!Array.isArray(list)) throw new InvalidOptionError(`custom: ${option} must be a list of whole numbers, got ${String(list)}.`)
    list.forEach((entry: unknown, rank) => wholeNumber('custom', `${option}[${rank}]`, entry, 0))
  }
  const permutation = Int32Array.from(options.permutation)
  const groups = options.groups && Int32Array.from(options.groups)
  const resolved = resolvedOrder('custom', permutation, groups)
  return {
    name: 'custom',
    options: { permutation: [...permutation], ...(groups && { groups: [...groups] }) },
    resolve(domain) {
      const length = fixedLength(domain, 'custom')
      if (length !== permutation.length) throw new InvalidOptionError(`custom: the order has ${permutation.length} positions, the domain ${length}.`)
      return resolved
    },
  }
}
