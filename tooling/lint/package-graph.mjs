/**
 * The package graph, manifest by manifest: who may depend on whom. `.oxlintrc.json` holds the same table, import by import.
 *
 *   node tooling/lint/package-graph.mjs [root]
 *
 * Checks every package.json of the workspace: dependencies and peerDependencies against the table, devDependencies against the
 * layers (none points upward or sideways, or the build would turn in a circle), versions, and that nothing depends on itself
 * in the end.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '../..')

const tensors = '@tensorflow/tfjs-core'
const belowModalities = ['core', 'networks', 'train', 'onnx', 'runtime']
const modality = { layer: 6, uses: [...belowModalities, 'modality'], outside: [tensors, 'onnxruntime-node'] }
/** Sees all packages, by their public entry points. */
const consumer = (layer) => ({ layer, uses: 'all', outside: 'all' })

/**
 * `uses`: workspace packages it may depend on. `outside`: packages from the registry that it may depend on. `peers`: those
 * that it leaves to its user to install.
 * `layer`: its devDependencies come from lower layers only.
 */
const table = {
  'tsup-config': { layer: 0, uses: [], outside: [] },
  'typescript-config': { layer: 0, uses: [], outside: [] },
  'vitest-config': { layer: 0, uses: [], outside: [] },
  lint: { layer: 0, uses: [], outside: [] },
  core: { layer: 1, uses: [], outside: [], peers: [tensors] },
  conformance: { layer: 2, uses: ['core'], outside: [tensors] },
  runtime: { layer: 2, uses: ['core'], outside: ['onnxruntime-common'], peers: ['onnxruntime-node', 'onnxruntime-web'] },
  tensorflow: { layer: 2, uses: ['core'], outside: [tensors], peers: ['@tensorflow/tfjs-node'] },
  networks: { layer: 3, uses: ['core'], outside: [tensors] },
  train: { layer: 4, uses: ['core'], outside: [tensors] },
  onnx: { layer: 4, uses: ['core', 'runtime'], outside: [tensors, '@bufbuild/protobuf', 'onnx-buf'] },
  modality: { layer: 5, uses: belowModalities, outside: [tensors] },
  text: modality,
  image: { ...modality, outside: [...modality.outside, 'sharp'] },
  audio: { ...modality, outside: [...modality.outside, '@alexanderolsen/libsamplerate-js', 'audio-decode', 'fast-png'] },
  demo: consumer(7),
  examples: consumer(8),
  recipes: consumer(8),
  benchmarks: consumer(8),
  laws: consumer(8),
  'backend-conformance': consumer(8),
  packaging: consumer(8),
  mutations: consumer(8),
}

const scope = '@chainrule/'
const dependencyKinds = ['dependencies', 'peerDependencies', 'optionalDependencies', 'devDependencies']
const problems = []

function readManifests() {
  const folders = ['packages', 'apps', 'tooling'].flatMap((parent) => {
    const path = join(root, parent)
    return existsSync(path) ? readdirSync(path).map((name) => join(path, name)) : []
  })
  return [...folders, ...['examples', 'recipes', 'benchmarks'].map((name) => join(root, name)), root]
    .map((folder) => join(folder, 'package.json'))
    .filter((file) => existsSync(file))
    .map((file) => ({ file: relative(root, file), manifest: JSON.parse(readFileSync(file, 'utf8')), isRoot: dirname(file) === root }))
}

/** The `catalog:` of pnpm-workspace.yaml: name → version. */
function readCatalog() {
  const lines = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8').split('\n')
  const begin = lines.indexOf('catalog:') + 1
  const entries = lines.slice(begin).map((line) => /^ {2}'?([^':]+)'?: (\S+)$/.exec(line))
  const end = entries.findIndex((entry) => !entry)
  return Object.fromEntries(entries.slice(0, end).map(([, name, version]) => [name, version]))
}

const catalog = readCatalog()
const manifests = readManifests()
const own = new Map(manifests.filter(({ manifest }) => manifest.name.startsWith(scope)).map((entry) => [entry.manifest.name.slice(scope.length), entry]))

const exactVersion = /^\d+\.\d+\.\d+(-[\w.]+)?$/

function checkVersion(where, kind, name, version) {
  if (name.startsWith(scope)) {
    if (version !== 'workspace:*') problems.push(`${where}: expected "workspace:*", got "${version}".`)
    return
  }
  if (kind === 'peerDependencies') {
    if (!exactVersion.test(version)) problems.push(`${where}: a peer is pinned to one version, got "${version}".`)
    else if (catalog[name] && version !== catalog[name]) problems.push(`${where}: expected the catalog's ${catalog[name]}, got ${version}.`)
    return
  }
  if (version !== 'catalog:') problems.push(`${where}: expected "catalog:" (pnpm-workspace.yaml holds the version), got "${version}".`)
  else if (!catalog[name]) problems.push(`${where}: the catalog of pnpm-workspace.yaml does not have it.`)
}

function checkDependency(where, kind, row, name) {
  const dependency = name.startsWith(scope) ? name.slice(scope.length) : undefined
  if (dependency !== undefined && !own.has(dependency)) problems.push(`${where}: no package of the workspace is called ${name}.`)
  else if (kind === 'devDependencies') {
    if (dependency !== undefined && table[dependency] && table[dependency].layer >= row.layer) {
      problems.push(`${where}: a devDependency must stand lower in the graph. Test it from tooling/laws, which sees everything.`)
    }
  } else {
    const allowed = kind === 'peerDependencies' ? (row.peers ?? []) : dependency === undefined ? row.outside : row.uses
    if (allowed !== 'all' && !allowed.includes(dependency ?? name)) problems.push(`${where}: not in the package graph. Allowed: ${allowed.join(', ') || 'none'}.`)
  }
}

for (const { file, manifest, isRoot } of manifests) {
  const row = isRoot ? { layer: Infinity, uses: [], outside: [] } : table[manifest.name.slice(scope.length)]
  if (!row || (!isRoot && !manifest.name.startsWith(scope))) {
    problems.push(`${file}: the package graph has no row for ${manifest.name}. Add it to tooling/lint/package-graph.mjs and .oxlintrc.json.`)
    continue
  }
  for (const kind of dependencyKinds) {
    for (const [name, version] of Object.entries(manifest[kind] ?? {})) {
      const where = `${file}: ${kind}: ${name}`
      checkDependency(where, kind, row, name)
      checkVersion(where, kind, name, version)
    }
  }
}

/** Circles over all kinds of dependencies, as the build follows them. */
const finished = new Set()
function findCircle(name, path) {
  if (finished.has(name) || !own.has(name)) return
  if (path.includes(name)) {
    problems.push(`A circle of dependencies: ${[...path.slice(path.indexOf(name)), name].join(' → ')}.`)
    return
  }
  const { manifest } = own.get(name)
  const next = dependencyKinds.flatMap((kind) => Object.keys(manifest[kind] ?? {})).filter((dependency) => dependency.startsWith(scope))
  for (const dependency of next) findCircle(dependency.slice(scope.length), [...path, name])
  finished.add(name)
}
for (const name of own.keys()) findCircle(name, [])

if (problems.length) {
  console.error(`The package graph is broken:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
  process.exit(1)
}
console.log(`Package graph: ${manifests.length} manifests agree with the table.`)
