/** Colours for numbers: from dark blue over magenta to yellow, ever lighter, so that they are told apart in gray, too. */

/** Colours at equal distances along the way. */
const ramp = [
  [13, 8, 135],
  [126, 3, 168],
  [204, 71, 120],
  [248, 149, 64],
  [240, 249, 33],
]

/** t in 0 … 1 → red, green, blue. */
export function rampColor(t: number): number[] {
  const at = Math.min(Math.floor(t * (ramp.length - 1)), ramp.length - 2)
  const rest = t * (ramp.length - 1) - at
  return ramp[at].map((channel, i) => Math.round(channel + rest * (ramp[at + 1][i] - channel)))
}
