import { describe, expect, it, test } from 'vitest'
import { checkConditionValues, type Condition, conditionFromName, conditionInput, conditionSpecification, controlSequence, InvalidDataError, InvalidOptionError, label, labelNumber, labelValues, UnknownPieceError } from '../src/index.js'

const named = label({ names: ['cat', 'dog'] })

describe('conditions as data', () => {
  const all: [Condition, ReturnType<typeof conditionInput>, (string | number)[], string, number][] = [
    [label({ values: 5 }), 'label', ['B'], 'int32', 5],
    [named, 'label', ['B'], 'int32', 2],
    [controlSequence({ channels: 3 }), 'control', ['B', 'N', 3], 'float32', 3],
    [controlSequence({ values: 4 }), 'control', ['B', 'N'], 'int32', 4],
  ]
  it.each(all)('%j', (condition, input, shape, type, size) => {
    expect(conditionFromName(JSON.parse(JSON.stringify({ name: condition.name, options: condition.options })))).toEqual(condition)
    expect(conditionInput(condition)).toBe(input)
    expect(conditionSpecification<string>(condition, 'B', 'N')).toEqual({ shape, type })
    expect(conditionSpecification<string>(condition, 'B').shape).toEqual(shape.filter((axis) => axis !== 'N'))
    expect(condition.size).toBe(size)
  })

  it('refuses options that are none', () => {
    const refused: [() => Condition, RegExp][] = [
      [() => label({}), /values must be a whole number of at least 1, got undefined/],
      [() => label({ values: 3, names: ['a'] }), /1 names for 3 labels/],
      [() => label({ names: ['a', 'b', 'a'] }), /"a" twice/],
      [() => label({ names: ['a', ''] }), /names must be a list of texts/],
      [() => label({ values: 2, channels: 1 } as never), /unknown option "channels"/],
      [() => controlSequence({} as never), /channels .* or values/],
      [() => controlSequence({ channels: 1, values: 2 } as never), /one of them/],
      [() => controlSequence({ channels: 0 }), /at least 1/],
    ]
    for (const [make, message] of refused) {
      expect(make).toThrow(message)
      expect(make).toThrow(InvalidOptionError)
    }
    expect(() => conditionFromName({ name: 'mood', options: {} })).toThrow(UnknownPieceError)
  })
})

test('values of conditions are checked: type, size, range', () => {
  const control = controlSequence({ channels: 2 })
  expect(checkConditionValues('x', control, new Float32Array(12), 2, 3)).toHaveLength(12)
  const refused: [Condition, Int32Array | Float32Array | undefined, RegExp][] = [
    [named, undefined, /x: the model's condition is missing: it was made for p\(x \| label\). Give an Int32Array of 2 labels/],
    [named, Int32Array.of(0, 1, 0), /got Int32Array of 3/],
    [named, Int32Array.of(0, 2), /label 1 is 2, expected a whole number from 0 to 1/],
    [named, Int32Array.of(-1, 0), /label 0 is -1/],
    [named, Float32Array.of(0, 1), /an Int32Array of 2 labels, got Float32Array/],
    [control, new Float32Array(11), /a Float32Array of 2 × 3 × 2 numbers, got Float32Array of 11/],
    [control, new Float32Array(12).fill(Infinity, 5), /control 5 is Infinity, expected a finite number/],
    [controlSequence({ values: 3 }), new Int32Array(6).fill(3, 4), /control 4 is 3/],
  ]
  for (const [condition, given, message] of refused) {
    expect(() => checkConditionValues('x', condition, given, 2, 3)).toThrow(message)
    expect(() => checkConditionValues('x', condition, given, 2, 3)).toThrow(InvalidDataError)
  }
})

test('labels go by name or number', () => {
  expect(['cat', 'dog', '1', 0].map((asked) => labelNumber('x', named, asked))).toEqual([0, 1, 1, 0])
  for (const asked of ['cow', '2', 2, -1, 0.5, '']) expect(() => labelNumber('x', named, asked)).toThrow(/there is no label .*one of cat, dog, or its number from 0 to 1/)
  expect(labelNumber('x', label({ names: ['1', '0'] }), '0')).toBe(1)
  expect(labelValues('x', named, 'dog', 3)).toEqual(Int32Array.of(1))
  expect(labelValues('x', named, ['dog', 0], 2)).toEqual(Int32Array.of(1, 0))
  expect(labelValues('x', undefined, undefined, 2)).toBeUndefined()
  expect(() => labelValues('x', named, ['dog'], 2)).toThrow(/1 labels for 2 samples/)
  expect(() => labelValues('x', named, undefined, 2)).toThrow(/label is missing.*one of cat, dog/)
  expect(() => labelValues('x', undefined, 'dog', 2)).toThrow(/takes none/)
})
