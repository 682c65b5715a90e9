/** `chainrule score`: −log p of a whole file, read as one text from its beginning, or of documents, one by one. */
import { bitsPerByte, bitsPerCharacter, type JsonObject } from '@chainrule/core'
import * as text from '@chainrule/text'
import type { LoadedText, OpenOptions } from '@chainrule/text'
import type { Context } from '../context.js'
import { withSubject } from '../subject.js'
import { checkTokens, type DataOptions, readAsTrained, readData } from './text-data.js'
import { counted, likelihood } from '../wording.js'

export interface ScoreCommandOptions extends DataOptions, Pick<OpenOptions, 'provider' | 'threads'> {}

/** Nine digits tell every two float32 numbers apart. */
const shortest = (value: number) => Number(value.toPrecision(9))

export async function score(path: string, { provider, threads, ...options }: ScoreCommandOptions, { output, signal }: Context): Promise<JsonObject> {
  return withSubject<LoadedText, JsonObject>(text, path, { provider, threads }, async (loaded, trainedOn) => {
    const read = await readData(readAsTrained(options, trainedOn))
    checkTokens(options.data, read, loaded.tokenizer)
    output.say(`provider ${loaded.reason}`)
    const about = { command: 'score', model: path, data: options.data, provider: loaded.opened.provider, reason: loaded.reason }
    const told = ({ totalNats, characters, tokens }: { totalNats: number; characters: number; tokens: number }, documents?: number) =>
      output.print(`${totalNats.toFixed(3)} nats for ${documents === undefined ? '' : `${counted(documents, 'document')}, `}${counted(characters, 'character')} (${counted(tokens, 'token')})`)
    if (typeof read === 'string') {
      const { nats, ...result } = await text.score(loaded, read, { signal })
      told(result, result.documents)
      output.print(likelihood(result))
      return { ...about, ...result, nats: Array.from(nats, shortest) }
    }
    const scores = await text.score(loaded, read, { signal })
    const sum = (name: 'totalNats' | 'tokens' | 'characters' | 'bytes') => scores.reduce((total, each) => total + each[name], 0)
    const [totalNats, tokens, characters, bytes] = [sum('totalNats'), sum('tokens'), sum('characters'), sum('bytes')]
    const units = { natsPerCharacter: totalNats / characters, natsPerByte: totalNats / bytes, bitsPerCharacter: bitsPerCharacter(totalNats, characters), bitsPerByte: bitsPerByte(totalNats, bytes), natsPerDocument: totalNats / scores.length }
    told({ totalNats, characters, tokens }, scores.length)
    output.print(likelihood(units))
    return { ...about, documents: scores.length, totalNats, tokens, characters, bytes, natsPerToken: totalNats / tokens, ...units, protocol: scores[0].protocol, nats: scores.map(({ nats }) => Array.from(nats, shortest)) }
  })
}
