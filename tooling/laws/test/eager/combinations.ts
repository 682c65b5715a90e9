/** The combinations under test: every network that fits, with every head, in every order. Small enough to enumerate. */
import { checkerboard, columnMajor, type Condition, controlSequence, custom, diagonal, type Domain, hilbert, label, leftToRight, morton, type Order, random, raster, reversed, serpentine, spiral } from '@chainrule/core'
import { bernoulli, categorical, chained, discretizedLogisticMixture, factorized, gaussianMixture, type Head, type Network, rgbLogisticMixture, tabular } from '@chainrule/core/tensors'
import { causalConvolution, diagonalLstm, maskedConvolution, mixture, multilayerPerceptron, nade, ngram, recurrent, rowLstm, transformer } from '@chainrule/networks'

export interface Combination {
  readonly title: string
  readonly domain: Domain
  readonly order: Order
  readonly network: Network
  readonly head: Head
  readonly condition?: Condition
}

const gridOf = (rows: number, columns: number) => ({ axes: ['row', 'column'], shape: [rows, columns] })
const binary: Domain = { length: 6, components: 1, values: 2, locations: gridOf(2, 3) }
const ternary: Domain = { length: 4, components: 1, values: 3, locations: gridOf(2, 2) }
const pairs: Domain = { length: 4, components: 2, values: 3, locations: gridOf(2, 2) }
const pixels: Domain = { length: 3, components: 3, values: 2, locations: gridOf(1, 3) }
const ternaryText: Domain = { length: 'variable', components: 1, values: 3 }
const endedText: Domain = { length: 'variable', components: 1, values: 3, end: 2 }

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

/**
 * `tied`: sequence networks with an embedding, `ofRows`: sequence networks that give log-probabilities, for `categorical()` only,
 * `byLine`: networks for orders that go over the grid line by line.
 */
const networks: { make: () => Network; groups: boolean; tied: boolean; ofRows?: true; byLine?: true }[] = [
  { make: () => multilayerPerceptron({ hidden: [] }), groups: true, tied: false },
  { make: () => multilayerPerceptron({ hidden: [8] }), groups: true, tied: false },
  { make: () => multilayerPerceptron({ hidden: [8, 8] }), groups: true, tied: false },
  { make: () => multilayerPerceptron({ hidden: [12], direct: true }), groups: true, tied: false },
  { make: () => nade({ hidden: 7 }), groups: false, tied: false },
  { make: () => maskedConvolution({ layers: 2, width: 8, firstKernel: 3 }), groups: true, tied: false },
  { make: () => maskedConvolution({ layers: 1, width: 8, firstKernel: 5, activation: 'gated', input: 'embedding' }), groups: true, tied: false },
  { make: () => maskedConvolution({ layers: 2, width: 8, firstKernel: 3, activation: 'elu', bottleneck: true }), groups: true, tied: false },
  { make: () => maskedConvolution({ layers: 2, width: 6, firstKernel: 3, kind: 'gated' }), groups: false, tied: false, byLine: true },
  { make: () => rowLstm({ layers: 2, width: 5, firstKernel: 3 }), groups: false, tied: false, byLine: true },
  { make: () => diagonalLstm({ layers: 2, width: 5, firstKernel: 3 }), groups: false, tied: false, byLine: true },
  { make: () => transformer({ layers: 1, heads: 2, width: 8, context: 6, positions: 'learned2d' }), groups: false, tied: false },
  { make: () => tabular(), groups: false, tied: false },
  { make: () => recurrent({ cell: 'lstm', layers: 1, width: 6 }), groups: false, tied: true },
  { make: () => recurrent({ cell: 'lstm', layers: 2, width: 3 }), groups: false, tied: true },
  { make: () => recurrent({ cell: 'gru', layers: 1, width: 2 }), groups: false, tied: true },
  { make: () => recurrent({ cell: 'gru', layers: 2, width: 4 }), groups: false, tied: true },
  { make: () => transformer({ layers: 2, heads: 2, width: 8, context: 6 }), groups: false, tied: true },
  { make: () => transformer({ layers: 1, heads: 1, width: 6, context: 3 }), groups: false, tied: true },
  { make: () => transformer({ layers: 1, heads: 2, width: 8, context: 6, positions: 'learned' }), groups: false, tied: true },
  { make: () => transformer({ layers: 1, heads: 2, width: 8, context: 4, activation: 'reluSquared', normalizeQueriesKeys: true, residualStart: 'zero' }), groups: false, tied: true },
  { make: () => causalConvolution({ layers: 3, width: 4 }), groups: false, tied: true },
  { make: () => causalConvolution({ layers: 3, width: 6, dilations: [1, 3], residual: false }), groups: false, tied: true },
  { make: () => causalConvolution({ layers: 2, width: 5, dilations: [2], kernel: 3, skip: false, gated: false }), groups: false, tied: true },
  { make: () => causalConvolution({ layers: 2, width: 4, skipWidth: 7, input: 'scaled' }), groups: false, tied: false },
  { make: () => ngram({ order: 3 }), groups: false, tied: false, ofRows: true },
  { make: () => ngram({ order: 2, minimumCount: 1 }), groups: false, tied: false, ofRows: true },
  { make: () => mixture({ networks: [transformer({ layers: 1, heads: 1, width: 4, context: 4 }), ngram({ order: 3 })], tied: true, trainNetworks: true }), groups: false, tied: false, ofRows: true },
  { make: () => mixture({ networks: [recurrent({ layers: 1, width: 3 }), transformer({ layers: 1, heads: 1, width: 4, context: 3 })], weights: 'constant', trainNetworks: true }), groups: false, tied: false, ofRows: true },
  { make: () => mixture({ networks: [ngram({ order: 2 }), ngram({ order: 4 })] }), groups: false, tied: false, ofRows: true },
]

/** Every network with every head and every order that it supports. */
export function fixedLengthCombinations(): Combination[] {
  const result: Combination[] = []
  for (const domain of [binary, ternary]) {
    for (const { order, grouped } of orders(domain.length as number)) {
      for (const { make, groups, tied, ofRows, byLine } of networks) {
        if ((grouped && !groups) || (byLine && order.name === 'random')) continue
        const network = make()
        const heads = [categorical(), ...(domain.values === 2 && network.name !== 'tabular' && !ofRows ? [bernoulli()] : []), ...(tied ? [categorical({ tied: true })] : [])]
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
  return networks.flatMap(({ make, tied, ofRows }) => {
    if (!tied && !ofRows) return []
    const network = make()
    return [categorical(), ...(tied ? [categorical({ tied: true })] : [])].map((head) => ({
      title: `${network.name} ${JSON.stringify(network.options)} × ${head.name} ${JSON.stringify(head.options)}, variable length`,
      domain: ternaryText,
      order: leftToRight(),
      network,
      head,
    }))
  })
}

/** The same with an end, each with one of the heads; and values that have an order, of which the end is none. */
export function endedCombinations(): Combination[] {
  const ordered: [Network, Head][] = [
    [recurrent({ cell: 'gru', layers: 1, width: 6 }), discretizedLogisticMixture({ components: 2 })],
    [causalConvolution({ layers: 2, width: 5, prediction: { filter: [0.8, -0.3], lags: 2, unit: 0.5 } }), discretizedLogisticMixture({ components: 2 })],
    [causalConvolution({ layers: 2, width: 5, input: 'scaled' }), chained(discretizedLogisticMixture({ components: 2 }), { width: 4 })],
  ]
  const titled = (network: Network, head: Head, domain: Domain) => ({ title: `${network.name} ${JSON.stringify(network.options)} × ${head.name} ${JSON.stringify(head.options)}, with an end`, domain, order: leftToRight(), network, head })
  const ofNetworks = networks.flatMap(({ make, tied, ofRows }, which) => {
    if (!tied && !ofRows) return []
    const network = make()
    const head = categorical({ tied: tied && which % 2 === 0 })
    return [titled(network, head, endedText)]
  })
  return [...ofNetworks, ...ordered.map(([network, head]) => titled(network, head, { ...endedText, values: 4, end: 3 }))]
}

/** Orders for conditions: a control sequence is by position, whatever the order. */
const ordersOfConditions = [reversed(), leftToRight(), columnMajor()]

/**
 * Every network that takes a condition, with a label and with a control sequence, of real numbers or of categories: of a fixed length in
 * orders that differ, of a variable length and with an end.
 */
export function conditionalCombinations(): (Combination & { readonly condition: Condition })[] {
  const predicting = { domain: ternary, order: leftToRight(), network: causalConvolution({ layers: 2, width: 5, prediction: { filter: [0.8, -0.3], lags: 2, unit: 0.5 } }), head: discretizedLogisticMixture({ components: 2 }), condition: label({ values: 3 }) }
  const ofNetworks = networks.flatMap(({ make, tied }, which) => {
    const network = make()
    if (['tabular', 'ngram'].includes(network.name) || JSON.stringify(network.options).includes('"ngram"')) return []
    const takesSequences = !['multilayerPerceptron', 'nade'].includes(network.name)
    const conditions = [label({ values: 3 }), ...(takesSequences ? [which % 2 ? controlSequence({ channels: 2 }) : controlSequence({ values: 3 })] : [])]
    return conditions.flatMap((condition, kind) => {
      const order = ordersOfConditions[(which + kind) % 3]
      const of = (domain: Domain, order: Order, head: Head) => ({ title: `${condition.name} ${JSON.stringify(condition.options)}: ${network.name} ${JSON.stringify(network.options)} × ${head.name} × ${order.name}, ${domain.length} × ${domain.values} values`, domain, order, network, head, condition })
      return [
        of(which % 2 ? binary : ternary, order, categorical()),
        ...(tied ? [of(kind === 0 ? endedText : ternaryText, leftToRight(), categorical({ tied: true }))] : []),
      ]
    })
  })
  return [...ofNetworks, { ...predicting, title: `label: ${predicting.network.name} with prediction × ${predicting.head.name}` }]
}

/** Variables of several components, and heads for values that have an order: each head, in orders of the grid. */
export function componentCombinations(): Combination[] {
  const small = { layers: 1, heads: 2, width: 8, context: 6 }
  const all: [Network, Head, Order, Domain][] = [
    [multilayerPerceptron({ hidden: [8] }), chained(categorical(), { width: 6 }), hilbert(), pairs],
    [multilayerPerceptron({ hidden: [12], direct: true }), factorized(categorical()), checkerboard({ groups: true }), pairs],
    [recurrent({ cell: 'gru', layers: 1, width: 6 }), chained(discretizedLogisticMixture({ components: 2 }), { width: 5, input: 'scaled' }), diagonal(), pairs],
    [transformer(small), factorized(discretizedLogisticMixture({ components: 2 })), spiral(), pairs],
    [transformer({ ...small, positions: 'learned' }), rgbLogisticMixture({ components: 2 }), serpentine(), pixels],
    [transformer(small), chained(bernoulli(), { width: 5 }), spiral({ from: 'center' }), pixels],
    [causalConvolution({ layers: 2, width: 6 }), chained(categorical(), { width: 5 }), hilbert(), pairs],
    [causalConvolution({ layers: 2, width: 5, input: 'scaled' }), factorized(bernoulli()), reversed(), pixels],
    [multilayerPerceptron({ hidden: [8, 8] }), rgbLogisticMixture({ components: 1 }), morton(), pixels],
    [maskedConvolution({ layers: 1, width: 6, firstKernel: 3 }), rgbLogisticMixture({ components: 2 }), reversed(), pixels],
    [maskedConvolution({ layers: 1, width: 6, firstKernel: 3 }), chained(discretizedLogisticMixture({ components: 2 }), { width: 5 }), hilbert(), pairs],
    [maskedConvolution({ layers: 1, width: 6, firstKernel: 3, kind: 'gated' }), chained(categorical(), { width: 5 }), raster(), pairs],
    [multilayerPerceptron({ hidden: [8] }), discretizedLogisticMixture({ components: 2 }), columnMajor(), ternary],
    [recurrent({ cell: 'lstm', layers: 1, width: 6 }), discretizedLogisticMixture({ components: 3 }), raster(), ternary],
    [multilayerPerceptron({ hidden: [8] }), factorized(bernoulli()), checkerboard(), pixels],
    [causalConvolution({ layers: 2, width: 5, prediction: { filter: [0.8, -0.3], lags: 2, unit: 0.5 } }), discretizedLogisticMixture({ components: 2 }), leftToRight(), ternary],
  ]
  return all.map(([network, head, order, domain]) => ({
    title: `${network.name} ${JSON.stringify(network.options)} × ${head.name} ${JSON.stringify(head.options)} × ${order.name} ${JSON.stringify(order.options)}, ${domain.components} × ${domain.values} values`,
    domain,
    order,
    network,
    head,
  }))
}

/** Real values: one component or several, in orders of the grid, and of any length. Each network that reads numbers. */
export function realCombinations(): Combination[] {
  const reals = (components: number, length: number | 'variable' = 4): Domain => ({ length, components, values: 'real', ...(length === 4 && { locations: gridOf(2, 2) }) })
  const small = { layers: 1, heads: 2, width: 8, context: 6 }
  const all: [Network, Head, Order, Domain][] = [
    [multilayerPerceptron({ hidden: [8] }), gaussianMixture({ components: 2 }), leftToRight({ groupSize: 2 }), reals(1)],
    [multilayerPerceptron({ hidden: [8], direct: true }), gaussianMixture({ components: 2 }), hilbert(), reals(2)],
    [nade({ hidden: 6 }), gaussianMixture({ components: 3 }), reversed(), reals(1)],
    [maskedConvolution({ layers: 1, width: 6, firstKernel: 3 }), gaussianMixture({ components: 2 }), random({ seed: 5 }), reals(2)],
    [maskedConvolution({ layers: 1, width: 6, firstKernel: 3, kind: 'gated' }), gaussianMixture({ components: 2 }), raster(), reals(1)],
    [rowLstm({ layers: 1, width: 5, firstKernel: 3 }), gaussianMixture({ components: 2 }), raster(), reals(1)],
    [diagonalLstm({ layers: 1, width: 5, firstKernel: 3 }), gaussianMixture({ components: 2 }), raster(), reals(1)],
    [transformer({ ...small, positions: 'learned2d' }), gaussianMixture({ components: 2 }), spiral(), reals(1)],
    [transformer(small), chained(gaussianMixture({ components: 2 }), { width: 5 }), leftToRight(), reals(2)],
    [transformer(small), gaussianMixture({ components: 2 }), leftToRight(), reals(1, 'variable')],
    [recurrent({ cell: 'lstm', layers: 2, width: 5 }), gaussianMixture({ components: 2 }), leftToRight(), reals(2, 'variable')],
    [recurrent({ cell: 'gru', layers: 1, width: 6 }), factorized(gaussianMixture({ components: 2 })), reversed(), reals(2)],
    [causalConvolution({ layers: 3, width: 5, input: 'scaled' }), gaussianMixture({ components: 2 }), leftToRight(), reals(2, 'variable')],
  ]
  return all.map(([network, head, order, domain]) => ({
    title: `${network.name} ${JSON.stringify(network.options)} × ${head.name} ${JSON.stringify(head.options)} × ${order.name}, ${domain.components} × real${domain.length === 'variable' ? ', variable length' : ''}`,
    domain,
    order,
    network,
    head,
  }))
}

/** More values than can be enumerated, or tabled for a draw: 16-bit sound. */
export function wideCombinations(): Combination[] {
  const small = recurrent({ cell: 'gru', layers: 1, width: 2 })
  const all: [Network, Head, Domain][] = [
    [small, discretizedLogisticMixture({ components: 3 }), { length: 4, components: 1, values: 65_536 }],
    [small, chained(discretizedLogisticMixture({ components: 2 }), { width: 4 }), { length: 3, components: 2, values: 3_000 }],
    [causalConvolution({ layers: 2, width: 4, prediction: { filter: [1.2, -0.4], lags: 3, unit: 1 } }), discretizedLogisticMixture({ components: 2, range: 0.5 }), { length: 'variable', components: 1, values: 2_000 }],
  ]
  return all.map(([network, head, domain]) => ({ title: `${network.name} × ${head.name} ${JSON.stringify(head.options)}, ${domain.components} × ${domain.values} values`, domain, order: leftToRight(), network, head }))
}

/** Networks roomy enough to learn a few examples by heart, each in an order of its own. */
export function learners(): Combination[] {
  const all: [Network, Head, Order, Domain][] = [
    [multilayerPerceptron({ hidden: [] }), bernoulli(), leftToRight(), binary],
    [multilayerPerceptron({ hidden: [32] }), categorical(), random({ seed: 5 }), binary],
    [multilayerPerceptron({ hidden: [32, 32] }), categorical(), reversed(), ternary],
    [multilayerPerceptron({ hidden: [32], direct: true }), bernoulli(), random({ seed: 6, groupSize: 2 }), binary],
    [tabular(), categorical(), reversed(), ternary],
    [nade({ hidden: 32 }), bernoulli(), random({ seed: 5 }), binary],
    [maskedConvolution({ layers: 1, width: 16, firstKernel: 5 }), categorical(), random({ seed: 5 }), binary],
    [maskedConvolution({ layers: 1, width: 16, firstKernel: 5, kind: 'gated' }), bernoulli(), reversed(), binary],
    [rowLstm({ layers: 1, width: 12, firstKernel: 5 }), bernoulli(), leftToRight(), binary],
    [diagonalLstm({ layers: 1, width: 12, firstKernel: 5 }), bernoulli(), leftToRight(), binary],
    [recurrent({ cell: 'lstm', layers: 1, width: 8 }), categorical({ tied: true }), leftToRight(), ternaryText],
    [recurrent({ cell: 'gru', layers: 1, width: 10 }), bernoulli(), random({ seed: 5 }), binary],
    [causalConvolution({ layers: 3, width: 12 }), categorical({ tied: true }), leftToRight(), ternaryText],
    [causalConvolution({ layers: 3, width: 12, input: 'scaled', gated: false }), bernoulli(), random({ seed: 5 }), binary],
    [transformer({ layers: 1, heads: 2, width: 16, context: 6 }), categorical({ tied: true }), leftToRight(), ternaryText],
    [transformer({ layers: 1, heads: 2, width: 16, context: 6 }), categorical({ tied: true }), leftToRight(), endedText],
    [transformer({ layers: 1, heads: 2, width: 16, context: 6, positions: 'learned' }), bernoulli(), random({ seed: 5 }), binary],
    [multilayerPerceptron({ hidden: [32] }), chained(categorical(), { width: 16 }), hilbert(), pairs],
    [multilayerPerceptron({ hidden: [32] }), discretizedLogisticMixture({ components: 3 }), spiral(), ternary],
    [recurrent({ cell: 'gru', layers: 1, width: 12 }), rgbLogisticMixture({ components: 5 }), raster(), pixels],
    [mixture({ networks: [recurrent({ layers: 1, width: 8 }), transformer({ layers: 1, heads: 2, width: 16, context: 6 })], trainNetworks: true }), categorical(), leftToRight(), ternaryText],
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
