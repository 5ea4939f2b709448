import { AbortedError } from '../errors.js'
import type { Queued } from './batcher.js'
import type { OpenRequest } from './open-requests.js'
import type { SequenceRequest } from './sequences.js'
import type { CancelSignal, InferenceRequest, InferenceResult, SequencePosition } from './service.js'
import type { CheckedInput, CheckedRequest, NamedOutput } from './signature.js'

interface Settle {
  resolve(result: InferenceResult): void
  reject(error: unknown): void
}

/** What happens to requests, told to who took them. */
export interface PendingEvents {
  /** It was answered, which happens once; with the error where that is the answer. */
  answered(pending: Pending, error?: unknown): void
  /** Its client is gone, and it is not answered. */
  gone(pending: Pending, error: AbortedError): void
}

/** A request from its arrival to its answer; it is answered once, whatever happens later. */
export class Pending implements Queued, OpenRequest {
  readonly input: CheckedInput
  readonly outputs: readonly NamedOutput[]
  readonly record: boolean
  readonly position: SequencePosition | undefined
  readonly arrived: number
  /** Milliseconds that it may take. */
  readonly timeout: number
  /** In a batch; its answer can still be that it took too long. */
  computing = false
  place = -1
  key: string
  readonly #kind: string
  instance: number | undefined = undefined
  readonly answer: Promise<InferenceResult>
  #settle: Settle | undefined
  #signal: CancelSignal | undefined
  readonly #events: PendingEvents

  /** @param timeout milliseconds that it may take */
  constructor(
    { input, outputs }: CheckedRequest,
    request: InferenceRequest,
    arrived: number,
    timeout: number,
    events: PendingEvents,
  ) {
    this.#events = events
    this.input = input
    this.outputs = outputs
    this.record = request.record === true
    this.position = request.sequence
    this.arrived = arrived
    this.timeout = timeout
    const steps = outputs.some(({ kind }) => kind === 'steps')
    this.#kind = `${input.dtype} ${input.sample.join(' ')}${this.record ? ' record' : ''}${steps ? ' steps' : ''}`
    this.key = this.#kind
    this.answer = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
  }

  get deadline(): number {
    return this.arrived + this.timeout
  }

  get samples(): number {
    return this.input.samples
  }

  get steps(): number {
    return this.input.steps
  }

  get frames(): number {
    return this.input.samples * this.input.steps
  }

  get settled(): boolean {
    return this.#settle === undefined
  }

  /** It came to its turn in a sequence: only those of the same age and instance share a batch. */
  inSequence(age: number, instance: number): void {
    this.key = `sequence ${age} ${this.#kind}`
    this.instance = instance
  }

  /** Goes by the signal until it is answered. The request itself listens: open-requests.ts tells why. */
  heed(signal: CancelSignal | undefined): void {
    this.#signal = signal
    signal?.addEventListener('abort', this)
  }

  /** Its client is gone. */
  handleEvent(): void {
    if (this.#signal !== undefined) this.#events.gone(this, aborted(this.#signal))
  }

  resolve(result: InferenceResult): void {
    const settle = this.#end()
    if (settle === undefined) return
    this.#events.answered(this)
    settle.resolve(result)
  }

  reject(error: unknown): void {
    const settle = this.#end()
    if (settle === undefined) return
    this.#events.answered(this, error)
    settle.reject(error)
  }

  #end(): Settle | undefined {
    const settle = this.#settle
    this.#settle = undefined
    this.#signal?.removeEventListener('abort', this)
    this.#signal = undefined
    return settle
  }
}

/** A request that is certain to have a position in a sequence. */
export type SequencePending = Pending & SequenceRequest

export function isOfSequence(pending: Pending): pending is SequencePending {
  return pending.position !== undefined
}

export function aborted(signal: CancelSignal): AbortedError {
  return new AbortedError('the request was cancelled', {}, signal.reason)
}
