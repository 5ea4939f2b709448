/** Other dtypes, devices and copies of a tensor. */
import { ShapeError } from '../errors.js'
import type { Dtype } from '../native.js'
import { resolveDevice } from '../runtime/device.js'
import { checkedDtype } from './dtype.js'
import { noGrad } from './gradient.js'
import { tensorOp } from './operator.js'
import type { Tensor } from './tensor.js'

/** Values as `dtype` (to integers: rounded towards zero); gradients pass between floating types. */
export function cast(x: Tensor, dtype: Dtype): Tensor {
  return tensorOp('to.dtype', [x, checkedDtype(dtype)])
}

/**
 * The tensor on another device, as another dtype, or both; shares memory with `x` where nothing changes.
 *
 *     to(x, { device: 'cuda', dtype: 'bfloat16' })
 */
export function to(x: Tensor, { dtype, device }: { readonly dtype?: Dtype; readonly device?: string }): Tensor {
  return tensorOp('to.dtype_layout', [x], {
    dtype: dtype === undefined ? null : checkedDtype(dtype),
    device: device === undefined ? null : resolveDevice(device).device,
  })
}

/** A copy in memory of its own; gradients pass through. */
export function clone(x: Tensor): Tensor {
  return tensorOp('clone', [x])
}

/**
 * Copies the values of `source` into `target`, in place and unrecorded: for weights set by hand.
 *
 * @throws ShapeError when the shapes differ
 */
export function assign(target: Tensor, source: Tensor): void {
  if (target.shape.join() !== source.shape.join()) {
    throw new ShapeError(`assign wants ${target} and a tensor of its shape, got ${source}`, {
      expected: target.shape,
      actual: source.shape,
    })
  }
  noGrad(() => tensorOp('copy_', [target, source])).dispose()
}
