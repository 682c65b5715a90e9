/** The laws of an order: π is a permutation, `inverse` its inverse, groups partition the ranks into runs. */
import { type Domain, groupOfPosition, type Order, orderFromName, toGenerationOrder, toPositions } from '@chainrule/core'
import { demand } from './violation.js'

/** @throws {LawViolation} */
export function orderLaws(order: Order, domain: Domain): void {
  const law = `order ${order.name}`
  const { permutation, inverse, groups, isLeftToRight } = order.resolve(domain)
  const d = domain.length === 'variable' ? 0 : domain.length
  demand(law, permutation.length === d && inverse.length === d, () => `it has ${permutation.length} ranks and ${inverse.length} positions, expected ${d}.`)
  demand(law, new Set(permutation).size === d, () => `a position comes twice in [${permutation}].`)
  permutation.forEach((position, rank) => {
    demand(law, position >= 0 && position < d, () => `rank ${rank} holds position ${position}, expected 0 … ${d - 1}.`)
    demand(law, inverse[position] === rank, () => `inverse(π(${rank})) is ${inverse[position]}.`)
  })
  demand(law, isLeftToRight === permutation.every((position, rank) => position === rank), () => `isLeftToRight is ${isLeftToRight} for [${permutation}].`)
  if (groups) {
    demand(law, groups.length === d, () => `groups has ${groups.length} entries, expected ${d}.`)
    groups.forEach((group, rank) => {
      const rise = rank === 0 ? group : group - groups[rank - 1]
      demand(law, rise === 0 || (rise === 1 && rank > 0), () => `groups [${groups}] are not runs from 0 on.`)
    })
  }
  const group = groupOfPosition({ permutation, inverse, groups, isLeftToRight })
  group.forEach((value, position) => {
    const expected = groups ? groups[inverse[position]] : inverse[position]
    demand(law, value === expected, () => `position ${position} is in group ${value}, expected ${expected}.`)
  })
  if (d > 0) {
    const rows = Int32Array.from({ length: 2 * d }, (_, i) => i)
    const generated = toGenerationOrder(rows, 2, { permutation, inverse, groups, isLeftToRight })
    permutation.forEach((position, rank) => demand(law, generated[2 * rank + 1] === 2 * position + 1, () => `row ${rank} of the generation order is not that of position ${position}.`))
    const back = toPositions(generated, 2, { permutation, inverse, groups, isLeftToRight })
    demand(law, back.every((value, i) => value === i), () => 'toPositions does not undo toGenerationOrder.')
  }
  const again = orderFromName({ name: order.name, options: JSON.parse(JSON.stringify(order.options)) }).resolve(domain)
  demand(law, String([again.permutation, again.groups]) === String([permutation, groups]), () => 'its name and options give another order.')
}
