/** Scoring examples of any lengths on exported graphs, several in one run. */
import type { OpenModel } from '@chainrule/runtime'
import type { Example } from '@chainrule/train'

/** Examples in one run. */
const rowsOfRun = 32

/** −log p of each variable of examples; those of a run are as long as its longest, where x has an end to fill them with. */
export async function natsOfExamples(opened: OpenModel, examples: readonly Example[], signal?: AbortSignal, onRows?: (rows: number) => void): Promise<Float32Array[]> {
  const { end } = opened.manifest.domain
  const result: Float32Array[] = []
  while (result.length < examples.length) {
    const from = result.length
    const next = examples.slice(from, from + rowsOfRun)
    const other = end === undefined ? next.findIndex(({ x }) => x.length !== next[0].x.length) : -1
    const rows = other < 0 ? next : next.slice(0, other)
    const length = Math.max(...rows.map(({ x }) => x.length))
    const x = new Int32Array(rows.length * length).fill(end ?? 0)
    rows.forEach((row, which) => x.set(row.x, which * length))
    const nats = await opened.score({ x, length, previous: Int32Array.from(rows, ({ previous }) => previous?.[0] ?? 0), isStart: Uint8Array.from(rows, ({ previous }) => (previous ? 0 : 1)), signal })
    rows.forEach((row, which) => result.push(nats.slice(which * length, which * length + row.x.length)))
    onRows?.(result.length)
  }
  return result
}
