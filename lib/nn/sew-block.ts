/** Spike-element-wise residual block as a function of its tensors. */

import { ArgumentError } from '../errors.js'
import { argumentReader } from '../model/arguments.js'
import { readLifSettings } from '../model/definitions/neuron.js'
import type { Activation, Connect, LifOptions, LifSettings, PairOption } from '../model/layers.js'
import { relu } from '../tensor/activation.js'
import { tensorOp, tensorsOp } from '../tensor/operator.js'
import { scope } from '../tensor/scope.js'
import { checkTensor, type Tensor } from '../tensor/tensor.js'
import { convBlock } from './conv-block.js'
import { neuronArguments, neuronTensors } from './lif.js'
import { type SpikeNormFunctionOptions, type SpikeNormTensors, spikeNorm } from './spike-norm.js'

/** Convolution → SpikeNorm → LIF (or ReLU). */
export interface SewStage {
  /** `[out, in, k, k]`; 3×3 on the main path, 1×1 on the shortcut. */
  readonly weight: Tensor
  /** `[out]`. */
  readonly bias?: Tensor | undefined
  readonly norm: SpikeNormTensors
  /** β of the neurons, before that of the options. */
  readonly decay?: Tensor | undefined
  /** θ of the neurons, before that of the options. */
  readonly threshold?: Tensor | undefined
}

export interface SewTensors {
  readonly stages: readonly SewStage[]
  /** Where channels or stride differ; else the shortcut is the input itself. */
  readonly shortcut?: SewStage | undefined
}

export interface SewBlockFunctionOptions extends Omit<LifOptions, 'learnable' | 'perChannel'> {
  /** Of the first stage and the shortcut. Default 1. */
  readonly stride?: PairOption
  /** Default `'add'`. */
  readonly connect?: Connect
  /** `'relu'`: the dense block, without membranes. Default `'lif'`. */
  readonly activation?: Activation
  /** As for `spikeNorm`. Default false. */
  readonly training?: boolean
  readonly epsilon?: number
  readonly momentum?: number
  /** Membranes before the first step, in the order of `state` of the result. Default: zeros. */
  readonly state?: readonly Tensor[] | undefined
}

export interface SewBlockResult {
  /** `[B, T, out, H / stride, W / stride]` */
  readonly output: Tensor
  /** Membranes after the last step: of each stage, then of the shortcut where there is one. */
  readonly state: readonly Tensor[]
}

/** g(main O, shortcut I), two tensors of one shape: `add` O + I, `and` O I, `iand` I (1 − O), `mean` (O + I) / 2. */
export function sewConnect(main: Tensor, shortcut: Tensor, connect: Connect = 'add'): Tensor {
  return tensorOp('spikingrx::sew_connect', [main, shortcut, connect])
}

/**
 * `Y = g(O, I)`: O the stages of convolution → SpikeNorm → LIF over all steps of the input `[B, T, C, H, W]`, I the
 * input, or its own 1×1 stage. With `connect: 'add'` values exceed 1.
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` for an option that is not usable
 * @throws ShapeError when the tensors do not fit
 */
export function sewBlock(input: Tensor, tensors: SewTensors, options: SewBlockFunctionOptions = {}): SewBlockResult {
  checkTensor(input, 'sewBlock')
  const { state, ...rest } = options
  const read = argumentReader('sewBlock', rest)
  const stride = read.pair('stride', { min: 1 }, [1, 1])
  const connect = read.choice('connect', ['add', 'and', 'iand', 'mean'], 'add')
  const activation = read.choice('activation', ['lif', 'relu'], 'lif')
  const norm = {
    training: read.flag('training', false),
    epsilon: read.number('epsilon', { above: 0 }, 1e-5),
    momentum: read.number('momentum', { min: 0, max: 1 }, 0.1),
  }
  const neuron = readLifSettings(read)
  read.end()
  const stages = [...tensors.stages, ...(tensors.shortcut ? [tensors.shortcut] : [])]
  const neurons = activation === 'lif' ? stages.length : 0
  if (state !== undefined && state.length !== neurons) {
    throw new ArgumentError(`sewBlock wants ${neurons} membranes as state, got ${state.length}`, 'ERR_RANGE')
  }
  return scope(() => {
    const membranes: Tensor[] = []
    const run = (
      from: Tensor,
      stage: SewStage,
      at: { readonly stride: PairOption; readonly padding: number },
    ): Tensor => {
      const convolved = convBlock(from, stage.weight, { bias: stage.bias, ...at })
      if (activation === 'relu') return relu(spikeNorm(convolved, stage.norm, norm))
      const { spikes, membrane } = normAndFire(convolved, stage, norm, neuron, state?.[membranes.length])
      membranes.push(membrane)
      return spikes
    }
    let main = input
    tensors.stages.forEach((stage, k) => {
      main = run(main, stage, { stride: k === 0 ? stride : 1, padding: 1 })
    })
    const shortcut = tensors.shortcut ? run(input, tensors.shortcut, { stride, padding: 0 }) : input
    return { output: sewConnect(main, shortcut, connect), state: membranes }
  })
}

/** SpikeNorm and LIF as one operator, which stores nothing between them where it need not. */
function normAndFire(
  input: Tensor,
  stage: SewStage,
  norm: SpikeNormFunctionOptions,
  neuron: LifSettings,
  membrane: Tensor | undefined,
) {
  const { gamma, beta, runningMean, runningVariance } = stage.norm
  const { decay, threshold } = neuronTensors(neuron, stage, input)
  const tensors = [input, gamma, beta, runningMean, runningVariance, decay, threshold, membrane ?? null]
  const [spikes, state] = tensorsOp('spikingrx::norm_lif', tensors, { ...norm, ...neuronArguments(neuron) })
  return { spikes: spikes!, membrane: state! }
}
