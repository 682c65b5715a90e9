/**
 * Operators of the standard domain that run wherever an exported model is to run: on the CPU (onnxruntime for Node, Python and, compiled
 * to WebAssembly, for browsers) and on CUDA, with float32 or the integers that graphs count with, up to opset 23.
 *
 * From docs/OperatorKernels.md of onnxruntime, and js/web/docs/webgpu-operators.md for WebGPU. An operator that is missing here may run
 * in some places; nobody has looked whether it does in all.
 */

/** By CPU and CUDA; `Constant` needs no kernel, since it becomes one of the graph's own constants. */
const cpuAndCuda = new Set(
  [
    'Abs Add And ArgMax ArgMin Cast Ceil Clip Concat Constant ConstantOfShape Conv ConvTranspose Cos CumSum Div Einsum Elu Equal Erf Exp Expand',
    'Flatten Floor Gather GatherElements GatherND Gelu Gemm Greater GreaterOrEqual Identity If IsInf IsNaN LayerNormalization LeakyRelu Less',
    'LessOrEqual Log LogSoftmax Loop MatMul Max Min Mod Mul Neg Not Or Pad Pow Range Reciprocal ReduceMax ReduceMean ReduceMin ReduceProd',
    'ReduceSum ReduceSumSquare Relu Reshape RotaryEmbedding Round Scan ScatterElements ScatterND Shape Sigmoid Sign Sin Size Slice Softmax',
    'Softplus Split Sqrt Squeeze Sub Sum Tanh Tile TopK Transpose Trilu Unsqueeze Where Xor',
  ].flatMap((line) => line.split(' ')),
)

/** Without a kernel of WebGPU: onnxruntime-web runs them in WebAssembly and copies in between. */
const withoutWebgpu = new Set('And ArgMax ArgMin ConstantOfShape Identity IsInf IsNaN LogSoftmax Loop Max Min Mod Or Round Scan ScatterElements Sign Size Softplus Sum TopK Trilu Xor'.split(' '))

/** Those of a graph's operators that not every provider is known to have. */
export const notEverywhere = (operators: Iterable<string>): string[] => [...operators].filter((operator) => !cpuAndCuda.has(operator))

/** Those that leave the GPU where WebGPU runs the graph. */
export const besideWebgpu = (operators: Iterable<string>): string[] => [...operators].filter((operator) => withoutWebgpu.has(operator))
