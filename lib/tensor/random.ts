/** Random tensors, from libtorch's generator of the device; `manualSeed` makes them repeat. */
import { ArgumentError } from '../errors.js'
import { native } from '../runtime/addon.js'
import { made } from './create.js'
import { checkShape } from './literal.js'
import { tensorOp } from './operator.js'
import type { Tensor, TensorOptions } from './tensor.js'

/**
 * Seeds libtorch's generators: the same seed gives the same numbers afterwards.
 *
 * @throws ArgumentError `ERR_RANGE` unless `seed` is an integer from 0 to 2^53 - 1
 */
export function manualSeed(seed: number): void {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ArgumentError(`manualSeed wants an integer from 0 to 2^53 - 1, got ${seed}`, 'ERR_RANGE', { seed })
  }
  native().manualSeed(seed)
}

/** Uniform in [0, 1). */
export function rand(shape: readonly number[], options: TensorOptions = {}): Tensor {
  checkShape(shape, 'rand')
  return made('rand', [shape], options)
}

/** Standard normal: mean 0, standard deviation 1. */
export function randn(shape: readonly number[], options: TensorOptions = {}): Tensor {
  checkShape(shape, 'randn')
  return made('randn', [shape], options)
}

/**
 * Integers from `low` to `high - 1`, all as likely; int64 unless a dtype is named.
 *
 * @throws ArgumentError `ERR_RANGE` unless `low < high` are integers
 */
export function randint(low: number, high: number, shape: readonly number[], options: TensorOptions = {}): Tensor {
  checkShape(shape, 'randint')
  if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || low >= high) {
    throw new ArgumentError(`randint wants integers low < high, got ${low} and ${high}`, 'ERR_RANGE', { low, high })
  }
  return made('randint.low', [low, high, shape], options, 'int64')
}

/** 1 with the probability that each element of `probability` gives, else 0; of its shape and dtype. */
export function bernoulli(probability: Tensor): Tensor {
  return tensorOp('bernoulli', [probability])
}
