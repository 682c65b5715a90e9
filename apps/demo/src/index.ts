/** The program `chainrule`: parses, runs one command, reports how it ended. */
import { readFile } from 'node:fs/promises'
import { type Command, CommanderError } from 'commander'
import { exitCodes, type Failure, failureOf } from './failure.js'
import { listenForInterruption } from './interruption.js'
import { createOutput, type Output } from './output.js'
import { createProgram, type Job } from './program.js'
import { commandLine } from './wording.js'

export { exitCodes } from './failure.js'
export { endQuietlyWhenNobodyReads } from './output.js'

/** @returns the exit code */
export async function main(argv: readonly string[]): Promise<number> {
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
  let job: Job | undefined
  let usage = ''
  const program = createProgram(version, (chosen) => (job = chosen))
  // Set on every command: what commander would print as an error becomes our message.
  const capture = (command: Command): void => {
    command.configureOutput({ writeErr: (text) => (usage += text) })
    command.commands.forEach(capture)
  }
  capture(program)
  try {
    await program.parseAsync(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return exitCodes.success
    const message = error.code === 'commander.help' ? `which command?\n\n${usage.trim()}` : usage.replace(/^error: /, '').trim()
    const hint = error.code === 'commander.help' ? undefined : `How to use it: ${commandLine(...namedCommand(program, argv), '--help')}`
    return report({ exitCode: exitCodes.usage, kind: 'UsageError', message, hint }, createOutput(argv.includes('--json')))
  }
  const output = createOutput(program.opts().json === true)
  const interruption = listenForInterruption(output.say)
  try {
    const result = await job!({ output, signal: interruption.signal })
    output.document(result)
    return result.passed === false ? exitCodes.failed : exitCodes.success
  } catch (error) {
    if (process.env.CHAINRULE_DEBUG) output.say((error as Error).stack ?? String(error))
    return report(failureOf(error), output)
  } finally {
    interruption.end()
  }
}

/** The words of the arguments that name a command: train text. */
function namedCommand(program: Command, argv: readonly string[]): string[] {
  const [first, ...rest] = argv.filter((word) => !word.startsWith('-'))
  const command = program.commands.find((candidate) => candidate.name() === first)
  return command ? [command.name(), ...namedCommand(command, rest)] : []
}

function report({ exitCode, kind, message, hint }: Failure, output: Output): number {
  output.say(`chainrule: ${message}`)
  if (hint) output.say(hint)
  output.document({ error: { kind, message }, exitCode })
  return exitCode
}
