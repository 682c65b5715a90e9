/** Pictures beside a sound file: of sample.wav the wave in sample-waveform.png and the spectrogram in sample-spectrogram.png. */
import { extname } from 'node:path'
import { type Sound, writeSpectrogram, writeWaveform } from '@chainrule/audio'

/** @param file the sound file; several sounds stand one below the other. @returns the paths of the pictures; none where there is nothing to see */
export function writePictures(file: string, sounds: readonly Sound[]): string[] {
  const audible = sounds.filter(({ samples }) => samples.length > 0)
  if (audible.length === 0) return []
  const stem = file.slice(0, file.length - extname(file).length)
  const [waveform, spectrogram] = [`${stem}-waveform.png`, `${stem}-spectrogram.png`]
  writeWaveform(waveform, audible)
  writeSpectrogram(spectrogram, audible)
  return [waveform, spectrogram]
}
