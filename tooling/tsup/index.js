/** The one build preset: ESM for Node 20 and browsers; `tsc` writes the types (see each package's build script). */
export function preset(entry = { index: 'src/index.ts' }, more = {}) {
  return { entry, format: ['esm'], target: 'es2022', platform: 'neutral', clean: true, dts: false, sourcemap: true, splitting: true, treeshake: false, silent: true, external: [/^node:/], ...more }
}
