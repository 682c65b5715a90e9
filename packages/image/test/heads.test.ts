import type { Domain } from '@chainrule/core'
import { headFromName } from '@chainrule/core/tensors'
import { describe, expect, it } from 'vitest'
import { patches, patchHead, rgbCategorical, rgbPixels } from '../src/index.js'

describe('heads', () => {
  it('suit what their tokenizers say of x, and come back from files', () => {
    const cases: [ReturnType<typeof patchHead>, Domain, number][] = [
      [rgbCategorical(), rgbPixels({ height: 4, width: 4 }).domain, 64],
      [rgbCategorical({ width: 20 }), rgbPixels({ height: 4, width: 4, levels: 8 }).domain, 20],
      [patchHead(), patches({ height: 8, width: 8, size: 4 }).domain, 128],
      [patchHead({ components: 2, width: 10 }), patches({ height: 8, width: 8, size: 2, channels: 1 }).domain, 10],
    ]
    for (const [head, domain, width] of cases) {
      expect(head.parametersPerVariable(domain)).toBe(width)
      expect(headFromName(JSON.parse(JSON.stringify({ name: head.name, options: head.options }))).options).toEqual(head.options)
      const { output } = head.bind({ domain, width: 5, receivesParameters: false }).initialize(1)
      expect(output.shape.slice(0, 2)).toEqual([domain.components, width])
    }
    expect(() => patchHead({ size: 3 } as never)).toThrow(/unknown option "size"/)
  })
})
