/** How long a run will take yet. */
import type { TrainEvent } from '../train/events.js'

/** Weight of the past in the duration of a step: about the last 50. */
const PAST = 0.98

/**
 * Steps left at the pace of the last ones, and the pauses between epochs (tests, checkpoints) as long as the last one:
 *
 *     left = steps left · m / (1 − PAST^n) + epochs left · pause      m ← PAST m + (1 − PAST) duration, n steps seen
 */
export class TimeLeft {
  readonly #now: () => number
  #duration = 0
  #weight = 0
  #pause = 0
  #epochs = 0
  #totalSteps: number | undefined
  #last: { readonly epoch: number; readonly step: number; readonly time: number } | undefined

  /** @param now seconds */
  constructor(now: () => number = () => performance.now() / 1000) {
    this.#now = now
  }

  add(event: TrainEvent): void {
    const time = this.#now()
    if (event.type === 'start') {
      this.#epochs = event.epochs
      this.#totalSteps = event.totalSteps
      this.#last = { epoch: 1, step: 0, time }
    }
    if (event.type === 'resume') this.#last = { epoch: event.epoch, step: event.step, time }
    if (event.type !== 'step') return
    const { epoch, step } = event
    if (this.#last?.epoch === epoch) {
      this.#duration = PAST * this.#duration + ((1 - PAST) * (time - this.#last.time)) / (step - this.#last.step)
      this.#weight = PAST * this.#weight + (1 - PAST)
    } else if (this.#last) {
      this.#pause = Math.max(0, time - this.#last.time - this.#stepSeconds)
    }
    this.#last = { epoch, step, time }
  }

  get #stepSeconds(): number {
    return this.#duration / this.#weight
  }

  /** NaN where it is not known. */
  get seconds(): number {
    if (this.#totalSteps === undefined || this.#last === undefined) return Number.NaN
    const { epoch, step } = this.#last
    return (this.#totalSteps - step) * this.#stepSeconds + (this.#epochs - epoch) * this.#pause
  }
}
