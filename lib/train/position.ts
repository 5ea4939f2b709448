/** Where a training run stands between two steps: all that a checkpoint needs beside weights and trainer state. */
import type { CheckpointError } from '../errors.js'
import { parseJson } from '../io/checkpoint.js'
import { refuse } from '../io/refusal.js'
import { NO_TOTALS, type Totals } from './metrics.js'
import type { RunSettings } from './options.js'

export interface Position {
  /** Epochs done, which is the number of the one under way, from 0. */
  readonly epoch: number
  /** Batches of this epoch done. */
  readonly batch: number
  /** Steps done in all. */
  readonly step: number
  /** Sums over the batches of this epoch. */
  readonly totals: Totals
  /** Whether the targets are classes; false until a batch was seen. */
  readonly classes: boolean
}

export const START: Position = { epoch: 0, batch: 0, step: 0, totals: NO_TOTALS, classes: false }

/** The part of the settings that must not change in a resumed run: the rest of the run would be another one. */
type RunIdentity = Readonly<Record<string, unknown>>

function identity(settings: RunSettings, samples: number | undefined): RunIdentity {
  const { batchSize, lastBatch, shuffle, seed, optimizer, schedule, loss, regularizer, clipNorm } = settings
  const length = schedule.kind === 'cosine' || schedule.kind === 'oneCycle' ? settings.totalSteps : undefined
  return {
    samples,
    batchSize,
    lastBatch,
    shuffle,
    seed,
    optimizer,
    schedule,
    totalSteps: length,
    loss,
    regularizer,
    clipNorm,
    measureRates: settings.measureRates,
  }
}

/** Position and settings as the JSON text of a checkpoint. */
export function writePosition(position: Position, settings: RunSettings, samples: number | undefined): string {
  return JSON.stringify({ ...position, run: identity(settings, samples) })
}

/**
 * Reads a position back and makes sure that it belongs to this run.
 *
 * @throws CheckpointError `ERR_CHECKPOINT_FORMAT` when it is damaged, `ERR_CHECKPOINT_RUN` when it was made with other settings
 */
export function readPosition(path: string, text: string, settings: RunSettings, samples: number | undefined): Position {
  const json = parseJson(path, 'ERR_CHECKPOINT_FORMAT', 'position', text)
  const damaged = (what: string): CheckpointError =>
    refuse(path, 'ERR_CHECKPOINT_FORMAT', `holds a position of the run that is damaged: ${what}`)
  if (!isRecord(json)) throw damaged('it is not an object')
  const { totals, run, classes } = json
  if (!isRecord(totals) || !isRecord(run) || typeof classes !== 'boolean') throw damaged('a part is missing')

  const count = (value: unknown, name: string): number => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw damaged(`${name} is not a count`)
    return value
  }
  const real = (value: unknown, name: string): number => {
    if (typeof value !== 'number') throw damaged(`${name} is not a number`)
    return value
  }
  const { firingRates } = totals
  if (!Array.isArray(firingRates)) throw damaged('firingRates is not a list')
  requireSameRun(path, run, identity(settings, samples))
  return {
    epoch: count(json.epoch, 'epoch'),
    batch: count(json.batch, 'batch'),
    step: count(json.step, 'step'),
    classes,
    totals: {
      loss: real(totals.loss, 'loss'),
      correct: count(totals.correct, 'correct'),
      samples: count(totals.samples, 'samples'),
      firingRates: firingRates.map((rate) => real(rate, 'a firing rate')),
    },
  }
}

function requireSameRun(path: string, stored: RunIdentity, wanted: RunIdentity): void {
  for (const [name, value] of Object.entries(wanted)) {
    const [before, now] = [JSON.stringify(stored[name]), JSON.stringify(value)]
    if (before === now) continue
    const change = `${name} was ${before ?? 'not set'} and is now ${now ?? 'not set'}`
    throw refuse(path, 'ERR_CHECKPOINT_RUN', `belongs to another run: ${change}; use its settings or another directory`)
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
