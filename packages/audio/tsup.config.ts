import { preset } from '@chainrule/tsup-config'

export default preset({ index: 'src/index.ts', runtime: 'src/runtime.ts', 'tokenizers/index': 'src/tokenizers/index.ts' })
