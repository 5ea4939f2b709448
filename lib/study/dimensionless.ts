/**
 * The neuron without units: v = (V − E) / (V_th − E), i = I / I_rheo, s = t / τ turn it into
 *
 *     dv/ds = −v + i;   where v ≥ 1: spike, v = v_reset, held for r
 *
 * so that all LIF neurons with the same v_reset and r = t_ref / τ are one neuron.
 */
import { checkNeuron, type LifNeuron, rheobase, timeConstant } from './neuron.js'
import { quantity } from './quantity.js'

/** What is left of a neuron without units. */
export interface DimensionlessNeuron {
  /** v_reset = (V_reset − E) / (V_th − E), below 1. */
  readonly reset: number
  /** r = t_ref / τ, at least 0. */
  readonly refractory: number
}

/** The units that a dimensionless neuron is given: C in pF, g in nS, E and V_th in mV. */
export type NeuronUnits = Pick<LifNeuron, 'capacitance' | 'conductance' | 'rest' | 'threshold'>

/**
 * The dimensionless numbers of a neuron.
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` for a neuron that makes no sense
 */
export function toDimensionless(neuron: LifNeuron): DimensionlessNeuron {
  const { rest, threshold, reset, refractory } = checkNeuron(neuron)
  return { reset: (reset - rest) / (threshold - rest), refractory: refractory / timeConstant(neuron) }
}

/**
 * The neuron with these dimensionless numbers and units; {@link toDimensionless} undoes it.
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` for numbers that make no neuron
 */
export function fromDimensionless(dimensionless: DimensionlessNeuron, units: NeuronUnits): LifNeuron {
  const { capacitance, conductance, rest, threshold } = units
  checkDimensionless(dimensionless, 'fromDimensionless')
  const reset = rest + dimensionless.reset * (threshold - rest)
  const refractory = (dimensionless.refractory * capacitance) / conductance
  return checkNeuron({ capacitance, conductance, rest, threshold, reset, refractory }, 'fromDimensionless')
}

/** i = I / I_rheo. @param current I, pA */
export function toDimensionlessCurrent(neuron: LifNeuron, current: number): number {
  return quantity('toDimensionlessCurrent', 'current', current, 'pA') / rheobase(checkNeuron(neuron))
}

/** I = i I_rheo, pA. */
export function fromDimensionlessCurrent(neuron: LifNeuron, current: number): number {
  return quantity('fromDimensionlessCurrent', 'current', current, '') * rheobase(checkNeuron(neuron))
}

/**
 * Spikes per time constant under the current i: f τ, in closed form.
 *
 *     φ(i) = 1 / (r + ln((i − v_reset) / (i − 1)))   for i > 1, else 0
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE`
 */
export function dimensionlessRate(neuron: DimensionlessNeuron, current: number): number {
  const { reset, refractory } = checkDimensionless(neuron, 'dimensionlessRate')
  const excess = quantity('dimensionlessRate', 'current', current, '') - 1
  return excess <= 0 ? 0 : 1 / (refractory + Math.log1p((1 - reset) / excess))
}

function checkDimensionless(neuron: DimensionlessNeuron, owner: string): DimensionlessNeuron {
  if (quantity(owner, 'reset', neuron.reset, '') >= 1)
    quantity(owner, 'reset', neuron.reset, '', { max: 1 - Number.EPSILON })
  quantity(owner, 'refractory', neuron.refractory, '', { min: 0 })
  return neuron
}
