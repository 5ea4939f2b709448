import type { Dataset } from '../data/dataset.js'
import { CheckpointError, SpikingRxError } from '../errors.js'
import { type Checkpoint, loadTensors, readCheckpoint, saveModel, type TrainingState } from '../io/checkpoint.js'
import { refuse } from '../io/refusal.js'
import type { Network } from '../model/network.js'
import type { TrainerHandle } from '../native.js'
import { native } from '../runtime/addon.js'
import type { BatchTensors } from './batch-tensors.js'
import {
  checkpointPath,
  makeDirectory,
  newestUsable,
  pruneCheckpoints,
  type SkippedCheckpoint,
} from './checkpoint-directory.js'
import { nativeDescription } from './evaluate.js'
import type { RunSettings } from './options.js'
import { type Position, readPosition, writePosition } from './position.js'

// A run whose iterator was dropped without an end gives its trainer back when it is collected.
const forgotten = new FinalizationRegistry<TrainerHandle>((handle) => native().trainerFree(handle))

/** What a resumed run starts from. */
export interface Resumed {
  readonly position: Position
  readonly path: string
  readonly skipped: readonly SkippedCheckpoint[]
}

/** What one training step did. */
export interface StepReport {
  /** Mean over the batch, regulariser included. */
  readonly loss: number
  /** L2 norm of all gradients, before clipping. */
  readonly gradientNorm: number
  readonly learningRate: number
  /** Samples whose largest output is the target class. */
  readonly correct: number
  readonly samples: number
  /** Of each spiking layer, in the order of the network. */
  readonly firingRates: number[]
}

/** Owns the native trainer of one run and knows how to put its state into a file and back. */
export class Training {
  readonly #network: Network
  readonly #settings: RunSettings
  readonly #samples: number | undefined
  #trainer: TrainerHandle
  #lastSaved: Position | undefined

  constructor(network: Network, dataset: Dataset, settings: RunSettings) {
    this.#network = network
    this.#settings = settings
    this.#samples = dataset.length
    this.#trainer = native().trainerCreate(network.handle, {
      loss: nativeDescription(settings.loss),
      optimizer: nativeDescription(settings.optimizer),
      schedule: nativeDescription(settings.schedule),
      rateRegularizer: nativeDescription(settings.regularizer),
      clipNorm: settings.clipNorm,
      totalSteps: settings.totalSteps ?? 0,
      measureRates: settings.measureRates,
    })
    forgotten.register(this, this.#trainer, this)
  }

  /** Learns one batch: forward, loss, backward, clip, update. */
  async step({ inputs, targets }: BatchTensors): Promise<StepReport> {
    // Asked for first: a model that was disposed of is an error, not a step in vain.
    void this.#network.handle
    const numbers = await this.#network.track(native().trainerStepAsync(this.#trainer, inputs, targets))
    const [loss = 0, gradientNorm = 0, learningRate = 0, correct = 0, samples = 0, ...firingRates] = numbers
    return { loss, gradientNorm, learningRate, correct, samples, firingRates }
  }

  /** Position that the newest checkpoint holds; undefined before this run has written or read one. */
  get lastSaved(): Position | undefined {
    return this.#lastSaved
  }

  /** Writes a checkpoint and removes old ones; gives its path. */
  async save(position: Position, directory: string, keep: number): Promise<string> {
    const path = checkpointPath(directory, position.step)
    await makeDirectory(directory)
    const training = (): TrainingState => ({
      tensors: native().trainerState(this.#trainer),
      position: writePosition(position, this.#settings, this.#samples),
    })
    await saveModel(this.#network, path, { training })
    await pruneCheckpoints(directory, position.step, keep)
    this.#lastSaved = position
    return path
  }

  /** Takes over the newest usable checkpoint; undefined when there are none. */
  async resume(directory: string): Promise<Resumed | undefined> {
    const newest = await newestUsable(directory, async (path) => {
      const checkpoint = await readCheckpoint(path)
      return this.#network.whenIdle(() => this.#restore(checkpoint))
    })
    if (newest === undefined) return undefined
    this.#lastSaved = newest.found
    return { position: newest.found, path: newest.path, skipped: newest.skipped }
  }

  #restore(checkpoint: Checkpoint): Position {
    const { path, spec, dtype, training, trainer, tensors } = checkpoint
    if (training === undefined || !checkpoint.verified) {
      const what = training === undefined ? 'is a model, not a checkpoint of a training run' : 'has no checksum'
      throw refuse(path, 'ERR_CHECKPOINT_FORMAT', what)
    }
    if (JSON.stringify(spec) !== JSON.stringify(this.#network.spec) || dtype !== this.#network.dtype) {
      throw refuse(
        path,
        'ERR_CHECKPOINT_RUN',
        'is of another network than the model; use its spec or another directory',
      )
    }
    const position = readPosition(path, training, this.#settings, this.#samples)
    try {
      // The trainer first: it may refuse, and then the weights are still what they were.
      loadTensors(trainer, (names, handles) => native().trainerLoad(this.#trainer, names, handles))
      loadTensors(tensors, (names, handles) => this.#network.load(names, handles))
    } catch (error) {
      if (!(error instanceof SpikingRxError) || error instanceof CheckpointError) throw error
      throw refuse(path, 'ERR_CHECKPOINT_TENSORS', `does not fit this run: ${error.message}`, error)
    }
    return position
  }

  dispose(): void {
    if (this.#trainer === 0) return
    forgotten.unregister(this)
    native().trainerFree(this.#trainer)
    this.#trainer = 0
  }
}
