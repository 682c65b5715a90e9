/** Numbers on the command line; anything else is a usage error that says what was expected. */
import { InvalidArgumentError } from 'commander'

export function wholeFrom(minimum: number, maximum = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range = maximum === Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`
  return (text) => {
    const value = Number(text)
    if (!/^[+-]?\d+$/.test(text) || value < minimum || value > maximum) throw new InvalidArgumentError(`Expected a whole number ${range}.`)
    return value
  }
}

export function numberWhere(accepts: (value: number) => boolean, expected: string): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isFinite(value) || !accepts(value)) throw new InvalidArgumentError(`Expected ${expected}.`)
    return value
  }
}

/** 28x28: rows and columns. */
export function gridSize(text: string): { height: number; width: number } {
  const [, height, width] = /^(\d+)[x×](\d+)$/.exec(text) ?? []
  if (!(Number(height) > 0) || !(Number(width) > 0)) throw new InvalidArgumentError('Expected rows and columns, 28x28 for example.')
  return { height: Number(height), width: Number(width) }
}
