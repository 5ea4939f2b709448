import { AbortedError } from '../errors.js'
import type { Queued } from './batcher.js'
import type { Member } from './members.js'
import type { SequenceRequest } from './sequences.js'
import type { CancelSignal, InferenceRequest, InferenceResult, SequencePosition } from './service.js'
import type { CheckedInput, CheckedRequest, NamedOutput } from './signature.js'

interface Settle {
  resolve(result: InferenceResult): void
  reject(error: unknown): void
}

/** A request from its arrival to its answer; it is answered once, whatever happens later. */
export class Pending implements Queued, Member {
  readonly input: CheckedInput
  readonly outputs: readonly NamedOutput[]
  readonly record: boolean
  readonly position: SequencePosition | undefined
  readonly arrived: number
  /** In a batch; its answer can still be that it took too long. */
  computing = false
  place = -1
  key: string
  readonly #kind: string
  instance: number | undefined = undefined
  readonly answer: Promise<InferenceResult>
  #settle: Settle | undefined
  #release: (() => void) | undefined
  readonly #done: (pending: Pending, error?: unknown) => void

  /** @param done called once, when it is answered; with the error where that is the answer */
  constructor(
    { input, outputs }: CheckedRequest,
    request: InferenceRequest,
    arrived: number,
    done: (pending: Pending, error?: unknown) => void,
  ) {
    this.#done = done
    this.input = input
    this.outputs = outputs
    this.record = request.record === true
    this.position = request.sequence
    this.arrived = arrived
    const steps = outputs.some(({ kind }) => kind === 'steps')
    this.#kind = `${input.dtype} ${input.sample.join(' ')}${this.record ? ' record' : ''}${steps ? ' steps' : ''}`
    this.key = this.#kind
    this.answer = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
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

  /** Calls `expire` once the time is over, and `abort` when the signal says so, unless it is answered before. */
  watch(
    signal: CancelSignal | undefined,
    abort: (error: AbortedError) => void,
    after: (expire: () => void) => () => void,
    expire: () => void,
  ): void {
    const stopTimer = after(expire)
    if (signal === undefined) {
      this.#release = stopTimer
      return
    }
    const listener = (): void => abort(aborted(signal))
    signal.addEventListener('abort', listener)
    this.#release = () => {
      stopTimer()
      signal.removeEventListener('abort', listener)
    }
  }

  resolve(result: InferenceResult): void {
    const settle = this.#end()
    if (settle === undefined) return
    this.#done(this)
    settle.resolve(result)
  }

  reject(error: unknown): void {
    const settle = this.#end()
    if (settle === undefined) return
    this.#done(this, error)
    settle.reject(error)
  }

  #end(): Settle | undefined {
    const settle = this.#settle
    this.#settle = undefined
    this.#release?.()
    this.#release = undefined
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
