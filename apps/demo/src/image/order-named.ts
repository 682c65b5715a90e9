/** Orders on the command line. */
import { type Order, orderFromName } from '@chainrule/core'
import { pieceNamed } from '../piece-named.js'

const known = { raster: {}, reversed: {}, columnMajor: {}, serpentine: {}, diagonal: {}, spiral: {}, hilbert: {}, morton: {}, checkerboard: {}, random: { seed: 0 } }

export const orderNames = Object.keys(known)

/** @throws {InvalidOptionError} */
export const orderNamed = (text: string): Order => pieceNamed('order', text, known, orderFromName)
