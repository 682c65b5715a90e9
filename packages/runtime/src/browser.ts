/** The package in a browser: the same as `index.ts`, on onnxruntime-web. What bundlers take for the condition `browser`. */
import { modelsOn } from './open-model.js'
import { browser } from './platform/browser.js'
import { sessionsOn } from './session.js'

export type * from './index.js'
export { loadOnnxRuntime } from './platform/browser.js'
export const openSession = /* @__PURE__ */ sessionsOn(browser)
export const openModel = /* @__PURE__ */ modelsOn(browser, openSession)
