/** `chainrule sample` of a sound model: WAV files, or a pipe, that grow while the sound is drawn; or the continuation of a sound. */
import { extname } from 'node:path'
import * as audio from '@chainrule/audio'
import { type LoadedAudio, pcm16, readSound, type Sound, wavHeader, wavWriter, wholeFrames, writeWav } from '@chainrule/audio'
import { InvalidOptionError, type JsonObject, type SamplingFilters } from '@chainrule/core'
import type { OpenOptions } from '@chainrule/modality'
import type { Context } from '../context.js'
import { startProgress } from '../progress.js'
import { withSubject } from '../subject.js'
import { counted } from '../wording.js'

export interface AudioSampleOptions extends SamplingFilters, Pick<OpenOptions, 'provider' | 'threads'> {
  count?: number
  seed: number
  temperature: number
  out?: string
  /** Of sounds of any length, after the prompt. */
  seconds?: number
  /** A sound to go on from. */
  prompt?: string
}

const defaultSeconds = 2

/** What takes the sound as it grows. */
interface Sink {
  write(samples: Float32Array): Promise<void> | void
  close(): void
}

/** A pipe is not asked to go back to its header, which says therefore that the length is unknown. */
function toPipe(sampleRateHz: number): Sink {
  const write = (bytes: Uint8Array) => new Promise<void>((resolve, reject) => process.stdout.write(bytes, (error) => (error ? reject(error) : resolve())))
  let last = write(wavHeader(sampleRateHz))
  return { write: (samples) => (last = last.then(() => write(pcm16({ sampleRateHz, samples })))), close: () => undefined }
}

/** sample.wav; of several sample-1.wav, sample-2.wav, … */
const namesOf = (out: string, count: number): string[] => (count === 1 ? [out] : Array.from({ length: count }, (_, which) => `${out.slice(0, -extname(out).length)}-${which + 1}${extname(out)}`))

export async function sampleAudio(path: string, { count = 1, out, seconds, prompt: promptFile, provider, threads, ...options }: AudioSampleOptions, { output, signal }: Context): Promise<JsonObject> {
  if (out === undefined) throw new InvalidOptionError('sample: say where the sound goes: --out sample.wav, or --out - for a pipe.')
  if (out !== '-' && extname(out).toLowerCase() !== '.wav') throw new InvalidOptionError(`--out ${out}: expected a .wav file, or - for a pipe.`)
  if (out === '-' && (output.isJson || count > 1)) throw new InvalidOptionError(`--out - is one sound on stdout; ${count > 1 ? `--count ${count}` : '--json'} leaves no place for it. Leave one of the two out.`)
  return withSubject<LoadedAudio, JsonObject>(audio, path, { provider, threads }, async (loaded) => {
    output.say(`provider ${loaded.reason}`)
    const { tokenizer } = loaded
    const { sampleRateHz, frameLength, domain } = tokenizer
    const isFixed = domain.length !== 'variable'
    if (isFixed && (seconds !== undefined || promptFile !== undefined)) throw new InvalidOptionError(`--${seconds === undefined ? 'prompt' : 'seconds'}: the sounds of this model have one length. Leave it out.`)
    const prompt = promptFile === undefined ? undefined : wholeFrames(await readSound(promptFile, { sampleRateHz }), frameLength)
    const frames = Math.max(1, Math.round(((seconds ?? defaultSeconds) * sampleRateHz) / frameLength))
    const request = { ...options, ...(!isFixed && { frames }), ...(prompt && { prompt }), signal }
    const files = namesOf(out, count)
    const length = isFixed || count > 1 ? await drawn(loaded, { ...request, count }, files) : await grown(loaded, request, prompt, out, frames * frameLength)
    if (out !== '-') output.print(`${counted(count, 'sound')} of ${(length / sampleRateHz).toFixed(2)} s${prompt ? ', the beginning given' : ''}: ${files.join(', ')}`)
    return { command: 'sample', model: path, ...options, count, prompt: promptFile ?? null, sounds: files, samples: length, sampleRateHz, provider: loaded.opened.provider, reason: loaded.reason }
  })
}

/** Draws whole sounds. @returns the samples of the longest */
async function drawn(loaded: LoadedAudio, request: audio.SampleAudioOptions, files: readonly string[]): Promise<number> {
  const sounds = await audio.sample(loaded, request)
  sounds.forEach((sound, which) => writeWav(files[which], sound))
  return Math.max(...sounds.map(({ samples }) => samples.length))
}

/** Draws one sound into a file or a pipe, which is a whole WAV at any moment. @returns its samples */
async function grown(loaded: LoadedAudio, request: audio.StreamAudioOptions, prompt: Sound | undefined, out: string, most: number): Promise<number> {
  const { tokenizer } = loaded
  const { sampleRateHz } = tokenizer
  const sink: Sink = out === '-' ? toPipe(sampleRateHz) : wavWriter(out, sampleRateHz)
  const progress = startProgress({ label: 'sampling', total: most, signal: request.signal! })
  let length = 0
  const begun = performance.now()
  try {
    // As the model hears it: what sample() begins with, too.
    if (prompt) await sink.write(tokenizer.decode(tokenizer.encode(prompt)).samples)
    for await (const samples of audio.stream(loaded, request)) {
      await sink.write(samples)
      length += samples.length
      progress.update(length, `samples, ${(length / sampleRateHz / ((performance.now() - begun) / 1000)).toFixed(2)} × as fast as it sounds`)
    }
    return (prompt?.samples.length ?? 0) + length
  } finally {
    progress.stop()
    sink.close()
  }
}
