/** Losses, as tensors that `backward` starts from. */
import { ArgumentError } from '../errors.js'
import { cast } from './convert.js'
import { isFloating } from './dtype.js'
import { tensorOp } from './operator.js'
import type { Tensor } from './tensor.js'

const REDUCTIONS = { none: 0, mean: 1, sum: 2 } as const

export interface LossOptions {
  /** What becomes of the single losses. Default `'mean'`. */
  readonly reduction?: 'mean' | 'sum' | 'none'
}

export interface CrossEntropyOptions extends LossOptions {
  /** Weight of each class, `[K]`. */
  readonly weight?: Tensor
  /** Class that counts for nothing. Default -100. */
  readonly ignoreIndex?: number
  /** Share of the target spread evenly over all classes, in [0, 1]. Default 0. */
  readonly labelSmoothing?: number
}

/**
 * -log softmax(logits)[target], logits `[B, K, ...]`.
 *
 * Targets are classes (any integer dtype, `[B, ...]`) or their probabilities (floating, `[B, K, ...]`).
 *
 * @throws ArgumentError `ERR_RANGE` when `labelSmoothing` is outside [0, 1]
 */
export function crossEntropy(logits: Tensor, targets: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const { weight, reduction, ignoreIndex = -100, labelSmoothing = 0 } = options
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ArgumentError(`crossEntropy wants labelSmoothing in [0, 1], got ${labelSmoothing}`, 'ERR_RANGE')
  }
  const compute = (classes: Tensor): Tensor =>
    tensorOp('cross_entropy_loss', [
      logits,
      classes,
      weight ?? null,
      reductionCode('crossEntropy', reduction),
      ignoreIndex,
      labelSmoothing,
    ])
  if (targets.dtype === 'int64' || isFloating(targets.dtype)) return compute(targets)
  using classes = cast(targets, 'int64')
  return compute(classes)
}

/** (x - y)², x and y of one shape. */
export function mse(x: Tensor, y: Tensor, { reduction }: LossOptions = {}): Tensor {
  return tensorOp('mse_loss', [x, y, reductionCode('mse', reduction)])
}

export interface BinaryCrossEntropyOptions extends LossOptions {
  /** Weight of each element, broadcast. */
  readonly weight?: Tensor
  /** Weight of the positive targets, broadcast. */
  readonly positiveWeight?: Tensor
}

/** -(y log s + (1 - y) log(1 - s)), s = sigmoid(logits), without overflow; targets floating in [0, 1]. */
export function binaryCrossEntropyWithLogits(
  logits: Tensor,
  targets: Tensor,
  { weight, positiveWeight, reduction }: BinaryCrossEntropyOptions = {},
): Tensor {
  const code = reductionCode('binaryCrossEntropyWithLogits', reduction)
  return tensorOp('binary_cross_entropy_with_logits', [logits, targets, weight ?? null, positiveWeight ?? null, code])
}

function reductionCode(where: string, reduction: LossOptions['reduction'] = 'mean'): number {
  if (!Object.hasOwn(REDUCTIONS, reduction)) {
    throw new ArgumentError(`${where} wants reduction 'mean', 'sum' or 'none', got ${JSON.stringify(reduction)}`)
  }
  return REDUCTIONS[reduction]
}
