/** Graph → the bytes of an ONNX model: operators of opset 23, IR version 10; other domains are imported only where they are used. */
import { create, toBinary } from '@bufbuild/protobuf'
import { AttributeProto_AttributeType as AttributeType, AttributeProtoSchema, GraphProtoSchema, ModelProtoSchema, NodeProtoSchema, OperatorSetIdProtoSchema, StringStringEntryProtoSchema, TensorProto_DataLocation as DataLocation, TensorProto_DataType as DataType, TensorProtoSchema, TensorShapeProto_DimensionSchema, ValueInfoProtoSchema } from 'onnx-buf'
import { type Attribute, checkGraph, type Dimension, domainsOf, type ElementType, type Graph, type Initializer, type Node, type Value } from './graph.js'

export const operatorSet = 23
export const irVersion = 10
const dataTypes: Record<ElementType, number> = { float32: DataType.FLOAT, int32: DataType.INT32, int64: DataType.INT64, bool: DataType.BOOL }

/** The number that ONNX gives an element type, as Cast wants it. */
export const dataTypeOf = (type: ElementType): number => dataTypes[type]

const bytesOf = (text: string) => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>

function attribute(name: string, value: Attribute) {
  if (typeof value === 'number') return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) })
  if (typeof value === 'string') return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: bytesOf(value) })
  if ('float' in value) return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.float })
  if ('floats' in value) return create(AttributeProtoSchema, { name, type: AttributeType.FLOATS, floats: [...value.floats] })
  if ('graph' in value) return create(AttributeProtoSchema, { name, type: AttributeType.GRAPH, g: graphProto(value.graph) })
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) })
}

function initializer({ name, type, shape, data, external }: Initializer) {
  const head = { name, dims: shape.map(BigInt), dataType: dataTypes[type] }
  if (!external) return create(TensorProtoSchema, { ...head, rawData: new Uint8Array(data!.buffer as ArrayBuffer, data!.byteOffset, data!.byteLength) })
  const entries = Object.entries({ location: external.file, offset: external.offset, length: external.length })
  const externalData = entries.map(([key, value]) => create(StringStringEntryProtoSchema, { key, value: String(value) }))
  return create(TensorProtoSchema, { ...head, dataLocation: DataLocation.EXTERNAL, externalData })
}

function dimension(value: Dimension) {
  return create(TensorShapeProto_DimensionSchema, { value: typeof value === 'number' ? { case: 'dimValue', value: BigInt(value) } : { case: 'dimParam', value } })
}

function valueInfo({ name, type, shape }: Value) {
  return create(ValueInfoProtoSchema, { name, type: { value: { case: 'tensorType', value: { elemType: dataTypes[type], shape: { dim: shape.map(dimension) } } } } })
}

function nodeProto({ operator, domain, inputs, outputs, attributes }: Node) {
  return create(NodeProtoSchema, {
    name: outputs.find((name) => name !== '') ?? operator,
    opType: operator,
    domain,
    input: [...inputs],
    output: [...outputs],
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  })
}

function graphProto(graph: Graph): ReturnType<typeof create<typeof GraphProtoSchema>> {
  return create(GraphProtoSchema, {
    name: graph.name,
    node: graph.nodes.map(nodeProto),
    initializer: graph.initializers.map(initializer),
    input: graph.inputs.map(valueInfo),
    output: graph.outputs.map(valueInfo),
  })
}

/** The model's file. @throws {ChainruleError} where the graph reads what nothing defines, or defines a name twice */
export function serialize(graph: Graph): Uint8Array {
  checkGraph(graph)
  const opsets = [create(OperatorSetIdProtoSchema, { domain: '', version: BigInt(operatorSet) })]
  for (const domain of domainsOf(graph)) if (domain !== '') opsets.push(create(OperatorSetIdProtoSchema, { domain, version: 1n }))
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: BigInt(irVersion), producerName: 'chainrule', opsetImport: opsets, graph: graphProto(graph) }))
}
