/** Records a tensor program (its gradients too) as a graph. */
import { ChainruleError, InvalidOptionError, refuseUnknownOptions, UnsupportedError, wholeNumber } from '@chainrule/core'
import type { Tensors, TensorSpecification } from '@chainrule/core/tensors'
import * as tf from '@tensorflow/tfjs-core'
import { withBlockedLayout } from './blocked-layout.js'
import { foldScales } from './fold-scales.js'
import type { Graph } from './graph.js'
import { kernels } from './kernels/index.js'
import { type Inputs, Recording, type Target, typeOf } from './recording.js'
import { pruned } from './scan-passes.js'
import { finish, type Parts, type Result, simplify } from './simplify.js'

export type RecordableProgram = (inputs: Tensors) => Tensors

export interface RecordOptions {
  target: Target
  /** For the target 'onnxruntime': use its convolution of blocked channels, which takes so many together on the machine that is to run the graph. */
  channelBlock?: number
}

const backendName = 'chainrule-recorder'

function missing(kernelName: string): UnsupportedError {
  return new UnsupportedError(
    `Recording: no kernel "${kernelName}". The program, or the gradient of one of its operations, calls a tfjs operation that has no ONNX form yet. Write it with operations that have one (packages/onnx/src/kernels lists them) or add the kernel there.`,
  )
}

/** Registers the kernels when the first program is recorded: importing this package changes nothing. */
function registerKernels(): void {
  if (tf.getKernelsForBackend(backendName).length > 0) return
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs, backend }) => kernel(backend as Recording, inputs as Inputs, (attrs ?? {}) as never),
    })
  }
}

/** Runs `work` with the recording as tfjs's backend, and puts everything back as it was: also where there was no backend. */
function withBackend<T>(recording: Recording, work: () => T): T {
  const engine = tf.engine()
  if (engine.backendName === backendName) throw new ChainruleError('Recording: a program that is being recorded cannot record another one.')
  const { backendName: before, state } = engine
  const { activeTape } = state
  registerKernels()
  tf.registerBackend(backendName, () => recording, 0)
  try {
    // Takes effect at once: the factory is synchronous. The promise says what we know already.
    void tf.setBackend(backendName)
    return work()
  } catch (error) {
    const absent = /^Kernel '(.+)' not registered for backend/.exec((error as Error)?.message ?? '')
    throw absent ? missing(absent[1]) : error
  } finally {
    // An exception inside a gradient leaves tfjs's tape as it was then, with the tensors that it kept.
    if (state.activeTape !== activeTape) for (const { saved } of (state.activeTape ?? []) as { saved?: tf.Tensor[] }[]) tf.dispose(saved ?? [])
    state.activeTape = activeTape
    tf.removeBackend(backendName)
    if (before) void tf.setBackend(before)
  }
}

/** What a recording holds before it is simplified. */
export interface Captured {
  readonly recording: Recording
  readonly results: readonly (Result & { readonly shape: readonly number[] })[]
}

/** Runs the program once on tensors that stand for its inputs. */
export function capture(program: RecordableProgram, inputs: Readonly<Record<string, TensorSpecification>>, target: Target, hasFreeLengths: boolean, channelBlock?: number): Captured {
  const recording = new Recording(target, hasFreeLengths, channelBlock)
  const results = withBackend(recording, () => {
    let found: Captured['results'] = []
    tf.tidy(() => {
      const given = Object.entries(inputs).map(([name, { shape, type }]) => {
        recording.builder.input({ name, type, shape })
        return [name, tf.engine().makeTensorFromTensorInfo(recording.tensor(name, shape, type))] as const
      })
      const outputs = program(Object.fromEntries(given))
      found = Object.entries(outputs).map(([name, tensor]) => {
        if (!(tensor instanceof tf.Tensor)) throw new InvalidOptionError(`Recording: the program's output "${name}" is no tensor but ${typeof tensor}. Return tensors only.`)
        return { name, value: recording.full(tensor), type: typeOf(tensor), shape: tensor.shape }
      })
    })
    return found
  })
  return { recording, results }
}

/**
 * Records a program as a graph with these inputs, all of fixed shape.
 * @param program a pure function of its inputs; what else it reads becomes constants
 * @throws {UnsupportedError} naming the kernel, where the program uses one that has no ONNX form here
 * @throws {InvalidOptionError} for an output that is called like an input
 */
export function record(program: RecordableProgram, inputs: Readonly<Record<string, TensorSpecification>>, options: RecordOptions): Graph {
  const { target, channelBlock } = options
  refuseUnknownOptions('record', options, ['target', 'channelBlock'])
  checkTarget('record', target)
  if (channelBlock !== undefined && target === 'standard') throw new InvalidOptionError('record: channelBlock is for the target onnxruntime: a standard graph knows no blocks. Leave it out.')
  if (channelBlock !== undefined) wholeNumber('record', 'channelBlock', channelBlock)
  const { recording, results } = capture(program, inputs, target, false, channelBlock)
  return finished(recording, results)
}

export function checkTarget(owner: string, target: unknown): void {
  if (target !== 'onnxruntime' && target !== 'standard') throw new InvalidOptionError(`${owner}: target must be 'onnxruntime' or 'standard', got ${String(target)}.`)
}

function finished(recording: Recording, results: readonly Result[]): Graph {
  const { builder, target } = recording
  const parts = { inputs: builder.inputs, initializers: builder.initializers.values(), nodes: pruned(builder.nodes, results.map(({ value }) => value)) }
  if (target === 'standard') return finish('program', parts, results)
  const laidOut = recording.channelBlock === undefined ? { ...parts, results } : inBlocks(recording, recording.channelBlock, parts, results)
  const folded = foldScales(laidOut, laidOut.results)
  return finish('program', folded, folded.results)
}

function inBlocks(recording: Recording, channelBlock: number, parts: Parts, given: readonly Result[]): Parts & { readonly results: readonly Result[] } {
  const { builder } = recording
  const { nodes, results } = simplify(parts, given)
  const blocked = withBlockedLayout(nodes, {
    channelBlock,
    shapeOf: (name) => recording.shapeOf(name),
    constants: builder.initializers,
    integers: (values) => builder.integers(values),
    wanted: results.map(({ value }) => value),
  })
  return { ...parts, initializers: builder.initializers.values(), nodes: blocked, results }
}
