/** The combinations under test: every network that fits, with every head, in every order. Small enough to enumerate. */
import { custom, type Domain, leftToRight, type Order, random, reversed } from '@chainrule/core'
import { bernoulli, categorical, type Head, type Network, tabular } from '@chainrule/core/tensors'
import { multilayerPerceptron, recurrent, transformer } from '@chainrule/networks'

export interface Combination {
  readonly title: string
  readonly domain: Domain
  readonly order: Order
  readonly network: Network
  readonly head: Head
}

const binary: Domain = { length: 6, components: 1, values: 2 }
const ternary: Domain = { length: 4, components: 1, values: 3 }
const ternaryText: Domain = { length: 'variable', components: 1, values: 3 }

const orders = (length: number): { order: Order; grouped: boolean }[] => [
  { order: leftToRight(), grouped: false },
  { order: reversed(), grouped: false },
  { order: random({ seed: 5 }), grouped: false },
  { order: leftToRight({ groupSize: 2 }), grouped: true },
  { order: random({ seed: 6, groupSize: 3 }), grouped: true },
  {
    order: length === 6 ? custom({ permutation: [3, 0, 5, 1, 4, 2], groups: [0, 1, 1, 1, 2, 3] }) : custom({ permutation: [2, 0, 3, 1], groups: [0, 0, 1, 2] }),
    grouped: true,
  },
]

const networks: { make: () => Network; groups: boolean; tied: boolean }[] = [
  { make: () => multilayerPerceptron({ hidden: [] }), groups: true, tied: false },
  { make: () => multilayerPerceptron({ hidden: [8] }), groups: true, tied: false },
  { make: () => multilayerPerceptron({ hidden: [8, 8] }), groups: true, tied: false },
  { make: () => multilayerPerceptron({ hidden: [12], direct: true }), groups: true, tied: false },
  { make: () => tabular(), groups: false, tied: false },
  { make: () => recurrent({ cell: 'lstm', layers: 1, width: 6 }), groups: false, tied: true },
  { make: () => recurrent({ cell: 'lstm', layers: 2, width: 3 }), groups: false, tied: true },
  { make: () => recurrent({ cell: 'gru', layers: 1, width: 2 }), groups: false, tied: true },
  { make: () => recurrent({ cell: 'gru', layers: 2, width: 4 }), groups: false, tied: true },
  { make: () => transformer({ layers: 2, heads: 2, width: 8, context: 6 }), groups: false, tied: true },
  { make: () => transformer({ layers: 1, heads: 1, width: 6, context: 3 }), groups: false, tied: true },
  { make: () => transformer({ layers: 1, heads: 2, width: 8, context: 6, positions: 'learned' }), groups: false, tied: true },
  { make: () => transformer({ layers: 1, heads: 2, width: 8, context: 4, activation: 'reluSquared', normalizeQueriesKeys: true, residualStart: 'zero' }), groups: false, tied: true },
]

/** Every network with every head and every order that it supports. */
export function fixedLengthCombinations(): Combination[] {
  const result: Combination[] = []
  for (const domain of [binary, ternary]) {
    for (const { order, grouped } of orders(domain.length as number)) {
      for (const { make, groups, tied } of networks) {
        if (grouped && !groups) continue
        const network = make()
        const heads = [categorical(), ...(domain.values === 2 && network.name !== 'tabular' ? [bernoulli()] : []), ...(tied ? [categorical({ tied: true })] : [])]
        for (const head of heads) {
          const title = `${network.name} ${JSON.stringify(network.options)} × ${head.name} ${JSON.stringify(head.options)} × ${order.name} ${JSON.stringify(order.options)}, ${domain.values} values`
          result.push({ title, domain, order, network, head })
        }
      }
    }
  }
  return result
}

/** The sequence networks on a variable length, which knows one order only. */
export function variableLengthCombinations(): Combination[] {
  return networks.flatMap(({ make, tied }) => {
    if (!tied) return []
    const network = make()
    return [categorical(), categorical({ tied: true })].map((head) => ({
      title: `${network.name} ${JSON.stringify(network.options)} × ${head.name} ${JSON.stringify(head.options)}, variable length`,
      domain: ternaryText,
      order: leftToRight(),
      network,
      head,
    }))
  })
}

/** Networks roomy enough to learn a few examples by heart, each in an order of its own. */
export function learners(): Combination[] {
  const all: [Network, Head, Order, Domain][] = [
    [multilayerPerceptron({ hidden: [] }), bernoulli(), leftToRight(), binary],
    [multilayerPerceptron({ hidden: [32] }), categorical(), random({ seed: 5 }), binary],
    [multilayerPerceptron({ hidden: [32, 32] }), categorical(), reversed(), ternary],
    [multilayerPerceptron({ hidden: [32], direct: true }), bernoulli(), random({ seed: 6, groupSize: 2 }), binary],
    [tabular(), categorical(), reversed(), ternary],
    [recurrent({ cell: 'lstm', layers: 1, width: 8 }), categorical({ tied: true }), leftToRight(), ternaryText],
    [recurrent({ cell: 'gru', layers: 1, width: 10 }), bernoulli(), random({ seed: 5 }), binary],
    [transformer({ layers: 1, heads: 2, width: 16, context: 6 }), categorical({ tied: true }), leftToRight(), ternaryText],
    [transformer({ layers: 1, heads: 2, width: 16, context: 6, positions: 'learned' }), bernoulli(), random({ seed: 5 }), binary],
  ]
  return all.map(([network, head, order, domain]) => ({ title: `${network.name} ${JSON.stringify(network.options)} × ${head.name} × ${order.name}`, domain, order, network, head }))
}

/** A cover of all pairs network–head–order, about a third of the product: `npm test` runs this, CHAINRULE_LONG=1 everything. */
export function pairwise(combinations: readonly Combination[]): Combination[] {
  const keysOf = ({ domain, order, network, head }: Combination) => {
    const [o, n, h] = [order, network, head].map(({ name, options }) => name + JSON.stringify(options))
    return [`${domain.values}|${o}|${n}`, `${domain.values}|${o}|${h}`, `${domain.values}|${n}|${h}`]
  }
  const missing = new Set(combinations.flatMap(keysOf))
  const chosen: Combination[] = []
  while (missing.size) {
    const gain = (combination: Combination) => keysOf(combination).filter((key) => missing.has(key)).length
    const best = combinations.reduce((a, b) => (gain(b) > gain(a) ? b : a))
    keysOf(best).forEach((key) => missing.delete(key))
    chosen.push(best)
  }
  return chosen
}
