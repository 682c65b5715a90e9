/** The second engine: the same programs, eagerly, on an installed @tensorflow/tfjs-node. Nothing is loaded before it is asked for. */
export { tensorflow, type TensorflowOptions } from './tensorflow.js'
