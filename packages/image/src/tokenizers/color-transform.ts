/**
 * Reversible colour transforms, on the whole numbers 0 … V−1 modulo V: bijections of all V³ colours, so that bits stay comparable.
 * Differences are stored with V/2 for zero, which puts the likely ones in the middle of the range, away from where it wraps.
 *
 *   subtractGreen   (G, R − G, B − G)
 *   yCoCgR          Co = R − B,  t = B + ⌊Co/2⌋,  Cg = G − t,  Y = t + ⌊Cg/2⌋    by lifting: every line is undone by itself, backwards
 *
 * Malvar, Sullivan 2003 (YCoCg-R), which gives Co and Cg one bit more; here they wrap, and Co/2 is of the wrapped one, −V/2 … V/2 − 1.
 */
export type Color = readonly [number, number, number]

export interface ColorTransform {
  forward(red: number, green: number, blue: number): Color
  inverse(first: number, second: number, third: number): Color
}

export const colorTransformNames = ['rgb', 'subtractGreen', 'yCoCgR'] as const
export type ColorTransformName = (typeof colorTransformNames)[number]

export function colorTransform(name: ColorTransformName, values: number): ColorTransform {
  const middle = Math.floor(values / 2)
  const wrap = (value: number) => ((value % values) + values) % values
  /** ⌊difference/2⌋ of a stored difference. */
  const half = (stored: number) => Math.floor((stored - middle) / 2)
  if (name === 'rgb') return { forward: (red, green, blue) => [red, green, blue], inverse: (red, green, blue) => [red, green, blue] }
  if (name === 'subtractGreen') {
    return {
      forward: (red, green, blue) => [green, wrap(red - green + middle), wrap(blue - green + middle)],
      inverse: (green, red, blue) => [wrap(red + green - middle), green, wrap(blue + green - middle)],
    }
  }
  return {
    forward(red, green, blue) {
      const orange = wrap(red - blue + middle)
      const between = wrap(blue + half(orange))
      const greenness = wrap(green - between + middle)
      return [wrap(between + half(greenness)), orange, greenness]
    },
    inverse(luminance, orange, greenness) {
      const between = wrap(luminance - half(greenness))
      const blue = wrap(between - half(orange))
      return [wrap(orange + blue - middle), wrap(greenness + between - middle), blue]
    },
  }
}
