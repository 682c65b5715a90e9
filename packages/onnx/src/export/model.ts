/** The exported model: graphs that share one weights file, and model.json that says what they are. */
import { createHash } from 'node:crypto'
import {
  countParameters,
  describe,
  encodeManifest,
  encodeSafetensors,
  formatVersion,
  graphFiles,
  manifestFile,
  type ModelCard,
  type ModelManifest,
  type ParameterArrays,
  type Piece,
  weightsFile,
} from '@chainrule/core'
import { type Model, planSampling } from '@chainrule/core/tensors'
import { type Graph, withWeights } from '../graph.js'
import { serialize } from '../serialize.js'
import { recordSymbolic } from '../symbolic.js'
import { loopOverBlocks } from './block-loop.js'
import { joinSums } from './join-sums.js'
import { loopOverSteps } from './loop.js'
import { blockProgram, type ExportedProgram, parameterPrefix, scoreProgram, stepProgram, waveProgram } from './programs.js'
import { modelReadme, readmeFile } from './readme.js'
import { loopOverWaves } from './wave-loop.js'

export interface ModelToExport {
  readonly model: Model
  readonly parameters: ParameterArrays
  /** 'text', 'image' or 'audio'. */
  readonly modality: string
  readonly tokenizer: Piece
  readonly card: ModelCard
}

/** Nodes of a step up to which blocks of steps pay: of longer ones, most belong to a head, and four of them make a graph that takes long to open. */
const mostNodes = 400

export const producer = 'chainrule 0.1.0'

/** The directory of the exported model: name → bytes. */
export function recordModel(given: ModelToExport): Record<string, Uint8Array> {
  const { model, parameters, modality, tokenizer, card } = given
  const { bytes: weights, places } = encodeSafetensors({ tensors: parameters, metadata: { format: producer } })
  const longest = model.domain.length === 'variable' ? Infinity : model.domain.length
  const shapes = Object.fromEntries(Object.entries(parameters).map(([name, { shape }]) => [name, shape]))
  const recordGraph = (name: string, { program, inputs }: ExportedProgram): Graph => {
    const graph = recordSymbolic(name, program, inputs)
    const read = Object.fromEntries(Object.entries(places).map(([parameter, place]) => [parameterPrefix + parameter, { external: { file: weightsFile, ...place } }]))
    return withWeights(graph, read)
  }
  const step = recordGraph('step', stepProgram(model, shapes))
  const { blocks } = model.boundNetwork
  const hasBlocks = blocks !== undefined && blocks.length <= longest && step.nodes.length <= mostNodes
  const sample = hasBlocks ? loopOverBlocks(joinSums(recordGraph('block', blockProgram(model, blocks, shapes))), step, blocks.length, model.domain.end) : loopOverSteps(step, model.domain.end)
  const plan = planSampling(model)
  const files: Record<string, Uint8Array> = {
    [weightsFile]: weights,
    [graphFiles.score]: serialize(recordGraph('score', scoreProgram(model, shapes))),
    [graphFiles.step]: serialize(step),
    [graphFiles.sample]: serialize(sample),
    ...(plan.steps && { [graphFiles.waves]: serialize(loopOverWaves(recordGraph('wave', waveProgram(model, plan.steps, shapes)), plan.steps, model.resolvedOrder)) }),
  }
  const { domain, condition, order, resolvedOrder, network, head, boundNetwork, boundHead } = model
  const manifest: ModelManifest = {
    formatVersion,
    producer,
    modality,
    domain,
    ...(condition && { condition: describe(condition) }),
    order: { ...describe(order), ...(domain.length !== 'variable' && { permutation: [...resolvedOrder.permutation], ...(resolvedOrder.groups && { groups: [...resolvedOrder.groups] }) }) },
    network: describe(network),
    head: describe(head),
    uniformsPerComponent: boundHead.uniformsPerComponent,
    ...(boundHead.samplingFilters && { samplingFilters: boundHead.samplingFilters }),
    ...(boundNetwork.longest !== undefined && { longest: boundNetwork.longest }),
    tokenizer,
    state: model.state,
    sampling: plan.reason,
    parameters: countParameters(parameters),
    files: Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }])),
    card,
  }
  return { [manifestFile]: encodeManifest(manifest), ...files, [readmeFile]: modelReadme(given) }
}
