import { Running } from '../model/running.js'
import type { Clock } from './batcher.js'

export interface OpenRequest {
  /** By when it must be answered, in milliseconds of the clock. */
  readonly deadline: number
  /** Kept by {@link OpenRequests} alone. */
  place: number
}

/** Milliseconds that a timer can wait for. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * Requests that were accepted and are not answered. They come and go by the thousand a second, and what they leave behind
 * is what V8 collects, while everybody waits:
 *
 * - An array, not a Set. One that fills up leaves its table behind, with the members of that moment in it, and the next
 *   table after it; once one of these is in V8's old generation, all that follow stay until that is collected.
 * - One timer for all. Functions made for a request and kept in it (what its timer calls, what stops it) had V8 find all
 *   requests alive, and then make what follows in its old generation: 1.5 to 2 kB of each.
 */
export class OpenRequests<T extends OpenRequest> implements Iterable<T> {
  readonly #clock: Clock
  readonly #expire: (request: T) => void
  readonly #all: T[] = []
  /** When the timer is due; never where there is none. */
  #due = Number.POSITIVE_INFINITY
  #stopTimer: (() => void) | undefined
  readonly #running = new Running()

  /** @param expire called for each that is still here at its deadline; it must leave then */
  constructor(clock: Clock, expire: (request: T) => void) {
    this.#clock = clock
    this.#expire = expire
  }

  get size(): number {
    return this.#all.length
  }

  /** @param request in no other collection */
  add(request: T): void {
    request.place = this.#all.length
    this.#all.push(request)
    this.#running.begin()
    if (request.deadline < this.#due) this.#wait(request.deadline)
  }

  /** Nothing where it is not here (any more). */
  delete(request: T): void {
    const { place } = request
    if (this.#all[place] !== request) return
    const last = this.#all.pop()!
    if (last !== request) {
      last.place = place
      this.#all[place] = last
    }
    if (this.#all.length === 0) this.#wait(Number.POSITIVE_INFINITY)
    this.#running.end()
  }

  /** Settles when none is left. */
  async drained(): Promise<void> {
    while (this.size > 0) await this.#running.idle()
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#all[Symbol.iterator]()
  }

  #wait(due: number): void {
    this.#stopTimer?.()
    this.#due = due
    const wait = Math.min(due - this.#clock.now(), LONGEST_TIMER)
    this.#stopTimer = Number.isFinite(due) ? this.#clock.after(wait, () => this.#ring()) : undefined
  }

  #ring(): void {
    const now = this.#clock.now()
    this.#due = Number.POSITIVE_INFINITY
    for (const request of this.#all.filter(({ deadline }) => deadline <= now)) this.#expire(request)
    let next = Number.POSITIVE_INFINITY
    for (const { deadline } of this.#all) next = Math.min(next, deadline)
    this.#wait(next)
  }
}
