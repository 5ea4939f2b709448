/** A training run as an async iterator of events: it computes while it is asked, and waits while it is not. */
import type { Batch, Dataset } from '../data/dataset.js'
import type { Network } from '../model/network.js'
import { native } from '../runtime/addon.js'
import { type BatchTensors, batchTensors, freeBatch, hasClasses } from './batch-tensors.js'
import { makeDirectory, pruneCheckpoints } from './checkpoint-directory.js'
import { evaluate } from './evaluate.js'
import type { CheckpointEvent, EndEvent, EpochEvent, StartEvent, StepEvent, TrainEvent } from './events.js'
import { addBatch, type Figures, figures, NO_TOTALS, nameRates } from './metrics.js'
import { type RunSettings, resolveTrainOptions, type TrainOptions } from './options.js'
import { type Position, START } from './position.js'
import { type StepReport, Training } from './training.js'

/**
 * Trains a network. `break`, `return` and errors free everything the run holds; the weights stay as the last step left
 * them.
 *
 * A checkpoint is written after the events of its step or epoch were given and before anything else is computed, so that
 * a run resumed from it goes on with the very next event.
 */
export async function* train(
  network: Network,
  dataset: Dataset,
  options: TrainOptions,
): AsyncGenerator<TrainEvent, void, undefined> {
  const settings = resolveTrainOptions(network.spec, dataset, options, network.seed)
  const giveBack = network.takeForTraining()
  try {
    const training = await network.whenIdle(() => new Training(network, dataset, settings))
    try {
      yield* new Run(network, dataset, settings, training).events()
    } finally {
      training.dispose()
    }
  } finally {
    giveBack()
  }
}

/** The loop over epochs and batches, and the position it has reached. */
class Run {
  readonly #network: Network
  readonly #dataset: Dataset
  readonly #settings: RunSettings
  readonly #training: Training
  readonly #layers: readonly string[]
  readonly #started = performance.now()
  #position: Position = START

  constructor(network: Network, dataset: Dataset, settings: RunSettings, training: Training) {
    this.#network = network
    this.#dataset = dataset
    this.#settings = settings
    this.#training = training
    this.#layers = native().networkSpikingLayers(network.handle)
  }

  async *events(): AsyncGenerator<TrainEvent, void, undefined> {
    const { checkpoint, epochs, resume } = this.#settings
    yield this.#start()
    const resumed = resume && checkpoint ? await this.#training.resume(checkpoint.directory) : undefined
    if (resumed) {
      const { position, path, skipped } = resumed
      this.#position = position
      yield { type: 'resume', path, epoch: position.epoch + 1, step: position.step, skipped }
    }
    // Found out now, not after an epoch's work.
    if (checkpoint) await makeDirectory(checkpoint.directory)
    while (this.#position.epoch < epochs && this.#stopped() === undefined) yield* this.#epoch()

    const reason = this.#position.epoch < epochs ? (this.#stopped() ?? 'done') : 'done'
    if (checkpoint) {
      if (this.#training.lastSaved !== this.#position) yield await this.#save()
      // A run that was killed between its last write and clearing up is resumed with nothing left to save.
      else await pruneCheckpoints(checkpoint.directory, this.#position.step, checkpoint.keep)
    }
    yield this.#end(reason)
  }

  /** The rest of the epoch under way. Where it is stopped before its end, there is no epoch event. */
  async *#epoch(): AsyncGenerator<TrainEvent, void, undefined> {
    const { checkpoint } = this.#settings
    const started = performance.now()
    yield* this.#batches()
    if (this.#stopped() !== undefined && !this.#allBatchesDone()) return

    const validation = await this.#validate()
    if (validation === 'aborted') return
    const { epoch, step, totals, classes } = this.#position
    const means = figures(totals, this.#layers, classes)
    const seconds = (performance.now() - started) / 1000
    const event: EpochEvent = { type: 'epoch', epoch: epoch + 1, step, ...means, seconds }
    this.#position = { ...this.#position, epoch: epoch + 1, batch: 0, totals: NO_TOTALS }
    yield validation ? { ...event, validation } : event
    if (checkpoint && isDue(epoch + 1, checkpoint.everyEpochs)) yield await this.#save()
  }

  async *#batches(): AsyncGenerator<StepEvent | CheckpointEvent, void, undefined> {
    const { checkpoint, batchSize, shuffle, seed, lastBatch, stepEvery } = this.#settings
    const { epoch, batch: start } = this.#position
    if (this.#allBatchesDone()) return
    let since = performance.now()
    let samples = 0
    const batches = this.#dataset.batches({ batchSize, shuffle, seed, epoch, lastBatch, start })
    for await (const tensors of batchTensors(batches)) {
      const report = await this.#step(tensors)
      this.#advance(tensors.batch, report)
      samples += report.samples
      if (isDue(this.#position.step, stepEvery)) {
        const now = performance.now()
        yield this.#stepEvent(report, (samples * 1000) / (now - since))
        since = performance.now()
        samples = 0
      }
      if (checkpoint && isDue(this.#position.step, checkpoint.everySteps)) yield await this.#save()
      if (this.#stopped() !== undefined) return
    }
  }

  async #step(tensors: BatchTensors): Promise<StepReport> {
    try {
      return await this.#training.step(tensors)
    } finally {
      freeBatch(tensors)
    }
  }

  #advance(batch: Batch, report: StepReport): void {
    const { epoch, batch: done, step, totals } = this.#position
    this.#position = {
      epoch,
      batch: done + 1,
      step: step + 1,
      totals: addBatch(totals, report),
      classes: hasClasses(batch),
    }
  }

  /** Why the run must not begin another step, if it must not. */
  #stopped(): 'aborted' | 'maxSteps' | undefined {
    if (this.#settings.signal?.aborted) return 'aborted'
    return this.#position.step >= this.#settings.maxSteps ? 'maxSteps' : undefined
  }

  #allBatchesDone(): boolean {
    return this.#settings.batches !== undefined && this.#position.batch >= this.#settings.batches
  }

  async #validate(): Promise<Figures | undefined | 'aborted'> {
    const { validation, loss, measureRates, signal } = this.#settings
    if (!validation) return undefined
    try {
      const { confusion: _, ...means } = await evaluate(this.#network, validation, {
        loss,
        measureRates,
        ...(signal ? { signal } : {}),
      })
      return means
    } catch (error) {
      if (signal?.aborted) return 'aborted'
      throw error
    }
  }

  async #save(): Promise<CheckpointEvent> {
    const { directory, keep } = this.#settings.checkpoint ?? { directory: '.', keep: 1 }
    const { step } = this.#position
    return { type: 'checkpoint', path: await this.#training.save(this.#position, directory, keep), step }
  }

  #start(): StartEvent {
    const { epochs, batches, totalSteps } = this.#settings
    const { parameters } = this.#network.spec
    const threads = native().threads()
    const { device } = this.#network
    return { type: 'start', epochs, batches, totalSteps, parameters, device, threads, spikingLayers: this.#layers }
  }

  #stepEvent(report: StepReport, samplesPerSecond: number): StepEvent {
    const { epoch, batch, step, classes } = this.#position
    const { loss, learningRate, gradientNorm, correct, samples } = report
    return {
      type: 'step',
      epoch: epoch + 1,
      step,
      batch,
      loss,
      accuracy: classes ? correct / samples : Number.NaN,
      learningRate,
      gradientNorm,
      firingRates: nameRates(this.#layers, report.firingRates),
      samplesPerSecond,
    }
  }

  #end(reason: EndEvent['reason']): EndEvent {
    const { epoch, step } = this.#position
    return { type: 'end', reason, epoch, step, seconds: (performance.now() - this.#started) / 1000 }
  }
}

/** Whether the `count`-th of something is one of every `every`; never for 0. */
function isDue(count: number, every: number): boolean {
  return every > 0 && count % every === 0
}
