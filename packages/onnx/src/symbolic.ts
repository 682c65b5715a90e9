/**
 * Graphs for any length. The program is recorded at several lengths and the recordings are unified: they differ in whole
 * numbers only (shapes, ends of slices, …), and each of those is a polynomial of the lengths that the graph computes from
 * the shapes of its inputs. One more recording, at other lengths, checks every one of them.
 */
import { InvalidOptionError, refuseUnknownOptions, UnsupportedError } from '@chainrule/core'
import { GraphBuilder } from './graph-builder.js'
import type { Attribute, Attributes, Dimension, Graph, Initializer, Node, Value } from './graph.js'
import { type Axis, corner, equal, isConstant, isWhole, type Polynomial, text, throughCorners, valueAt } from './polynomial.js'
import { type Captured, capture, checkTarget, type RecordableProgram } from './recorder.js'
import type { Target } from './recording.js'
import { pruned } from './scan-passes.js'
import { finish, type Result } from './simplify.js'
import { recordBranch, recordSubGraph } from './sub-graph.js'

/** An input whose axes are numbers or names; axes of one name have one length. */
export interface SymbolicSpecification {
  readonly shape: readonly Dimension[]
  readonly type: 'float32' | 'int32' | 'bool'
}

export interface SymbolicOptions {
  /** 'standard', the default, is for files. */
  target?: Target
}

/** Lengths to record at: rare ones, so that none is mistaken for a number of the model's. Two for the box and one for the check. */
const primes = [23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71]

/** One recording, its live nodes, and what is known by name. */
interface Sample {
  readonly lengths: readonly number[]
  readonly nodes: readonly Node[]
  readonly constants: ReadonlyMap<string, Initializer>
  readonly captured: Captured
}

/**
 * Records a program as a graph in which the named axes may have any length.
 * @throws {UnsupportedError} naming the node, where something other than a whole number varies with a length, or varies by no polynomial
 */
export function recordSymbolic(name: string, program: RecordableProgram, inputs: Readonly<Record<string, SymbolicSpecification>>, options: SymbolicOptions = {}): Graph {
  refuseUnknownOptions('recordSymbolic', options, ['target'])
  const { target = 'standard' } = options
  checkTarget('recordSymbolic', target)
  const names = [...new Set(Object.values(inputs).flatMap(({ shape }) => shape.filter((axis) => typeof axis === 'string')))]
  if (names.length > 4) throw new InvalidOptionError(`recordSymbolic: ${names.length} symbolic axes (${names.join(', ')}) need ${2 ** names.length + 1} recordings; at most 4 axes are taken.`)
  const axes = names.map((axis, a): Axis => ({ name: axis, lengths: [primes[3 * a], primes[3 * a + 1]] }))
  const recordAt = (lengths: readonly number[]): Sample => {
    const fixed = Object.entries(inputs).map(([input, { shape, type }]) => [input, { type, shape: shape.map((axis) => (typeof axis === 'string' ? lengths[names.indexOf(axis)] : axis)) }] as const)
    const captured = capture(program, Object.fromEntries(fixed), target, true)
    const { builder } = captured.recording
    return { lengths, captured, constants: builder.initializers, nodes: pruned(builder.nodes, captured.results.map(({ value }) => value)) }
  }
  const corners = Array.from({ length: 2 ** axes.length }, (_, index) => recordAt(corner(axes, index)))
  const check = recordAt(axes.map((_, a) => primes[3 * a + 2]))
  return new Unification(name, inputs, axes, corners, check).graph()
}

const isGraph = (value: Attribute): boolean => typeof value === 'object' && 'graph' in value

class Unification {
  readonly #builder = new GraphBuilder()
  /** Names of values and constants, from the first recording's to the unified graph's. */
  readonly #names = new Map<string, string>()
  /** Values of the unified graph that are tensors of the program. */
  readonly #known = new Map<string, Pick<Value, 'type' | 'shape'>>()

  constructor(
    private readonly name: string,
    private readonly inputs: Readonly<Record<string, SymbolicSpecification>>,
    private readonly axes: readonly Axis[],
    private readonly corners: readonly Sample[],
    private readonly check: Sample,
  ) {}

  graph(): Graph {
    const [first] = this.corners
    for (const [name, value] of Object.entries(this.inputs)) this.#names.set(name, this.#builder.input({ name, ...value }))
    this.#unifyAll(this.#samples().map(({ nodes }) => nodes))
    const results = first.captured.results.map(({ name, type }, i): Result => {
      const shape = this.#dimensions(this.#samples().map(({ captured }) => captured.results[i].shape), `the output "${name}"`)
      return { name, type, shape, value: this.#operand(this.#samples().map(({ captured }) => captured.results[i].value), `the output "${name}"`) }
    })
    return finish(this.name, { inputs: this.#builder.inputs, initializers: this.#builder.initializers.values(), nodes: this.#builder.nodes }, results, this.#known)
  }

  #samples(): Sample[] {
    return [...this.corners, this.check]
  }

  /** The nodes of every recording, which do the same operations in the same order. @throws {UnsupportedError} where they do not */
  #unifyAll(lists: readonly (readonly Node[])[]): void {
    const [first] = lists
    for (const nodes of lists) {
      const at = nodes.findIndex((node, i) => node.operator !== first[i]?.operator)
      if (at >= 0 || nodes.length !== first.length) {
        throw new UnsupportedError(`${this.name}: with other lengths the program does other operations (${nodes.length} in place of ${first.length}; the first that differs is ${nodes[at]?.operator ?? 'at the end'}, number ${at}). A loop over a free length cannot be recorded; give that axis a number, or use scan.`)
      }
    }
    first.forEach((_, i) => this.#unify(lists.map((nodes) => nodes[i])))
  }

  /** A sub-graph, as it is in every recording. */
  #subGraph(graphs: readonly Graph[], where: string, isBranch: boolean): Graph {
    const [{ name, inputs, outputs }] = graphs
    const entries = inputs.map(({ name, type }, i): Value => {
      const shape = this.#dimensions(graphs.map((graph) => graph.inputs[i].shape as number[]), where)
      const entry = { name: this.#builder.fresh('entry'), type, shape }
      this.#names.set(name, entry.name)
      return entry
    })
    const unify = (): Value[] => {
      this.#unifyAll(graphs.map(({ nodes }) => nodes))
      return outputs.map(({ type }, i) => ({ type, shape: this.#dimensions(graphs.map((graph) => graph.outputs[i].shape as number[]), where), name: this.#operand(graphs.map((graph) => graph.outputs[i].name), where) }))
    }
    return isBranch ? recordBranch(this.#builder, name, unify) : recordSubGraph(this.#builder, name, entries, unify)
  }

  #unify(nodes: readonly Node[]): void {
    const [node] = nodes
    const where = `${node.operator} (${node.outputs[0]})`
    const plain = (attributes: Attributes) => Object.entries(attributes).map(([key, value]) => [key, isGraph(value) ? 'graph' : value])
    const settings = nodes.map(({ operator, domain, inputs, outputs, attributes }) => JSON.stringify([operator, domain, inputs.length, outputs.length, plain(attributes)]))
    if (settings.some((setting) => setting !== settings[0])) this.#refuse(where, `its attributes vary: ${settings[0]} and ${settings.find((setting) => setting !== settings[0])}`)
    const outputs = node.operator === 'Shape' ? this.#shape(node, nodes, where) : undefined
    if (outputs) {
      this.#names.set(node.outputs[0], outputs)
      return
    }
    const inputs = node.inputs.map((_, i) => (node.operator === 'Reshape' && i === 1 ? this.#newShape(nodes, where) : this.#operand(nodes.map(({ inputs }) => inputs[i]), where)))
    const graphsOf = (key: string) => nodes.map(({ attributes }) => (attributes[key] as { graph: Graph }).graph)
    const attributes = Object.fromEntries(Object.entries(node.attributes).map(([key, value]) => [key, isGraph(value) ? { graph: this.#subGraph(graphsOf(key), where, node.operator === 'If') } : value]))
    const names = this.#builder.several(node.operator, inputs, node.outputs.length, attributes, node.domain)
    node.outputs.forEach((name, i) => {
      this.#names.set(name, names[i])
      const shape = this.#shapeOf(nodes.map((each) => each.outputs[i]), where)
      const type = this.corners[0].captured.recording.typeOf(name)
      if (shape && type) this.#known.set(names[i], { type, shape: this.#named(shape) })
    })
  }

  /** The unified name of what the recordings call `names`. */
  #operand(names: readonly string[], where: string): string {
    if (names[0] === '') return ''
    const constants = names.map((name, s) => this.#samples()[s].constants.get(name))
    if (constants.every((constant) => constant !== undefined)) return this.#constant(constants, where)
    const known = this.#names.get(names[0])
    if (known === undefined || names.some((name) => name !== names[0])) this.#refuse(where, `it reads different values: ${[...new Set(names)].join(', ')}`)
    return known
  }

  #constant(constants: readonly Initializer[], where: string): string {
    const [{ type, shape, data }] = constants
    const isInteger = type === 'int64' || type === 'int32'
    const lists = constants.map((constant) => Array.from(constant.data!, Number))
    const isSame = (a: readonly number[], b: readonly number[]) => a.length === b.length && a.every((value, i) => Object.is(value, b[i]))
    if (constants.every((constant, s) => isSame(constant.shape, shape) && isSame(lists[s], lists[0]))) return this.#builder.constant(type, shape, data!)
    if (!isInteger || constants.some((constant) => !isSame(constant.shape, shape)) || lists[0].length > 64) {
      this.#refuse(where, `a constant of type ${type} and shape [${shape}] varies. Compute it from tensors, or with a primitive that knows its length in the graph (positions, last, causalAttention, …)`)
    }
    const vector = this.#vector(this.#polynomials(lists, where))
    const shaped = shape.length === 1 ? vector : this.#builder.node('Reshape', [vector, this.#builder.integers(shape)])
    return type === 'int64' ? shaped : this.#builder.node('Cast', [shaped], { to: 6 })
  }

  /** A shape, its free axes by name. */
  #dimensions(shapes: readonly (readonly number[])[], where: string): Dimension[] {
    return this.#named(this.#polynomials(shapes, where))
  }

  #named(polynomials: readonly Polynomial[]): Dimension[] {
    return polynomials.map((polynomial) => (isConstant(polynomial) ? polynomial[0] : text(polynomial, this.axes)))
  }

  /** The polynomial of each entry of a list of whole numbers, known at every sample. @throws {UnsupportedError} */
  #polynomials(lists: readonly (readonly number[])[], where: string): Polynomial[] {
    if (lists.some((list) => list.length !== lists[0].length)) this.#refuse(where, 'the number of axes varies')
    return lists[0].map((_, entry) => {
      const polynomial = throughCorners(this.axes, this.corners.map((_, s) => lists[s][entry]))
      const checked = lists[lists.length - 1][entry]
      if (!isWhole(polynomial) || valueAt(polynomial, this.check.lengths) !== checked) {
        this.#refuse(where, `a whole number is ${this.#samples().map(({ lengths }, s) => `${lists[s][entry]} at ${this.axes.map(({ name }, a) => `${name} ${lengths[a]}`).join(', ')}`).join('; ')}: no sum of products of lengths`)
      }
      return polynomial
    })
  }

  #refuse(where: string, why: string): never {
    throw new UnsupportedError(`${this.name}: ${where} cannot be had for every length: ${why}.`)
  }

  /** The shape that a tensor has in the recordings: undefined for values that are no tensors of the program. */
  #shapeOf(names: readonly string[], where: string): Polynomial[] | undefined {
    const shapes = names.map((name, s) => this.#samples()[s].captured.recording.shapeOf(name))
    return shapes.every((shape) => shape !== undefined) ? this.#polynomials(shapes, where) : undefined
  }

  /** Shape of a tensor whose shape is known: from the inputs' shapes, the same everywhere in the graph. */
  #shape(node: Node, nodes: readonly Node[], where: string): string | undefined {
    const { start, end } = node.attributes as { start: number; end: number }
    const shape = this.#shapeOf(nodes.map(({ inputs }) => inputs[0]), where)
    return shape && this.#vector(shape.slice(start, end))
  }

  /** The target of a Reshape: 0 keeps the input's length at this place, one −1 stands for what is left. */
  #newShape(nodes: readonly Node[], where: string): string {
    const lists = nodes.map((node, s) => Array.from(this.#samples()[s].constants.get(node.inputs[1])!.data!, Number))
    const wanted = this.#polynomials(lists, where)
    const given = this.#shapeOf(nodes.map(({ inputs }) => inputs[0]), where)
    const isKept = wanted.map((polynomial, i) => given !== undefined && i < given.length && !isConstant(polynomial) && equal(polynomial, given[i]))
    const free = wanted.filter((polynomial, i) => !isConstant(polynomial) && !isKept[i])
    if (free.length > 1) return this.#vector(wanted.map((polynomial, i) => (isKept[i] ? polynomial.map(() => 0) : polynomial)))
    return this.#builder.integers(wanted.map((polynomial, i) => (isKept[i] ? 0 : isConstant(polynomial) ? polynomial[0] : -1)))
  }

  /** A list of int64, computed in the graph where it varies. */
  #vector(polynomials: readonly Polynomial[]): string {
    if (polynomials.every(isConstant)) return this.#builder.integers(polynomials.map(([constant]) => constant))
    const entries = polynomials.map((polynomial) => this.#entry(polynomial))
    return entries.length === 1 ? entries[0] : this.#builder.node('Concat', entries, { axis: 0 })
  }

  #entry(polynomial: Polynomial): string {
    const terms = polynomial.flatMap((coefficient, term) => {
      if (coefficient === 0) return []
      const factors = this.axes.filter((_, a) => (term >> a) & 1).map(({ name }) => this.#length(name))
      if (coefficient !== 1 || factors.length === 0) factors.push(this.#builder.integers([coefficient]))
      return [factors.reduce((product, factor) => this.#builder.node('Mul', [product, factor]))]
    })
    return terms.length === 0 ? this.#builder.integers([0]) : terms.reduce((sum, term) => this.#builder.node('Add', [sum, term]))
  }

  /** The length of an axis: from the first input that has it. */
  #length(axis: string): string {
    const [input, { shape }] = Object.entries(this.inputs).find(([, { shape }]) => shape.includes(axis))!
    const at = shape.indexOf(axis)
    return this.#builder.node('Shape', [input], { start: at, end: at + 1 })
  }
}
