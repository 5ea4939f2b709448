/** Datasets over typed arrays that are already in memory. */
import { ArgumentError, DataError, ShapeError } from '../errors.js'
import { describe } from '../model/options.js'
import type { Batch, BatchOptions, Dataset, InputArray, TargetArray } from './dataset.js'
import { batchCount, emptyLike, isInputArray, requireInteger, resolveBatchOptions } from './dataset.js'
import { permutation } from './permutation.js'

export interface ArraySource {
  /** Row-major values. `Uint8Array` is an image, scaled by 1/255 inside the network. Not copied: don't change it later. */
  readonly inputs: InputArray
  /** `[N, ...inputShape]`. */
  readonly shape: readonly number[]
  /** N classes (whole numbers), or N x K floating-point values. NaN is allowed in values. */
  readonly targets: Int32Array | Uint8Array | BigInt64Array | Float32Array | Float64Array
  /** Shape of one floating-point target. Default `[K]`. */
  readonly targetShape?: readonly number[] | undefined
  /** Names of the classes; when given, every class must be below their number. */
  readonly classes?: readonly string[] | undefined
}

export interface Sample {
  readonly input: InputArray
  /** Shape of `input`. */
  readonly shape: readonly number[]
  /** A class, or the values of a floating-point target. */
  readonly target: number | Float32Array | Float64Array
}

/** A dataset in memory: of known length, with access to single samples and parts. */
export interface ArrayDataset extends Dataset {
  readonly length: number
  batches(options: BatchOptions): Iterable<Batch>
  /** Sample `index`, copied out. @throws ArgumentError `ERR_RANGE` */
  sample(index: number): Sample
  /** The samples at `indices`, in this order; the values are shared, not copied. @throws ArgumentError `ERR_RANGE` */
  subset(indices: ArrayLike<number>): ArrayDataset
  /** Samples `start` to `end - 1`; negative numbers count from the end, as `Array.prototype.slice` does. */
  slice(start: number, end?: number): ArrayDataset
  /** The first `count` samples, or all when there are fewer. */
  take(count: number): ArrayDataset
}

/** Which rows of which arrays a batch is made of. */
export interface BatchRows {
  readonly inputs: InputArray
  readonly targets: TargetArray
  readonly rows: Uint32Array
}

const rowsOfBatches = new WeakMap<Batch, BatchRows>()

/**
 * Where the values of a batch lie, when it comes from arrays in memory: training copies them from there at once, and the
 * batch never gathers them itself. Undefined for any other batch.
 */
export function batchRows(batch: Batch): BatchRows | undefined {
  return rowsOfBatches.get(batch)
}

/** Checked arrays: `samples` rows of `inputSize` and `targetSize` values. */
interface Table {
  readonly inputs: InputArray
  readonly inputShape: readonly number[]
  readonly inputSize: number
  readonly targets: TargetArray
  readonly targetShape: readonly number[]
  readonly targetSize: number
  readonly classes: readonly string[] | undefined
}

/**
 * A dataset from typed arrays.
 *
 * @throws ArgumentError `ERR_TYPE` when `inputs` or `targets` are not typed arrays of the kinds named there
 * @throws ShapeError `ERR_SHAPE` when the lengths of `inputs`, `targets` and `shape` do not fit together
 * @throws DataError `ERR_DATA_CLASS` when a class is negative or not below `classes.length`
 */
export function fromArrays(source: ArraySource): ArrayDataset {
  requireArrays(source)
  const { inputs, shape, classes } = source
  for (const size of shape) requireInteger('each size of shape', size, 0)
  const samples = shape[0]
  if (samples === undefined) {
    throw new ShapeError('shape must be [N, ...inputShape], got []')
  }
  const inputShape = shape.slice(1)
  const inputSize = product(inputShape)
  if (inputs.length !== samples * inputSize) {
    throw new ShapeError(
      `inputs of shape [${shape.join(', ')}] need ${samples * inputSize} values, got ${inputs.length}`,
      { expected: samples * inputSize, actual: inputs.length },
    )
  }
  const { targets, targetShape } = checkTargets(source, samples)
  const table = { inputs, inputShape, inputSize, targets, targetShape, targetSize: product(targetShape), classes }
  return view(
    table,
    Uint32Array.from({ length: samples }, (_, i) => i),
  )
}

function requireArrays(source: ArraySource): void {
  const { inputs, shape, targets } = source ?? {}
  if (!isInputArray(inputs)) {
    throw new ArgumentError(`inputs must be a Uint8Array, Float32Array or Float64Array, got ${describe(inputs)}`)
  }
  if (!Array.isArray(shape)) throw new ArgumentError(`shape must be [N, ...inputShape], got ${describe(shape)}`)
  if (!(isInputArray(targets) || targets instanceof Int32Array || targets instanceof BigInt64Array)) {
    throw new ArgumentError(
      `targets must be an Int32Array of classes or a Float32Array of values, got ${describe(targets)}`,
    )
  }
}

function checkTargets(
  source: ArraySource,
  samples: number,
): { readonly targets: TargetArray; readonly targetShape: readonly number[] } {
  const { targets, targetShape, classes } = source
  if (targets instanceof Float32Array || targets instanceof Float64Array) {
    const shape = targetShape ?? (samples === 0 ? [0] : [targets.length / samples])
    if (
      !shape.every((size) => Number.isSafeInteger(size) && size >= 0) ||
      targets.length !== samples * product(shape)
    ) {
      throw new ShapeError(
        `targets must hold a whole number of values for each of ${samples} samples` +
          `${targetShape ? ` of shape [${targetShape.join(', ')}]` : ''}, got ${targets.length} values`,
        { samples, values: targets.length },
      )
    }
    return { targets, targetShape: shape }
  }
  if (targets.length !== samples) {
    throw new ShapeError(`targets must hold one class for each of ${samples} samples, got ${targets.length}`, {
      samples,
      targets: targets.length,
    })
  }
  return { targets: toClasses(targets, classes?.length), targetShape: [] }
}

/** Classes as int32, each checked against [0, classes). */
function toClasses(targets: Int32Array | Uint8Array | BigInt64Array, classes = 2 ** 31): Int32Array {
  const result = targets instanceof Int32Array ? targets : new Int32Array(targets.length)
  for (let i = 0; i < targets.length; i++) {
    const value = Number(targets[i])
    if (!(value >= 0 && value < classes)) {
      throw new DataError(
        `target ${i} is class ${value}, but classes must be from 0 to ${classes - 1}`,
        'ERR_DATA_CLASS',
        { index: i, class: value, classes },
      )
    }
    if (result !== targets) result[i] = value
  }
  return result
}

/** The rows `rows` of the table as a dataset. */
function view(table: Table, rows: Uint32Array): ArrayDataset {
  const length = rows.length
  const { inputShape, classes } = table

  function* batches(options: BatchOptions): Generator<Batch> {
    const { batchSize, shuffle, seed, epoch, lastBatch, start } = resolveBatchOptions(options)
    const order = shuffle ? permutation(length, seed, epoch) : undefined
    const count = batchCount(length, batchSize, lastBatch)
    for (let index = start; index < count; index++) {
      const first = index * batchSize
      const chosen = rows.slice(first, Math.min(first + batchSize, length))
      if (order) for (let i = 0; i < chosen.length; i++) chosen[i] = rows[order[first + i]!]!
      yield batchOf(table, chosen, index)
    }
  }

  const subset = (indices: ArrayLike<number>): ArrayDataset =>
    view(
      table,
      Uint32Array.from(indices, (index) => rows[requireIndex(index, length)]!),
    )

  return {
    inputShape,
    length,
    classes,
    // Options are checked at the call, not at the first batch.
    batches: (options) => {
      resolveBatchOptions(options)
      return { [Symbol.iterator]: () => batches(options) }
    },
    sample: (index) => {
      const row = rows[requireIndex(index, length)]!
      const { inputs, targets, shape } = batchOf(table, Uint32Array.of(row), 0)
      return { input: inputs, shape: shape.slice(1), target: targets instanceof Int32Array ? targets[0]! : targets }
    },
    subset,
    slice: (start, end) => view(table, rows.slice(start, end)),
    take: (count) => {
      requireInteger('count', count, 0)
      return view(table, rows.slice(0, count))
    },
  }
}

/** The rows as a batch that copies them when its values are first asked for. */
function batchOf(table: Table, rows: Uint32Array, index: number): Batch {
  const size = rows.length
  let inputs: InputArray | undefined
  let targets: TargetArray | undefined
  const batch: Batch = {
    get inputs() {
      inputs ??= gather(table.inputs, rows, table.inputSize)
      return inputs
    },
    shape: [size, ...table.inputShape],
    get targets() {
      targets ??= gather(table.targets, rows, table.targetSize)
      return targets
    },
    targetShape: [size, ...table.targetShape],
    size,
    index,
  }
  rowsOfBatches.set(batch, { inputs: table.inputs, targets: table.targets, rows })
  return batch
}

function gather<T extends InputArray | TargetArray>(values: T, rows: Uint32Array, rowSize: number): T {
  const gathered = emptyLike(values, rows.length * rowSize)
  rows.forEach((from, i) => {
    gathered.set(values.subarray(from * rowSize, (from + 1) * rowSize), i * rowSize)
  })
  return gathered
}

function requireIndex(index: number, length: number): number {
  if (!Number.isSafeInteger(index) || index < 0 || index >= length) {
    throw new ArgumentError(`sample index must be from 0 to ${length - 1}, got ${String(index)}`, 'ERR_RANGE', {
      index,
      length,
    })
  }
  return index
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1)
}
