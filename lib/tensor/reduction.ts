/** Over all elements, or along the axes `dim` (negative: from the last); `keepdim` leaves these axes with size 1. */
import { tensorOp, tensorsOp } from './operator.js'
import type { Tensor } from './tensor.js'

export interface AxesOptions {
  /** Axes to reduce. Default: all. */
  readonly dim?: number | readonly number[]
  /** Keeps reduced axes with size 1. Default false. */
  readonly keepdim?: boolean
}

export interface AxisOptions {
  /** The axis to reduce. Default: all. */
  readonly dim?: number
  /** Keeps the reduced axis with size 1. Default false. */
  readonly keepdim?: boolean
}

/** Sum; of integers and bool as int64. */
export function sum(x: Tensor, { dim, keepdim = false }: AxesOptions = {}): Tensor {
  return tensorOp('sum.dim_IntList', [x, axes(dim), keepdim])
}

/** Mean, of a floating tensor. */
export function mean(x: Tensor, { dim, keepdim = false }: AxesOptions = {}): Tensor {
  return tensorOp('mean.dim', [x, axes(dim), keepdim])
}

/** Mean square distance from the mean; `unbiased` (default) divides by N - 1, else by N. */
export function variance(
  x: Tensor,
  { dim, keepdim = false, unbiased = true }: AxesOptions & { readonly unbiased?: boolean } = {},
): Tensor {
  return tensorOp('var.correction', [x, axes(dim)], { correction: unbiased ? 1 : 0, keepdim })
}

/** Largest element; NaN where one is. Among equals along `dim` the gradient goes to the one `argmax` names. */
export function max(x: Tensor, { dim, keepdim = false }: AxisOptions = {}): Tensor {
  return extreme('max', x, dim, keepdim)
}

/** Smallest element; NaN where one is. */
export function min(x: Tensor, { dim, keepdim = false }: AxisOptions = {}): Tensor {
  return extreme('min', x, dim, keepdim)
}

/** Place of the largest element, int64; without `dim`, in row-major order. */
export function argmax(x: Tensor, { dim, keepdim = false }: AxisOptions = {}): Tensor {
  return tensorOp('argmax', [x, dim ?? null, keepdim])
}

/** Place of the smallest element, int64; without `dim`, in row-major order. */
export function argmin(x: Tensor, { dim, keepdim = false }: AxisOptions = {}): Tensor {
  return tensorOp('argmin', [x, dim ?? null, keepdim])
}

function axes(dim: number | readonly number[] | undefined): readonly number[] | null {
  if (dim === undefined) return null
  return typeof dim === 'number' ? [dim] : dim
}

function extreme(name: 'max' | 'min', x: Tensor, dim: number | undefined, keepdim: boolean): Tensor {
  if (dim === undefined) return tensorOp(name, [x])
  const [values, places] = tensorsOp(`${name}.dim`, [x, dim, keepdim])
  places!.dispose()
  return values!
}
