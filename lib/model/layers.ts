import type { Surrogate, SurrogateSetting } from './surrogate.js'

/** `[height, width]`. */
export type Pair = readonly [number, number]

/** `[height, width]`, or one number for both. */
export type PairOption = number | Pair

/** What is taken off the membrane after a spike: `θ`, all of it, or nothing. */
export type Reset = 'subtract' | 'zero' | 'none'

/** How a SEW block joins main path O and shortcut I: `O + I`, `O I`, `I (1 − O)`, `(O + I) / 2`. */
export type Connect = 'add' | 'and' | 'iand' | 'mean'
/** What a SEW block's convolutions feed: LIF neurons, or ReLU for the dense twin of the same topology. */
export type Activation = 'lif' | 'relu'

/** Running statistics of SpikeNorm: one pair per channel, or one per channel and time step. */
export type Statistics = 'shared' | 'perStep'

/**
 * Convolution alone, without activation or normalisation; one call over batch and time.
 *
 *     Y[o] = bias[o] + Σ_c weight[o, c] ⋆ X[c]
 *
 * Input `[channels, height, width]` at each step. Weights start Kaiming-normal (fan out), the bias at zero.
 */
export interface ConvBlockOptions {
  /** Default 3. */
  readonly kernel?: PairOption
  /** Default 1. */
  readonly stride?: PairOption
  /** Zeros around the input. Default 1. */
  readonly padding?: PairOption
  /** Default true. */
  readonly bias?: boolean
  /**
   * Weights of a new network: `'kaiming'`, normal for what a neuron or ReLU follows, with zero bias; or `'uniform'` in ±1/√fanIn with
   * the bias, for a head whose values are logits. Default `'kaiming'`.
   */
  readonly initial?: InitialWeights
}
export type InitialWeights = 'kaiming' | 'uniform'
export interface ConvBlockLayer {
  readonly kind: 'convBlock'
  readonly channels: number
  readonly kernel: Pair
  readonly stride: Pair
  readonly padding: Pair
  readonly bias: boolean
  readonly initial: InitialWeights
}

/**
 * Normalisation per channel whose statistics never mix time steps.
 *
 *     Y[t] = γ (X[t] − mean[t]) / √(variance[t] + ε) + β      mean and variance over batch and space of step t
 *
 * Evaluation uses running statistics, so that a sample's output never depends on its neighbours.
 */
export interface SpikeNormOptions {
  /** ε, default 1e-5. */
  readonly epsilon?: number
  /** Share of the newest statistics in the running ones, default 0.1. */
  readonly momentum?: number
  /** Default `'shared'`. */
  readonly statistics?: Statistics
}
export interface SpikeNormLayer {
  readonly kind: 'spikeNorm'
  readonly epsilon: number
  readonly momentum: number
  readonly statistics: Statistics
  readonly steps: number
}

/**
 * Leaky integrate-and-fire neuron: integrates, fires at the threshold, resets.
 *
 *     U[t] = β U[t−1] + (1−β) I[t];   S[t] = 1 if U[t] ≥ θ else 0;   U[t] ← U[t] − θ S[t]
 *
 * Output: spikes in the shape of the input. No weights unless `learnable` names some.
 */
export interface LifOptions {
  /** β in [0, 1], share of the membrane kept from step to step. Default 0.9. */
  readonly decay?: number
  /** Another name for `decay`. */
  readonly beta?: number
  /** θ above 0, in the units of the input. Default 1. */
  readonly threshold?: number
  /** Another name for `threshold`. */
  readonly theta?: number
  /** Scale the input by 1 − β. Default true. */
  readonly decayInput?: boolean
  /** Default `'subtract'`. */
  readonly reset?: Reset
  /** Apply the reset of step t at step t + 1. Default false. */
  readonly resetDelay?: boolean
  /** Keep the reset out of the gradient. Default false. */
  readonly detachReset?: boolean
  /** Default `'triangular'`. */
  readonly surrogate?: Surrogate
  /** Which of β and θ are trained. Default none. */
  readonly learnable?: readonly ('decay' | 'threshold')[]
  /** One trained value per channel instead of one for the layer. Default false. */
  readonly perChannel?: boolean
}
export interface LifSettings extends SurrogateSetting {
  readonly decay: number
  readonly threshold: number
  readonly decayInput: boolean
  readonly reset: Reset
  readonly resetDelay: boolean
  readonly detachReset: boolean
  readonly learnable: readonly ('decay' | 'threshold')[]
  readonly perChannel: boolean
}
export interface LifLayer extends LifSettings {
  readonly kind: 'lif'
}

/**
 * Spike-element-wise residual block.
 *
 *     Y = g(O, I)      O = stages of convolution 3×3 → SpikeNorm → LIF,  I = the input
 *
 * Where channels or stride differ, I goes through convolution 1×1 → SpikeNorm → LIF. With `connect: 'add'` values exceed 1.
 */
export interface SewBlockOptions extends LifOptions, SpikeNormOptions {
  /** Of the first stage and the shortcut. Default 1. */
  readonly stride?: PairOption
  /** Default 2. */
  readonly stages?: 1 | 2
  /** Default `'add'`. */
  readonly connect?: Connect
  /** `'relu'` makes it the dense residual block of the same weights; options of LIF then say nothing. Default `'lif'`. */
  readonly activation?: Activation
}
export interface SewBlockLayer extends LifSettings {
  readonly kind: 'sewBlock'
  readonly channels: number
  readonly stride: Pair
  readonly stages: number
  readonly connect: Connect
  readonly activation: Activation
  readonly epsilon: number
  readonly momentum: number
  readonly statistics: Statistics
  readonly steps: number
}

/** Fully connected layer over a flat input `[D]`: `y = W x + b`. */
export interface LinearOptions {
  /** Default true. */
  readonly bias?: boolean
}
export interface LinearLayer {
  readonly kind: 'linear'
  readonly features: number
  readonly bias: boolean
}

/** Mean or maximum over windows of the feature map. */
export interface PoolOptions {
  /** Default: the kernel, so that windows do not overlap. */
  readonly stride?: PairOption
  /** At most half the kernel. Default 0. */
  readonly padding?: PairOption
}
export interface PoolLayer {
  readonly kind: 'averagePool' | 'maxPool'
  readonly kernel: Pair
  readonly stride: Pair
  readonly padding: Pair
}

/** `[C, H, W]` to `[C H W]`. */
export interface FlattenLayer {
  readonly kind: 'flatten'
}

/** Mean over the time steps of a call: layers after it run once, and give the same at each step. */
export interface TimeMeanLayer {
  readonly kind: 'timeMean'
}

/** Zeroes values with this probability in training and scales the rest by 1/(1−p); one mask for all time steps. */
export interface DropoutLayer {
  readonly kind: 'dropout'
  readonly probability: number
}

/** `max(0, x)`, for dense twins of spiking networks. */
export interface ReluLayer {
  readonly kind: 'relu'
}

/**
 * Integrator without spikes; the output is its membrane at each step.
 *
 *     U[t] = β U[t−1] + (1−β) I[t]
 */
export interface LeakyReadoutOptions {
  /** β in [0, 1]. Default 0.9. */
  readonly decay?: number
  /** Another name for `decay`. */
  readonly beta?: number
  /** Scale the input by 1 − β. Default true. */
  readonly decayInput?: boolean
  /** `['decay']`: β is trained. Default none. */
  readonly learnable?: readonly 'decay'[]
}
export interface LeakyReadoutLayer {
  readonly kind: 'leakyReadout'
  readonly decay: number
  readonly decayInput: boolean
  readonly learnable: readonly 'decay'[]
}

/** `(x − mean) / std` per channel of the analog input; the first layer. */
export interface NormalizeLayer {
  readonly kind: 'normalize'
  readonly mean: readonly number[]
  readonly std: readonly number[]
}

/** The input itself as a current at every step: what happens without an encoder, said aloud. */
export interface DirectEncoderLayer {
  readonly kind: 'directEncoder'
}

/** Poisson code: at each step a spike with probability x, for x in [0, 1]. */
export interface RateEncoderLayer {
  readonly kind: 'rateEncoder'
}

/** One spike for each input x in [0, 1], at step `round((1 − x)(T − 1))`; none below the threshold. */
export interface LatencyEncoderLayer {
  readonly kind: 'latencyEncoder'
  readonly threshold: number
}

/** A layer with every option filled in, as specs and checkpoints hold it. */
export type Layer =
  | ConvBlockLayer
  | SpikeNormLayer
  | LifLayer
  | SewBlockLayer
  | LinearLayer
  | PoolLayer
  | FlattenLayer
  | TimeMeanLayer
  | DropoutLayer
  | ReluLayer
  | LeakyReadoutLayer
  | NormalizeLayer
  | DirectEncoderLayer
  | RateEncoderLayer
  | LatencyEncoderLayer

export type LayerKind = Layer['kind']
