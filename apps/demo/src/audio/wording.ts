/** What the likelihood of sounds amounts to, in one line. */
import type { AudioEvaluation } from '@chainrule/audio'
import type { JsonObject } from '@chainrule/core'
import { counted, duration } from '../wording.js'

export function audioLikelihood({ bitsPerSample, sounds, seconds }: Pick<AudioEvaluation, 'bitsPerSample' | 'sounds' | 'seconds'>): string {
  return `${bitsPerSample === undefined ? 'nats of a density, which are no bits,' : `${bitsPerSample.toFixed(4)} bits per sample,`} of ${counted(sounds, 'sound')} (${duration(seconds)})`
}

/** What goes into the run and the card of the exported model. */
export const resultsOf = ({ bitsPerSample, totalNats, sounds, samples }: AudioEvaluation): JsonObject => ({ part: 'held out', ...(bitsPerSample !== undefined && { bitsPerSample }), totalNats, sounds, samples })
