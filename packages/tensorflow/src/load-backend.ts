/**
 * Loads @tensorflow/tfjs-node and registers its backend. Each way to fail has a message of its own: not installed,
 * another version, another tfjs-core, a native binding that is absent or broken.
 */
import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'
import util from 'node:util'
import { UnavailableError } from '@chainrule/core'
import * as tf from '@tensorflow/tfjs-core'

const packageName = '@tensorflow/tfjs-node'
const version = '4.22.0'
const installCommand = `npm install ${packageName}@${version}`

/** The name under which @tensorflow/tfjs-node registers. */
export const backendName = 'tensorflow'
/** The environment variable that stands for the option `binding`. */
export const bindingVariable = 'CHAINRULE_TENSORFLOW_BINDING'

export interface Place {
  /** The package is looked up from this file, a URL or an absolute path. */
  readonly from: string
  /** Path of a compiled binding; without it, the package finds its own. */
  readonly binding?: string
}

interface Installation {
  readonly manifest: string
  /** `require` as the package's own modules see it. */
  readonly require: NodeJS.Require
}

/** The binding in use: a process holds one backend of this name. */
let loaded: { readonly binding?: string } | undefined

/** Makes the backend known to tfjs, once per process; the active backend stays active. @throws {UnavailableError} */
export async function loadBackend({ from, binding }: Place): Promise<void> {
  const path = binding === undefined ? undefined : resolve(binding)
  if (loaded || tf.findBackendFactory(backendName)) {
    if (path === undefined || path === loaded?.binding) return
    throw new UnavailableError(`tensorflow: a process holds one binding. Expected ${loaded?.binding ?? `the one of ${packageName}`}, which is loaded, got ${path}. Start a new process for it.`)
  }
  const installation = findInstallation(from)
  checkCore(installation)
  restoreRemovedFunctions()
  const active = tf.getBackend() as string | null | undefined
  try {
    if (path === undefined) installation.require(dirname(installation.manifest))
    else registerWith(path, installation)
  } catch (cause) {
    throw new UnavailableError(describeFailure(installation, path, cause), { cause })
  } finally {
    // The package activates its backend as it loads.
    if (active) await tf.setBackend(active)
  }
  loaded = { binding: path }
}

/** @throws {UnavailableError} where there is none, or it has another version */
function findInstallation(from: string): Installation {
  const require = createRequire(from)
  let manifest: string
  try {
    manifest = require.resolve(`${packageName}/package.json`)
  } catch (cause) {
    throw new UnavailableError(
      `tensorflow: the optional package ${packageName} is not installed. Expected version ${version}, found none. Install it with "${installCommand}" (its install script must be allowed to run), or choose another engine.`,
      { cause },
    )
  }
  const found = (require(manifest) as { version: string }).version
  if (found !== version) throw new UnavailableError(`tensorflow: expected ${packageName} ${version}, got ${found} (${manifest}). Install it with "${installCommand}".`)
  return { manifest, require: createRequire(manifest) }
}

/** Two copies of tfjs-core do not know each other's tensors. @throws {UnavailableError} */
function checkCore({ require }: Installation): void {
  const own = createRequire(import.meta.url).resolve('@tensorflow/tfjs-core')
  const theirs = createRequire(require.resolve('@tensorflow/tfjs/package.json')).resolve('@tensorflow/tfjs-core')
  if (own !== theirs) {
    throw new UnavailableError(
      `tensorflow: ${packageName} brings another copy of @tensorflow/tfjs-core. Expected ${own}, got ${theirs}. Install ${version} of both, so that one copy serves them ("npm dedupe").`,
    )
  }
}

/** Node 23 removed two functions that @tensorflow/tfjs-node 4.22.0 calls on this object. */
function restoreRemovedFunctions(): void {
  const functions = util as unknown as Record<string, unknown>
  functions.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined
  functions.isArray ??= Array.isArray
}

/** What the package's main module does, with a binding from elsewhere. */
function registerWith(path: string, { require }: Installation): void {
  const binding: unknown = require(path)
  require('./dist/register_all_kernels')
  const { NodeJSKernelBackend } = require('./dist/nodejs_kernel_backend') as { NodeJSKernelBackend: new (binding: unknown, name: string) => tf.KernelBackend }
  tf.registerBackend(backendName, () => new NodeJSKernelBackend(binding, packageName), 3)
}

function describeFailure({ manifest }: Installation, path: string | undefined, cause: unknown): string {
  const reason = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0].trim().replace(/[.:]*$/, '.')
  return path === undefined
    ? `tensorflow: ${packageName} ${version} is installed (${dirname(manifest)}), but its native binding does not load: ${reason} ` +
        `Run its install script ("npm rebuild ${packageName}", with scripts allowed), or set ${bindingVariable} to the path of a tfjs_binding.node compiled from its sources.`
    : `tensorflow: the native binding ${path} does not load: ${reason} Expected a tfjs_binding.node compiled from ${packageName} ${version}, with the TensorFlow library that it links to.`
}
