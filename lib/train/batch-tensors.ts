import type { Batch, InputArray, TargetArray } from '../data/dataset.js'
import type { Dtype, TensorHandle } from '../native.js'
import { native } from '../runtime/addon.js'

/** Copies a batch into native tensors for one step, and frees them as soon as it is done. */
export async function withBatch<T>(
  batch: Batch,
  step: (inputs: TensorHandle, targets: TensorHandle) => Promise<T>,
): Promise<T> {
  const inputs = native().tensorFrom(batch.inputs, batch.shape, dtypeOf(batch.inputs))
  try {
    const targets = native().tensorFrom(batch.targets, batch.targetShape, dtypeOf(batch.targets))
    try {
      return await step(inputs, targets)
    } finally {
      native().tensorFree(targets)
    }
  } finally {
    native().tensorFree(inputs)
  }
}

/** Whether the targets are class indices, so that there are right and wrong decisions. */
export function hasClasses({ targets }: Batch): boolean {
  return targets instanceof Int32Array
}

function dtypeOf(values: InputArray | TargetArray): Dtype {
  if (values instanceof Uint8Array) return 'uint8'
  if (values instanceof Int32Array) return 'int32'
  return values instanceof Float32Array ? 'float32' : 'float64'
}
