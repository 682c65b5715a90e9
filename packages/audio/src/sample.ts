/** `sample`, `stream`, `score` and `evaluate` of an opened model: exact, by the exported graphs. */
import { bitsPerSample, type ConditionValues, emptyValues, InvalidDataError, InvalidOptionError, isReal, type Label, labelValues, manifestCondition, refuseCondition, refuseUnknownOptions, type SamplingFilters, samplingFilterNames, wholeNumber } from '@chainrule/core'
import type { LoadedAudio } from './loaded.js'
import { type AnySound, type Sound, wholeSound } from './sound.js'
import { soundCondition } from './sound-condition.js'

export interface StreamAudioOptions extends SamplingFilters {
  /** Of models with labels: the label of the sound, by its name or number. */
  label?: Label
  /** Of models with a control sequence: an entry for each frame, those of the prompt first. */
  control?: ConditionValues
  /** The sound to go on from, in whole frames; of any length only. */
  prompt?: Sound
  /** How many frames to draw after the prompt; of sounds that end, at most. Sounds of one length need none. */
  frames?: number
  seed?: number
  /** Below 1: likelier sounds; above 1: more varied; 1 samples from the model. */
  temperature?: number
  signal?: AbortSignal
}

export interface SampleAudioOptions extends Omit<StreamAudioOptions, 'label'> {
  /** Default: as many as there are labels, where `label` is a list, else 1. */
  count?: number
  /** Of models with labels: the label of all sounds, by its name or number, or a list with one for each. A control sequence, too, is that of all, or one after the other. */
  label?: Label | readonly Label[]
}

export interface AudioScore {
  /** −log p of each frame given all before it; the end of a sound, where it has one, is the last. */
  readonly nats: Float32Array
  readonly totalNats: number
  readonly samples: number
  /** Of levels; a density has none. */
  readonly bitsPerSample?: number
  /** The samples are real numbers: nats are those of a density, which compare with no probability's. */
  readonly isDensity: boolean
}

export interface AudioEvaluation {
  readonly totalNats: number
  readonly sounds: number
  /** Amplitudes; ends are none, though their nats count. */
  readonly samples: number
  readonly seconds: number
  /** Of levels; a density has none. */
  readonly bitsPerSample?: number
  /** The samples are real numbers: nats are those of a density, which compare with no probability's. */
  readonly isDensity: boolean
}

const streamOptions = ['label', 'control', 'prompt', 'frames', 'seed', 'temperature', 'signal', ...samplingFilterNames]

/** What the model is told of so many sounds. */
function conditionOf(owner: string, { manifest }: LoadedAudio, { label, control }: SampleAudioOptions, count: number): ConditionValues | undefined {
  const condition = manifestCondition(manifest)
  const [told, other] = condition?.isSequence ? (['control', 'label'] as const) : (['label', 'control'] as const)
  if (condition && { label, control }[other] !== undefined) throw new InvalidOptionError(`${owner}: ${other} is given, but what the model is told is a ${told}. Leave ${other} out.`)
  if (condition?.isSequence) return control
  refuseCondition(owner, control)
  return labelValues(owner, condition, label, count)
}

/** What the runtime is asked for, and the values of the prompt. */
function requestOf(owner: string, model: LoadedAudio, count: number, all: SampleAudioOptions) {
  const { tokenizer, manifest } = model
  const { prompt, frames, seed = 0, label: _label, control: _control, count: _count, ...rest } = all
  const options = { ...rest, condition: conditionOf(owner, model, all, count) }
  if (manifest.domain.length !== 'variable') {
    if (prompt !== undefined || frames !== undefined) throw new InvalidOptionError(`${owner}: the sounds of this model have ${manifest.domain.length} frames. Leave prompt and frames out.`)
    return { request: { ...options, seed }, given: emptyValues(manifest.domain, 0) }
  }
  const length = wholeNumber(owner, 'frames', frames)
  const { end } = manifest.domain
  const values = prompt === undefined ? emptyValues(manifest.domain, 0) : tokenizer.encode(prompt)
  const given = end === undefined ? values : values.filter((value) => value !== end)
  return { request: { ...options, seed, length, ...(given.length > 0 && { prompt: given }) }, given }
}

/** Sounds from the model; each begins with the prompt. The same seed gives the same sounds. */
export async function sample(model: LoadedAudio, options: SampleAudioOptions = {}): Promise<Sound[]> {
  refuseUnknownOptions('sample', options, [...streamOptions, 'count'])
  const count = wholeNumber('sample', 'count', options.count ?? (typeof options.label === 'object' ? options.label.length : 1))
  const { request, given } = requestOf('sample', model, count, options)
  const { values } = await model.opened.sample({ ...request, count })
  const size = values.length / count
  return Array.from({ length: count }, (_, which) => {
    const x = emptyValues(model.tokenizer.domain, given.length + size)
    x.set(given)
    x.set(values.subarray(which * size, (which + 1) * size), given.length)
    return model.tokenizer.decode(x)
  })
}

/** The samples of one sound as it grows, a few frames at a time, without the prompt. */
export async function* stream(model: LoadedAudio, options: StreamAudioOptions = {}): AsyncGenerator<Float32Array, void> {
  refuseUnknownOptions('stream', options, streamOptions)
  if (!('opened' in model)) throw new InvalidOptionError('stream: needs an opened model. Open the trained one with openTrained, or an exported one with loadModel.')
  const { manifest, tokenizer, opened } = model
  if (manifest.domain.length !== 'variable') throw new InvalidOptionError(`stream: the sounds of this model have ${manifest.domain.length} frames, drawn at once. Use sample.`)
  for await (const { values } of opened.stream(requestOf('stream', model, 1, options).request)) {
    const { samples } = tokenizer.decode(values)
    if (samples.length > 0) yield samples
  }
}

const unitsOf = ({ domain }: LoadedAudio['tokenizer'], totalNats: number, samples: number) =>
  isReal(domain) ? { isDensity: true } : { bitsPerSample: bitsPerSample(totalNats, samples), isDensity: false }

export interface ScoreAudioOptions {
  signal?: AbortSignal
}

/** −log p of a sound, frame by frame, each given everything before it. @throws {InvalidDataError} for a sound that the tokenizer refuses, or an empty one */
export async function score({ tokenizer, manifest, opened }: LoadedAudio, sound: Sound, options: ScoreAudioOptions = {}): Promise<AudioScore> {
  refuseUnknownOptions('score', options, ['signal'])
  const x = tokenizer.encode(sound)
  const samples = sound.samples.length
  if (samples === 0) throw new InvalidDataError('score: the sound has no samples; there is nothing to score.')
  const length = x.length / tokenizer.frameLength
  const condition = soundCondition('score', manifestCondition(manifest), sound, length, samples / tokenizer.frameLength)
  const nats = await opened.score({ x, length, condition, signal: options.signal })
  const totalNats = nats.reduce((sum, value) => sum + value, 0)
  return { nats, totalNats, samples, ...unitsOf(tokenizer, totalNats, samples) }
}

export interface EvaluateAudioOptions extends ScoreAudioOptions {
  onProgress?: (progress: { sounds: number; of: number }) => void
}

/** −log p of sounds, each whole and from its beginning: the exact likelihood of what is held out. @throws as `score` does, and for no sounds */
export async function evaluate(model: LoadedAudio, sounds: readonly AnySound[], options: EvaluateAudioOptions = {}): Promise<AudioEvaluation> {
  refuseUnknownOptions('evaluate', options, ['signal', 'onProgress'])
  if (sounds.length === 0) throw new InvalidDataError('evaluate: there is no sound; there is nothing to evaluate.')
  const { onProgress, ...rest } = options
  let [totalNats, samples] = [0, 0]
  for (const [at, sound] of sounds.entries()) {
    const scored = await score(model, wholeSound(sound), rest)
    totalNats += scored.totalNats
    samples += scored.samples
    onProgress?.({ sounds: at + 1, of: sounds.length })
  }
  return { totalNats, sounds: sounds.length, samples, seconds: samples / model.tokenizer.sampleRateHz, ...unitsOf(model.tokenizer, totalNats, samples) }
}
