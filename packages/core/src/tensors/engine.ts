/**
 * An engine runs tensor programs. A program is a pure function on tensors; what it carries from one run to the next
 * (parameters, moments) stays with the engine, everything else goes in and comes out as arrays.
 */
import type { ParameterArrays } from '../parameters.js'
import type { TensorArray } from '../safetensors.js'
import type { Tensors } from './network.js'

export type ElementType = 'float32' | 'int32' | 'bool'

export interface TensorSpecification {
  readonly shape: readonly number[]
  readonly type: ElementType
}

/** By name; bool is Uint8Array. */
export type Arrays = Record<string, TensorArray>

/** The carried tensors that a program returns replace those of the same name; the others stay. */
export type Program = (carried: Tensors, inputs: Tensors) => { carried?: Tensors; outputs: Tensors }

export interface ProgramSpecification {
  readonly inputs: Readonly<Record<string, TensorSpecification>>
  /** First values of what is carried; the engine copies them. */
  readonly carried: ParameterArrays
}

export interface CompiledProgram {
  /** How it runs, in a line for people, where there is more to say than the engine's name. */
  readonly description?: string
  /** @throws {InvalidOptionError} for a missing or unknown input, or one of another size */
  run(inputs: Arrays): Promise<Arrays>
  /** A copy of what is carried now. */
  carried(): Promise<ParameterArrays>
  /** Replaces what is carried; same names and shapes. */
  load(carried: ParameterArrays): Promise<void>
  /** Frees everything; the program cannot run again. */
  release(): Promise<void>
}

export interface Engine {
  readonly name: string
  compile(program: Program, specification: ProgramSpecification): Promise<CompiledProgram>
}
