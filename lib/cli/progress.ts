/** What a training run shows while it runs: lines of text, lines of JSON, or a live bar (progress-bar.ts). */
import type { EpochEvent, StepEvent, TrainEvent } from '../train/events.js'
import { mean } from '../train/metrics.js'
import { print } from './command.js'
import { TimeLeft } from './time-left.js'
import { clock, count, duration, figure, percent } from './wording.js'

/** An object for programs, beside the events of the training. */
export interface Report {
  readonly type: 'run' | 'interrupted' | 'result'
  readonly [name: string]: unknown
}

export interface Progress extends Disposable {
  event(event: TrainEvent): void
  /** What is not an event of the training: as an object for programs, as lines for people. */
  tell(report: Report, lines: readonly string[]): void
  /** A line for a person at once, whatever is shown. */
  note(text: string): void
  /** Leaves the terminal as it was. Safe to call twice. */
  [Symbol.dispose](): void
}

/** JSON when asked; else a bar where standard output is a terminal, lines where it is not. */
export async function chooseProgress(json: boolean): Promise<Progress> {
  if (json) return jsonProgress()
  return process.stdout.isTTY ? (await import('./progress-bar.js')).barProgress(process.stdout) : lineProgress()
}

/** One JSON object a line on standard output; notes go to standard error. */
export function jsonProgress(): Progress {
  return {
    event: (event) => print(JSON.stringify(event)),
    tell: (report) => print(JSON.stringify(report)),
    note: (text) => void process.stderr.write(`${text}\n`),
    [Symbol.dispose]: () => undefined,
  }
}

/** A line every `seconds` or so, and one for each epoch. */
export function lineProgress(seconds = 5): Progress {
  const run = new RunningFigures()
  let shown = performance.now()
  return {
    event(event) {
      run.add(event)
      if (event.type === 'epoch') print(epochLine(event, run.epochs))
      if (event.type !== 'step' || performance.now() - shown < seconds * 1000) return
      shown = performance.now()
      print(stepLine(event, run))
    },
    tell: (_report, lines) => print(lines.join('\n')),
    note: print,
    [Symbol.dispose]: () => undefined,
  }
}

function stepLine({ epoch, step }: StepEvent, run: RunningFigures): string {
  const total = run.totalSteps === undefined ? '' : `/${run.totalSteps}`
  return [
    `epoch ${epoch}/${run.epochs}`,
    `step ${step}${total}`,
    `loss ${figure(run.loss)}`,
    ...(Number.isNaN(run.accuracy) ? [] : [`accuracy ${percent(run.accuracy, 1)}`]),
    `${count(run.samplesPerSecond)} ${Number.isNaN(run.accuracy) ? 'samples' : 'images'}/s`,
    ...(Number.isNaN(run.firingRate) ? [] : [`firing rate ${figure(run.firingRate)}`]),
    `${clock(run.secondsLeft)} left`,
  ].join('  ')
}

/** The line that stays when an epoch is done. */
export function epochLine(
  { epoch, loss, accuracy, firingRate, validation, seconds }: EpochEvent,
  epochs: number,
): string {
  const right = (share: number): string => (Number.isNaN(share) ? '' : `, accuracy ${percent(share)}`)
  const training = `training loss ${figure(loss)}${right(accuracy)}`
  const test = validation ? `; test loss ${figure(validation.loss)}${right(validation.accuracy)}` : ''
  const firing = Number.isNaN(firingRate) ? '' : `; firing rate ${figure(firingRate)}`
  return `epoch ${epoch}/${epochs} done in ${duration(seconds)}: ${training}${test}${firing}`
}

/** Weight of the past in the figures shown: about the last 20 batches. */
const PAST = 0.95

/**
 * Figures of the last steps, smoothed.
 *
 *     m ← PAST m + (1 − PAST) x;   shown: m / (1 − PAST^n) after n steps, so that the start does not count as zero
 */
export class RunningFigures {
  /** The one under way, from 1. */
  epoch = 1
  epochs = 0
  totalSteps: number | undefined
  #sums = { loss: 0, accuracy: 0, firingRate: 0 }
  #weight = 0
  /** Training speed leaves out what was done between steps, such as a checkpoint. */
  #samplesPerSecond = 0
  readonly #timeLeft = new TimeLeft()
  #step = 0

  add(event: TrainEvent): void {
    this.#timeLeft.add(event)
    if (event.type === 'start') {
      this.epochs = event.epochs
      this.totalSteps = event.totalSteps
    }
    if (event.type === 'resume') {
      this.#step = event.step
      this.epoch = event.epoch
    }
    if (event.type !== 'step') return
    this.#step = event.step
    this.epoch = event.epoch
    this.#weight = PAST * this.#weight + (1 - PAST)
    this.#samplesPerSecond = smooth(this.#samplesPerSecond, event.samplesPerSecond)
    this.#sums = {
      loss: smooth(this.#sums.loss, event.loss),
      accuracy: smooth(this.#sums.accuracy, event.accuracy),
      firingRate: smooth(this.#sums.firingRate, mean(Object.values(event.firingRates))),
    }
  }

  get step(): number {
    return this.#step
  }
  get loss(): number {
    return this.#sums.loss / this.#weight
  }
  get accuracy(): number {
    return this.#sums.accuracy / this.#weight
  }
  get firingRate(): number {
    return this.#sums.firingRate / this.#weight
  }
  get samplesPerSecond(): number {
    return this.#samplesPerSecond / this.#weight
  }
  /** NaN where it is not known. */
  get secondsLeft(): number {
    return this.#timeLeft.seconds
  }
}

function smooth(past: number, now: number): number {
  return PAST * past + (1 - PAST) * now
}
