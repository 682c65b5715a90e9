/** What the file of a graph says of itself, read without running it: versions, operators, inputs and outputs, where its weights lie. */
import { InvalidModelError } from '@chainrule/core'
import { fromBinary } from '@bufbuild/protobuf'
import { type GraphProto, ModelProtoSchema, TensorProto_DataLocation as DataLocation, type ValueInfoProto } from 'onnx-buf'
import type { Dimension } from '../graph.js'

export interface Place {
  readonly file: string
  readonly offset: number
  readonly length: number
}

export interface GraphSummary {
  readonly irVersion: number
  /** Version of each domain of operators that it imports; 'ai.onnx' is the standard one. */
  readonly operatorSets: Readonly<Record<string, number>>
  /** How often each operator of the standard domain occurs, inner graphs included. */
  readonly operators: Readonly<Record<string, number>>
  /** Operators of other domains and functions of the file's own, by domain and name. */
  readonly foreign: readonly string[]
  /** Shapes by name: a number, the name of a free axis, or '' where the file does not say. */
  readonly inputs: Readonly<Record<string, readonly Dimension[]>>
  readonly outputs: Readonly<Record<string, readonly Dimension[]>>
  /** Weights that lie outside of the file. */
  readonly external: readonly Place[]
}

const standard = 'ai.onnx'
const domainOf = (domain: string) => domain || standard

const shapes = (values: readonly ValueInfoProto[]): Record<string, Dimension[]> =>
  Object.fromEntries(
    values.map(({ name, type }) => {
      const tensor = type?.value.case === 'tensorType' ? type.value.value : undefined
      return [name, (tensor?.shape?.dim ?? []).map(({ value }) => (value.case === 'dimValue' ? Number(value.value) : value.case === 'dimParam' ? value.value : ''))]
    }),
  )

/** A graph and all graphs inside it. */
function* allGraphs(graph: GraphProto): Generator<GraphProto> {
  yield graph
  for (const { attribute } of graph.node) for (const { g, graphs } of attribute) for (const inner of g ? [g, ...graphs] : graphs) yield* allGraphs(inner)
}

/** @param source how the file is called in messages @throws {InvalidModelError} where it is no ONNX model */
export function readGraph(bytes: Uint8Array, source: string): GraphSummary {
  const fail = (why: string, cause?: unknown): never => {
    throw new InvalidModelError(`${source} is no ONNX model: ${why}. Export the model again.`, { cause })
  }
  const decode = () => {
    try {
      return fromBinary(ModelProtoSchema, bytes)
    } catch (error) {
      return fail((error as Error).message, error)
    }
  }
  const { graph, irVersion, opsetImport, functions } = decode()
  if (!graph) return fail('it holds no graph')
  const graphs = [...allGraphs(graph)]
  const nodes = graphs.flatMap(({ node }) => node)
  const operators: Record<string, number> = {}
  for (const { opType, domain } of nodes) if (domainOf(domain) === standard) operators[opType] = (operators[opType] ?? 0) + 1
  const external = graphs.flatMap(({ initializer }) => initializer).filter(({ dataLocation }) => dataLocation === DataLocation.EXTERNAL)
  return {
    irVersion: Number(irVersion),
    operatorSets: Object.fromEntries(opsetImport.map(({ domain, version }) => [domainOf(domain), Number(version)])),
    operators: Object.fromEntries(Object.entries(operators).sort(([a], [b]) => a.localeCompare(b))),
    foreign: [...new Set([...nodes.filter(({ domain }) => domainOf(domain) !== standard).map(({ domain, opType }) => `${domain}.${opType}`), ...functions.map(({ domain, name }) => `${domainOf(domain)}.${name}`)])],
    inputs: shapes(graph.input),
    outputs: shapes(graph.output),
    external: external.map(({ externalData }) => {
      const entry = (key: string) => externalData.find((pair) => pair.key === key)?.value
      return { file: entry('location') ?? '', offset: Number(entry('offset') ?? 0), length: Number(entry('length') ?? 0) }
    }),
  }
}
