/**
 * The gradients of tfjs's kernels. tfjs-core ships them as a module of its own that Node cannot load as it stands,
 * so the build bundles that module (see tsup.config.ts); it registers with the one engine that tfjs keeps in the global scope.
 */
import '@tensorflow/tfjs-core/dist/register_all_gradients.js'
