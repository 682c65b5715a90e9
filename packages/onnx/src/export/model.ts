/** The exported model: graphs that share one weights file, and model.json that says what they are. */
import { createHash } from 'node:crypto'
import { access, mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import {
  countParameters,
  describe,
  encodeManifest,
  encodeSafetensors,
  formatVersion,
  graphFiles,
  InvalidDataError,
  manifestFile,
  type ModelCard,
  type ModelManifest,
  type ParameterArrays,
  type Piece,
  weightsFile,
} from '@chainrule/core'
import type { Model } from '@chainrule/core/tensors'
import { type Graph, withWeights } from '../graph.js'
import { serialize } from '../serialize.js'
import { recordSymbolic } from '../symbolic.js'
import { loopOverSteps } from './loop.js'
import { type ExportedProgram, parameterPrefix, scoreProgram, stepProgram } from './programs.js'
import { modelReadme, readmeFile } from './readme.js'

export interface ModelToExport {
  readonly model: Model
  readonly parameters: ParameterArrays
  /** 'text', 'image' or 'audio'. */
  readonly modality: string
  readonly tokenizer: Piece
  readonly card: ModelCard
}

export const producer = 'chainrule 0.1.0'

/** The directory of the exported model: name → bytes. */
export function recordModel(given: ModelToExport): Record<string, Uint8Array> {
  const { model, parameters, modality, tokenizer, card } = given
  const { bytes: weights, places } = encodeSafetensors({ tensors: parameters, metadata: { format: producer } })
  const shapes = Object.fromEntries(Object.entries(parameters).map(([name, { shape }]) => [name, shape]))
  const recordGraph = (name: string, { program, inputs }: ExportedProgram): Graph => {
    const graph = recordSymbolic(name, program, inputs)
    const read = Object.fromEntries(Object.entries(places).map(([parameter, place]) => [parameterPrefix + parameter, { external: { file: weightsFile, ...place } }]))
    return withWeights(graph, read)
  }
  const step = recordGraph('step', stepProgram(model, shapes))
  const files: Record<string, Uint8Array> = {
    [weightsFile]: weights,
    [graphFiles.score]: serialize(recordGraph('score', scoreProgram(model, shapes))),
    [graphFiles.step]: serialize(step),
    [graphFiles.sample]: serialize(loopOverSteps(step, model.domain.end)),
  }
  const { domain, order, resolvedOrder, network, head, boundNetwork, boundHead } = model
  const manifest: ModelManifest = {
    formatVersion,
    producer,
    modality,
    domain,
    order: { ...describe(order), ...(domain.length !== 'variable' && { permutation: [...resolvedOrder.permutation], ...(resolvedOrder.groups && { groups: [...resolvedOrder.groups] }) }) },
    network: describe(network),
    head: describe(head),
    uniformsPerComponent: boundHead.uniformsPerComponent,
    ...(boundHead.samplingFilters && { samplingFilters: boundHead.samplingFilters }),
    ...(boundNetwork.longest !== undefined && { longest: boundNetwork.longest }),
    tokenizer,
    state: model.state,
    parameters: countParameters(parameters),
    files: Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }])),
    card,
  }
  return { [manifestFile]: encodeManifest(manifest), ...files, [readmeFile]: modelReadme(given) }
}

/**
 * Writes the files into a new directory, whole or not at all.
 * @param files by name, which may name a folder inside
 * @param options `mark`: the file by which a directory is known to be of this layout, so that it may be replaced
 * @throws {InvalidDataError} where the directory exists and `overwrite` is not set
 */
export async function writeModel(directory: string, files: Record<string, Uint8Array>, { overwrite = false, mark = manifestFile }: { overwrite?: boolean; mark?: string } = {}): Promise<void> {
  const target = resolve(directory)
  const exists = (path: string) => access(path).then(() => true, () => false)
  if (await exists(target)) {
    if (!overwrite) throw new InvalidDataError(`${directory} exists already. Choose another name, or overwrite it (--overwrite).`)
    if (!(await exists(join(target, mark)))) throw new InvalidDataError(`${directory} exists and is not an exported model of this layout (it has no ${mark}), so it is not overwritten.`)
  }
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.partial`)
  await rm(temporary, { recursive: true, force: true })
  await mkdir(temporary, { recursive: true })
  try {
    for (const [name, bytes] of Object.entries(files)) {
      await mkdir(dirname(join(temporary, name)), { recursive: true })
      const file = await open(join(temporary, name), 'w')
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
    }
    const old = `${temporary}.old`
    const replaces = await exists(target)
    if (replaces) await rename(target, old)
    await rename(temporary, target)
    if (replaces) await rm(old, { recursive: true })
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    throw error
  }
}
