/** `chainrule sample` of a sound model: WAV files, or a pipe, that grow while the sound is drawn; or the continuation of a sound. */
import { extname } from 'node:path'
import * as audio from '@chainrule/audio'
import { conditionOf, type LoadedAudio, pcm16, readSound, type Sound, wavHeader, wavWriter, wholeFrames, writeWav } from '@chainrule/audio'
import { InvalidOptionError, type JsonObject, type SamplingFilters } from '@chainrule/core'
import type { OpenOptions } from '@chainrule/modality'
import type { Context } from '../context.js'
import { startProgress } from '../progress.js'
import { withSubject } from '../subject.js'
import { counted } from '../wording.js'
import { writePictures } from './pictures.js'

export interface AudioSampleOptions extends SamplingFilters, Pick<OpenOptions, 'provider' | 'threads'> {
  /** Of models with labels, without `label`: of each label. */
  count?: number
  /** The label of all sounds, by its name or number; of models with labels. */
  label?: string
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

/** sample.wav; of several labels sample-zero.wav, …; of several of one kind sample-1.wav, sample-2.wav, … */
function namesOf(out: string, count: number, labels: readonly string[]): string[] {
  const stem = out.slice(0, -extname(out).length)
  const numbers = count === 1 ? [''] : Array.from({ length: count }, (_, which) => `-${which + 1}`)
  return (labels.length ? labels.map((name) => `-${name}`) : ['']).flatMap((label) => numbers.map((number) => `${stem}${label}${number}${extname(out)}`))
}

/** Seconds of a sound that grows which its pictures show: it may grow for hours. */
const mostPicturedSeconds = 60

export async function sampleAudio(path: string, { count = 1, out, label, seconds, prompt: promptFile, provider, threads, ...options }: AudioSampleOptions, { output, signal }: Context): Promise<JsonObject> {
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
    const condition = conditionOf(loaded)
    // Of each label, where none is asked for.
    const labels = condition && label === undefined ? (condition.names ?? Array.from({ length: condition.size }, (_, which) => String(which))) : []
    if (out === '-' && labels.length > 0) throw new InvalidOptionError(`--out - is one sound on stdout, and the model has ${labels.length} labels. Say which: --label ${labels[0]}, for example.`)
    const told = labels.length > 0 ? labels.flatMap((_, which) => new Array<number>(count).fill(which)) : label
    const request = { ...options, ...(!isFixed && { frames }), ...(prompt && { prompt }), signal }
    const files = namesOf(out, count, labels)
    const { length, shown } =
      isFixed || files.length > 1 ? await drawn(loaded, { ...request, label: told, count: files.length }, files) : await grown(loaded, { ...request, label: Array.isArray(told) ? told[0] : told }, prompt, out, frames * frameLength)
    const pictures = out === '-' ? [] : writePictures(out, shown)
    if (out !== '-') {
      output.print(`${counted(files.length, 'sound')} of ${(length / sampleRateHz).toFixed(2)} s${prompt ? ', the beginning given' : ''}: ${files.join(', ')}`)
      if (pictures.length > 0) output.print(`as pictures${files.length > 1 ? ', one below the other' : length > mostPicturedSeconds * sampleRateHz ? `, the first ${mostPicturedSeconds} s` : ''}: ${pictures.join(', ')}`)
    }
    return { command: 'sample', model: path, ...options, count, label: label ?? null, prompt: promptFile ?? null, sounds: files, pictures, samples: length, sampleRateHz, provider: loaded.opened.provider, reason: loaded.reason }
  })
}

/** How many samples the longest sound has, and what pictures show. */
interface Written {
  readonly length: number
  readonly shown: readonly Sound[]
}

/** Draws whole sounds. */
async function drawn(loaded: LoadedAudio, request: audio.SampleAudioOptions, files: readonly string[]): Promise<Written> {
  const sounds = await audio.sample(loaded, request)
  sounds.forEach((sound, which) => writeWav(files[which], sound))
  return { length: Math.max(...sounds.map(({ samples }) => samples.length)), shown: sounds }
}

/** Draws one sound into a file or a pipe, which is a whole WAV at any moment. */
async function grown(loaded: LoadedAudio, request: audio.StreamAudioOptions, prompt: Sound | undefined, out: string, most: number): Promise<Written> {
  const { tokenizer } = loaded
  const { sampleRateHz } = tokenizer
  const sink: Sink = out === '-' ? toPipe(sampleRateHz) : wavWriter(out, sampleRateHz)
  const progress = startProgress({ label: 'sampling', total: most, signal: request.signal! })
  let length = 0
  const kept = new Float32Array(Math.min((prompt?.samples.length ?? 0) + most, mostPicturedSeconds * sampleRateHz))
  let shown = 0
  const write = async (samples: Float32Array) => {
    await sink.write(samples)
    const own = samples.subarray(0, kept.length - shown)
    kept.set(own, shown)
    shown += own.length
  }
  const begun = performance.now()
  try {
    // As the model hears it: what sample() begins with, too.
    if (prompt) await write(tokenizer.decode(tokenizer.encode(prompt)).samples)
    for await (const samples of audio.stream(loaded, request)) {
      await write(samples)
      length += samples.length
      progress.update(length, `samples, ${(length / sampleRateHz / ((performance.now() - begun) / 1000)).toFixed(2)} × as fast as it sounds`)
    }
    return { length: (prompt?.samples.length ?? 0) + length, shown: [{ sampleRateHz, samples: kept.subarray(0, shown) }] }
  } finally {
    progress.stop()
    sink.close()
  }
}
