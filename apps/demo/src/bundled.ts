/** The samples that come with the program, by name; data/README.md says where they are from. */
import { fileURLToPath } from 'node:url'

const pathOf = (file: string) => fileURLToPath(new URL(`../data/${file}`, import.meta.url))

/** Images. */
export const bundledImages: Readonly<Record<string, string>> = {
  'fashion-mnist': pathOf('fashion-mnist-images-idx3-ubyte.gz'),
  emoji: pathOf('emoji-images-idx4-ubyte.gz'),
}

/** Recordings: the sound, and the list of what is in it (bundled-sounds.ts). */
export const bundledSounds: Readonly<Record<string, { readonly sound: string; readonly listing: string }>> = {
  'spoken-digits': { sound: pathOf('spoken-digits.flac'), listing: pathOf('spoken-digits.json') },
}
