/**
 * Which sequences there are, which rows of the state table are theirs, and whose turn it is. A sequence has one request
 * in the queue or in a batch at a time; the others wait here in the order in which they came, because each begins with
 * the state that the one before leaves.
 */
import { ServeError } from './errors.js'
import type { SequencePosition } from './service.js'
import type { StateRows } from './state-table.js'

/** A request of a sequence. */
export interface SequenceRequest {
  readonly position: SequencePosition
  readonly samples: number
  readonly steps: number
}

export interface SequenceLimits {
  /** Sequences at a time. */
  readonly maximum: number
  /** Milliseconds without a request after which a sequence is forgotten. */
  readonly idle: number
}

/** What is carried from request to request. */
interface Carried {
  readonly rows: readonly number[]
  readonly samples: number
  /** Time steps since the start. */
  age: number
  /** Sum of the outputs over these steps. */
  sum: Float64Array
}

interface Sequence<R> {
  readonly id: string
  readonly instance: number
  readonly waiting: Set<R>
  carried: Carried | undefined
  /** Its request in the queue or in a batch. */
  current: R | undefined
  /** What it carries is to be forgotten once `current` is done. */
  ended: boolean
  used: number
}

/** What the table does with a request. */
export interface SequenceEvents<R> {
  /** It is its turn; `age` are the time steps that its sequence has seen. */
  enqueue(request: R, age: number, instance: number): void
  refuse(request: R, error: ServeError): void
}

/** The state rows of a batch, and how to go on once it is computed. */
export interface SequenceBatch {
  readonly rows: StateRows
  /** Mean over all steps since the start, in place of that over the batch's steps. */
  succeed(scores: Float32Array, steps: number): void
  fail(): void
}

export class Sequences<R extends SequenceRequest> {
  readonly #limits: SequenceLimits
  readonly #events: SequenceEvents<R>
  readonly #now: () => number
  readonly #sequences = new Map<string, Sequence<R>>()
  readonly #rows: RowList[]
  #waiting = 0

  constructor(limits: SequenceLimits, instances: number, events: SequenceEvents<R>, now: () => number) {
    this.#limits = limits
    this.#events = events
    this.#now = now
    this.#rows = Array.from({ length: instances }, () => new RowList())
  }

  /** Sequences that are known, those included whose first request still waits. */
  get size(): number {
    return this.#sequences.size
  }

  has(id: string): boolean {
    return this.#sequences.has(id)
  }

  /** Requests that wait for their turn in their sequence. */
  get waiting(): number {
    return this.#waiting
  }

  /** @throws ServeError `ERR_SERVE_SEQUENCE` for one that was not started, `ERR_SERVE_SEQUENCE_FULL` */
  add(request: R): void {
    const { id, start } = request.position
    let sequence = this.#sequences.get(id)
    if (sequence === undefined) {
      if (!start) throw unknown(id)
      if (this.#sequences.size >= this.#limits.maximum) this.expire()
      if (this.#sequences.size >= this.#limits.maximum) {
        const message = `the model keeps ${this.#limits.maximum} sequences at most; end one, or try again later`
        throw new ServeError(message, 'ERR_SERVE_SEQUENCE_FULL', { maximum: this.#limits.maximum })
      }
      const instance = this.#emptiest()
      sequence = { id, instance, waiting: new Set(), carried: undefined, current: undefined, ended: false, used: 0 }
      this.#sequences.set(id, sequence)
    }
    sequence.waiting.add(request)
    this.#waiting += 1
    if (sequence.current === undefined) this.#advance(sequence)
  }

  /** Takes back a request that was not begun. */
  remove(request: R): void {
    const sequence = this.#sequences.get(request.position.id)
    if (sequence === undefined) return
    if (sequence.waiting.delete(request)) this.#waiting -= 1
    else if (sequence.current === request) this.#advance(sequence)
  }

  /** Forgets what a sequence carries, once its request in a batch is done. */
  end(id: string): void {
    const sequence = this.#sequences.get(id)
    if (sequence === undefined) return
    sequence.ended = true
    if (sequence.current === undefined) this.#advance(sequence)
  }

  /** The states for a batch of requests that `enqueue` was called for, all on one instance. */
  begin(requests: readonly R[]): SequenceBatch {
    const rows = { from: [] as number[], to: [] as number[], age: 0 }
    const parts = requests.map((request) => {
      const sequence = this.#sequences.get(request.position.id)!
      const list = this.#rows[sequence.instance]!
      const before = request.position.start ? undefined : sequence.carried
      const own = before?.rows ?? list.take(request.samples)
      rows.from.push(...(before?.rows ?? new Array<number>(request.samples).fill(0)))
      rows.to.push(...own)
      // All have the same age, or ages that make no difference.
      rows.age = Math.max(rows.age, before?.age ?? 0)
      return { request, sequence, before, own, list }
    })
    return {
      rows,
      succeed: (scores, steps) => {
        let first = 0
        const total = requests.reduce((sum, { samples }) => sum + samples, 0)
        const width = scores.length / total
        for (const { request, sequence, before, own, list } of parts) {
          const end = first + request.samples * width
          const part = scores.subarray(first, end)
          first = end
          const carried = before ?? { rows: own, samples: request.samples, age: 0, sum: new Float64Array(part.length) }
          addUp(carried, part, steps)
          if (before === undefined && sequence.carried) list.give(sequence.carried.rows)
          sequence.carried = carried
          if (request.position.end) this.#forget(sequence)
          this.#advance(sequence)
        }
      },
      fail: () => {
        for (const { sequence, before, own, list } of parts) {
          if (before === undefined) list.give(own)
          this.#advance(sequence)
        }
      },
    }
  }

  /** Forgets the sequences that were not asked for in a while; the number of them. */
  expire(): number {
    const oldest = this.#now() - this.#limits.idle
    let count = 0
    for (const sequence of this.#sequences.values()) {
      if (sequence.current !== undefined || sequence.used > oldest) continue
      this.#forget(sequence)
      this.#sequences.delete(sequence.id)
      count += 1
    }
    return count
  }

  /** The next request whose turn it is. */
  #advance(sequence: Sequence<R>): void {
    sequence.used = this.#now()
    sequence.current = undefined
    if (sequence.ended) this.#forget(sequence)
    sequence.ended = false
    for (const request of sequence.waiting) {
      sequence.waiting.delete(request)
      this.#waiting -= 1
      const error = unfit(sequence, request)
      if (error !== undefined) {
        this.#events.refuse(request, error)
        continue
      }
      sequence.current = request
      const age = request.position.start ? 0 : (sequence.carried?.age ?? 0)
      this.#events.enqueue(request, age, sequence.instance)
      return
    }
    if (sequence.carried === undefined) this.#sequences.delete(sequence.id)
  }

  #forget(sequence: Sequence<R>): void {
    if (sequence.carried) this.#rows[sequence.instance]!.give(sequence.carried.rows)
    sequence.carried = undefined
  }

  /** The instance with the fewest rows in use. */
  #emptiest(): number {
    let found = 0
    for (const [index, list] of this.#rows.entries()) if (list.used < this.#rows[found]!.used) found = index
    return found
  }
}

function unfit<R extends SequenceRequest>(
  { id, carried }: Sequence<R>,
  { position, samples }: R,
): ServeError | undefined {
  if (position.start) return undefined
  if (carried === undefined) return unknown(id)
  if (carried.samples === samples) return undefined
  const message = `the sequence ${shown(id)} carries ${carried.samples} samples, the request has ${samples}`
  return new ServeError(message, 'ERR_SERVE_SEQUENCE')
}

function unknown(id: string): ServeError {
  const message = `the sequence ${shown(id)} is not known: it was never started, has ended, or was idle for too long`
  return new ServeError(message, 'ERR_SERVE_SEQUENCE')
}

function shown(id: string): string {
  return JSON.stringify(id.slice(0, 60))
}

/** Adds the mean over `steps` steps, and puts in its place the mean over all. */
function addUp(carried: Carried, mean: Float32Array, steps: number): void {
  const { sum } = carried
  carried.age += steps
  for (let i = 0; i < sum.length; i++) {
    sum[i]! += mean[i]! * steps
    mean[i] = sum[i]! / carried.age
  }
}

/** Rows of one instance's state table; 0 is rest and nobody's. */
class RowList {
  readonly #free: number[] = []
  #next = 1

  get used(): number {
    return this.#next - 1 - this.#free.length
  }

  take(count: number): number[] {
    return Array.from({ length: count }, () => this.#free.pop() ?? this.#next++)
  }

  give(rows: readonly number[]): void {
    this.#free.push(...rows)
  }
}
