import { preset } from '@chainrule/tsup-config'

// tfjs-core's gradients are ES modules without saying so: they are bundled, everything else of tfjs stays outside.
export default preset({ index: 'src/index.ts', 'tensors/index': 'src/tensors/index.ts' }, { noExternal: [/tfjs-core\/dist\/register_all_gradients/] })
