/** An exported model as one file: the graph of the whole chain with the weights inside, and all the rest in its metadata. */
import { createHash } from 'node:crypto'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { decodeManifest, decodeSafetensors, graphFiles, manifestFile, packSingleFile, weightPrefix, weightsFile } from '@chainrule/core'
import { ModelProtoSchema, TensorProto_DataLocation as DataLocation, TensorProto_DataType as DataType, TensorProtoSchema } from 'onnx-buf'

/**
 * @param files those of the directory, by name
 * @throws {InvalidDataError} where the weights are more than one ONNX file can hold
 */
export function singleFileOf(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const listed = [manifestFile, ...Object.keys(decodeManifest(files[manifestFile], manifestFile).files)]
  const { tensors } = decodeSafetensors(files[weightsFile], weightsFile)
  const model = fromBinary(ModelProtoSchema, files[graphFiles.sample])
  const graph = model.graph!
  const weights = Object.entries(tensors).map(([name, { shape, data }]) =>
    create(TensorProtoSchema, { name: weightPrefix + name, dims: shape.map(BigInt), dataType: DataType.FLOAT, rawData: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength) }),
  )
  // Weights that the graph does not read are there, too: others may.
  graph.initializer = [...weights, ...graph.initializer.filter(({ dataLocation }) => dataLocation !== DataLocation.EXTERNAL)]
  const bytes = toBinary(ModelProtoSchema, model)
  return packSingleFile(bytes, createHash('sha256').update(bytes).digest('hex'), Object.fromEntries(listed.map((name) => [name, files[name]])))
}
