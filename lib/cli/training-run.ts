/** The training of one run: events shown and logged, Ctrl-C heard, checkpoints written. */
import type { Dataset } from '../data/index.js'
import type { Model } from '../model/model.js'
import type { EndEvent } from '../train/events.js'
import type { TrainOptions } from '../train/options.js'
import { interruptible } from './interrupt.js'
import { type Metric, MetricsLog } from './metrics-log.js'
import type { Progress } from './progress.js'
import { checkpointFolder } from './run-directory.js'

export interface TrainingRun {
  readonly model: Model
  readonly data: Dataset
  /** How to train; checkpoints, resuming and the signal are the run's. */
  readonly options: Omit<TrainOptions, 'checkpoint' | 'resume' | 'signal'>
  readonly directory: string
  readonly resume: boolean
  readonly progress: Progress
}

export interface TrainingOutcome {
  readonly end: EndEvent
  /** Steps and epochs, those of earlier sittings included. */
  readonly metrics: readonly Metric[]
  /** Batches an epoch. */
  readonly batches: number
  /** The newest checkpoint. */
  readonly checkpoint: string | undefined
}

/** Trains to the end, or until Ctrl-C. @throws what `Model.train` throws */
export async function runTraining(run: TrainingRun): Promise<TrainingOutcome> {
  const { model, data, options, directory, resume, progress } = run
  using interrupt = interruptible(
    () => progress.note('Stopping after this step to save a checkpoint (Ctrl-C again quits at once).'),
    () => progress[Symbol.dispose](),
  )
  let log: MetricsLog | undefined
  let batches = 1
  let checkpoint: string | undefined
  let end: EndEvent | undefined
  try {
    const events = model.train(data, {
      ...options,
      checkpoint: { directory: checkpointFolder(directory) },
      resume,
      signal: interrupt.signal,
    })
    for await (const event of events) {
      progress.event(event)
      if (event.type === 'start') batches = event.batches ?? 1
      else log ??= await MetricsLog.open(directory, event.type === 'resume' ? event : undefined)
      log?.add(event)
      if (event.type === 'resume' || event.type === 'checkpoint') checkpoint = event.path
      if (event.type === 'end') end = event
    }
  } finally {
    log?.close()
  }
  if (end === undefined) throw new Error('the training ended without an end event')
  return { end, metrics: log?.metrics ?? [], batches, checkpoint }
}
