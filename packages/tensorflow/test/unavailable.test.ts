import { writeFileSync } from 'node:fs'
import Module from 'node:module'
import { join } from 'node:path'
import { InvalidOptionError, UnavailableError } from '@chainrule/core'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { tensorflow } from '../src/index.js'
import { loadBackend, type Place } from '../src/load-backend.js'
import { emptyProject, projectWith } from './installation.js'

// Commands that pnpm starts find every package of the workspace by NODE_PATH; an empty project must be empty.
beforeAll(() => {
  vi.stubEnv('NODE_PATH', '')
  ;(Module as unknown as { _initPaths(): void })._initPaths()
})

const failureOf = async (place: Place): Promise<Error> => {
  const failure: unknown = await loadBackend(place).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(failure).toBeInstanceOf(UnavailableError)
  return failure as Error
}

describe('what is missing, and how to get it', () => {
  it('the package is not installed', async () => {
    const { message } = await failureOf(emptyProject())
    expect(message).toMatch(/@tensorflow\/tfjs-node is not installed/)
    expect(message).toMatch(/npm install @tensorflow\/tfjs-node@4\.22\.0/)
  })

  it('the package is installed, its native binding is not', async () => {
    const main = `throw new Error('The Node.js native addon module (tfjs_binding.node) can not be found at path: somewhere. \\nPlease run something')`
    const failure = await failureOf(projectWith({ main }))
    expect(failure.message).toMatch(/4\.22\.0 is installed \(.*\), but its native binding does not load: The Node\.js native addon module \(tfjs_binding\.node\) can not be found at path: somewhere\. Run/)
    expect(failure.message).toMatch(/npm rebuild @tensorflow\/tfjs-node/)
    expect(failure.message).toMatch(/CHAINRULE_TENSORFLOW_BINDING/)
    expect(failure.cause).toBeInstanceOf(Error)
  })

  it('the binding named is no file', async () => {
    const { message } = await failureOf({ ...projectWith({}), binding: '/nowhere/tfjs_binding.node' })
    expect(message).toMatch(/the native binding \/nowhere\/tfjs_binding\.node does not load: Cannot find module/)
  })

  it('the binding named is no native module', async () => {
    const project = projectWith({})
    const binding = join(project.folder, 'tfjs_binding.node')
    writeFileSync(binding, 'not a shared library')
    const { message } = await failureOf({ ...project, binding })
    expect(message).toMatch(/the native binding .*tfjs_binding\.node does not load: .*(file too short|invalid ELF header|not a mach-o|not a valid Win32)/i)
  })

  it('the package has another version', async () => {
    const { message } = await failureOf(projectWith({ version: '3.21.1' }))
    expect(message).toMatch(/expected @tensorflow\/tfjs-node 4\.22\.0, got 3\.21\.1/)
  })

  it('the package brings a tfjs-core of its own', async () => {
    const project = projectWith({ core: 'copy' })
    const { message } = await failureOf(project)
    expect(message).toMatch(/brings another copy of @tensorflow\/tfjs-core\. Expected .*, got .*npm dedupe/)
    expect(message).toContain(project.folder)
  })

  it('leaves the active backend and registers nothing', async () => {
    await tf.setBackend('cpu')
    await failureOf(projectWith({ main: `require('@tensorflow/tfjs-core').setBackend('nothing').catch(() => {}); throw new Error('broken')` }))
    expect(tf.getBackend()).toBe('cpu')
    expect(tf.findBackendFactory('tensorflow')).toBeFalsy()
  })
})

describe('options', () => {
  afterEach(() => vi.unstubAllEnvs())

  it('an unknown one throws', async () => {
    await expect(tensorflow({ threads: 2 } as never)).rejects.toThrow(/tensorflow: unknown option "threads"\. Known: binding/)
  })

  it.each(['', 'tfjs_binding', 7])('binding %j is no path of a .node file', async (binding) => {
    await expect(tensorflow({ binding: binding as string })).rejects.toThrow(InvalidOptionError)
  })

  it('the environment names a binding where the option does not', async () => {
    vi.stubEnv('CHAINRULE_TENSORFLOW_BINDING', 'from-the-environment')
    await expect(tensorflow()).rejects.toThrow(/must be the path of a compiled \.node file, got "from-the-environment"/)
    await expect(tensorflow({ binding: 'from-the-option' })).rejects.toThrow(/got "from-the-option"/)
  })
})
