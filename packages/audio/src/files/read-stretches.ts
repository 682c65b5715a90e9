/**
 * Sound files as stretches of at most so many seconds, each a sound of its own: what a training takes, without all of it in memory.
 *
 * A large WAV file of the right rate stays on the disk, open for as long as the program runs, and is read where it is needed. All else is read
 * now: it has to be decoded or resampled whole.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { finiteNumber, InvalidDataError, refuseUnknownOptions, wholeNumber } from '@chainrule/core'
import { readerOf, type SoundReader } from '../sound.js'
import { readSound, soundExtensions } from './read-sound.js'
import { openWav } from './read-wav.js'

export interface ReadStretchesOptions {
  /** Resamples to this rate; absent: the files' own, which must be one. */
  sampleRateHz?: number
  /** The longest stretch; a file is cut into equal ones (10). */
  seconds?: number
  /** L: the last samples that do not fill a frame are left out, of each stretch (1). */
  frameLength?: number
}

/** Bytes of a WAV file from which on it stays on the disk. */
const large = 2 ** 22

/** @param path a sound file, or a folder of them, which are taken in the order of their names. @throws {InvalidDataError} for what is no sound, and for rates that differ */
export async function readStretches(path: string, options: ReadStretchesOptions = {}): Promise<SoundReader[]> {
  refuseUnknownOptions('readStretches', options, ['sampleRateHz', 'seconds', 'frameLength'])
  const { sampleRateHz } = options
  const seconds = finiteNumber('readStretches', 'seconds', options.seconds ?? 10, 0.01)
  const frameLength = wholeNumber('readStretches', 'frameLength', options.frameLength ?? 1)
  const files = await soundFilesAt(path)
  const stretches: SoundReader[] = []
  for (const file of files) {
    const sound = await openSound(file, sampleRateHz)
    const rate = stretches[0]?.sampleRateHz ?? sound.sampleRateHz
    if (sound.sampleRateHz !== rate) throw new InvalidDataError(`${file}: ${sound.sampleRateHz} Hz, but ${files[0]} has ${rate}. Give a rate to which all are resampled (sampleRateHz, --rate).`)
    const own = stretchesOf(sound, seconds, frameLength)
    if (own.length === 0) throw new InvalidDataError(`${file}: has ${sound.length} samples, fewer than one frame of ${frameLength}. Leave it out.`)
    for (const stretch of own) stretches.push(stretch)
  }
  return stretches
}

/**
 * Stretches with labels: those of each folder within a folder. Labels count the folders in the order of their names.
 * @throws {InvalidDataError} where there is no folder within, one has no sound, or rates differ and no `sampleRateHz` is given
 */
export async function readLabelledStretches(folder: string, options: ReadStretchesOptions = {}): Promise<{ readonly sounds: SoundReader[]; readonly names: string[] }> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name).sort()
  if (names.length === 0) throw new InvalidDataError(`${folder}: has no folder within. Expected one for each label, with the sounds of that label in it.`)
  const sounds: SoundReader[] = []
  for (const [label, name] of names.entries()) {
    const own = await readStretches(join(folder, name), options)
    const rate = sounds[0]?.sampleRateHz ?? own[0].sampleRateHz
    if (own[0].sampleRateHz !== rate) throw new InvalidDataError(`${join(folder, name)}: its sounds have ${own[0].sampleRateHz} Hz, those of ${names[0]} have ${rate}. Give a rate to which all are resampled (sampleRateHz, --rate).`)
    for (const stretch of own) sounds.push({ ...stretch, label })
  }
  return { sounds, names }
}

/**
 * Stretches with labels, of a folder of sound files and a file that says the label of each: UTF-8, a line for each sound, its file name, a tab and its
 * label. Labels count their names in order.
 * @throws {InvalidDataError} naming the line that is none, the sound that is not there, said twice or left out; and as `readStretches` does
 */
export async function readStretchesWithLabels(path: string, labelsFile: string, options: ReadStretchesOptions = {}): Promise<{ readonly sounds: SoundReader[]; readonly names: string[] }> {
  const files = await soundFilesAt(path)
  const known = new Set(files.map((file) => basename(file)))
  const text = await readFile(labelsFile, 'utf8').catch(() => {
    throw new InvalidDataError(`${labelsFile}: cannot be read. Expected a line for each sound: its file name, a tab and its label.`)
  })
  const labels = new Map<string, string>()
  for (const [at, line] of text.replace(/^\ufeff/, '').split(/\r?\n/).entries()) {
    if (line === '') continue
    const [file, label, ...more] = line.split('\t')
    const fail = (what: string): never => {
      throw new InvalidDataError(`${labelsFile}, line ${at + 1}: ${what}.`)
    }
    if (!file || !label || more.length > 0) fail(`expected the file name of a sound, a tab and its label, got ${JSON.stringify(line)}`)
    if (!known.has(file)) fail(`${path} has no sound file ${JSON.stringify(file)}`)
    if (labels.has(file)) fail(`${file} has a label already, ${labels.get(file)}`)
    labels.set(file, label)
  }
  const names = [...new Set(labels.values())].sort()
  const sounds: SoundReader[] = []
  for (const file of files) {
    const label = labels.get(basename(file))
    if (label === undefined) throw new InvalidDataError(`${labelsFile}: has no label of ${basename(file)}. Expected a line for each sound file of ${path}.`)
    const own = await readStretches(file, options)
    const rate = sounds[0]?.sampleRateHz ?? own[0].sampleRateHz
    if (own[0].sampleRateHz !== rate) throw new InvalidDataError(`${file}: ${own[0].sampleRateHz} Hz, but ${files[0]} has ${rate}. Give a rate to which all are resampled (sampleRateHz, --rate).`)
    for (const stretch of own) sounds.push({ ...stretch, label: names.indexOf(label) })
  }
  return { sounds, names }
}

/** A file, or the sound files of a folder. */
async function soundFilesAt(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined)
  if (!found) throw new InvalidDataError(`${path}: there is no such file or folder. Expected a sound file, or a folder of them.`)
  if (!found.isDirectory()) return [path]
  const entries = await readdir(path, { withFileTypes: true })
  const names = entries.flatMap(({ name }) => (soundExtensions.includes(extname(name).toLowerCase()) ? [name] : [])).sort()
  if (names.length === 0) throw new InvalidDataError(`${path}: has no sound file. Expected one of ${soundExtensions.join(', ')}.${entries.some((entry) => entry.isDirectory()) ? ' Folders within it are those of labels (readLabelledStretches, --labels).' : ''}`)
  return names.map((name) => join(path, name))
}

async function openSound(path: string, sampleRateHz: number | undefined): Promise<SoundReader> {
  if (extname(path).toLowerCase() === '.wav' && (await stat(path)).size >= large) {
    const file = openWav(path)
    const clip = (sample: number) => Math.min(1, Math.max(-1, sample))
    if (sampleRateHz === undefined || sampleRateHz === file.sampleRateHz) return { ...file, samples: (begin, end) => file.samples(begin, end).map(clip) }
    file.close()
  }
  return readerOf(await readSound(path, { sampleRateHz }))
}

/** Equal stretches of a sound, none longer than so many seconds, in whole frames. */
export function stretchesOf({ sampleRateHz, length, samples, label }: SoundReader, seconds: number, frameLength: number): SoundReader[] {
  const frames = Math.floor(length / frameLength)
  const most = Math.max(1, Math.floor((seconds * sampleRateHz) / frameLength))
  const count = Math.ceil(frames / most)
  const boundary = (which: number) => Math.floor((which * frames) / count) * frameLength
  return Array.from({ length: count }, (_, which) => {
    const first = boundary(which)
    return { sampleRateHz, length: boundary(which + 1) - first, samples: (begin, end) => samples(first + begin, first + end), ...(label !== undefined && { label }) }
  })
}
