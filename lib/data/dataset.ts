/**
 * What training and evaluation read: samples cut into batches.
 *
 *     dataset.batches({ batchSize, shuffle, seed, epoch }) -> Batch, Batch, ...
 *
 * The order is a function of (seed, epoch) only (see permutation.ts), so that `start` continues an epoch that was
 * interrupted: the batches from there on are those that an uninterrupted run would have seen.
 */
import { ArgumentError } from '../errors.js'

/** Inputs: `uint8` is an image (scaled by 1/255 inside the network), floating point is taken as it is. */
export type InputArray = Uint8Array | Float32Array | Float64Array

/** Class indices (int32) or floating-point targets. */
export type TargetArray = Int32Array | Float32Array | Float64Array

export interface Batch {
  /** Row-major values of `shape`, owned by the batch. */
  readonly inputs: InputArray
  /** `[B, ...inputShape]`; with sequences `inputShape` itself begins with T. */
  readonly shape: readonly number[]
  /** Int32Array `[B]`: classes; floating point `[B, ...]`: values. */
  readonly targets: TargetArray
  readonly targetShape: readonly number[]
  /** B: the number of samples in this batch; the last one of an epoch may be smaller. */
  readonly size: number
  /** Position in the epoch, counted from 0 whatever `start` was. */
  readonly index: number
}

export interface BatchOptions {
  /** Samples a batch, at least 1. */
  readonly batchSize: number
  /** Another order in each epoch. Default false. */
  readonly shuffle?: boolean | undefined
  /** Non-negative integer. Default 0. */
  readonly seed?: number | undefined
  /** Non-negative integer. Default 0. */
  readonly epoch?: number | undefined
  /** What to do with a last batch of fewer samples. Default 'keep'. */
  readonly lastBatch?: 'keep' | 'drop' | undefined
  /** Index of the batch to begin at. Default 0. */
  readonly start?: number | undefined
}

export interface Dataset {
  /** Shape of one sample: `[C, H, W]`, `[D]`, or a sequence `[T, ...]` of these. */
  readonly inputShape: readonly number[]
  /** Number of samples, where it is known. */
  readonly length?: number | undefined
  /** Class names in the order of the targets. */
  readonly classes?: readonly string[] | undefined
  /**
   * One epoch.
   *
   * @throws ArgumentError `ERR_RANGE` when an option is not a whole number in its range
   */
  batches(options: BatchOptions): Iterable<Batch> | AsyncIterable<Batch>
}

/** {@link BatchOptions} with the defaults filled in. */
export type ResolvedBatchOptions = { readonly [K in keyof BatchOptions]-?: NonNullable<BatchOptions[K]> }

/** Checks the options of one epoch and fills in the defaults. */
export function resolveBatchOptions(options: BatchOptions): ResolvedBatchOptions {
  const { batchSize, shuffle = false, seed = 0, epoch = 0, lastBatch = 'keep', start = 0 } = options
  requireInteger('batchSize', batchSize, 1)
  requireInteger('seed', seed, 0)
  requireInteger('epoch', epoch, 0)
  requireInteger('start', start, 0)
  if (lastBatch !== 'keep' && lastBatch !== 'drop') {
    throw new ArgumentError(`lastBatch must be 'keep' or 'drop', got ${JSON.stringify(lastBatch)}`, 'ERR_RANGE')
  }
  return { batchSize, shuffle, seed, epoch, lastBatch, start }
}

export function isInputArray(value: unknown): value is InputArray {
  return value instanceof Uint8Array || value instanceof Float32Array || value instanceof Float64Array
}

/** How many batches an epoch of `length` samples has. */
export function batchCount(length: number, batchSize: number, lastBatch: 'keep' | 'drop' = 'keep'): number {
  return lastBatch === 'drop' ? Math.floor(length / batchSize) : Math.ceil(length / batchSize)
}

/** A typed array of the same kind as `array`, of `length` zeros. */
export function emptyLike<T extends InputArray | TargetArray>(array: T, length: number): T
export function emptyLike(array: InputArray | TargetArray, length: number): InputArray | TargetArray {
  if (array instanceof Uint8Array) return new Uint8Array(length)
  if (array instanceof Int32Array) return new Int32Array(length)
  if (array instanceof Float32Array) return new Float32Array(length)
  return new Float64Array(length)
}

/** Throws unless `value` is a whole number of at least `least` (and at most 2^53 - 1). */
export function requireInteger(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new ArgumentError(`${name} must be a whole number of at least ${least}, got ${String(value)}`, 'ERR_RANGE', {
      [name]: value,
    })
  }
}
