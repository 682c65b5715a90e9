import { preset } from '@chainrule/tsup-config'

export default preset({ index: 'src/index.ts', loaded: 'src/loaded.ts' })
