/** Batches as native tensors, made ahead of the step that takes them. */
import { batchRows } from '../data/arrays.js'
import type { Batch, InputArray, TargetArray } from '../data/dataset.js'
import { prefetch } from '../data/prefetch.js'
import type { Dtype, TensorHandle } from '../native.js'
import { native } from '../runtime/addon.js'

/** One batch in native memory; whoever takes it frees it. */
export interface BatchTensors {
  readonly batch: Batch
  readonly inputs: TensorHandle
  readonly targets: TensorHandle
}

/**
 * The batches, the next one copied into native memory while the consumer works on the one it has. Those that are not
 * taken any more when the consumer stops are freed here.
 */
export function batchTensors(
  batches: Iterable<Batch> | AsyncIterable<Batch>,
): AsyncGenerator<BatchTensors, void, undefined> {
  return prefetch(batches, copy, { discard: freeBatch })
}

/** Frees a batch's tensors at once. */
export function freeBatch({ inputs, targets }: BatchTensors): void {
  native().tensorFree(inputs)
  native().tensorFree(targets)
}

function copy(batch: Batch): BatchTensors {
  const { shape, targetShape } = batch
  const rows = batchRows(batch)
  const tensorOf = (what: 'inputs' | 'targets', size: readonly number[]): TensorHandle =>
    rows
      ? native().tensorFromRows(rows[what], rows.rows, size, dtypeOf(rows[what]))
      : native().tensorFrom(batch[what], size, dtypeOf(batch[what]))
  const inputs = tensorOf('inputs', shape)
  try {
    return { batch, inputs, targets: tensorOf('targets', targetShape) }
  } catch (error) {
    native().tensorFree(inputs)
    throw error
  }
}

/** Whether the targets are class indices, so that there are right and wrong decisions. */
export function hasClasses(batch: Batch): boolean {
  return (batchRows(batch) ?? batch).targets instanceof Int32Array
}

function dtypeOf(values: InputArray | TargetArray): Dtype {
  if (values instanceof Uint8Array) return 'uint8'
  if (values instanceof Int32Array) return 'int32'
  return values instanceof Float32Array ? 'float32' : 'float64'
}
