/** What a training run tells, in order: start, resume?, (step*, checkpoint*, epoch, checkpoint?)*, end. */
import type { Figures } from './metrics.js'

/** The run begins. */
export interface StartEvent {
  readonly type: 'start'
  readonly epochs: number
  /** Batches an epoch; undefined for a dataset of unknown length. */
  readonly batches: number | undefined
  /** Steps of the whole run; undefined where that is not known. */
  readonly totalSteps: number | undefined
  /** Trained values in the network. */
  readonly parameters: number
  readonly device: string
  readonly threads: number
  /** Names of the layers whose firing rates are given. */
  readonly spikingLayers: readonly string[]
}

/** The run goes on where a checkpoint left it. */
export interface ResumeEvent {
  readonly type: 'resume'
  readonly path: string
  /** Epoch the run goes on in, from 1. */
  readonly epoch: number
  /** Steps done so far. */
  readonly step: number
  /** Newer checkpoints that could not be used, and why. */
  readonly skipped: readonly { readonly path: string; readonly code: string; readonly message: string }[]
}

/** One batch was learnt. */
export interface StepEvent {
  readonly type: 'step'
  /** From 1. */
  readonly epoch: number
  /** Steps done since the run began, this one included. */
  readonly step: number
  /** Batches of this epoch done, this one included. */
  readonly batch: number
  /** Mean over the batch, regulariser included. */
  readonly loss: number
  /** Of the batch, 0 to 1; NaN when the targets are not classes. */
  readonly accuracy: number
  readonly learningRate: number
  /** L2 norm of all gradients together, before clipping. */
  readonly gradientNorm: number
  /** Mean value of each spiking layer, by its name. */
  readonly firingRates: Readonly<Record<string, number>>
  /** Over the steps since the last step event. */
  readonly samplesPerSecond: number
}

/** Every batch of an epoch was learnt; figures are means over its training samples. */
export interface EpochEvent extends Figures {
  readonly type: 'epoch'
  /** From 1. */
  readonly epoch: number
  readonly step: number
  /** Figures on the validation data, where there are any. */
  readonly validation?: Figures
  /** Wall-clock time of the epoch as far as this process ran it, validation included. */
  readonly seconds: number
}

/** A training checkpoint lies on disk, complete. */
export interface CheckpointEvent {
  readonly type: 'checkpoint'
  readonly path: string
  readonly step: number
}

/** The run is over; the last event. */
export interface EndEvent {
  readonly type: 'end'
  /** All epochs done, `maxSteps` reached, or stopped by the signal. */
  readonly reason: 'done' | 'maxSteps' | 'aborted'
  readonly epoch: number
  readonly step: number
  readonly seconds: number
}

export type TrainEvent = StartEvent | ResumeEvent | StepEvent | EpochEvent | CheckpointEvent | EndEvent
