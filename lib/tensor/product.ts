/** Products: matrices, linear maps, convolutions; and pooling. Images are `[B, C, H, W]` or `[C, H, W]`. */
import { tensorOp } from './operator.js'
import type { Tensor } from './tensor.js'

/** One number for both, or [vertical, horizontal]. */
export type Pair = number | readonly [number, number]

/** Matrix product over the last two axes, the others broadcast: `[..., N, K]` and `[..., K, M]` give `[..., N, M]`. */
export function matmul(x: Tensor, y: Tensor): Tensor {
  return tensorOp('matmul', [x, y])
}

/** x Wᵀ + b: input `[..., in]`, weight `[out, in]`, bias `[out]`, output `[..., out]`. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  return tensorOp('linear', [x, weight, bias ?? null])
}

export interface Conv2dOptions {
  /** `[out]`, added to every place. */
  readonly bias?: Tensor
  /** Default 1. */
  readonly stride?: Pair
  /** Zeros around the image. Default 0. */
  readonly padding?: Pair
  /** Distance between the places one kernel reads. Default 1. */
  readonly dilation?: Pair
  /** Channels are cut into so many groups, convolved apart. Default 1. */
  readonly groups?: number
}

/** Cross-correlation with `weight` `[out, in / groups, kernelH, kernelW]`. */
export function conv2d(x: Tensor, weight: Tensor, options: Conv2dOptions = {}): Tensor {
  const { bias, stride = 1, padding = 0, dilation = 1, groups = 1 } = options
  return tensorOp('conv2d', [x, weight, bias ?? null, pair(stride), pair(padding), pair(dilation), groups])
}

export interface PoolOptions {
  /** Default: the kernel's size. */
  readonly stride?: Pair
  /** Default 0. */
  readonly padding?: Pair
}

/** Mean over windows of `kernel`; zeros of the padding count. */
export function avgPool2d(x: Tensor, kernel: Pair, { stride = kernel, padding = 0 }: PoolOptions = {}): Tensor {
  return tensorOp('avg_pool2d', [x, pair(kernel), pair(stride), pair(padding)])
}

/** Largest element of windows of `kernel`. */
export function maxPool2d(x: Tensor, kernel: Pair, { stride = kernel, padding = 0 }: PoolOptions = {}): Tensor {
  return tensorOp('max_pool2d', [x, pair(kernel), pair(stride), pair(padding)])
}

/** Both numbers of a pair. */
export function pair(value: Pair): readonly [number, number] {
  return typeof value === 'number' ? [value, value] : value
}
