/** Parameters are data: names with a shape and float32 numbers, row-major. */
export interface ParameterArray {
  readonly shape: readonly number[]
  readonly data: Float32Array
}
export type ParameterArrays = Record<string, ParameterArray>

/** The number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1)
}

/** How many numbers a model has. */
export function countParameters(parameters: ParameterArrays): number {
  return Object.values(parameters).reduce((sum, { data }) => sum + data.length, 0)
}
