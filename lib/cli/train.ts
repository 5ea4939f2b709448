import { basename, join } from 'node:path'
import type { TrainTest } from '../data/index.js'
import { Model } from '../model/model.js'
import { parseSpec } from '../model/schema.js'
import type { Device } from '../runtime/device.js'
import { type Architecture, architectures, MODELS } from './architectures.js'
import { COLLECTIONS, type CollectionName, collectionTitles, loadCollection } from './collections.js'
import { defineCommand } from './command.js'
import { EXIT, type ExitCode } from './exit.js'
import { findings } from './findings.js'
import * as options from './options.js'
import { programName, quoted } from './program-name.js'
import { chooseProgress, type Progress } from './progress.js'
import { type RunConfig, writeConfig } from './run-config.js'
import { findRun, makeRunDirectory, refuseExistingRun } from './run-directory.js'
import { drawRun } from './run-pictures.js'
import { newConfig, resumedConfig } from './run-setup.js'
import { runTraining, type TrainingOutcome } from './training-run.js'
import { count, duration, plural } from './wording.js'

/** "default 128", or by model where they differ. */
function byModel(pick: (architecture: Architecture) => number): string {
  const values = MODELS.map((name) => pick(architectures[name]))
  if (new Set(values).size === 1) return `default ${values[0]}`
  return `default: ${MODELS.map((name, index) => `${name} ${values[index]}`).join(', ')}`
}

const definitions = {
  model: {
    kind: 'choice',
    choices: MODELS,
    help: `the network (default sew): ${MODELS.map((name) => `${name} = ${architectures[name].title}`).join('; ')}`,
  },
  epochs: { kind: 'integer', min: 1, max: 100_000, help: `times through the images (${byModel((one) => one.epochs)})` },
  'batch-size': { ...options.batchSize, help: `images a training step (${byModel((one) => one.batchSize)})` },
  lr: {
    kind: 'number',
    min: 0,
    max: 1000,
    value: 'RATE',
    help: `learning rate (${byModel((one) => one.learningRate)})`,
  },
  steps: {
    kind: 'integer',
    min: 1,
    max: 10_000,
    help: `time steps an image is shown for (${byModel((one) => one.steps)})`,
  },
  seed: { ...options.seed, help: 'of weights and order; the same seed and threads give the same bits (default 7)' },
  limit: {
    kind: 'integer',
    min: 1,
    max: 1_000_000,
    help: 'train and test on the first N images only, for a quick look',
  },
  device: options.device,
  threads: options.threads,
  data: options.data,
  out: { kind: 'text', value: 'FOLDER', help: 'folder of the run (default: runs/<data set>-<model>-<date>-<time>)' },
  resume: { kind: 'flag', help: 'go on with the newest run of this data set and model, or with the one in --out' },
  json: { kind: 'flag', help: 'print every event as one line of JSON' },
} as const satisfies options.Options

export const command = defineCommand({
  name: 'train',
  about:
    'Trains a spiking network and shows what it learned: a folder with config.json, metrics.jsonl, ' +
    'model.safetensors, training checkpoints and pictures (SVG and PNG).',
  positionals: [{ name: 'data set', choices: COLLECTIONS, help: 'handwritten digits, or pictures of clothes' }],
  options: definitions,
  notes: [
    'Ctrl-C saves a checkpoint and stops; --resume goes on from it, to the same bits. Ctrl-C twice quits at once.',
  ],
  examples: [
    'spikingrx train mnist',
    'spikingrx train mnist --model mlp --threads 1',
    'spikingrx train fashion-mnist --epochs 5 --out clothes',
    'spikingrx train fashion-mnist --resume --out clothes',
  ],
  run: ({ positionals, values }) => train(positionals[0] as CollectionName, values),
})

type TrainValues = options.Values<typeof definitions>

interface Run {
  readonly config: RunConfig
  readonly images: TrainTest
  /** Of a run that goes on. */
  readonly directory?: string
}

async function train(dataset: CollectionName, values: TrainValues): Promise<ExitCode> {
  const {
    config,
    images,
    directory: earlier,
  } = values.resume ? await oldRun(dataset, values) : await newRun(dataset, values)
  const { device, threads, seed } = config
  await using model = await Model.create(parseSpec(config.spec), { device: device as Device, threads, seed })
  const directory = earlier ?? (await makeRunDirectory(values.out, dataset, config.model, new Date()))
  if (earlier === undefined) await writeConfig(directory, config)

  using progress = await chooseProgress(values.json)
  progress.tell({ type: 'run', directory, config }, headline(config, model, images, directory))
  const outcome = await runTraining({
    model,
    data: images.train,
    options: {
      epochs: config.epochs,
      batchSize: config.batchSize,
      optimizer: config.optimizer,
      schedule: config.schedule,
      seed: config.seed,
      validation: images.test,
    },
    directory,
    resume: values.resume,
    progress,
  })
  if (outcome.end.reason === 'aborted') {
    tellInterrupted(progress, config, directory, outcome)
    return EXIT.interrupted
  }
  await tellResult(progress, model, images, directory, outcome)
  return EXIT.ok
}

async function newRun(dataset: CollectionName, values: TrainValues): Promise<Run> {
  if (values.out !== undefined) await refuseExistingRun(values.out)
  const images = await loadCollection(dataset, { directory: values.data, limit: values.limit })
  return { images, config: newConfig(dataset, values.model ?? 'sew', images, values) }
}

async function oldRun(dataset: CollectionName, values: TrainValues): Promise<Run> {
  const stored = await findRun(values.out, dataset, values.model ?? 'sew')
  const config = resumedConfig(stored, dataset, values)
  const limit = config.limit ?? undefined
  return {
    config,
    directory: stored.directory,
    images: await loadCollection(dataset, { directory: config.data ?? undefined, limit }),
  }
}

function headline(config: RunConfig, model: Model, { train: training }: TrainTest, directory: string): string[] {
  const { dataset, epochs, batchSize, threads } = config
  const network = `a ${architectures[config.model].title}, ${count(model.spec.parameters)} weights, T = ${config.steps}`
  const device = config.device === 'auto' ? `${model.device} (${model.deviceReason})` : model.device
  const work = `${plural(training.length, 'image')}, ${plural(epochs, 'epoch')}, ${batchSize} a step`
  return [
    `Training ${network}`,
    `on ${collectionTitles[dataset]}: ${work}; ${device}, ${plural(threads, 'thread')}. Run folder: ${directory}`,
  ]
}

function tellInterrupted(progress: Progress, config: RunConfig, directory: string, outcome: TrainingOutcome): void {
  const { end, checkpoint } = outcome
  const resume = `${programName()} train ${config.dataset} --resume --out ${quoted(directory)}`
  const report = { type: 'interrupted' as const, directory, epoch: end.epoch, step: end.step, checkpoint, resume }
  const epoch = `epoch ${Math.min(end.epoch + 1, config.epochs)} of ${config.epochs}`
  progress.tell(report, [
    `Stopped after step ${end.step}, in ${epoch}. Checkpoint: ${checkpoint}`,
    `To go on:  ${resume}`,
  ])
}

/** Weights first, so that whatever happens to the pictures, they are there. */
async function tellResult(
  progress: Progress,
  model: Model,
  images: TrainTest,
  directory: string,
  outcome: TrainingOutcome,
): Promise<void> {
  const weights = join(directory, 'model.safetensors')
  await model.save(weights)
  const evaluation = await model.evaluate(images.test)
  const { metrics, batches, end } = outcome
  const name = model.spec.name ?? ''
  const { pictures, sample } = await drawRun(directory, {
    model,
    test: images.test,
    evaluation,
    metrics,
    batches,
    name,
  })
  const program = programName()
  progress.tell({ type: 'result', directory, model: weights, seconds: end.seconds, ...evaluation, pictures, sample }, [
    '',
    `Trained in ${duration(end.seconds)}.`,
    ...findings(evaluation, model.spec, images.test.classes ?? []),
    `Pictures: ${pictureNames(pictures)} (.svg and .png) in ${directory}`,
    '',
    'What to type next:',
    `  ${program} predict ${quoted(weights)} ${quoted(sample)}`,
    `  ${program} evaluate ${quoted(weights)}`,
    `  ${program} info ${quoted(weights)}`,
  ])
}

function pictureNames(pictures: readonly string[]): string {
  return pictures.flatMap((path) => (path.endsWith('.png') ? [basename(path, '.png')] : [])).join(', ')
}
