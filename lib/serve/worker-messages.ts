/** What a service and the threads of its instances say to each other. */

import { type ErrorCode, SpikingRxError } from '../errors.js'
import type { Checkpoint } from '../io/checkpoint.js'
import type { SpecJson } from '../model/spec.js'
import type { BatchInput, BatchOutput } from './instance.js'

/** What a thread is started with: a checkpoint whose spec is plain JSON. */
export interface WorkerStart extends Pick<Checkpoint, 'dtype' | 'seed' | 'tensors' | 'scales'> {
  readonly spec: SpecJson
  readonly device: string
  readonly threads: number
}

export type Question =
  | { readonly kind: 'warmUp'; readonly sizes: readonly number[] }
  | { readonly kind: 'run'; readonly batch: BatchInput }
  | { readonly kind: 'dispose' }

export interface Failure {
  readonly message: string
  readonly code: ErrorCode
}

export interface Answer {
  readonly id: number
  readonly output?: BatchOutput
  readonly failure?: Failure
}

/** An error as it can be sent. */
export function failureOf(error: unknown): Failure {
  const { message, code } = error as Error & { code?: ErrorCode }
  return { message, code: code ?? 'ERR_UNEXPECTED' }
}

export function errorFrom({ message, code }: Failure): SpikingRxError {
  return new SpikingRxError(message, code)
}
