/** Numbers, sizes, times and commands as people read them. */
import { basename, relative } from 'node:path'

export const count = (value: number): string => Math.round(value).toLocaleString('en-US')

/** "1 step", "2 steps". */
export const counted = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`

export function bytes(value: number): string {
  if (value < 1000) return `${value} bytes`
  return value < 1_000_000 ? `${(value / 1000).toFixed(1)} kB` : `${(value / 1_000_000).toFixed(1)} MB`
}

/** Floating-point operations. */
export function operations(value: number): string {
  const [unit, size] = value < 1e9 ? ['M', 1e6] : value < 1e12 ? ['G', 1e9] : ['T', 1e12]
  return `${(value / (size as number)).toPrecision(3)} ${unit}FLOP`
}

export function duration(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

/** An argument as a shell takes it. */
export const quoted = (argument: string): string => (/^[\w./:@%+=,-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", String.raw`'\''`)}'`)

/** The command line that starts this program again with other arguments, as it was started now. */
export function commandLine(...parts: string[]): string {
  const script = process.argv[1]
  const program = basename(script) === 'chainrule' ? 'chainrule' : `node ${quoted(relative('', script))}`
  return [program, ...parts.map(quoted)].join(' ')
}

/** A command line to show to others: no path says more than a file's own name. */
export const shareableCommand = (args: readonly string[]): string => ['chainrule', ...args.map((argument) => quoted(argument.replace(/^(--[\w-]+=)?.*[\\/](?=[^\\/])/s, '$1')))].join(' ')

/** What a likelihood amounts to, in one line. */
export function likelihood({ natsPerCharacter, bitsPerCharacter, bitsPerByte, natsPerDocument }: { natsPerCharacter: number; bitsPerCharacter: number; bitsPerByte: number; natsPerDocument?: number }): string {
  const perDocument = natsPerDocument === undefined ? '' : `${natsPerDocument.toFixed(3)} nats per document, `
  return `${perDocument}${natsPerCharacter.toFixed(4)} nats per character (${bitsPerCharacter.toFixed(3)} bits per character, ${bitsPerByte.toFixed(3)} bits per byte)`
}

/** Breaks a paragraph between words, for terminals. */
export function wrapped(paragraph: string, width = 78): string {
  let line = ''
  const lines: string[] = []
  for (const word of paragraph.split(' ')) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line ? `${line} ${word}` : word
  }
  return [...lines, line].join('\n')
}
