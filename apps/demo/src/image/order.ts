/** `chainrule order`: an order as a picture. */
import type { JsonObject } from '@chainrule/core'
import { orderPicture, writePng } from '@chainrule/image'
import type { Context } from '../context.js'
import { orderNamed } from './order-named.js'

export interface OrderCommandOptions {
  size: { height: number; width: number }
  out: string
  scale?: number
  path: boolean
}

export async function order(name: string, { size, out, scale, path }: OrderCommandOptions, { output }: Context): Promise<JsonObject> {
  const picture = orderPicture(orderNamed(name), { ...size, scale, path })
  await writePng(out, picture)
  output.print(`${name} on ${size.height} × ${size.width}: from dark blue, which comes first, to yellow; ${out}`)
  return { command: 'order', order: name, ...size, picture: out }
}
