/** The commands, their arguments and their help. What a command does is in the file of its name, loaded when it runs. */
import { type JsonObject, UnsupportedError } from '@chainrule/core'
import { encodingNames, presets as audioPresets } from '@chainrule/audio'
import { presets as imagePresets } from '@chainrule/image'
import { layouts, presets } from '@chainrule/text'
import { Command, Option } from 'commander'
import { soundNetworkNames } from './audio/network-named.js'
import { bundledImages, bundledSounds } from './bundled.js'
import type { Context } from './context.js'
import { engineNames } from './engines.js'
import { imageNetworkNames } from './image/network-named.js'
import { orderNames } from './image/order-named.js'
import { type ModalityName, modalityOf } from './modality.js'
import { gridSize, numberWhere, wholeFrom } from './numbers.js'
import { protocolNames } from './text/protocol.js'
import { documentKinds } from './text/text-data.js'

/** What a command comes down to: what to run, still without the context. */
export type Job = (context: Context) => Promise<JsonObject>

/** @param chosen is told the job of the command that the arguments name */
export function createProgram(version: string, chosen: (job: Job) => void): Command {
  const json = new Option('--json', 'print one JSON document on stdout; messages go to stderr')
  const program = new Command('chainrule')
    .description('Autoregressive generative models: train on text, images or sounds, measure, sample, export to ONNX, run anywhere.')
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'how to use a command')
    .helpCommand(false)
    .addOption(json)
    .configureHelp({ showGlobalOptions: true, visibleGlobalOptions: (command) => (command.parent ? [json] : []) })
    .allowExcessArguments(false)
    .exitOverride()
    .addHelpText('after', exitCodesHelp)

  const example = (command: Command, text: string) => command.addHelpText('after', `\nExample:\n  ${text}\n`)
  const seed = () => new Option('--seed <n>', 'whole number; the same seed gives the same result').argParser(wholeFrom(0, 0xffffffff))
  const threads = () => new Option('--threads <n>', 'threads of onnxruntime').argParser(wholeFrom(1))
  const engine = (description: string) => new Option('--engine <name>', description).choices(engineNames)
  const provider = (description = 'where the graphs run; auto (default): CUDA where it works, else the CPU') => new Option('--provider <name>', description).choices(['auto', 'cpu', 'cuda', 'webgpu'])
  const data = (description: string) => new Option('--data <path>', description).makeOptionMandatory()
  const documents = () => new Option('--documents <kind>', 'what a document is: lines: each line of the file (empty ones left out); files: each .txt file of the folder; jsonl: a field of each JSON line (default: the file is one text)').choices(documentKinds)
  const field = () => new Option('--field <name>', 'of --documents jsonl: which field (default text)')
  const out = (description: string) => new Option('--out <folder>', description).makeOptionMandatory()
  /** Runs the command of the modality that the run or model at `path` is of. */
  const byModality = (command: Command, path: string, only: Readonly<Record<ModalityName, readonly string[]>>, jobs: Readonly<Record<ModalityName, Job>>) => chosen(async (context) => jobs[await modalityOf(path, command, only)](context))
  const validateEvery = () => new Option('--validate-every <n>', 'updates between two validations (default: a twentieth of all)').argParser(wholeFrom(1))
  const patience = () => new Option('--patience <n>', 'stop after so many validations without a better one (default: never)').argParser(wholeFrom(1))
  const steps = () => new Option('--steps <n>', 'updates (default: the preset’s)').argParser(wholeFrom(1))
  const learningRate = () => new Option('--learning-rate <x>', 'the highest; decays to a tenth (default: the preset’s)').argParser(numberWhere((value) => value > 0, 'a number above 0'))
  const accumulation = () => new Option('--accumulation <n>', 'micro-batches of an update: larger batches in the same memory (default 1)').argParser(wholeFrom(1))
  const averageDecay = () => new Option('--average-decay <d>', 'keep an exponential average of the parameters, as the result; 0.999, say (default 0: none)').argParser(numberWhere((value) => value >= 0 && value < 1, 'a number from 0 to below 1'))
  const checkpointEvery = () => new Option('--checkpoint-every <seconds>', 'between two checkpoints; 0: after every update (default 30)').argParser(numberWhere((value) => value >= 0, 'a number of at least 0'))
  const from = () => new Option('--from <run|model>', 'begin with its parameters, pieces and settings, to fine-tune it')
  const presetOption = (all: Readonly<Record<string, { readonly description: string }>>) => new Option('--preset <name>', `${Object.entries(all).map(([name, { description }]) => `${name}: ${description}`).join('; ')} (default small)`).choices(Object.keys(all))
  const heldOut = (what: string) => new Option('--held-out <fraction>', `${what}, never trained on, to measure with (default 0.1)`).argParser(numberWhere((value) => value >= 0 && value <= 0.9, 'a number from 0 to 0.9'))
  const validation = (what: string) => new Option('--validation <fraction>', `${what}, not trained on either: measured now and then, the best parameters are kept (default 0: none)`).argParser(numberWhere((value) => value >= 0 && value <= 0.5, 'a number from 0 to 0.5'))
  const preview = (what: string) => new Option('--preview <n>', `${what} every so many updates (default: none)`).argParser(wholeFrom(1))
  const trainingEngine = () => engine('onnx (default): the whole training step as one ONNX graph; tensorflow: @tensorflow/tfjs-node; cpu: plain JavaScript, slow')
  const imageData = () => new Option('--data <path>', `a folder of image files, an IDX file, or a bundled sample: ${Object.keys(bundledImages).join(', ')}`)
  const labels = () => new Option('--labels [file]', 'of a model trained with labels: the file of labels of an IDX file, or of a folder of sounds; other data bring theirs')
  const soundData = () => new Option('--data <path>', `a sound file, a folder of them, or a bundled sample: ${Object.keys(bundledSounds).join(', ')}`)
  const scale = () => new Option('--scale <n>', 'each pixel becomes a square of so many (default: small images are enlarged)').argParser(wholeFrom(1))
  const temperature = () => new Option('--temperature <t>', 'below 1: likelier; above 1: more varied').argParser(numberWhere((value) => value > 0, 'a number above 0')).default(1)

  const runOrModel = ['<run|model>', 'folder of a run or of an exported model'] as const

  const training = program.command('train').summary('train a model (chainrule train text --help, chainrule train image --help, chainrule train audio --help)').description('train a model').helpCommand(false)
  const text = training
    .command('text')
    .summary('on one text, or on documents')
    .description('Train a language model on one text file (UTF-8), or on documents, which end. The run is a folder with a checkpoint: Ctrl-C keeps it, --resume goes on.')
    .addOption(data('the text'))
    .addOption(documents())
    .addOption(field())
    .addOption(out('folder of the run'))
    .addOption(heldOut('the last part of the text, or the last documents'))
    .addOption(validation('the part before the held-out one'))
    .addOption(validateEvery())
    .addOption(patience())
    .addOption(from())
    .addOption(presetOption(presets))
    .addOption(new Option('--tokenizer <name|path>', 'what a token is: character (default), byte, byte-pair (learned from the text), or a byte-level tokenizer.json of Hugging Face'))
    .addOption(new Option('--vocabulary <n>', 'tokens of --tokenizer byte-pair: 256 bytes, and pairs of tokens that occur often (default 1000)').argParser(wholeFrom(257)))
    .addOption(steps())
    .addOption(learningRate())
    .addOption(accumulation())
    .addOption(averageDecay())
    .addOption(preview('show a short sample'))
    .addOption(seed())
    .addOption(threads())
    .addOption(trainingEngine())
    .addOption(checkpointEvery())
    .option('--resume', 'go on with the run in --out, with its own settings')
    .action((options) => chosen(async (context) => (await import('./text/train.js')).train(options, context)))
  example(text, 'chainrule train text --data shakespeare.txt --out runs/first --preset quick')

  const images = training
    .command('image')
    .summary('on images')
    .description('Train an image model on a folder of image files, an IDX file or a bundled sample. The run is a folder with a checkpoint: Ctrl-C keeps it, --resume goes on.')
    .addOption(imageData().default('fashion-mnist'))
    .addOption(new Option('--labels [file]', 'tell the model the label of each image: those of a bundled sample, the folders within a folder, or the file of labels of an IDX file'))
    .addOption(new Option('--size <HxW>', 'of a folder: scale all images to this size (default: they have one size)').argParser(gridSize))
    .addOption(new Option('--channels <n>', 'of a folder: 1: gray, 3: colour (default)').argParser(numberWhere((value) => value === 1 || value === 3, '1 or 3')))
    .addOption(out('folder of the run'))
    .addOption(heldOut('the part of the images, drawn by the seed'))
    .addOption(validation('another part'))
    .addOption(validateEvery())
    .addOption(patience())
    .addOption(from())
    .addOption(presetOption(imagePresets))
    .addOption(new Option('--levels <n>', 'intensities of a pixel or a channel (default: the preset’s)').argParser(wholeFrom(2, 256)))
    .addOption(new Option('--patch <k>', 'a variable is a patch of k × k pixels (default: a pixel)').argParser(wholeFrom(1)))
    .addOption(new Option('--palette <n>', 'of images in colour: a pixel is the nearest of n colours, learned from the part to train on (default: levels of red, green and blue)').argParser(wholeFrom(2, 4096)).conflicts(['levels', 'patch', 'dequantize', 'binarize']))
    .addOption(new Option('--dequantize', 'levels are intervals of real numbers, with a density (a mixture of Gaussians); what is measured is an upper bound on the bits').conflicts('binarize'))
    .addOption(new Option('--network <name>', `instead of the preset’s: ${imageNetworkNames.join(', ')}; options as JSON after a colon, maskedConvolution:{"layers":4,"width":32,"kind":"gated"}`))
    .addOption(new Option('--order <name>', `which pixel comes next: ${orderNames.join(', ')}; options as JSON after a colon, random:{"seed":3} (default raster)`))
    .addOption(new Option('--binarize', 'of 2 levels: white with a probability in proportion to the intensity, anew for every update; what is measured is binarised once, by the seed'))
    .addOption(steps())
    .addOption(learningRate())
    .addOption(accumulation())
    .addOption(averageDecay())
    .addOption(preview('write a picture of 16 samples into the run'))
    .addOption(seed())
    .addOption(threads())
    .addOption(trainingEngine())
    .addOption(checkpointEvery())
    .option('--resume', 'go on with the run in --out, with its own settings')
    .action((options) => chosen(async (context) => (await import('./image/train.js')).trainImages(options, context)))
  example(images, 'chainrule train image --preset quick --out runs/clothes')

  const sounds = training
    .command('audio')
    .summary('on sounds')
    .description('Train a sound model on a sound file or a folder of them: WAV (large ones are read a stretch at a time), FLAC, OGG, MP3. The run is a folder with a checkpoint: Ctrl-C keeps it, --resume goes on.')
    .addOption(soundData().default('spoken-digits'))
    .addOption(new Option('--labels [file]', 'tell the model the label of each sound: those of a bundled sample, the folders within a folder, or a file with a line for each sound: its file name, a tab, its label'))
    .addOption(new Option('--rate <hz>', 'resample to this rate (default: the files’ own)').argParser(wholeFrom(100)))
    .addOption(new Option('--stretch <seconds>', 'longer sounds are cut into equal stretches no longer than this, each a sound of its own (default 10)').argParser(numberWhere((value) => value >= 0.01, 'a number of at least 0.01')))
    .addOption(out('folder of the run'))
    .addOption(heldOut('the part of the sounds, drawn by the seed'))
    .addOption(validation('another part'))
    .addOption(validateEvery())
    .addOption(patience())
    .addOption(from())
    .addOption(presetOption(audioPresets))
    .addOption(new Option('--encoding <name>', 'of amplitudes: mu-law: finer steps where it is quiet; linear: equal steps (default: the preset’s)').choices(encodingNames))
    .addOption(new Option('--levels <n>', 'of an amplitude; 65536 with --encoding linear are the 16 bits of a WAV file (default: the preset’s)').argParser(wholeFrom(2, 65_536)))
    .addOption(new Option('--frame <n>', 'samples of a variable (default: the preset’s)').argParser(wholeFrom(1)))
    .addOption(new Option('--network <name>', `instead of the preset’s: ${soundNetworkNames.join(', ')}; options as JSON after a colon, recurrent:{"layers":2,"width":64}`))
    .addOption(new Option('--window <n>', 'variables of a training window (default: the preset’s)').argParser(wholeFrom(1)))
    .addOption(steps())
    .addOption(learningRate())
    .addOption(accumulation())
    .addOption(averageDecay())
    .addOption(preview('write a second of sound into the run'))
    .addOption(seed())
    .addOption(threads())
    .addOption(trainingEngine())
    .addOption(checkpointEvery())
    .option('--resume', 'go on with the run in --out, with its own settings')
    .action((options) => chosen(async (context) => (await import('./audio/train.js')).trainAudio(options, context)))
  example(sounds, 'chainrule train audio --preset quick --out runs/digits')

  example(
    program
      .command('evaluate')
      .summary('exact likelihood of a text, of images or of sounds')
      .description('Exact likelihood of a text, of documents, of images or of sounds, which are read as for training. Of what a model was trained on, the part held out; of another, all of it.')
      .argument(...runOrModel)
      .addOption(data('the text, the images or the sounds: as for training'))
      .addOption(documents())
      .addOption(field())
      .addOption(new Option('--protocol <name>', 'how the text is cut. windows (default): side by side; sliding: overlapping, so that each token has much before it; random: an estimate from windows anywhere, with its standard error').choices(protocolNames))
      .addOption(new Option('--window <n>', 'tokens of one window (default: as in training)').argParser(wholeFrom(1)))
      .addOption(new Option('--stride <n>', 'sliding: tokens from one window to the next (default: half a window)').argParser(wholeFrom(1)))
      .addOption(new Option('--count <n>', 'random: how many windows (default 1000)').argParser(wholeFrom(2)))
      .addOption(new Option('--seed <n>', 'random: which windows (default 0)').argParser(wholeFrom(0, 0xffffffff)))
      .addOption(labels())
      .addOption(engine('what computes, for a run: onnx (default), tensorflow or cpu'))
      .addOption(provider('where the graphs run, for an exported model: auto (default), cpu, cuda or webgpu'))
      .addOption(threads())
      .action((path, options, command) =>
        byModality(command, path, { text: ['documents', 'field', 'protocol', 'window', 'stride', 'count', 'seed', 'engine'], image: ['labels', 'engine'], audio: ['labels'] }, {
          text: async (context) => (await import('./text/evaluate.js')).evaluate(path, options, context),
          image: async (context) => (await import('./image/evaluate.js')).evaluateImages(path, options, context),
          audio: async (context) => (await import('./audio/evaluate.js')).evaluateAudio(path, options, context),
        }),
      ),
    'chainrule evaluate runs/first --data shakespeare.txt',
  )

  example(
    program
      .command('sample')
      .summary('texts, images or sounds from a model')
      .description('Texts from a model, to stdout; images as a PNG file; sounds as WAV files, or into a pipe, while they are drawn.')
      .argument(...runOrModel)
      .addOption(new Option('--prompt <text|file>', 'the text, or the sound file, to go on from (default: none)'))
      .addOption(new Option('--count <n>', 'how many (default 1 text or sound, 16 images; with labels, 1 sound or 8 images of each)').argParser(wholeFrom(1)))
      .addOption(new Option('--length <n>', 'texts: tokens after the prompt; of documents at most, with the end (default 256)').argParser(wholeFrom(1)))
      .addOption(new Option('--seconds <s>', 'sounds: how long, after the prompt (default 2)').argParser(numberWhere((value) => value > 0, 'a number above 0')))
      .addOption(seed().default(0))
      .addOption(temperature())
      .addOption(new Option('--top-k <n>', 'draw from the n likeliest tokens only (default: all)').argParser(wholeFrom(1, 2 ** 31 - 1)))
      .addOption(new Option('--top-p <p>', 'draw from the fewest likeliest tokens that have probability p together (default: all)').argParser(numberWhere((value) => value > 0 && value <= 1, 'a number above 0, at most 1')))
      .addOption(new Option('--min-p <p>', 'draw from tokens with at least p times the probability of the likeliest (default: all)').argParser(numberWhere((value) => value >= 0 && value <= 1, 'a number from 0 to 1')))
      .addOption(new Option('--repetition-penalty <r>', 'above 1: tokens that occurred become less likely (default: none)').argParser(numberWhere((value) => value > 0, 'a number above 0')))
      .addOption(new Option('--out <file>', 'images: the picture, a PNG file; sounds: a WAV file, which grows, or - for a pipe'))
      .addOption(new Option('--label <name>', 'images and sounds: of which label, by its name or number (default: of each: a row of the picture, or a file)'))
      .addOption(new Option('--animation <file>', 'images: how the first is drawn, variable by variable: a .gif or .webp file'))
      .addOption(scale())
      .addOption(new Option('--stop <text>', 'a text ends before this; may be given several times').argParser((text: string, before: string[] = []) => [...before, text]))
      .addOption(provider())
      .addOption(threads())
      .action((path, options, command) =>
        byModality(command, path, { text: ['prompt', 'length', 'stop'], image: ['out', 'label', 'animation', 'scale'], audio: ['prompt', 'out', 'label', 'seconds'] }, {
          text: async (context) => (await import('./text/sample.js')).sample(path, options, context),
          image: async (context) => (await import('./image/sample.js')).sampleImages(path, options, context),
          audio: async (context) => (await import('./audio/sample.js')).sampleAudio(path, options, context),
        }),
      ),
    "chainrule sample runs/first --prompt 'Ham. ' --length 400 --temperature 0.8",
  )

  example(
    program
      .command('score')
      .summary('−log p of a text, token by token, of images, or of sounds')
      .description('−log p of a whole file, read as one text from its beginning, or of documents, one by one, read as for training; with --json the nats of every token. Of images, −log p of each; --out shows where in them the bits are. Of sounds, −log p of each, with --json of every frame.')
      .argument(...runOrModel)
      .addOption(data('the text, the images or the sounds: as for training'))
      .addOption(documents())
      .addOption(field())
      .addOption(labels())
      .addOption(new Option('--out <file>', 'images: the picture, a PNG file'))
      .addOption(new Option('--count <n>', 'images: how many the picture shows (default 16)').argParser(wholeFrom(1)))
      .addOption(scale())
      .addOption(provider())
      .addOption(threads())
      .action((path, options, command) =>
        byModality(command, path, { text: ['documents', 'field'], image: ['labels', 'out', 'count', 'scale'], audio: ['labels'] }, {
          text: async (context) => (await import('./text/score.js')).score(path, options, context),
          image: async (context) => (await import('./image/score.js')).scoreImages(path, options, context),
          audio: async (context) => (await import('./audio/score.js')).scoreAudio(path, options, context),
        }),
      ),
    'chainrule score runs/first-model --data letter.txt --json',
  )

  example(
    program
      .command('complete')
      .summary('images of which a part is given')
      .description('Keep a part of each image and draw the rest: a row of the picture is an image, what of it is given, and completions. Says whether they are exact samples.')
      .argument(...runOrModel)
      .addOption(imageData().makeOptionMandatory())
      .addOption(labels())
      .addOption(new Option('--out <file>', 'the picture, a PNG file').makeOptionMandatory())
      .addOption(new Option('--keep <part>', 'what is given: top, bottom, left, right, or the path of a mask, white where pixels are given').default('top'))
      .addOption(new Option('--images <n>', 'how many images, the first ones').argParser(wholeFrom(1)).default(6))
      .addOption(new Option('--count <n>', 'completions of each').argParser(wholeFrom(1)).default(6))
      .addOption(new Option('--candidates <n>', 'draw so many for each and keep one by what is given later in the order').argParser(wholeFrom(1)).default(1))
      .addOption(seed().default(0))
      .addOption(temperature())
      .addOption(scale())
      .addOption(provider())
      .addOption(threads())
      .action((path, options, command) =>
        byModality(command, path, { text: [], image: [], audio: [] }, {
          text: async () => {
            throw new UnsupportedError(`complete is for images; ${path} is a language model. To go on from a text: chainrule sample ${path} --prompt '…'`)
          },
          image: async (context) => (await import('./image/complete.js')).completeImages(path, options, context),
          audio: async () => {
            throw new UnsupportedError(`complete is for images; ${path} is a sound model. To go on from a sound: chainrule sample ${path} --prompt sound.wav --out longer.wav`)
          },
        }),
      ),
    'chainrule complete runs/clothes --data fashion-mnist --keep top --out completed.png',
  )

  example(
    program
      .command('order')
      .summary('a picture of an order')
      .description('Draw in which order the pixels of an image come: from dark blue (first) to yellow (last).')
      .argument('<name>', `${orderNames.join(', ')}; options as JSON after a colon: random:{"seed":3}`)
      .addOption(new Option('--size <HxW>', 'rows and columns').argParser(gridSize).makeOptionMandatory())
      .addOption(new Option('--out <file>', 'the picture, a PNG file').makeOptionMandatory())
      .addOption(new Option('--scale <n>', 'pixels of a cell’s side (default 16)').argParser(wholeFrom(1)))
      .option('--no-path', 'without the line from cell to cell')
      .action((name, options) => chosen(async (context) => (await import('./image/order.js')).order(name, options, context))),
    'chainrule order hilbert --size 16x16 --out hilbert.png',
  )

  example(
    program
      .command('export')
      .summary('a run as ONNX graphs, weights and a description')
      .description('Write a run as an exported model: ONNX graphs, weights.safetensors, model.json and README.md.')
      .argument('<run>', 'folder of a run')
      .addOption(out('folder of the exported model, or its file with --layout single-file'))
      .addOption(new Option('--layout <name>', 'chainrule: a folder; single-file: the same in one .onnx file; transformers.js: a folder that transformers.js loads').choices(layouts).default('chainrule'))
      .addOption(new Option('--single-file', 'the same as --layout single-file').conflicts('layout'))
      .addOption(new Option('--data-licence <text>', 'for the model card: the licence of the data that it was trained on (default: unknown)'))
      .option('--overwrite', 'replace an exported model that is there')
      .action((path, { singleFile, ...rest }) => {
        const options = singleFile ? { ...rest, layout: 'single-file' } : rest
        chosen(async (context) => (await import('./export.js')).exportRun(path, options, context))
      }),
    'chainrule export runs/first --out runs/first-model',
  )

  example(
    program
      .command('inspect')
      .summary('what a run or an exported model is made of')
      .description('What a run or an exported model is made of, was trained on, and reached.')
      .argument(...runOrModel)
      .action((path) => chosen(async (context) => (await import('./inspect.js')).inspect(path, context))),
    'chainrule inspect runs/first-model',
  )

  example(
    program
      .command('verify')
      .summary('does a model keep what its format promises?')
      .description('Try the laws on a run or an exported model: files, operators, causality, one sampler against the other, probabilities that sum to 1. Exit code 1 where one fails.')
      .argument(...runOrModel)
      .addOption(new Option('--seed <n>', 'what is drawn and changed at random').argParser(wholeFrom(0, 0xffffffff)).default(0))
      .addOption(provider())
      .addOption(threads())
      .action((path, options) => chosen(async (context) => (await import('./verify.js')).verify(path, options, context))),
    'chainrule verify runs/first-model',
  )

  example(
    program
      .command('demo')
      .summary('all of it once, in about two minutes')
      .description('Everything once, in about two minutes: train on three plays by Shakespeare, measure, sample, export to ONNX, run the exported files.')
      .addOption(new Option('--out <folder>', 'folder of the run; the exported model gets the same name with “-model” (default: a new one in runs)'))
      .addOption(new Option('--preset <name>', 'which model').choices(Object.keys(presets)).default('small'))
      .addOption(new Option('--steps <n>', 'updates').argParser(wholeFrom(1)).default(demoSteps))
      .addOption(threads())
      .addOption(engine('what trains: onnx (default), tensorflow or cpu'))
      .addOption(seed().default(0))
      .action((options) => chosen(async (context) => (await import('./demo.js')).demo(options, context))),
    'chainrule demo --preset quick --steps 100',
  )
  return program
}

/** What the small preset does in about a minute on two cores. */
const demoSteps = 1200

const exitCodesHelp = '\nExit codes: 0 done, 1 failed, 2 used wrongly, 130 interrupted.\nEach command explains itself: chainrule sample --help\n'
