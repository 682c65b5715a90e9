/** Comparisons and logic. onnxruntime's Where knows no bool, so a choice between bools is (c ∧ t) ∨ (¬c ∧ e). */
import { UnsupportedError } from '@chainrule/core'
import type { Kernel, Kernels } from '../recording.js'
import { sameShape, typeOf } from '../recording.js'
import { scalar } from './elementwise.js'

const comparison =
  (operator: string): Kernel =>
  (recording, { a, b }) => {
    if (typeOf(a) === 'bool' && operator !== 'Equal') throw new UnsupportedError(`Recording: ${operator} of bool has no ONNX form. Cast to int32 first.`)
    return recording.elementwise(operator, [a, b], 'bool')
  }

const logic =
  (operator: string): Kernel =>
  (recording, { a, b }) =>
    recording.elementwise(operator, [a, b], 'bool')

export const comparisons: Kernels = {
  Equal: comparison('Equal'),
  Greater: comparison('Greater'),
  GreaterEqual: comparison('GreaterOrEqual'),
  IsFinite: (recording, { x }) => recording.elementwise('Less', [recording.elementwise('Abs', [x], 'float32'), scalar(recording, Infinity)], 'bool'),
  IsInf: (recording, { x }) => recording.elementwise('Equal', [recording.elementwise('Abs', [x], 'float32'), scalar(recording, Infinity)], 'bool'),
  IsNan: (recording, { x }) => recording.elementwise('IsNaN', [x], 'bool'),
  Less: comparison('Less'),
  LessEqual: comparison('LessOrEqual'),
  LogicalAnd: logic('And'),
  LogicalNot: (recording, { x }) => recording.elementwise('Not', [x], 'bool'),
  LogicalOr: logic('Or'),
  NotEqual: (recording, { a, b }) => recording.elementwise('Not', [recording.elementwise('Equal', [a, b], 'bool')], 'bool'),
  Select: (recording, { condition, t, e }) => {
    const isTrue = recording.uniform(condition)
    if (isTrue !== undefined && sameShape(t.shape, e.shape)) return recording.alias(isTrue ? t : e)
    if (typeOf(t) !== 'bool') return recording.elementwise('Where', [condition, t, e], typeOf(t))
    const chosen = recording.elementwise('And', [condition, t], 'bool')
    const other = recording.elementwise('And', [recording.elementwise('Not', [condition], 'bool'), e], 'bool')
    return recording.elementwise('Or', [chosen, other], 'bool')
  },
}
