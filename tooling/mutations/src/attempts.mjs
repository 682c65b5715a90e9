/**
 * Makes the healthy files of a target, or uses damaged ones, seed after seed, and says on standard output how each went:
 *
 *   node attempts.mjs TARGET FOLDER prepare
 *   node attempts.mjs TARGET FOLDER FROM TO
 *
 * A process of its own: what kills or stops it is seen from outside, with the last seed that it named.
 */
import { ChainruleError } from '@chainrule/core'
import { targets } from './targets.mjs'

const [name, folder, from, to] = process.argv.slice(2)
const target = targets[name]
const say = (line) => new Promise((done) => process.stdout.write(`${JSON.stringify(line)}\n`, done))

/** A message for people: it says something, and is no accident of the language ("got undefined" is what a missing value is called, and NaN is what some weights give). */
const isNamed = (error) => error instanceof ChainruleError && error.message.length > 20 && !/(?<!got )undefined|\[object/.test(error.message)

if (from === 'prepare') await target.prepare(folder)
else {
  for (let seed = Number(from); seed < Number(to); seed++) {
    const { what, use } = await target.attempt(folder, seed)
    await say({ seed, what })
    const begin = performance.now()
    let outcome
    try {
      await use()
      outcome = { result: 'worked' }
    } catch (error) {
      outcome = isNamed(error) ? { result: 'refused', message: error.message } : { result: 'accident', message: `${error?.constructor?.name}: ${error?.stack ?? error}` }
    }
    await say({ seed, what, ...outcome, milliseconds: Math.round(performance.now() - begin), megabytes: Math.round(process.memoryUsage.rss() / 2 ** 20) })
  }
}
process.exit(0)
