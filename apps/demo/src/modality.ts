/** Which modality a run or a model is of, and which options belong to another one. */
import { InvalidOptionError } from '@chainrule/core'
import type { Command } from 'commander'
import { modalityAt } from './subject.js'

export type Modality = 'text' | 'image'

const plural: Record<Modality, string> = { text: 'language models', image: 'image models' }

/**
 * @param only the options of each modality that the others do not have
 * @throws {InvalidOptionError} where one was given that the modality of `path` does not have
 */
export async function modalityOf(path: string, command: Command, only: Readonly<Record<Modality, readonly string[]>>): Promise<Modality> {
  // What is neither is for the command of text to refuse, which names what it found.
  const modality: Modality = (await modalityAt(path)) === 'image' ? 'image' : 'text'
  for (const [other, names] of Object.entries(only) as [Modality, readonly string[]][]) {
    const foreign = other === modality ? undefined : command.options.find((option) => names.includes(option.attributeName()) && command.getOptionValueSource(option.attributeName()) === 'cli')
    if (foreign) throw new InvalidOptionError(`${foreign.long} belongs to ${plural[other]}; ${path} is one of the ${plural[modality]}. Leave it out.`)
  }
  return modality
}
