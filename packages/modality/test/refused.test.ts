/** What is no model, no place and no signal is refused by name, before anything is done. */
import { InvalidOptionError, throwIfInterrupted } from '@chainrule/core'
import { expect, test } from 'vitest'
import { exportBound, type Modality, withOpened } from '../src/index.js'

const modality = { modality: 'text', of: 'text', variable: 'token' } as Modality
const open = () => Promise.reject(new Error('opened'))

test.each([undefined, null, 3, {}])('verbs: %s is no model', async (model) => {
  await expect(withOpened(open, model as never, {}, open)).rejects.toThrow(/Expected a model first/)
  await expect(withOpened(open, model as never, {}, open)).rejects.toThrow(InvalidOptionError)
  await expect(exportBound(modality, model as never, 'folder', {})).rejects.toThrow(/expected a trained model first/)
})

test.each([undefined, '', 3])('exportModel: %s is no place', async (directory) => {
  await expect(exportBound(modality, { model: {} } as never, directory as never, {})).rejects.toThrow(/expected where the model goes second/)
})

test('exportModel: an opened model is one already', async () => {
  await expect(exportBound(modality, { opened: {} } as never, 'folder', {})).rejects.toThrow(/an exported one already/)
})

test('a controller is no signal', () => {
  expect(() => throwIfInterrupted(new AbortController() as never, 'sample')).toThrow(/sample: signal must be an AbortSignal.*controller\.signal/)
  throwIfInterrupted(new AbortController().signal, 'sample')
})
