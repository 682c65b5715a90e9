import { preset } from '@chainrule/tsup-config'

// The thread is started by the address of its file, so that it is an entry of its own.
export default preset({ index: 'src/index.ts', browser: 'src/browser.ts', worker: 'src/worker.ts' })
