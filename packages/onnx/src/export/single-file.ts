/** An exported model as one file: the graph of the whole chain with the weights inside, and all the rest in its metadata. */
import { createHash } from 'node:crypto'
import { lstat, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { decodeManifest, decodeSafetensors, graphFiles, InvalidDataError, InvalidOptionError, manifestFile, packSingleFile, weightPrefix, weightsFile } from '@chainrule/core'
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

/**
 * Writes the file, whole or not at all.
 * @throws {InvalidOptionError} where the name does not end in .onnx
 * @throws {InvalidDataError} where something is there and `overwrite` is not set, or it is no file
 */
export async function writeSingleFile(path: string, bytes: Uint8Array, { overwrite = false }: { overwrite?: boolean } = {}): Promise<void> {
  const target = resolve(path)
  if (extname(target) !== '.onnx') throw new InvalidOptionError(`A single file is an ONNX file: its name must end in .onnx, got ${path}.`)
  const there = await lstat(target).catch(() => undefined)
  if (there && !there.isFile()) throw new InvalidDataError(`${path} exists and is not a file, so it is not overwritten. Choose another name.`)
  if (there && !overwrite) throw new InvalidDataError(`${path} exists already. Choose another name, or overwrite it (--overwrite).`)
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.partial`)
  try {
    const file = await open(temporary, 'w')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
