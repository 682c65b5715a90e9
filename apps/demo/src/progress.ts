/** Live progress on stderr: a bar where it is a terminal, else a line at first and then every few seconds. */
import type { TrainingProgress } from '@chainrule/text'
import { Presets, SingleBar } from 'cli-progress'
import { count, duration } from './wording.js'

export interface Progress {
  update(done: number, detail?: string): void
  /** Lines that stay, above the display. */
  aside(text: string): void
  /** Leaves the last state on the screen. */
  stop(): void
}

const secondsBetweenLines = 5
const widestBar = 30

export interface ProgressOptions {
  label: string
  total: number
  from?: number
  /** An interruption ends the display at once, so that messages do not write over it. */
  signal: AbortSignal
}

export function startProgress({ label, total, from = 0, signal }: ProgressOptions): Progress {
  const progress = process.stderr.isTTY ? bar(label, total, from) : lines(label, total)
  signal.addEventListener('abort', progress.stop, { once: true })
  return progress
}

function bar(label: string, total: number, from: number): Progress {
  const barsize = Math.max(8, Math.min(widestBar, (process.stderr.columns ?? 80) - 72))
  const single = new SingleBar({ format: `${label} {bar} {value}/{total}  {detail}`, barsize, hideCursor: true, fps: 8, etaBuffer: 1 }, Presets.shades_classic)
  let last: [done: number, payload: { detail: string }] = [from, { detail: '' }]
  let isStopped = false
  single.start(total, ...last)
  return {
    update(done, detail = '') {
      last = [done, { detail }]
      single.update(...last)
    },
    aside(text) {
      single.stop()
      process.stderr.write(`${text}\n`)
      if (!isStopped) single.start(total, ...last)
    },
    stop() {
      isStopped = true
      single.stop()
    },
  }
}

function lines(label: string, total: number): Progress {
  let last = { at: -Infinity, text: '', isShown: true }
  const show = () => {
    process.stderr.write(`${last.text}\n`)
    last = { ...last, isShown: true, at: performance.now() }
  }
  return {
    update(done, detail) {
      last = { ...last, text: `${label} ${done}/${total}${detail ? `  ${detail}` : ''}`, isShown: false }
      if (performance.now() - last.at > secondsBetweenLines * 1000) show()
    },
    aside: (text) => void process.stderr.write(`${text}\n`),
    stop() {
      if (!last.isShown) show()
    },
  }
}

/** The progress of training, by what a variable is. The loss of single batches is noisy: an exponential mean over about 50 of them is shown. */
export function startTrainingProgress(steps: number, from: number, signal: AbortSignal, noun = 'token') {
  const progress = startProgress({ label: 'training', total: steps, from, signal })
  const keep = 0.98
  let sum = 0
  let weight = 0
  let validated = ''
  return {
    update({ step, nats, variablesPerSecond, secondsLeft, validation, best }: TrainingProgress) {
      sum = keep * sum + (1 - keep) * nats
      weight = keep * weight + (1 - keep)
      if (validation) validated = `  validation ${validation.nats.toFixed(3)}${validation.isBest || !best ? '' : `, best ${best.nats.toFixed(3)}`}`
      progress.update(step, `${(sum / weight).toFixed(3)} nats/${noun}${validated}  ${count(variablesPerSecond)} ${noun}s/s  ${duration(secondsLeft)} left`)
    },
    aside: (text: string) => progress.aside(text),
    stop: () => progress.stop(),
    /** Nats per variable, smoothed; undefined before the first update. */
    loss: (): number | undefined => (weight > 0 ? sum / weight : undefined),
  }
}

/** The progress of an evaluation, shown once it is known how many examples there are. */
export function evaluationProgress(signal: AbortSignal, noun = 'windows') {
  let progress: Progress | undefined
  return {
    onProgress({ examples, of }: { examples: number; of: number }) {
      progress ??= startProgress({ label: 'evaluating', total: of, signal })
      progress.update(examples, noun)
    },
    stop: () => progress?.stop(),
  }
}
