/** `chainrule inspect`: what a run or an exported model is made of, learned from, and reached. */
import { graphFiles, type GraphName, graphNames, type Json, type JsonObject, type ParameterArrays, type Piece, sizeOf, type StateTensor } from '@chainrule/core'
import { type Model, planSampling } from '@chainrule/core/tensors'
import { type Loaded, type Run, trainedOf } from '@chainrule/modality'
import { type GraphSummary, readGraph } from '@chainrule/onnx'
import type { Context } from './context.js'
import { sizesIn } from './export.js'
import { modalities, type Modality, modalityNameAt, type Package } from './modality.js'
import type { Output } from './output.js'
import { subjectAt } from './subject.js'
import { bytes, count, counted } from './wording.js'

/** The same of a run and of an exported model. */
interface Description {
  readonly kind: 'run' | 'exported model'
  readonly pieces: Record<'tokenizer' | 'order' | 'network' | 'head', Piece> & { readonly condition?: Piece }
  /** Language models: whether texts end. */
  readonly documents?: boolean
  readonly parameters: ParameterArrays
  readonly state: readonly StateTensor[]
  readonly context?: number
  readonly reads: Reach
  /** Of an exported model: what each graph is made of. */
  readonly graphs?: Readonly<Partial<Record<GraphName, GraphSummary>>>
  /** How whole samples are drawn, and why. */
  readonly sampling: string
  readonly data: JsonObject
  readonly training: JsonObject
  readonly results: JsonObject
  readonly further: JsonObject
}

/** How many of the variables before a late one its distribution depends on. */
interface Reach {
  readonly variables: number
  readonly of: number
  /** Whether they are the nearest ones. */
  readonly areLast: boolean
}

export async function inspect(path: string, { output }: Context): Promise<JsonObject> {
  const { nouns, load } = modalities[await modalityNameAt(path)]
  const modality = await load()
  const subject = await subjectAt(path, modality.readRun)
  return report(path, subject.kind === 'run' ? ofRun(modality, subject.run) : await ofModel(modality, subject.path), nouns, output)
}

async function report(path: string, description: Description, [variable, whole]: Modality['nouns'], output: Output): Promise<JsonObject> {
  const files = await sizesIn(path)
  const groups = byGroup(description.parameters)
  const total = sum(Object.values(groups))
  const { pieces, documents, state, context, reads, sampling, graphs, data, training, results, further } = description
  const memory = memoryOf(description)
  const section = (title: string, entries: [string, string][]) => {
    output.print(title)
    for (const [name, value] of entries) output.print(`  ${name.padEnd(22)} ${value}`)
    output.print()
  }
  const listed = (object: JsonObject) => Object.entries(object).map(([name, value]): [string, string] => [name, shown(value)])
  output.print(`${path}: ${description.kind}`)
  output.print()
  section('Pieces', [...Object.entries(pieces).map(([name, piece]): [string, string] => [name, `${piece.name}${optionsOf(piece)}`]), ...(documents === undefined ? [] : [['texts', documents ? 'documents, which end' : 'one, without an end'] satisfies [string, string]])])
  section(`Parameters: ${count(total)}`, Object.entries(groups).map(([name, size]) => [name, count(size)]))
  if (context !== undefined) section('Context', [[`${variable}s`, count(context)]])
  section('Reads', [[`before a late ${variable}`, reads.variables === reads.of ? 'everything' : `${reads.areLast ? 'the last ' : ''}${counted(reads.variables, variable)}${reads.areLast ? '' : ` of ${count(reads.of)}`}`]])
  section('Sampling', [['whole samples', sampling]])
  section('Memory', [
    ['weights', `${bytes(memory.weightBytes)} for each graph that is open${graphs ? `, ${bytes(memory.weightBytes * Object.keys(graphs).length)} for all ${Object.keys(graphs).length}` : ''}`],
    [`state of one ${whole}`, `${bytes(memory.stateBytes)}${context === undefined ? '' : ' at most'}`],
  ])
  if (graphs) section('Graphs', Object.entries(graphs).map(([name, { operatorSets, irVersion, operators }]) => [name, `opset ${operatorSets['ai.onnx']}, IR ${irVersion}, ${counted(sum(Object.values(operators)), 'node')} of ${counted(Object.keys(operators).length, 'operator')}`]))
  section('State while generating', state.map(({ name, type, shape }) => [name, `${type} [${shape.join(', ')}]`]))
  section('Data', listed(data))
  section('Training', listed(training))
  section('Results', Object.keys(results).length ? listed(results) : [['none', 'training is not complete, or nothing was held out']])
  section('Files', [...Object.entries(files).map(([name, size]): [string, string] => [name, bytes(size)]), ...listed(further)])
  return {
    command: 'inspect',
    path,
    kind: description.kind,
    pieces: pieces as unknown as JsonObject,
    ...(documents !== undefined && { documents }),
    parameters: { total, groups },
    context: context ?? null,
    reads: { variables: reads.variables, of: reads.of },
    sampling,
    memory: { ...memory },
    graphs: graphs ? Object.fromEntries(Object.entries(graphs).map(([name, { operatorSets, irVersion, operators }]) => [name, { operatorSets, irVersion, operators }])) : null,
    state: state as unknown as Json,
    data,
    training,
    results,
    files,
    ...further,
  }
}

function ofRun({ contextOf, describeTraining }: Package, run: Run): Description {
  const { tokenizer, order, network, head, condition, modality, documents = false, data, validation, from, command, results = {} } = run.description
  const trained = trainedOf(run)
  return {
    kind: 'run',
    pieces: { tokenizer, order, network, head, ...(condition && { condition }) },
    ...(modality === 'text' && { documents }),
    parameters: trained.parameters,
    state: trained.model.state,
    context: contextOf?.(trained.model),
    reads: reachOf(trained.model),
    sampling: planSampling(trained.model).reason,
    data,
    training: { ...(command !== undefined && { command }), ...describeTraining(trained), ...(validation && { validation: { ...validation } }), ...(from && { from: { ...from } }) },
    results,
    further: {},
  }
}

async function ofModel({ loadModel, modelOf, contextOf }: Package, path: string): Promise<Description> {
  const loaded = await loadModel(path)
  try {
    const { domain, modality, tokenizer, order, network, head, condition, state, card, producer, formatVersion } = loaded.manifest
    const { model, parameters } = await modelOf(loaded)
    return {
      kind: 'exported model',
      pieces: { tokenizer, order: { name: order.name, options: order.options }, network, head, ...(condition && { condition }) },
      ...(modality === 'text' && { documents: domain.end !== undefined }),
      parameters,
      state,
      context: contextOf?.(model),
      reads: reachOf(model),
      sampling: planSampling(model).reason,
      graphs: await graphsOf(loaded),
      data: card.data,
      training: card.training,
      results: card.results,
      further: { exportedAt: card.exportedAt, producer, formatVersion },
    }
  } finally {
    await loaded.release()
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)

/** A variable late enough that a band of attention shows. */
const late = 4096

/** Of the variable that comes last; where there is no last one, of a late one: which of those before it the model reads. */
function reachOf({ domain, boundNetwork, resolvedOrder }: Model): Reach {
  if (domain.length !== 'variable') {
    const { permutation } = resolvedOrder
    return { variables: boundNetwork.dependencies(permutation[permutation.length - 1]).length, of: permutation.length - 1, areLast: false }
  }
  const of = boundNetwork.longest === undefined ? late : boundNetwork.longest - 1
  return { variables: boundNetwork.dependencies(of).length, of, areLast: true }
}

async function graphsOf({ opened }: Loaded): Promise<NonNullable<Description['graphs']>> {
  const read = async (name: GraphName) => [name, readGraph(await opened.file(graphFiles[name]), graphFiles[name])] as const
  return Object.fromEntries(await Promise.all(graphNames(opened.manifest).map(read)))
}

/** What sessions hold: a copy of the weights for each graph, and the state of one text when its past is as long as it gets. */
function memoryOf({ parameters, state, context = 1 }: Description): { weightBytes: number; stateBytes: number } {
  const numbers = (shape: StateTensor['shape']) => sizeOf(shape.map((axis) => (axis === 'batch' ? 1 : axis === 'past' ? context - 1 : axis)))
  return { weightBytes: 4 * sum(Object.values(parameters).map(({ shape }) => sizeOf(shape))), stateBytes: 4 * sum(state.map(({ shape }) => numbers(shape))) }
}

/** Numbers of parameters by the first two parts of their names: network/layer0, network/embedding, … */
function byGroup(parameters: ParameterArrays): Record<string, number> {
  const groups: Record<string, number> = {}
  for (const [name, { shape }] of Object.entries(parameters)) {
    const group = name.split('/').slice(0, 2).join('/')
    groups[group] = (groups[group] ?? 0) + sizeOf(shape)
  }
  return groups
}

const longestShown = 60

function shown(value: Json): string {
  if (typeof value === 'number') return Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(6)))
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > longestShown + 8 ? `${text.slice(0, longestShown)} … (${count(text.length)} characters)` : text
}

function optionsOf({ options }: Piece): string {
  const entries = Object.entries(options)
  return entries.length ? ` { ${entries.map(([name, value]) => `${name}: ${shown(typeof value === 'string' ? JSON.stringify(value) : value)}`).join(', ')} }` : ''
}
