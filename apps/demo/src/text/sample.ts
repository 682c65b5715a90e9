/** `chainrule sample`: texts from a run or an exported model, to stdout; one text on a terminal appears as it grows. */
import type { JsonObject, SamplingFilters } from '@chainrule/core'
import * as text from '@chainrule/text'
import type { LoadedText, OpenOptions, StreamTextOptions } from '@chainrule/text'
import type { Context } from '../context.js'
import { located } from '../failure.js'
import { withSubject } from '../subject.js'

export interface SampleCommandOptions extends SamplingFilters {
  prompt?: string
  /** 1 if nothing else is said. */
  count?: number
  /** Tokens after the prompt; 256 if nothing else is said. */
  length?: number
  seed: number
  temperature: number
  stop?: string[]
  provider?: OpenOptions['provider']
  threads?: number
}

/** Between two texts; documents of one line each, such as names, are lines. */
const separatorOf = (texts: readonly string[], documents: boolean): string => (documents && texts.every((text) => !text.includes('\n')) ? '\n' : '\n---\n')

export async function sample(path: string, { count = 1, prompt = '', length = 256, provider, threads, ...rest }: SampleCommandOptions, { output, signal }: Context): Promise<JsonObject> {
  const options = { ...rest, prompt, length }
  return withSubject<LoadedText, JsonObject>(text, path, { provider, threads }, async (loaded) => {
    located('--prompt', () => loaded.tokenizer.encode(options.prompt))
    output.say(`provider ${loaded.reason}`)
    const isLive = count === 1 && process.stdout.isTTY && !output.isJson
    const texts = isLive ? [await writeAsItGrows(loaded, { ...options, signal }, output.write)] : await text.sample(loaded, { ...options, count, signal })
    if (!isLive) output.write(texts.join(separatorOf(texts, loaded.documents)))
    output.print()
    return { command: 'sample', model: path, ...options, count, provider: loaded.opened.provider, reason: loaded.reason, texts }
  })
}

/** Writes one text piece by piece, the prompt first, and returns it. */
export async function writeAsItGrows(loaded: LoadedText, options: StreamTextOptions & { prompt: string }, write: (text: string) => void): Promise<string> {
  let written = options.prompt
  write(written)
  for await (const piece of text.stream(loaded, options)) {
    write(piece)
    written += piece
  }
  return written
}
