/** Terms added to the loss, as plain descriptions. */
import { ArgumentError } from '../errors.js'
import { argumentReader } from '../model/arguments.js'
import { describe } from '../model/options.js'

/**
 * Pulls each spiking layer's mean activity r towards a target:
 *
 *     weight · mean over layers of |r − target|^p        p = 1 ('l1') or 2 ('l2')
 *
 * With `mode: 'upper'` only activity above the target costs.
 */
export interface FiringRateRegularizer {
  readonly kind: 'firingRate'
  /** Spikes per neuron and step. */
  readonly target: number
  readonly weight: number
  readonly norm: 'l1' | 'l2'
  readonly mode: 'two-sided' | 'upper'
}

export type Regularizer = FiringRateRegularizer

/**
 * Firing-rate regulariser.
 *
 * @param options `norm` is `'l2'` and `mode` `'two-sided'` by default
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE`
 */
export function firingRate(
  options: Pick<FiringRateRegularizer, 'target' | 'weight'> & Partial<Pick<FiringRateRegularizer, 'norm' | 'mode'>>,
): FiringRateRegularizer {
  const read = argumentReader('firingRate', options)
  const regularizer: FiringRateRegularizer = {
    kind: 'firingRate',
    target: read.number('target', { min: 0, max: 1e6 }),
    weight: read.number('weight', { min: 0, max: 1e9 }),
    norm: read.choice('norm', ['l1', 'l2'], 'l2'),
    mode: read.choice('mode', ['two-sided', 'upper'], 'two-sided'),
  }
  read.end()
  return regularizer
}

/**
 * What the native trainer takes: the regulariser, checked, or none.
 *
 * @throws ArgumentError `ERR_TYPE`, `ERR_RANGE`
 */
export function resolveRegularizer(regularizer: Regularizer | undefined): Regularizer | { readonly kind: 'none' } {
  if (regularizer === undefined) return { kind: 'none' }
  const { kind, ...options } = regularizer ?? {}
  if (kind !== 'firingRate') {
    throw new ArgumentError(`regularizer must be made by firingRate(), got kind ${describe(kind)}`, 'ERR_RANGE')
  }
  return firingRate(options)
}
