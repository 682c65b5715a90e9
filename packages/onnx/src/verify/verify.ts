/**
 * `verifyModel`: does an exported model keep what its format promises? Its files are read and its graphs are run; every check says
 * what it found, so that the report convinces people and not only programs.
 */
import { checkSeed, graphFiles, type GraphName, graphNames, InvalidModelError, refuseUnknownOptions, throwIfInterrupted, weightsFile } from '@chainrule/core'
import { type ModelSource, type OpenModel, openModel, type OpenModelOptions, type Provider } from '@chainrule/runtime'
import { nextPrefix, statePrefix } from '../export/programs.js'
import { irVersion, operatorSet } from '../serialize.js'
import { causality, conditioning, draws, type Finding, finite, type Law, normalised, replay, stepEqualsScore } from './laws.js'
import { besideWebgpu, notEverywhere } from './operators.js'
import { type GraphSummary, readGraph } from './read-graph.js'
import { subjectOf } from './subject.js'

export interface VerifyOptions extends Pick<OpenModelOptions, 'provider' | 'threads'> {
  /** What is drawn and changed at random; 0 by default. */
  seed?: number
  signal?: AbortSignal
  /** Told of each check when it is done. */
  onCheck?(check: Check): void
}

export interface Check {
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'not run'
  /** One line: what was found. */
  readonly reason: string
}

export interface Verification {
  /** No check failed. */
  readonly passed: boolean
  readonly checks: readonly Check[]
  /** What ran the graphs; absent where they did not open. */
  readonly provider?: Provider
}

/** Those that the model has: waves only some have. */
type Graphs = Readonly<Record<Exclude<GraphName, 'waves'>, GraphSummary>> & { readonly waves?: GraphSummary }

const passed = (reason: string): Finding => ({ passed: true, reason })
const failed = (reason: string): Finding => ({ passed: false, reason })

/** Versions, domains, and that every weight is read from inside of the one file of weights. */
function checkGraphs(graphs: Graphs, { manifest }: OpenModel): Finding {
  for (const name of graphNames(manifest)) {
    const { irVersion: version, operatorSets, foreign, external } = graphs[name]!
    const file = graphFiles[name]
    const domains = Object.keys(operatorSets).filter((domain) => domain !== 'ai.onnx')
    if (foreign.length || domains.length) return failed(`${file} uses ${[...foreign, ...domains].join(', ')}, outside of the standard domain`)
    if (!(operatorSets['ai.onnx'] <= operatorSet)) return failed(`${file} is of opset ${operatorSets['ai.onnx']}, expected at most ${operatorSet}`)
    if (version > irVersion) return failed(`${file} is of IR version ${version}, expected at most ${irVersion}`)
    const limit = manifest.files[weightsFile].bytes
    const outside = external.find((place) => place.file !== weightsFile || place.offset + place.length > limit)
    if (outside) return failed(`${file} reads weights from ${JSON.stringify(outside.file)}, bytes ${outside.offset} to ${outside.offset + outside.length}; ${weightsFile} has ${limit}`)
  }
  return passed(`opset ${graphs.step.operatorSets['ai.onnx']}, IR version ${graphs.step.irVersion}, standard domain only, weights in ${weightsFile}`)
}

function checkOperators(graphs: Graphs): Finding {
  const all = new Set(Object.values(graphs).flatMap(({ operators }) => Object.keys(operators)))
  const missing = notEverywhere(all)
  if (missing.length) return failed(`${missing.join(', ')}: not known to run on CPU, CUDA and in browsers alike`)
  const beside = besideWebgpu(all).sort()
  return passed(`${all.size} operators that CPU, CUDA and browsers have${beside.length ? `; with WebGPU ${beside.length} of them run on the CPU (${beside.join(', ')})` : ''}`)
}

/** The state that goes in and comes out has the shapes that model.json gives. */
function checkState(graphs: Graphs, { manifest }: OpenModel): Finding {
  const carrying = (['score', 'step', 'sample'] as const).filter((name) => name !== 'score' || manifest.domain.length === 'variable')
  for (const graph of carrying) {
    for (const { name, shape } of manifest.state) {
      for (const [given, side] of [[graphs[graph].inputs[statePrefix + name], 'input'], [graphs[graph].outputs[nextPrefix + name], 'output']] as const) {
        const fits = given?.length === shape.length && shape.every((axis, i) => (typeof axis === 'number' ? given[i] === axis : typeof given[i] === 'string'))
        if (!fits) return failed(`${graphFiles[graph]}: the ${side} for the state "${name}" has the shape [${given?.join(', ') ?? 'none'}], model.json says [${shape.join(', ')}]`)
      }
    }
  }
  return passed(manifest.state.length ? `${manifest.state.length} tensors, of the shapes in model.json, in ${carrying.map((name) => graphFiles[name]).join(', ')}` : 'the model carries none')
}

async function checkWeights(opened: OpenModel): Promise<Finding> {
  const parameters = Object.entries(await opened.parameters())
  for (const [name, { data }] of parameters) {
    const at = data.findIndex((value) => !Number.isFinite(value))
    if (at >= 0) return failed(`${weightsFile}: number ${at} of "${name}" is ${data[at]}`)
  }
  return passed(`${parameters.reduce((sum, [, { data }]) => sum + data.length, 0).toLocaleString('en-US')} numbers in ${parameters.length} tensors, all finite`)
}

const laws: Readonly<Record<string, Law>> = { finite, causality, condition: conditioning, 'step = score': stepEqualsScore, replay, draws, normalised }

/** The names of all checks, in their order. */
export const checkNames = ['files', 'provider', 'graphs', 'operators', 'state', 'weights', ...Object.keys(laws)] as const

/**
 * Verifies an exported model: its directory, single file, URL, or files as bytes by name. What does not hold is in the report; thrown is
 * only what keeps from looking.
 * @throws {InvalidOptionError} for options
 * @throws {UnavailableError} where onnxruntime or the provider that was demanded is not to be had
 * @throws {InterruptedError}
 */
export async function verifyModel(source: ModelSource, options: VerifyOptions = {}): Promise<Verification> {
  refuseUnknownOptions('verifyModel', options, ['provider', 'threads', 'seed', 'signal', 'onCheck'])
  const { provider, threads, seed = 0, signal, onCheck } = options
  checkSeed('verifyModel', seed)
  const checks: Check[] = []
  /** Runs a check; a model that fails while it is looked at has failed the check. */
  const check = async (name: string, look: () => Finding | Promise<Finding>): Promise<boolean> => {
    throwIfInterrupted(signal, 'verifyModel')
    const { passed: holds, reason } = await Promise.resolve().then(look).catch((error: unknown): Finding => {
      if (error instanceof InvalidModelError) return failed(error.message)
      throw error
    })
    const done: Check = { name, outcome: holds === undefined ? 'not run' : holds ? 'passed' : 'failed', reason }
    checks.push(done)
    onCheck?.(done)
    return holds !== false
  }
  const result = (used?: Provider): Verification => ({ passed: checks.every(({ outcome }) => outcome !== 'failed'), checks, ...(used && { provider: used }) })

  let opened: OpenModel | undefined
  const isOpen = await check('files', async () => {
    opened = await openModel(source, { ...(provider && { provider }), ...(threads && { threads }) })
    const count = Object.keys(opened.manifest.files).length
    return passed(`model.json is valid, and the ${count} files that it lists have the sizes and SHA-256 that it says`)
  })
  if (!isOpen || !opened) {
    for (const name of checkNames.slice(1)) await check(name, () => ({ reason: 'the files do not open' }))
    return result()
  }
  const model = opened
  try {
    await check('provider', () => passed(model.reason))
    const read = async (name: GraphName) => [name, readGraph(await model.file(graphFiles[name]), graphFiles[name])] as const
    const graphs = Object.fromEntries(await Promise.all(graphNames(model.manifest).map(read))) as Graphs
    await check('graphs', () => checkGraphs(graphs, model))
    await check('operators', () => checkOperators(graphs))
    await check('state', () => checkState(graphs, model))
    await check('weights', () => checkWeights(model))
    const subject = subjectOf(model, { seed, signal })
    for (const [name, law] of Object.entries(laws)) await check(name, () => law(subject))
    return result(model.provider)
  } finally {
    await model.release()
  }
}
