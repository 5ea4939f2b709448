/** Normalisation whose statistics never mix time steps, as a function. */
import { argumentReader } from '../model/arguments.js'
import { tensorOp } from '../tensor/operator.js'
import { checkTensor, type Tensor } from '../tensor/tensor.js'

export interface SpikeNormTensors {
  /** γ `[C]`. */
  readonly gamma: Tensor
  /** β `[C]`. */
  readonly beta: Tensor
  /** `[C]`, or `[T, C]` for statistics of each step; changed in place in training. */
  readonly runningMean: Tensor
  /** Like `runningMean`. */
  readonly runningVariance: Tensor
}

export interface SpikeNormFunctionOptions {
  /** Uses the statistics of the batch and updates the running ones; else uses the running ones. Default false. */
  readonly training?: boolean
  /** ε, default 1e-5. */
  readonly epsilon?: number
  /** Share of the newest statistics in the running ones, default 0.1. */
  readonly momentum?: number
}

/**
 * `Y[t] = γ (X[t] − mean[t]) / √(variance[t] + ε) + β`, mean and biased variance over batch and space of step t alone.
 * Input `[B, C, H, W]` or `[B, T, C, H, W]`.
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` for an option that is not usable
 * @throws ShapeError when the tensors do not fit
 */
export function spikeNorm(input: Tensor, tensors: SpikeNormTensors, options: SpikeNormFunctionOptions = {}): Tensor {
  checkTensor(input, 'spikeNorm')
  const read = argumentReader('spikeNorm', options)
  const training = read.flag('training', false)
  const epsilon = read.number('epsilon', { above: 0 }, 1e-5)
  const momentum = read.number('momentum', { min: 0, max: 1 }, 0.1)
  read.end()
  const { gamma, beta, runningMean, runningVariance } = tensors
  return tensorOp('spikingrx::spike_norm', [
    input,
    gamma,
    beta,
    runningMean,
    runningVariance,
    training,
    momentum,
    epsilon,
  ])
}
