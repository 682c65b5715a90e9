/** README.md of an exported model: the model card as people read it, and how to run the model. It is no part of the model: nothing checks it. */
import { conditionInput, conditionSpecification, countParameters, type Json, type JsonObject, type Piece, sizeOf, valueType } from '@chainrule/core'
import type { ModelToExport } from './model.js'

export const readmeFile = 'README.md'

/** Characters of one entry; alphabets and merges are longer, and stand in model.json. */
const longest = 240

function shown(value: Json): string {
  const text = typeof value === 'string' ? value : typeof value === 'number' ? String(Number(value.toPrecision(6))) : JSON.stringify(value)
  const short = text.length > longest ? `${text.slice(0, longest)} …` : text
  return short.replace(/\s+/g, ' ').replaceAll('|', String.raw`\|`)
}

/** naturalWords → natural words */
const words = (name: string) => name.replace(/[A-Z]+/g, (letters) => ` ${letters.toLowerCase()}`)

function table(object: JsonObject, empty: string): string {
  const entries = Object.entries(object)
  return entries.length ? ['| | |', '|---|---|', ...entries.map(([name, value]) => `| ${words(name)} | ${shown(value)} |`)].join('\n') : empty
}

const code = (language: string, ...lines: string[]) => ['```' + language, ...lines, '```'].join('\n')

const pieceText = ({ name, options }: Piece) => `${name}${Object.keys(options).length ? ` ${JSON.stringify(options)}` : ''}`

function readme({ model, parameters, modality, tokenizer, card }: ModelToExport, run: string): Uint8Array {
  const { condition, order, network, head } = model
  const pieces = Object.fromEntries(Object.entries({ tokenizer, ...(condition && { condition }), order, network, head }).map(([part, piece]) => [part, pieceText(piece)]))
  const sections = [
    `# A model of ${modality}`,
    `${condition ? `p(x | c) = ∏ p(xᵢ | what comes before it, c)` : 'p(x) = ∏ p(xᵢ | what comes before it)'}, exactly: ${countParameters(parameters).toLocaleString('en-US')} parameters. Exported by chainrule on ${card.exportedAt.slice(0, 10)}.`,
    `## Made of\n\n${table(pieces, '')}`,
    `## Data\n\n${table(card.data, 'The model does not say what it was trained on.')}`,
    `## Results\n\n${table(card.results, 'Nothing was measured.')}`,
    `## Training\n\n${table(card.training, 'The model does not say how it was trained.')}`,
    `## Run it\n\n${run}`,
  ]
  return new TextEncoder().encode(`${sections.join('\n\n')}\n`)
}

/** For chainrule's own layout. */
export function modelReadme(given: ModelToExport): Uint8Array {
  const { model, modality } = given
  const { condition } = model
  const { components, length } = model.domain
  const type = `numpy.${valueType(model.domain)}`
  const told = condition && conditionSpecification(condition, 1, length === 'variable' ? 3 : length)
  const zeros = told && `new ${told.type === 'float32' ? 'Float32Array' : 'Int32Array'}(${sizeOf(told.shape)})`
  const options = condition ? `{ seed: 1, ${conditionInput(condition)}: ${condition.isSequence ? zeros : '0'} }` : '{ seed: 1 }'
  const python =
    length === 'variable'
      ? [
          `x = numpy.zeros([1, 3, ${components}], ${type})  # batch, variables, components`,
          "axes = {'batch': 1, 'past': 0}",
          "state = {'state.' + s['name']: numpy.zeros([axes.get(a, a) for a in s['shape']], s['type']) for s in model['state']}",
          "feeds = {'x': x, 'previous': x[:, 0], 'isStart': numpy.ones([1], bool), **state}",
        ]
      : [`feeds = {'x': numpy.zeros([1, ${length}, ${components}], ${type})}  # batch, variables, components`]
  if (told) python.push(`feeds['${conditionInput(condition)}'] = numpy.zeros([${told.shape.join(', ')}], numpy.${told.type})`)
  const run = [
    'In Node:',
    code('js', `import { loadModel, sample } from '@chainrule/${modality}'`, '', "const model = await loadModel('.')", `console.log(await sample(model, ${options}))`, 'await model.release()'),
    'In Python, with onnxruntime alone, −log p of each variable:',
    code('python', 'import json, numpy, onnxruntime', '', "model = json.load(open('model.json', encoding='utf-8'))", ...python, "print(onnxruntime.InferenceSession('score.onnx').run(['nats'], feeds)[0])"),
    'In a browser, with onnxruntime-web, where the folder is served as `model` beside the page:',
    code('js', `import { loadModel, sample } from '@chainrule/${modality}/runtime'`, '', "const model = await loadModel(new URL('model/', location.href))", `console.log(await sample(model, ${options}))`, 'await model.release()'),
    'model.json holds all of this as data, and the SHA-256 of every other file.',
  ]
  return readme(given, run.join('\n\n'))
}

/** For the layout of transformers.js. */
export function transformersReadme(given: ModelToExport): Uint8Array {
  const run = [
    'With transformers.js, in Node or in a browser:',
    code('js', "import { env, pipeline } from '@huggingface/transformers'", '', "env.localModelPath = '..'", "const generate = await pipeline('text-generation', 'the name of this folder')", "console.log(await generate('', { max_new_tokens: 100, do_sample: true }))"),
    'A text begins with the token `<|start|>`, which its tokenizer puts there; the logits are log-probabilities.',
  ]
  return readme(given, run.join('\n\n'))
}
