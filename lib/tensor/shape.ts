/** The same elements in another shape or order (views where possible), parts of a tensor, and several joined. */
import { ArgumentError } from '../errors.js'
import { tensor } from './create.js'
import { type OperatorArgument, tensorOp } from './operator.js'
import { Tensor } from './tensor.js'

/** Row-major elements in another shape; one size may be -1. A view where strides allow. */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  return tensorOp('reshape', [x, shape])
}

/** Axes in the order `dims`; a view. */
export function permute(x: Tensor, dims: readonly number[]): Tensor {
  return tensorOp('permute', [x, dims])
}

/** Two axes exchanged; a view. */
export function transpose(x: Tensor, dim0: number, dim1: number): Tensor {
  return tensorOp('transpose.int', [x, dim0, dim1])
}

/** Axes from `start` to `end` joined into one. */
export function flatten(x: Tensor, start = 0, end = -1): Tensor {
  return tensorOp('flatten.using_ints', [x, start, end])
}

/** Without the axis `dim` where its size is 1; without `dim`, without every such axis. */
export function squeeze(x: Tensor, dim?: number): Tensor {
  return dim === undefined ? tensorOp('squeeze', [x]) : tensorOp('squeeze.dim', [x, dim])
}

/** With a new axis of size 1 before `dim`. */
export function unsqueeze(x: Tensor, dim: number): Tensor {
  return tensorOp('unsqueeze', [x, dim])
}

/** Axes of size 1 repeated to `shape` without a copy; -1 leaves an axis as it is. */
export function expand(x: Tensor, shape: readonly number[]): Tensor {
  return tensorOp('expand', [x, shape])
}

/** The same values in row-major order in memory; `x` itself, as a new tensor, where it is so. */
export function contiguous(x: Tensor): Tensor {
  return tensorOp('contiguous', [x])
}

export interface SliceOptions {
  /** First place; negative: from the end. Default 0. */
  readonly start?: number
  /** Place after the last; negative: from the end. Default: the end. */
  readonly end?: number
  /** Default 1. */
  readonly step?: number
}

/** Places `start`, `start + step`, ... before `end` along `dim`; a view. */
export function slice(x: Tensor, dim: number, { start, end, step = 1 }: SliceOptions): Tensor {
  if (!Number.isInteger(step) || step < 1) {
    throw new ArgumentError(`slice wants a step of at least 1, got ${step}`, 'ERR_RANGE', { step })
  }
  return tensorOp('slice.Tensor', [x, dim, start ?? null, end ?? null, step])
}

/** One place along `dim`, that axis gone; a view. */
export function select(x: Tensor, dim: number, index: number): Tensor {
  return tensorOp('select.int', [x, dim, index])
}

/** The places `index` (int64 or int32 `[N]`, or numbers) along `dim`, in that order; a copy. */
export function indexSelect(x: Tensor, dim: number, index: Tensor | readonly number[]): Tensor {
  if (index instanceof Tensor) return tensorOp('index_select', [x, dim, index])
  using places = tensor(index, { dtype: 'int64', device: x.device })
  return tensorOp('index_select', [x, dim, places])
}

/**
 * Joined along an axis they have.
 *
 * @throws ArgumentError when the list is empty
 */
export function cat(tensors: readonly Tensor[], dim = 0): Tensor {
  return joined('cat', tensors, dim)
}

/**
 * Joined along a new axis.
 *
 * @throws ArgumentError when the list is empty
 */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  return joined('stack', tensors, dim)
}

function joined(name: string, tensors: readonly Tensor[], dim: number): Tensor {
  if (tensors.length === 0) throw new ArgumentError(`${name} wants at least one tensor`, 'ERR_RANGE')
  return tensorOp(name, [tensors as readonly OperatorArgument[], dim])
}
