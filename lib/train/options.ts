import { batchCount, type Dataset } from '../data/dataset.js'
import { ArgumentError, ShapeError } from '../errors.js'
import { argumentReader, readSignal } from '../model/arguments.js'
import { formatShape, sameShape } from '../model/shape.js'
import type { NetworkSpec } from '../model/spec.js'
import { type Loss, resolveLoss } from './losses.js'
import { type OptimizerDescription, resolveOptimizer } from './optimizers.js'
import { type Regularizer, resolveRegularizer } from './regularizers.js'
import { resolveSchedule, type ScheduleDescription } from './schedules.js'

/** Where and when a run writes checkpoints. */
export interface CheckpointOptions {
  /**
   * Made if it is not there; belongs to one run. Files are called `checkpoint-<step>.safetensors`. A run that does not
   * resume replaces the checkpoints it finds with its own.
   */
  readonly directory: string
  /** Write one after every so many epochs. Default 1 where `everySteps` is not given. */
  readonly everyEpochs?: number
  /** Write one after every so many steps. */
  readonly everySteps?: number
  /** Newest checkpoints to keep. Default 2. */
  readonly keep?: number
}

/** How to train; everything has a default. */
export interface TrainOptions {
  /** Times through the data. Default 1. */
  readonly epochs?: number
  /** Samples a step. Default 64. */
  readonly batchSize?: number
  /** `sgd()`, `adam()` or `adamW()`. Default `adamW()`. */
  readonly optimizer?: OptimizerDescription
  /** `constant()`, `stepDecay()`, `cosine()` or `oneCycle()`. Default constant. */
  readonly schedule?: ScheduleDescription
  /** Default `crossEntropy()`. */
  readonly loss?: Loss
  /** Term on the firing rates, made by `firingRate()`. Default none. */
  readonly regularizer?: Regularizer
  /** Largest L2 norm of all gradients together; larger ones are scaled down. Default 0: none. */
  readonly clipNorm?: number
  /** Data to evaluate on after each epoch. */
  readonly validation?: Dataset
  /** Another order in each epoch. Default true. */
  readonly shuffle?: boolean
  /** Of the order of the samples. Default: the model's. */
  readonly seed?: number
  /** What to do with a last batch of fewer samples. Default `'keep'`. */
  readonly lastBatch?: 'keep' | 'drop'
  /** End after this many steps, counted over all epochs. Default: none. */
  readonly maxSteps?: number
  /** Give a step event after every so many steps; 0 gives none. Default 1. */
  readonly stepEvery?: number
  /** Measure firing rates while training. Default true. */
  readonly measureRates?: boolean
  /**
   * Stops the run after the step under way. The run then writes a checkpoint, where it has a directory for one, and ends
   * with `{ type: 'end', reason: 'aborted' }`; it does not throw, so that the loop's own clean-up is all there is to write.
   */
  readonly signal?: AbortSignal
  readonly checkpoint?: CheckpointOptions
  /**
   * Go on from the newest usable checkpoint in `checkpoint.directory`, and from the start where there is none. The run
   * ends with the same bits as one that was never interrupted, on the same machine with the same threads.
   */
  readonly resume?: boolean
}

/** Options with every default filled in, and what follows from the data. */
export interface RunSettings {
  readonly epochs: number
  readonly batchSize: number
  readonly optimizer: OptimizerDescription
  readonly schedule: ScheduleDescription
  readonly loss: Loss
  readonly regularizer: Regularizer | { readonly kind: 'none' }
  readonly clipNorm: number
  readonly validation: Dataset | undefined
  readonly shuffle: boolean
  readonly seed: number
  readonly lastBatch: 'keep' | 'drop'
  readonly maxSteps: number
  readonly stepEvery: number
  readonly measureRates: boolean
  readonly signal: AbortSignal | undefined
  readonly checkpoint: Required<CheckpointOptions> | undefined
  readonly resume: boolean
  /** Batches an epoch, where the data set knows its length. */
  readonly batches: number | undefined
  /** Steps of the whole run; undefined where that cannot be known. */
  readonly totalSteps: number | undefined
}

/**
 * Checks the options of a run against the network and the data.
 *
 * @throws ArgumentError `ERR_TYPE`, `ERR_RANGE`; ShapeError when the data do not fit the network
 */
export function resolveTrainOptions(
  spec: NetworkSpec,
  dataset: Dataset,
  options: TrainOptions,
  modelSeed: number,
): RunSettings {
  const read = argumentReader('train', options)
  requireFit(spec, dataset, 'training data')
  const validation = read.raw('validation') as Dataset | undefined
  if (validation !== undefined) requireFit(spec, validation, 'validation data')

  const epochs = read.integer('epochs', { min: 0 }, 1)
  const batchSize = read.integer('batchSize', { min: 1 }, 64)
  const lastBatch = read.choice('lastBatch', ['keep', 'drop'], 'keep')
  const maxSteps = read.integer('maxSteps', { min: 0 }, Number.MAX_SAFE_INTEGER)
  const batches = dataset.length === undefined ? undefined : batchCount(dataset.length, batchSize, lastBatch)
  const known = batches === undefined ? maxSteps : Math.min(maxSteps, epochs * batches)
  const settings: RunSettings = {
    epochs,
    batchSize,
    lastBatch,
    maxSteps,
    validation,
    optimizer: resolveOptimizer(read.raw('optimizer') as OptimizerDescription | undefined),
    schedule: resolveSchedule(read.raw('schedule') as ScheduleDescription | undefined),
    loss: resolveLoss(read.raw('loss') as Loss | undefined),
    regularizer: resolveRegularizer(read.raw('regularizer') as Regularizer | undefined),
    clipNorm: read.number('clipNorm', { min: 0 }, 0),
    shuffle: read.flag('shuffle', true),
    seed: read.integer('seed', { min: 0 }, modelSeed),
    stepEvery: read.integer('stepEvery', { min: 0 }, 1),
    measureRates: read.flag('measureRates', true),
    signal: readSignal(read),
    checkpoint: resolveCheckpoint(read.raw('checkpoint')),
    resume: read.flag('resume', false),
    batches,
    totalSteps: known === Number.MAX_SAFE_INTEGER ? undefined : known,
  }
  read.end()
  if (settings.resume && !settings.checkpoint) {
    throw new ArgumentError('train needs checkpoint: { directory } to resume from', 'ERR_RANGE')
  }
  if (batches === 0 && epochs > 0) {
    const few = `${dataset.length} samples in batches of ${batchSize}${lastBatch === 'drop' ? ", lastBatch 'drop'" : ''}`
    throw new ArgumentError(`train needs data for at least one batch, got ${few}`, 'ERR_RANGE')
  }
  const { kind } = settings.schedule
  if (settings.totalSteps === undefined && (kind === 'cosine' || kind === 'oneCycle')) {
    const message = `train needs maxSteps for a ${kind} schedule over data of unknown length`
    throw new ArgumentError(message, 'ERR_RANGE')
  }
  return settings
}

function resolveCheckpoint(options: unknown): Required<CheckpointOptions> | undefined {
  if (options === undefined) return undefined
  const read = argumentReader('train.checkpoint', options)
  const directory = read.raw('directory')
  if (typeof directory !== 'string' || directory === '') {
    return read.fail('needs directory to be a path', 'ERR_TYPE')
  }
  const everySteps = read.integer('everySteps', { min: 0 }, 0)
  const checkpoint = {
    directory,
    everySteps,
    everyEpochs: read.integer('everyEpochs', { min: 0 }, everySteps > 0 ? 0 : 1),
    keep: read.integer('keep', { min: 1 }, 2),
  }
  read.end()
  return checkpoint
}

/**
 * Refuses data of another shape than the network's input, or with more classes than it has outputs.
 *
 * @throws ArgumentError `ERR_TYPE`, ShapeError `ERR_SHAPE`
 */
export function requireFit(spec: NetworkSpec, dataset: Dataset, what: string): void {
  if (typeof dataset !== 'object' || dataset === null || typeof dataset.batches !== 'function') {
    throw new ArgumentError(`the ${what} must be a dataset, such as datasets.mnist() gives; got ${typeof dataset}`)
  }
  const { inputShape, classes } = dataset
  if (!Array.isArray(inputShape)) {
    throw new ArgumentError(`the ${what} must have inputShape, the shape of one sample; got ${typeof inputShape}`)
  }
  const sequence = inputShape.length === spec.input.length + 1
  if (!sameShape(sequence ? inputShape.slice(1) : inputShape, spec.input)) {
    throw new ShapeError(
      `the ${what} has samples of shape ${formatShape(inputShape)}, but the network takes ${formatShape(spec.input)}`,
      { expected: spec.input, actual: inputShape },
    )
  }
  const outputs = spec.output[0] ?? 0
  if (classes && classes.length > outputs) {
    throw new ShapeError(`the ${what} has ${classes.length} classes, but the network has ${outputs} outputs`, {
      expected: outputs,
      actual: classes.length,
    })
  }
}
