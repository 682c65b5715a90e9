/** Images: tokenizers, files, heads, pictures of orders. Nothing native is loaded until a file is read or written. */
export { checkerboard, columnMajor, custom, diagonal, hilbert, leftToRight, morton, type Order, random, raster, reversed, serpentine, spiral } from '@chainrule/core'
export { bernoulli, categorical, chained, discretizedLogisticMixture, factorized, rgbLogisticMixture } from '@chainrule/core/tensors'
export { binarized, type BinarizedOptions } from './binarization.js'
export { decodeIdx, type IdxContent, readIdx, type ReadIdxOptions } from './files/idx.js'
export { encodePng, type GridOptions, imageGrid, writePng, writePngGrid } from './files/png.js'
export { readImage, type ReadImageOptions, readImages } from './files/read-images.js'
export { patchHead, type PatchHeadOptions, rgbCategorical } from './heads.js'
export { checkImage, type Image, type Images } from './image.js'
export { orderPicture, type OrderPictureOptions } from './order-picture.js'
export {
  colorTransform,
  type ColorTransform,
  type ColorTransformName,
  type ImageTokenizer,
  palette,
  type PaletteOptions,
  patches,
  type PatchesOptions,
  pixels,
  type PixelsOptions,
  rgbPixels,
  type RgbPixelsOptions,
  rootMeanSquareError,
  tokenizerFromName,
  trainPalette,
  type TrainPaletteOptions,
} from './tokenizers/index.js'
