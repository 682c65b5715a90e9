/** The samples that come with the program, by name; data/README.md says where they are from. */
import { fileURLToPath } from 'node:url'

const pathOf = (file: string) => fileURLToPath(new URL(`../data/${file}`, import.meta.url))

/** Images. */
export const bundledImages: Readonly<Record<string, string>> = {
  'fashion-mnist': pathOf('fashion-mnist-images-idx3-ubyte.gz'),
  emoji: pathOf('emoji-images-idx4-ubyte.gz'),
}
