/** Where words go: results to stdout, messages to stderr; with --json stdout carries one JSON document and nothing else. */
import type { Json } from '@chainrule/core'

export interface Output {
  readonly isJson: boolean
  /** A line of the result, for people; the JSON document says the same. */
  print(line?: string): void
  /** A piece of a line of the result. */
  write(text: string): void
  /** A message: what happens, what to do. */
  say(line: string): void
  /** The result as one document; only with --json. */
  document(content: Json): void
}

export function createOutput(isJson: boolean): Output {
  return {
    isJson,
    print(line = '') {
      if (!isJson) process.stdout.write(`${line}\n`)
    },
    write(text) {
      if (!isJson) process.stdout.write(text)
    },
    say: (line) => void process.stderr.write(`${line}\n`),
    document(content) {
      if (isJson) process.stdout.write(`${JSON.stringify(content, null, 2)}\n`)
    },
  }
}

/** A reader that stops early (`| head`) is not an error: nobody wants the rest. */
export function endQuietlyWhenNobodyReads(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0)
      throw error
    })
  }
}
