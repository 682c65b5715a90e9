/** The samples that come with the program, by name; data/README.md says where they are from. */
import { fileURLToPath } from 'node:url'

const pathOf = (file: string) => fileURLToPath(new URL(`../data/${file}`, import.meta.url))

export interface BundledImages {
  readonly images: string
  readonly labels: string
  /** Of the labels. */
  readonly names: readonly string[]
}

/** Images. */
export const bundledImages: Readonly<Record<string, BundledImages>> = {
  'fashion-mnist': {
    images: pathOf('fashion-mnist-images-idx3-ubyte.gz'),
    labels: pathOf('fashion-mnist-labels-idx1-ubyte.gz'),
    names: ['T-shirt', 'trousers', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'ankle boot'],
  },
  emoji: {
    images: pathOf('emoji-images-idx4-ubyte.gz'),
    labels: pathOf('emoji-labels-idx1-ubyte.gz'),
    names: ['smileys', 'animals', 'food', 'travel', 'activities', 'objects'],
  },
}

/** Recordings: the sound, and the list of what is in it (bundled-sounds.ts). */
export const bundledSounds: Readonly<Record<string, { readonly sound: string; readonly listing: string }>> = {
  'spoken-digits': { sound: pathOf('spoken-digits.flac'), listing: pathOf('spoken-digits.json') },
}
