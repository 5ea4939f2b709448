/** Convolution with the time steps folded into the batch, as a function. */
import { argumentReader } from '../model/arguments.js'
import type { PairOption } from '../model/layers.js'
import { tensorOp } from '../tensor/operator.js'
import { checkTensor, type Tensor } from '../tensor/tensor.js'

export interface ConvBlockFunctionOptions {
  /** `[out]`. Default: none. */
  readonly bias?: Tensor | undefined
  /** Default 1. */
  readonly stride?: PairOption
  /** Zeros around the input. Default 1. */
  readonly padding?: PairOption
}

/**
 * `Y[o] = bias[o] + Σ_c weight[o, c] ⋆ X[c]`: input `[B, C, H, W]` or `[B, T, C, H, W]`, weight `[out, C, kH, kW]`.
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` for an option that is not usable
 * @throws ShapeError when input, weight and bias do not fit
 */
export function convBlock(input: Tensor, weight: Tensor, options: ConvBlockFunctionOptions = {}): Tensor {
  checkTensor(input, 'convBlock')
  checkTensor(weight, 'convBlock')
  const { bias, ...rest } = options
  const read = argumentReader('convBlock', rest)
  const stride = read.pair('stride', { min: 1 }, [1, 1])
  const padding = read.pair('padding', { min: 0 }, [1, 1])
  read.end()
  return tensorOp('spikingrx::conv_block', [input, weight, bias ?? null, stride, padding])
}
