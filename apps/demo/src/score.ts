/** `chainrule score`: −log p of a whole file, read as one text from its beginning. */
import type { JsonObject } from '@chainrule/core'
import { type OpenOptions, readText, score as scoreText } from '@chainrule/text'
import type { Context } from './context.js'
import { located } from './failure.js'
import { withSubject } from './subject.js'
import { counted, likelihood } from './wording.js'

export interface ScoreCommandOptions extends Pick<OpenOptions, 'provider' | 'threads'> {
  data: string
}

/** Nine digits tell every two float32 numbers apart. */
const shortest = (value: number) => Number(value.toPrecision(9))

export async function score(path: string, { data, provider, threads }: ScoreCommandOptions, { output, signal }: Context): Promise<JsonObject> {
  const text = await readText(data)
  return withSubject(path, { provider, threads }, async (loaded) => {
    located(data, () => loaded.tokenizer.encode(text))
    output.say(`provider ${loaded.reason}`)
    const { nats, ...result } = await scoreText(loaded, text, { signal })
    output.print(`${result.totalNats.toFixed(3)} nats for ${counted(result.characters, 'character')} (${counted(result.tokens, 'token')})`)
    output.print(likelihood(result))
    return { command: 'score', model: path, data, ...result, provider: loaded.opened.provider, reason: loaded.reason, nats: Array.from(nats, shortest) }
  })
}
