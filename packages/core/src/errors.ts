/**
 * One class per cause. A message says what is wrong, what was expected, what came, and what to do.
 */

/** The parent of every error that this project throws on purpose. Names are written out: bundlers shorten those of classes. */
export class ChainruleError extends Error {
  override name = 'ChainruleError'
}

/** An option is unknown, of the wrong type or out of range. */
export class InvalidOptionError extends ChainruleError {
  override name = 'InvalidOptionError'
}

/** Two pieces that each exist cannot work together (an order with groups and a transformer, say). */
export class UnsupportedError extends ChainruleError {
  override name = 'UnsupportedError'
}

/** A file or an array of the user's is not what it should be; the message names the file and the place. */
export class InvalidDataError extends ChainruleError {
  override name = 'InvalidDataError'
}

/** An exported model is damaged, of another version, or not one of ours. */
export class InvalidModelError extends ChainruleError {
  override name = 'InvalidModelError'
}

/** A checkpoint is damaged, or belongs to another run. */
export class InvalidCheckpointError extends ChainruleError {
  override name = 'InvalidCheckpointError'
}

/** A name in a file (network, head, order, tokenizer) that nothing here answers to. */
export class UnknownPieceError extends ChainruleError {
  override name = 'UnknownPieceError'
}

/** An optional package or an engine is not installed or does not load here. */
export class UnavailableError extends ChainruleError {
  override name = 'UnavailableError'
}

/** A loss or a gradient became infinite or not a number; nothing of that step was kept. */
export class NonFiniteError extends ChainruleError {
  override name = 'NonFiniteError'
}

/** The caller's AbortSignal ended the work. */
export class InterruptedError extends ChainruleError {
  override name = 'InterruptedError'
}

/** Throws `InterruptedError` where the signal has fired. @throws {InvalidOptionError} for what is no signal, such as its controller */
export function throwIfInterrupted(signal: AbortSignal | undefined, what: string): void {
  if (signal !== undefined && typeof signal?.aborted !== 'boolean') throw new InvalidOptionError(`${what}: signal must be an AbortSignal, got ${shown(signal)}. Of a new AbortController() it is controller.signal.`)
  if (signal?.aborted) throw new InterruptedError(`${what} was interrupted.`)
}

/**
 * Checks that `options` is an object with no other keys than `allowed`: an option that is not known must not be ignored.
 * @throws {InvalidOptionError} naming the key and the known ones
 */
export function refuseUnknownOptions(owner: string, options: object, allowed: readonly string[]): void {
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError(`${owner}: expected an object of options (${allowed.length ? allowed.join(', ') : 'none are known'}), got ${options === null ? 'null' : typeof options}.`)
  for (const key of Object.keys(options)) {
    if (!allowed.includes(key)) {
      throw new InvalidOptionError(`${owner}: unknown option "${key}". Known: ${allowed.length ? allowed.join(', ') : 'none'}.`)
    }
  }
}

/** A value as people can read it; numbers as JavaScript writes them, NaN and Infinity too. */
const shown = (value: unknown) => (typeof value === 'string' || (typeof value === 'object' && value !== null) ? JSON.stringify(value) : String(value))

/**
 * Checks that an option is a whole number of at least `minimum` (and at most `maximum`), and returns it.
 * @throws {InvalidOptionError}
 */
export function wholeNumber(owner: string, option: string, value: unknown, minimum = 1, maximum = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < minimum || value > maximum) {
    const range = maximum === Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`
    throw new InvalidOptionError(`${owner}: ${option} must be a whole number ${range}, got ${shown(value)}.`)
  }
  return value
}

/**
 * Checks that an option is a finite number in [minimum, maximum], and returns it.
 * @throws {InvalidOptionError}
 */
export function finiteNumber(owner: string, option: string, value: unknown, minimum = -Infinity, maximum = Infinity): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < minimum || value > maximum) {
    throw new InvalidOptionError(`${owner}: ${option} must be a number from ${minimum} to ${maximum}, got ${shown(value)}.`)
  }
  return value
}
