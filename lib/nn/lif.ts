/** Leaky integrate-and-fire neurons as functions, on the fused operators of the native core. */
import { argumentReader } from '../model/arguments.js'
import { readLifSettings } from '../model/definitions/neuron.js'
import type { LifOptions, LifSettings } from '../model/layers.js'
import { mul, sub } from '../tensor/arithmetic.js'
import { full } from '../tensor/create.js'
import { tensorOp, tensorsOp } from '../tensor/operator.js'
import { scope } from '../tensor/scope.js'
import { reshape } from '../tensor/shape.js'
import { checkTensor, Tensor } from '../tensor/tensor.js'

type NeuronOptions = Omit<LifOptions, 'decay' | 'beta' | 'threshold' | 'theta' | 'learnable' | 'perChannel'>

/** What may differ from call to call. */
export interface LifRun {
  /** U before the first step, `[B, ...]`. Default: zeros. */
  readonly membrane?: Tensor | undefined
  /** Presents a current of one step, `[B, 1, ...]`, at each of so many steps. */
  readonly steps?: number
  /**
   * Where backward gets the membranes from: recomputed from the current (`recompute`), or saved by forward (`save`), which
   * takes as much memory again as the current. The same values. Default `auto`, which recomputes: as fast or faster.
   */
  readonly membranes?: 'auto' | 'recompute' | 'save'
  /** Returns the membrane before reset at each step. Default false. */
  readonly trace?: boolean
  /** Returns the membrane after reset at each step. Default false. */
  readonly traceAfterReset?: boolean
}

export interface LifFunctionOptions extends NeuronOptions, LifRun {
  /** β in [0, 1]: a number, or a tensor without axes or of one value per channel (axis 2). Default 0.9. */
  readonly decay?: number | Tensor
  /** θ above 0: likewise. Default 1. */
  readonly threshold?: number | Tensor
}

export interface LifResult {
  /** `[B, T, ...]`, 0 or 1, dtype of the current. */
  readonly spikes: Tensor
  /** U after the last step, `[B, ...]`: `membrane` of the next call continues the sequence. */
  readonly membrane: Tensor
  /** U before reset at each step, `[B, T, ...]`, where asked for. */
  readonly trace?: Tensor
  /** U after reset at each step, `[B, T, ...]`, where asked for; with `resetDelay` the same as `trace`. */
  readonly traceAfterReset?: Tensor
}

/**
 * Leaky integrate-and-fire over the T steps of `current` `[B, T, ...]` (floating, at least three axes):
 *
 *     U[t] = β U[t−1] + (1−β) I[t];   S[t] = 1 if U[t] ≥ θ else 0;   U[t] ← U[t] − θ S[t]
 *
 * Backward replaces the derivative of the spike by the surrogate's. Options as for the `lif` layer.
 *
 *     const { spikes, membrane } = lif(current, { decay: 0.9, threshold: 0.5, surrogate: { kind: 'atan', alpha: 2 } })
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` for an option that is not usable
 * @throws ShapeError when `current`, `membrane`, `decay` or `threshold` have shapes that do not fit
 */
export function lif(current: Tensor, options: LifFunctionOptions = {}): LifResult {
  checkTensor(current, 'lif')
  const { decay, threshold, membrane, steps, trace, traceAfterReset, membranes, ...rest } = options
  const read = argumentReader('lif', { ...rest, ...numbersOf({ decay, threshold }) })
  const settings = readLifSettings(read)
  read.end()
  const parameters = { ...tensorsOf({ decay, threshold }) }
  const run = { steps, trace, traceAfterReset, membranes }
  const given = Object.fromEntries(Object.entries(run).filter(([, value]) => value !== undefined))
  return runLif(current, settings, parameters, { membrane, ...given })
}

/** What neurons may have as tensors. */
export interface NeuronParameters {
  readonly decay?: Tensor | undefined
  readonly threshold?: Tensor | undefined
}

/** {@link lif} with checked settings; `parameters` go before the numbers of the settings. */
export function runLif(
  current: Tensor,
  settings: LifSettings,
  parameters: NeuronParameters,
  { membrane, steps = 0, trace = false, traceAfterReset = false, membranes = 'auto' }: LifRun,
): LifResult {
  return scope(() => {
    const { decay, threshold } = neuronTensors(settings, parameters, current)
    const [spikes, state, before] = tensorsOp('spikingrx::lif', [current, decay, threshold, membrane ?? null], {
      steps,
      ...neuronArguments(settings),
      trace: trace || traceAfterReset,
      ...(membranes === 'auto' ? {} : { membranes }),
    })
    const result = { spikes: spikes!, membrane: state! }
    return {
      ...result,
      ...(trace ? { trace: before! } : {}),
      ...(traceAfterReset ? { traceAfterReset: afterReset(before!, spikes!, threshold, settings) } : {}),
    }
  })
}

/** What an operator with neurons is told by name. */
export function neuronArguments(settings: LifSettings) {
  return {
    decay_input: settings.decayInput,
    reset: settings.reset,
    reset_delay: settings.resetDelay,
    detach_reset: settings.detachReset,
    surrogate: settings.surrogate,
    surrogate_parameter: settings.surrogateParameter,
  }
}

/** β and θ as an operator takes them. */
export function neuronTensors(settings: LifSettings, { decay, threshold }: NeuronParameters, beside: Tensor) {
  return {
    decay: decay ?? scalar(settings.decay, beside),
    threshold: threshold ?? scalar(settings.threshold, beside),
  }
}

/** U − θ S, U (1 − S) or U; a delayed reset has not acted yet. */
function afterReset(before: Tensor, spikes: Tensor, threshold: Tensor, settings: LifSettings): Tensor {
  if (settings.reset === 'none' || settings.resetDelay) return tensorOp('alias', [before])
  const fired = settings.detachReset ? spikes.detach() : spikes
  if (settings.reset === 'zero') return mul(before, sub(1, fired))
  const perChannel = threshold.rank === 0 ? threshold : reshape(threshold, [-1, ...before.shape.slice(3).map(() => 1)])
  return sub(before, mul(fired, perChannel))
}

export interface LeakyIntegrateOptions {
  /** β in [0, 1]: a number, or a tensor without axes or of one value per channel (axis 2). Default 0.9. */
  readonly decay?: number | Tensor
  /** Scale the input by 1 − β. Default true. */
  readonly decayInput?: boolean
  /** U before the first step, `[B, ...]`. Default: zeros. */
  readonly membrane?: Tensor | undefined
  /** Presents a current of one step, `[B, 1, ...]`, at each of so many steps. */
  readonly steps?: number
}

export interface LeakyIntegrateResult {
  /** U at each step, `[B, T, ...]`. */
  readonly trace: Tensor
  /** U after the last step, `[B, ...]`. */
  readonly membrane: Tensor
}

/**
 * Integrator without spikes over the T steps of `current` `[B, T, ...]`:
 *
 *     U[t] = β U[t−1] + (1−β) I[t]
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` for an option that is not usable
 * @throws ShapeError when shapes do not fit
 */
export function leakyIntegrate(current: Tensor, options: LeakyIntegrateOptions = {}): LeakyIntegrateResult {
  checkTensor(current, 'leakyIntegrate')
  const { decay, membrane, steps = 0, ...rest } = options
  const read = argumentReader('leakyIntegrate', { ...rest, ...numbersOf({ decay }) })
  const decayInput = read.flag('decayInput', true)
  const beta = read.number('decay', { min: 0, max: 1 }, 0.9)
  read.end()
  return scope(() => {
    const share = decay instanceof Tensor ? decay : scalar(beta, current)
    const [trace, state] = tensorsOp('spikingrx::leaky_integrate', [current, share, membrane ?? null], {
      steps,
      decay_input: decayInput,
    })
    return { trace: trace!, membrane: state! }
  })
}

/** The options given as numbers, for the option reader. */
function numbersOf(options: Readonly<Record<string, number | Tensor | undefined>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined && !(value instanceof Tensor)),
  )
}

/** The options given as tensors. */
function tensorsOf(options: Readonly<Record<string, number | Tensor | undefined>>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(options).filter((entry): entry is [string, Tensor] => entry[1] instanceof Tensor),
  )
}

// float64, so that 0.9 is 0.9 until the kernel rounds it to the type it computes in.
function scalar(value: number, beside: Tensor): Tensor {
  return full([], value, { dtype: 'float64', device: beside.device })
}
