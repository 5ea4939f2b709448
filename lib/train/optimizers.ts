/** Optimisers as plain descriptions; the native core computes the updates. g is the gradient, η the learning rate. */
import { ArgumentError } from '../errors.js'
import { argumentReader } from '../model/arguments.js'
import { describe, type OptionReader } from '../model/options.js'

/**
 * Gradient descent with momentum.
 *
 *     v ← momentum v + (1 − dampening)(g + weightDecay w);   w ← w − η v      nesterov: w ← w − η (g + momentum v)
 */
export interface Sgd {
  readonly kind: 'sgd'
  readonly learningRate: number
  readonly momentum: number
  readonly dampening: number
  readonly weightDecay: number
  readonly nesterov: boolean
}

/**
 * Adam (Kingma & Ba 2015): steps scaled by running moments of the gradient. Weight decay enters the gradient.
 *
 *     m ← β1 m + (1 − β1) g;   v ← β2 v + (1 − β2) g²;   w ← w − η m̂ / (√v̂ + ε)
 */
export interface Adam {
  readonly kind: 'adam'
  readonly learningRate: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
}

/** Adam with decoupled weight decay (Loshchilov & Hutter 2019): `w ← w − η weightDecay w` before the step. */
export interface AdamW extends Omit<Adam, 'kind'> {
  readonly kind: 'adamW'
}

export type OptimizerDescription = Sgd | Adam | AdamW

interface LearningRateOptions {
  /** η, at least 0. Default 1e-3. */
  readonly lr?: number
  /** Another name for `lr`. */
  readonly learningRate?: number
}

export interface SgdOptions extends LearningRateOptions {
  /** Default 0. */
  readonly momentum?: number
  /** Default 0. */
  readonly dampening?: number
  /** Default 0. */
  readonly weightDecay?: number
  /** Wants a momentum above 0 and no dampening. Default false. */
  readonly nesterov?: boolean
}

export interface AdamOptions extends LearningRateOptions {
  /** In [0, 1). Default 0.9. */
  readonly beta1?: number
  /** In [0, 1). Default 0.999. */
  readonly beta2?: number
  /** ε, default 1e-8. */
  readonly epsilon?: number
  /** Default 0 for `adam`, 0.01 for `adamW`. */
  readonly weightDecay?: number
}

/** @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` for an option that is not usable */
export function sgd(options: SgdOptions = {}): Sgd {
  const read = argumentReader('sgd', options)
  const optimizer: Sgd = {
    kind: 'sgd',
    learningRate: readLearningRate(read),
    momentum: read.number('momentum', { min: 0, below: 1 }, 0),
    dampening: read.number('dampening', { min: 0, max: 1 }, 0),
    weightDecay: read.number('weightDecay', { min: 0 }, 0),
    nesterov: read.flag('nesterov', false),
  }
  read.end()
  if (optimizer.nesterov && (optimizer.momentum === 0 || optimizer.dampening !== 0)) {
    read.fail('with nesterov needs a momentum above 0 and a dampening of 0', 'ERR_RANGE')
  }
  return optimizer
}

/** @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` for an option that is not usable */
export function adam(options: AdamOptions = {}): Adam {
  return { kind: 'adam', ...readMoments('adam', options, 0) }
}

/** @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` for an option that is not usable */
export function adamW(options: AdamOptions = {}): AdamW {
  return { kind: 'adamW', ...readMoments('adamW', options, 0.01) }
}

/**
 * The optimiser to use where the caller gave none (adamW); checks one made by hand.
 *
 * @throws ArgumentError `ERR_TYPE`, `ERR_RANGE`
 */
export function resolveOptimizer(optimizer: OptimizerDescription | undefined): OptimizerDescription {
  if (optimizer === undefined) return adamW()
  const { kind, ...options } = optimizer ?? {}
  switch (kind) {
    case 'sgd':
      return sgd(options)
    case 'adam':
      return adam(options)
    case 'adamW':
      return adamW(options)
    default:
      throw new ArgumentError(
        `optimizer must be made by sgd(), adam() or adamW(), got kind ${describe(kind)}`,
        'ERR_RANGE',
      )
  }
}

function readMoments(owner: string, options: AdamOptions, weightDecay: number): Omit<Adam, 'kind'> {
  const read = argumentReader(owner, options)
  const moments = {
    learningRate: readLearningRate(read),
    beta1: read.number('beta1', { min: 0, below: 1 }, 0.9),
    beta2: read.number('beta2', { min: 0, below: 1 }, 0.999),
    epsilon: read.number('epsilon', { above: 0 }, 1e-8),
    weightDecay: read.number('weightDecay', { min: 0 }, weightDecay),
  }
  read.end()
  return moments
}

function readLearningRate(read: OptionReader): number {
  if (read.has('lr') && read.has('learningRate')) {
    read.fail('takes lr or learningRate, which mean the same, not both', 'ERR_RANGE')
  }
  const name = read.has('lr') ? 'lr' : 'learningRate'
  read.raw('lr')
  read.raw('learningRate')
  return read.number(name, { min: 0 }, 1e-3)
}
