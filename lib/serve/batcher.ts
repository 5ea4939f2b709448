/**
 * Puts requests that may be computed together into batches, and hands these to instances that are free.
 *
 * A free instance starts at once with what is there: a lone request waits for nobody. While an instance computes, what
 * comes gathers for the next batch. After a batch of n samples a quarter of n is waited for, because callers that were just
 * answered often ask again; never longer than the maximum delay after the oldest has come.
 *
 * Of many requests only half are taken: one half is computed while the other is answered and asks again. Taken all at
 * once, they would come back all at once, and the instance would idle while answers are written.
 */

/** A request in the queue. */
export interface Queued {
  /** Requests with the same key may share a batch: same shape, same type, same kind of work. */
  readonly key: string
  readonly samples: number
  /** Samples × time steps. */
  readonly frames: number
  /** When it came, in milliseconds. */
  readonly arrived: number
  /** The instance that must compute it; any where undefined. */
  readonly instance?: number | undefined
}

export interface BatchingOptions {
  /** Samples in a batch. */
  readonly maximumSize: number
  /** Samples × time steps in a batch. */
  readonly maximumFrames: number
  /** Milliseconds that a request waits for company. */
  readonly maximumDelay: number
}

/** Time, so that tests can have their own. */
export interface Clock {
  /** Milliseconds. */
  now(): number
  /** Calls `body` after some milliseconds; the result cancels that. */
  after(milliseconds: number, body: () => void): () => void
}

export const realClock: Clock = {
  now: () => performance.now(),
  after: (milliseconds, body) => {
    const timer = setTimeout(body, milliseconds)
    return () => clearTimeout(timer)
  },
}

/** Computes a batch and never rejects; the result answers its requests, once the instance has more to do. */
export type ComputeBatch<Q> = (batch: readonly Q[], instance: number) => Promise<() => void>

/** Requests, waiting or being answered, from which on a batch takes half of them. */
const MANY = 16

/** Share of the last batch that is waited for. */
const AWAITED = 0.25

/** Requests that may share a batch, in the order of their coming. */
interface Group<Q> {
  readonly key: string
  readonly instance: number | undefined
  readonly requests: Q[]
}

export class Batcher<Q extends Queued> {
  readonly #options: BatchingOptions
  readonly #clock: Clock
  readonly #compute: ComputeBatch<Q>
  /** None is empty. Arrays, here and in a group: a Map or a Set would keep requests in memory (open-requests.ts). */
  readonly #groups: Group<Q>[] = []
  readonly #free: boolean[]
  /** Samples of the last batch of each instance. */
  readonly #recent: number[]
  #waiting = 0
  #computing = 0
  /** Requests of the batch that was just computed. */
  #answering = 0
  #planned = false
  #cancelTimer: (() => void) | undefined

  constructor(options: BatchingOptions, instances: number, compute: ComputeBatch<Q>, clock: Clock) {
    this.#options = options
    this.#clock = clock
    this.#compute = compute
    this.#free = new Array<boolean>(instances).fill(true)
    this.#recent = new Array<number>(instances).fill(0)
  }

  get waiting(): number {
    return this.#waiting
  }

  get computing(): number {
    return this.#computing
  }

  add(request: Q): void {
    const { key, instance } = request
    const group = this.#groupOf(request)
    if (group === undefined) this.#groups.push({ key, instance, requests: [request] })
    else group.requests.push(request)
    this.#waiting += 1
    this.#plan()
  }

  /** Takes a request out of the queue; false when it is not in it (any more). */
  remove(request: Q): boolean {
    const group = this.#groupOf(request)
    const place = group?.requests.indexOf(request) ?? -1
    if (group === undefined || place < 0) return false
    this.#removeFrom(group, place, 1)
    return true
  }

  /** Takes all requests out of the queue. */
  clear(): void {
    this.#groups.length = 0
    this.#waiting = 0
  }

  /** Requests for one instance share no batch with those that any may compute. */
  #groupOf({ key, instance }: Q): Group<Q> | undefined {
    return this.#groups.find((group) => group.key === key && group.instance === instance)
  }

  #removeFrom(group: Group<Q>, place: number, count: number): void {
    group.requests.splice(place, count)
    if (group.requests.length === 0) this.#groups.splice(this.#groups.indexOf(group), 1)
    this.#waiting -= count
  }

  /** What the event loop brings in one turn is seen together: requests on many connections make one batch. */
  #plan(): void {
    if (this.#planned || !this.#free.includes(true)) return
    this.#planned = true
    setImmediate(() => {
      this.#planned = false
      this.#start()
    })
  }

  #start(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    let soonest = Number.POSITIVE_INFINITY
    for (const [instance, free] of this.#free.entries()) {
      if (!free) continue
      const group = this.#oldest(instance)
      if (group === undefined) continue
      const wait = this.#wait(group, instance)
      if (wait > 0) soonest = Math.min(soonest, wait)
      else void this.#run(this.#take(group), instance)
    }
    if (Number.isFinite(soonest)) this.#cancelTimer = this.#clock.after(soonest, () => this.#start())
  }

  /** Of the groups that the instance may compute, the one whose first request has waited longest. */
  #oldest(instance: number): Group<Q> | undefined {
    let found: Group<Q> | undefined
    for (const group of this.#groups) {
      if (group.instance !== undefined && group.instance !== instance) continue
      if (found === undefined || group.requests[0]!.arrived < found.requests[0]!.arrived) found = group
    }
    return found
  }

  /** Milliseconds that a batch of this group should still gather for. */
  #wait({ requests }: Group<Q>, instance: number): number {
    const { maximumSize, maximumDelay } = this.#options
    if (maximumDelay === 0) return 0
    const wanted = Math.min(maximumSize, AWAITED * this.#recent[instance]!)
    let samples = 0
    let oldest = Number.POSITIVE_INFINITY
    for (const request of requests) {
      samples += request.samples
      if (samples >= wanted) return 0
      oldest = Math.min(oldest, request.arrived)
    }
    return oldest + maximumDelay - this.#clock.now()
  }

  #take(group: Group<Q>): Q[] {
    const { maximumSize, maximumFrames } = this.#options
    const together = group.requests.length + this.#answering
    const most = together < MANY ? together : Math.ceil(together / 2)
    const batch: Q[] = []
    let samples = 0
    let frames = 0
    for (const request of group.requests) {
      samples += request.samples
      frames += request.frames
      if (batch.length > 0 && (samples > maximumSize || frames > maximumFrames || batch.length === most)) break
      batch.push(request)
    }
    this.#removeFrom(group, 0, batch.length)
    return batch
  }

  async #run(batch: readonly Q[], instance: number): Promise<void> {
    this.#free[instance] = false
    this.#computing += batch.length
    const answer = await this.#compute(batch, instance)
    this.#computing -= batch.length
    this.#free[instance] = true
    this.#recent[instance] = batch.reduce((sum, { samples }) => sum + samples, 0)
    // First the next batch, then the answers: the executor computes while they are written.
    this.#answering = batch.length
    this.#start()
    this.#answering = 0
    answer()
  }
}
