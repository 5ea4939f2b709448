/** Datasets over samples that come one by one: generators, streams, readers of files. */
import { ArgumentError, DataError, ShapeError } from '../errors.js'
import { describe } from '../model/options.js'
import type { Batch, BatchOptions, Dataset, InputArray, ResolvedBatchOptions, TargetArray } from './dataset.js'
import { emptyLike, isInputArray, requireInteger, resolveBatchOptions } from './dataset.js'
import { epochRandom } from './permutation.js'

export interface IterableSample {
  /** Row-major values of `inputShape`. `Uint8Array` is an image; plain numbers become float32. */
  readonly input: InputArray | readonly number[]
  /** A class, or floating-point values. */
  readonly target: number | Float32Array | Float64Array | readonly number[]
}

export type SampleSource = Iterable<IterableSample> | AsyncIterable<IterableSample>

export interface IterableOptions {
  /** Shape of one sample. */
  readonly inputShape: readonly number[]
  /** Number of samples in an epoch, where it is known. */
  readonly length?: number | undefined
  readonly classes?: readonly string[] | undefined
  /**
   * With `shuffle: true`, draws each sample at random from a buffer of this many. Default 0: the order of the source.
   */
  readonly shuffleBuffer?: number | undefined
}

/** A dataset of unknown or declared length, read in order. */
export interface IterableDataset extends Dataset {
  batches(options: BatchOptions): AsyncIterable<Batch>
  /** At most the first `count` samples of each epoch. */
  take(count: number): IterableDataset
}

/**
 * A dataset from an iterable, an async iterable, or a function that gives one for each epoch.
 *
 * A generator can be read once: pass the generator function instead when there is more than one epoch. `start` reads
 * the batches before it and throws them away.
 *
 * @throws ArgumentError `ERR_TYPE` for a source that cannot be iterated, and while reading, for a sample that is not `{ input, target }`
 * @throws ShapeError `ERR_SHAPE` while reading, when a sample has another number of values than `inputShape`, or another
 *   kind of input or target than the first one
 * @throws DataError `ERR_DATA_EXHAUSTED` when a second epoch is asked from a source that can be read once,
 *   `ERR_DATA_CLASS` for a class out of range
 */
export function fromIterable(
  source: SampleSource | ((epoch: number) => SampleSource),
  options: IterableOptions,
): IterableDataset {
  if (typeof source !== 'function' && !isIterable(source)) {
    throw new ArgumentError(`fromIterable wants an iterable or a function that gives one, got ${describe(source)}`)
  }
  const { inputShape, length, classes, shuffleBuffer = 0 } = options ?? {}
  if (!Array.isArray(inputShape)) {
    throw new ArgumentError(`fromIterable wants inputShape, the shape of one sample, got ${describe(inputShape)}`)
  }
  for (const size of inputShape) requireInteger('each size of inputShape', size, 0)
  requireInteger('shuffleBuffer', shuffleBuffer, 0)
  if (length !== undefined) requireInteger('length', length, 0)

  let given = 0 // samples read so far, over all epochs
  let opened = false
  // Yields the samples of one epoch; a source that can't begin again must not look like an empty epoch.
  async function* open(epoch: number): AsyncGenerator<IterableSample> {
    if (typeof source === 'function') {
      const samples: unknown = source(epoch)
      if (!isIterable(samples)) {
        throw new ArgumentError(`the function given to fromIterable must return an iterable, got ${describe(samples)}`)
      }
      yield* samples
      return
    }
    // A generator is its own iterator.
    if (opened && isOwnIterator(source)) throw exhausted()
    opened = true
    const before = given
    let any = false
    for await (const sample of source) {
      any = true
      given++
      yield sample
    }
    if (!any && before > 0) throw exhausted()
  }

  const build = (limit: number | undefined): IterableDataset => {
    const known = limit === undefined || length === undefined ? length : Math.min(limit, length)
    const expected = { inputShape, classes: classes?.length, fewest: known ?? (limit === 0 ? 0 : 1) }
    return {
      inputShape,
      length: known,
      classes,
      batches: (batchOptions) => {
        const resolved = resolveBatchOptions(batchOptions)
        return {
          [Symbol.asyncIterator]: () => {
            const limited = limit === undefined ? open(resolved.epoch) : first(open(resolved.epoch), limit)
            const ordered = resolved.shuffle && shuffleBuffer > 1 ? shuffled(limited, shuffleBuffer, resolved) : limited
            return collect(ordered, expected, resolved)
          },
        }
      },
      take: (count) => {
        requireInteger('count', count, 0)
        return build(limit === undefined ? count : Math.min(limit, count))
      },
    }
  }
  return build(undefined)
}

function isIterable(value: unknown): value is SampleSource {
  return typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value)
}

function isOwnIterator(source: SampleSource): boolean {
  const iterator: unknown = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  return iterator === source
}

function exhausted(): DataError {
  return new DataError(
    'this dataset reads a generator or stream that can be read once: pass a function that returns a new one for each epoch',
    'ERR_DATA_EXHAUSTED',
  )
}

/** The first `count` samples; closes the source after them. */
async function* first(source: SampleSource, count: number): AsyncGenerator<IterableSample> {
  if (count === 0) return
  let taken = 0
  for await (const sample of source) {
    yield sample
    if (++taken === count) return
  }
}

/** Draws from a buffer of `capacity` samples, refilled from the source. */
async function* shuffled(
  source: SampleSource,
  capacity: number,
  { seed, epoch }: ResolvedBatchOptions,
): AsyncGenerator<IterableSample> {
  const random = epochRandom(seed, epoch)
  const buffer: IterableSample[] = []
  for await (const sample of source) {
    if (buffer.length < capacity) {
      buffer.push(sample)
      continue
    }
    const drawn = random.below(capacity)
    yield buffer[drawn]!
    buffer[drawn] = sample
  }
  while (buffer.length > 0) {
    const drawn = random.below(buffer.length)
    yield buffer[drawn]!
    buffer[drawn] = buffer[buffer.length - 1]!
    buffer.pop()
  }
}

/** Cuts a stream of samples into batches. */
async function* collect(
  source: SampleSource,
  { inputShape, classes, fewest }: Expected,
  { batchSize, lastBatch, start }: ResolvedBatchOptions,
): AsyncGenerator<Batch> {
  let reference: CheckedSample | undefined
  let pending: CheckedSample[] = []
  let position = 0
  let index = 0
  for await (const sample of source) {
    const checked = check(sample, position++, inputShape, classes, reference)
    reference ??= checked
    pending.push(checked)
    if (pending.length === batchSize) {
      if (index >= start) yield stack(pending, inputShape, index)
      index++
      pending = []
    }
  }
  if (position < fewest) throw tooFew(position, fewest)
  if (pending.length > 0 && lastBatch === 'keep' && index >= start) yield stack(pending, inputShape, index)
}

function tooFew(samples: number, fewest: number): DataError {
  return new DataError(
    samples === 0
      ? 'the dataset gave no samples: see what its function or stream gives'
      : `the dataset ended after ${samples} samples, but its length is said to be ${fewest}: correct it or leave it out`,
    'ERR_DATA_LENGTH',
    { samples, expected: fewest },
  )
}

/** What is known of the samples before the first is read. */
interface Expected {
  readonly inputShape: readonly number[]
  readonly classes: number | undefined
  readonly fewest: number
}

interface CheckedSample {
  readonly input: InputArray
  /** Int32Array of one class, or the values. */
  readonly target: TargetArray
}

function check(
  sample: IterableSample,
  position: number,
  inputShape: readonly number[],
  classes = 2 ** 31,
  reference: CheckedSample | undefined,
): CheckedSample {
  requireSample(sample, position)
  const input = isNumbers(sample.input) ? Float32Array.from(sample.input) : sample.input
  const { target: given } = sample
  const target = typeof given === 'number' ? Int32Array.of(given) : isNumbers(given) ? Float32Array.from(given) : given
  const expected = inputShape.reduce((all, size) => all * size, 1)
  if (input.length !== expected) {
    throw new ShapeError(
      `sample ${position} must have ${expected} input values for [${inputShape.join(', ')}], got ${input.length}`,
      { position, expected, actual: input.length },
    )
  }
  if (typeof given === 'number' && !(Number.isInteger(given) && given >= 0 && given < classes)) {
    throw new DataError(
      `sample ${position} has class ${given}, but classes must be whole numbers from 0 to ${classes - 1}`,
      'ERR_DATA_CLASS',
      { position, class: given, classes },
    )
  }
  if (
    reference &&
    (reference.input.constructor !== input.constructor ||
      reference.target.constructor !== target.constructor ||
      reference.target.length !== target.length)
  ) {
    throw new ShapeError(`sample ${position} has another kind of input or target than the first sample`, { position })
  }
  return { input, target }
}

function requireSample(sample: IterableSample, position: number): void {
  const { input, target } = sample ?? {}
  if (!isInputArray(input) && !Array.isArray(input)) {
    throw new ArgumentError(
      `sample ${position} must be { input, target } with input a Uint8Array, Float32Array, Float64Array or numbers, got input ${describe(input)}`,
    )
  }
  const values = target instanceof Float32Array || target instanceof Float64Array || Array.isArray(target)
  if (typeof target !== 'number' && !values) {
    throw new ArgumentError(
      `sample ${position} must have a class, a Float32Array, Float64Array or numbers as target, got ${describe(target)}`,
    )
  }
}

function isNumbers(values: ArrayLike<number>): values is readonly number[] {
  return Array.isArray(values)
}

function stack(samples: readonly CheckedSample[], inputShape: readonly number[], index: number): Batch {
  const size = samples.length
  const { input, target } = samples[0]!
  const inputs = emptyLike(input, size * input.length)
  const targets = emptyLike(target, size * target.length)
  for (const [i, sample] of samples.entries()) {
    inputs.set(sample.input, i * input.length)
    targets.set(sample.target, i * target.length)
  }
  const targetShape = target instanceof Int32Array ? [size] : [size, target.length]
  return { inputs, shape: [size, ...inputShape], targets, targetShape, size, index }
}
