/**
 * What the protocol side (codec, routes) and the computing side (batcher, sequences, repository) of the service say to
 * each other. Types only: HTTP knows no network, and what computes knows no HTTP.
 */
import type { TypedArray } from '../native.js'

/** Element types by their names in the Open Inference Protocol v2. */
export type Datatype = 'BOOL' | 'UINT8' | 'INT8' | 'INT16' | 'INT32' | 'INT64' | 'FP16' | 'BF16' | 'FP32' | 'FP64'

/** A tensor on its way in or out, row-major; FP16 and BF16 as Float32Array, INT64 as BigInt64Array. */
export interface TensorValue {
  readonly datatype: Datatype
  readonly shape: readonly number[]
  readonly data: TypedArray
}

/** An input or output as the metadata tells it; −1 is a size that varies (the batch). */
export interface TensorSignature {
  readonly name: string
  readonly datatype: Datatype
  readonly shape: readonly number[]
}

export interface ModelSignature {
  readonly inputs: readonly TensorSignature[]
  readonly outputs: readonly TensorSignature[]
  /** Class names, where the model has them. */
  readonly labels?: readonly string[]
  /** T of the network: time steps that one input is shown for. */
  readonly steps: number
}

/**
 * Where in a sequence a request stands. Inside one, `[B, ...input]` is one time step and `[B, T, ...input]` is T; `scores`
 * and what follows from them are of the mean over all steps since the start, `steps` are of the request alone.
 */
export interface SequencePosition {
  readonly id: string
  /** Forget what the sequence carried. */
  readonly start: boolean
  /** Forget it after this request. */
  readonly end: boolean
}

/** Told that a client is gone; as AbortSignal takes them. */
export type CancelListener = (() => void) | { handleEvent(): void }

/** What tells that a client is gone: an AbortSignal, or less (`routes/gone.ts`). */
export interface CancelSignal {
  readonly aborted: boolean
  readonly reason?: unknown
  addEventListener(type: 'abort', listener: CancelListener): void
  removeEventListener(type: 'abort', listener: CancelListener): void
}

export interface InferenceRequest {
  /** By input name; checked against the signature by the model, and left unchanged until it has answered. */
  readonly inputs: ReadonlyMap<string, TensorValue>
  /** Names of the outputs wanted; empty: the model's default ones. */
  readonly outputs: readonly string[]
  readonly sequence?: SequencePosition
  /** Give the spikes of every layer too. */
  readonly record?: boolean
  /** Milliseconds that the request may wait and compute; the model's own limit where undefined. */
  readonly timeout?: number
  /** Aborted when the client is gone. */
  readonly signal?: CancelSignal
}

/** Spikes of one layer for one request. */
export interface LayerSpikes {
  readonly layer: string
  /** `[B, T, ...]` */
  readonly shape: readonly number[]
  readonly values: Float32Array
}

export interface InferenceResult {
  /** In the order asked for. */
  readonly outputs: ReadonlyMap<string, TensorValue>
  readonly records: readonly LayerSpikes[]
  /** Milliseconds waiting for a batch, and computing in it. */
  readonly queued: number
  readonly computed: number
  /** Requests and samples in the batch that it was computed in. */
  readonly batch: { readonly requests: number; readonly samples: number }
  /**
   * Spikes and synaptic operations: measured where the request was alone in its batch, else its share of the batch, of
   * which one in eight is measured and stands for those in between.
   */
  readonly activity: { readonly spikes: number; readonly synapticOperations: number }
}

/** How often, and how long in all. */
export interface Duration {
  readonly count: number
  readonly nanoseconds: number
}

/** Counters since the model was loaded, as Triton's statistics extension names them. */
export interface ModelStatistics {
  readonly lastInference: number
  readonly inferenceCount: number
  readonly executionCount: number
  readonly success: Duration
  readonly fail: Duration
  readonly queue: Duration
  readonly computeInput: Duration
  readonly computeInfer: Duration
  readonly computeOutput: Duration
  readonly batches: readonly { readonly batchSize: number; readonly computeInfer: Duration }[]
  /** Requests that wait now, and that are being computed. */
  readonly waiting: number
  readonly computing: number
  /** Sequences whose state is kept now. */
  readonly sequences: number
}

/** One version of one model, loaded. */
export interface ServedModel {
  readonly name: string
  readonly version: string
  readonly ready: boolean
  readonly signature: ModelSignature
  /** Requests that wait for a batch now. */
  readonly waiting: number
  /**
   * Computes one request, in a batch with others where that pays.
   *
   * @throws ServeError: `ERR_SERVE_INPUT` (400), `ERR_SERVE_QUEUE_FULL` (503), `ERR_SERVE_TIMEOUT` (504),
   * `ERR_SERVE_SEQUENCE` (400), `ERR_SERVE_SEQUENCE_FULL` (503), `ERR_SERVE_MODEL` (404) when it was unloaded;
   * AbortedError `ERR_ABORTED` when its signal is
   */
  infer(request: InferenceRequest): Promise<InferenceResult>
  /** Forgets what a sequence carries, if there is one of this name: its client is gone. */
  endSequence(id: string): void
  statistics(): ModelStatistics
}

/** One line of the repository's index. */
export interface RepositoryEntry {
  readonly name: string
  readonly version: string
  readonly state: 'LOADING' | 'READY' | 'UNLOADING' | 'UNAVAILABLE'
  readonly reason: string
}

/** All models of a service. */
export interface ModelRepository {
  /** Whether every model that was to be loaded is. */
  readonly ready: boolean
  /** Version undefined: the newest one that is served. @throws ServeError `ERR_SERVE_MODEL` (404) */
  model(name: string, version?: string): ServedModel
  /** Versions of a model that are served, in ascending order. @throws ServeError `ERR_SERVE_MODEL` (404) */
  versions(name: string): readonly string[]
  index(): readonly RepositoryEntry[]
  load(name: string): Promise<void>
  unload(name: string): Promise<void>
  /** Answers what was accepted, up to `deadline` milliseconds, then frees everything. */
  close(deadline: number): Promise<void>
}
