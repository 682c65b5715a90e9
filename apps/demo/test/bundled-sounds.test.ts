import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { bundledSounds } from '../src/bundled.js'
import { readBundledSounds } from '../src/bundled-sounds.js'

it('the bundled digits are what data/README.md says, sample for sample', async () => {
  const readme = readFileSync(new URL('../data/README.md', import.meta.url), 'utf8')
  const { sound, listing } = bundledSounds['spoken-digits']
  for (const path of [sound, listing]) expect(readme).toContain(createHash('sha256').update(readFileSync(path)).digest('hex'))
  const recordings = await readBundledSounds('spoken-digits')
  expect(recordings).toHaveLength(500)
  const lengths = recordings.map((recording) => recording.sound.samples.length)
  expect((lengths.reduce((sum, length) => sum + length, 0) / 8_000).toFixed(1)).toBe('174.6')
  expect(recordings.map(({ name, label }) => name.startsWith(`${label}_nicolas_`))).not.toContain(false)
  expect(new Set(recordings.map(({ label }) => label)).size).toBe(10)
  // Eight bits, whatever the decoder.
  for (const recording of recordings) expect(recording.sound.samples.every((sample) => Number.isInteger(sample * 128))).toBe(true)
  expect(Math.max(...recordings[0].sound.samples)).toBeGreaterThan(0.05)
})
