/** The leaky integrate-and-fire neuron in physical units, and what follows from its numbers alone. */
import { ArgumentError } from '../errors.js'
import { quantity } from './quantity.js'

/**
 * A leaky integrate-and-fire neuron.
 *
 *     C dV/dt = −g (V − E) + I;   where V ≥ V_th: spike, V = V_reset, held for t_ref
 *
 * Lapicque (1907); Gerstner, Kistler, Naud, Paninski, "Neuronal Dynamics" (2014), section 1.3.
 */
export interface LifNeuron {
  /** C, membrane capacitance, pF. Above 0. */
  readonly capacitance: number
  /** g, leak conductance, nS. Above 0. */
  readonly conductance: number
  /** E, resting potential, mV. Below the threshold. */
  readonly rest: number
  /** V_th, firing threshold, mV. */
  readonly threshold: number
  /** V_reset, potential after a spike, mV. Below the threshold. */
  readonly reset: number
  /** t_ref, refractory period, ms. At least 0. */
  readonly refractory: number
}

/**
 * The neuron of the published study: τ 10 ms, g 10 nS, E = V_reset = −75 mV, V_th −55 mV, t_ref 2 ms, so that the rheobase is 200 pA.
 *
 * H. Katsoulakis, "Bridging Biological Neurons and Artificial Activations", University of Massachusetts Amherst (2025).
 */
export const publishedNeuron: LifNeuron = Object.freeze({
  capacitance: 100,
  conductance: 10,
  rest: -75,
  threshold: -55,
  reset: -75,
  refractory: 2,
})

const parameters = ['capacitance', 'conductance', 'rest', 'threshold', 'reset', 'refractory'] as const

/**
 * The same neuron, when its numbers make sense.
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` naming the parameter, its unit and its range
 */
export function checkNeuron(neuron: LifNeuron, owner = 'neuron'): LifNeuron {
  if (typeof neuron !== 'object' || neuron === null) {
    throw new ArgumentError(`${owner} must be an object with ${parameters.join(', ')}`, 'ERR_TYPE')
  }
  quantity(owner, 'capacitance', neuron.capacitance, 'pF', { min: 0, exclusive: true })
  quantity(owner, 'conductance', neuron.conductance, 'nS', { min: 0, exclusive: true })
  quantity(owner, 'threshold', neuron.threshold, 'mV')
  for (const name of ['rest', 'reset'] as const) {
    if (quantity(owner, name, neuron[name], 'mV') >= neuron.threshold) {
      const wanted = `below the threshold of ${neuron.threshold} mV`
      throw new ArgumentError(`${owner}: ${name} must be ${wanted}, got ${neuron[name]} mV`, 'ERR_RANGE', {
        parameter: name,
        unit: 'mV',
        value: neuron[name],
        max: neuron.threshold,
      })
    }
  }
  quantity(owner, 'refractory', neuron.refractory, 'ms', { min: 0 })
  return neuron
}

/** τ = C / g, ms. */
export function timeConstant({ capacitance, conductance }: LifNeuron): number {
  return capacitance / conductance
}

/** Rheobase, pA: the largest constant current that never makes the neuron fire, I_rheo = g (V_th − E). */
export function rheobase({ conductance, threshold, rest }: LifNeuron): number {
  return conductance * (threshold - rest)
}

/**
 * Firing rate under a constant current, Hz, in closed form:
 *
 *     f(I) = 1 / (t_ref + τ ln((I/g + E − V_reset) / (I/g + E − V_th)))   for I > I_rheo, else 0
 *
 * computed as τ ln(1 + g (V_th − V_reset) / (I − I_rheo)), which stays exact far above the rheobase.
 *
 * @param current I, pA
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` for a neuron or a current that makes no sense
 */
export function firingRate(neuron: LifNeuron, current: number): number {
  checkNeuron(neuron)
  const excess = quantity('firingRate', 'current', current, 'pA') - rheobase(neuron)
  if (excess <= 0) return 0
  const drop = neuron.conductance * (neuron.threshold - neuron.reset)
  return 1000 / (neuron.refractory + timeConstant(neuron) * Math.log1p(drop / excess))
}

/** {@link firingRate} of each current. */
export function firingRates(neuron: LifNeuron, currents: ArrayLike<number>): Float64Array {
  return Float64Array.from(currents, (current) => firingRate(neuron, current))
}

/**
 * Time from the beginning of a constant current to the first spike, ms; Infinity at or below the rheobase.
 *
 *     t = τ ln(1 + g (V_th − V_0) / (I − I_rheo))
 *
 * @param current I, pA
 * @param initial V_0, mV. Default: the resting potential
 */
export function firstSpikeTime(neuron: LifNeuron, current: number, initial: number = neuron.rest): number {
  checkNeuron(neuron)
  const excess = quantity('firstSpikeTime', 'current', current, 'pA') - rheobase(neuron)
  const gap = neuron.threshold - quantity('firstSpikeTime', 'initial', initial, 'mV', { max: neuron.threshold })
  return excess <= 0 ? Number.POSITIVE_INFINITY : timeConstant(neuron) * Math.log1p((neuron.conductance * gap) / excess)
}
