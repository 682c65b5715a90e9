import { preset } from '@chainrule/vitest-config'

export default preset
