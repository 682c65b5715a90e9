/** `chainrule inspect` of a run or a model of images. */
import type { JsonObject } from '@chainrule/core'
import { type Model, planSampling } from '@chainrule/core/tensors'
import { describeTraining, loadModel, modelOf, type Run, trainedOf } from '@chainrule/image'
import type { Context } from '../context.js'
import { type Description, graphsOf, report } from '../inspect.js'
import { imageSubjectAt } from './subject.js'

export async function inspectImages(path: string, { output }: Context): Promise<JsonObject> {
  const subject = await imageSubjectAt(path)
  return report(path, subject.kind === 'run' ? ofRun(subject.run) : await ofModel(subject.path), output)
}

const nouns = ['variable', 'image'] as const

function ofRun(run: Run): Description {
  const { tokenizer, order, network, head, condition, data, validation, command, results = {} } = run.description
  const trained = trainedOf(run)
  return {
    kind: 'run',
    pieces: { tokenizer, order, network, head, ...(condition && { condition }) },
    nouns,
    parameters: trained.parameters,
    state: trained.model.state,
    reads: reachOf(trained.model),
    sampling: planSampling(trained.model).reason,
    data,
    training: { ...(command !== undefined && { command }), ...describeTraining(trained), ...(validation && { validation: { ...validation } }) },
    results,
    further: {},
  }
}

async function ofModel(directory: string): Promise<Description> {
  const loaded = await loadModel(directory)
  try {
    const { tokenizer, order, network, head, condition, state, card, producer, formatVersion } = loaded.manifest
    const { model, parameters } = await modelOf(loaded)
    return {
      kind: 'exported model',
      pieces: { tokenizer, order: { name: order.name, options: order.options }, network, head, ...(condition && { condition }) },
      nouns,
      parameters,
      state,
      reads: reachOf(model),
      sampling: planSampling(model).reason,
      graphs: await graphsOf(loaded),
      data: card.data,
      training: card.training,
      results: card.results,
      further: { exportedAt: card.exportedAt, producer, formatVersion },
    }
  } finally {
    await loaded.release()
  }
}

/** Of the variable that comes last: which of all others it reads. */
function reachOf({ boundNetwork, resolvedOrder: { permutation } }: Model): Description['reads'] {
  return { variables: boundNetwork.dependencies(permutation[permutation.length - 1]).length, of: permutation.length - 1, areLast: false }
}
