/** `chainrule inspect`: what a run or an exported model is made of, learned from, and reached. */
import { type Json, type JsonObject, type ParameterArrays, type Piece, sizeOf, type StateTensor } from '@chainrule/core'
import { contextOf, describeTraining, loadModel, type Run, trainedOf } from '@chainrule/text'
import type { Context } from './context.js'
import { sizesIn } from './export.js'
import { subjectAt } from './subject.js'
import { bytes, count } from './wording.js'

/** The same of a run and of an exported model. */
interface Description {
  readonly kind: 'run' | 'exported model'
  readonly pieces: Record<'tokenizer' | 'order' | 'network' | 'head', Piece>
  readonly parameters: ParameterArrays
  readonly state: readonly StateTensor[]
  readonly context?: number
  readonly data: JsonObject
  readonly training: JsonObject
  readonly results: JsonObject
  readonly further: JsonObject
}

export async function inspect(path: string, { output }: Context): Promise<JsonObject> {
  const subject = await subjectAt(path)
  const description = subject.kind === 'run' ? ofRun(subject.run) : await ofModel(subject.directory)
  const files = await sizesIn(path)
  const groups = byGroup(description.parameters)
  const total = Object.values(groups).reduce((sum, size) => sum + size, 0)
  const { pieces, state, context, data, training, results, further } = description
  const section = (title: string, entries: [string, string][]) => {
    output.print(title)
    for (const [name, value] of entries) output.print(`  ${name.padEnd(22)} ${value}`)
    output.print()
  }
  const listed = (object: JsonObject) => Object.entries(object).map(([name, value]): [string, string] => [name, shown(value)])
  output.print(`${path}: ${description.kind}`)
  output.print()
  section('Pieces', Object.entries(pieces).map(([name, piece]) => [name, `${piece.name}${optionsOf(piece)}`]))
  section(`Parameters: ${count(total)}`, Object.entries(groups).map(([name, size]) => [name, count(size)]))
  if (context !== undefined) section('Context', [['tokens', count(context)]])
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
    parameters: { total, groups },
    context: context ?? null,
    state: state as unknown as Json,
    data,
    training,
    results,
    files,
    ...further,
  }
}

function ofRun(run: Run): Description {
  const { description, textModel } = run
  const { tokenizer, order, network, head, data, validation, from, results = {} } = description
  const trained = trainedOf(run)
  return {
    kind: 'run',
    pieces: { tokenizer, order, network, head },
    parameters: trained.parameters,
    state: textModel.model.state,
    context: contextOf(textModel.model),
    data,
    training: { ...describeTraining(trained), ...(validation && { validation: { ...validation } }), ...(from && { from: { ...from } }) },
    results,
    further: {},
  }
}

async function ofModel(directory: string): Promise<Description> {
  const loaded = await loadModel(directory)
  try {
    const { tokenizer, order, network, head, state, card, producer, formatVersion } = loaded.manifest
    const { context } = network.options
    return {
      kind: 'exported model',
      pieces: { tokenizer, order: { name: order.name, options: order.options }, network, head },
      parameters: await loaded.opened.parameters(),
      state,
      context: typeof context === 'number' ? context : undefined,
      data: card.data,
      training: card.training,
      results: card.results,
      further: { exportedAt: card.exportedAt, producer, formatVersion },
    }
  } finally {
    await loaded.release()
  }
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
