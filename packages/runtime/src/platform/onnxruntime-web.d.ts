/** onnxruntime-web is a peer that only pages install; its modules have the interface of onnxruntime-common. */
declare module 'onnxruntime-web/wasm' {
  export * from 'onnxruntime-common'
}
declare module 'onnxruntime-web/webgpu' {
  export * from 'onnxruntime-common'
}
