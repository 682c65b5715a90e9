import { preset } from '@chainrule/tsup-config'

export default preset()
