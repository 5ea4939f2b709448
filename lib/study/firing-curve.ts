/** Firing rate against input current (F-I curve), measured by simulation. */
import { ArgumentError } from '../errors.js'
import { firingRates, type LifNeuron, publishedNeuron, rheobase } from './neuron.js'
import { quantity } from './quantity.js'
import { publishedStep, type Simulation, simulate } from './simulate.js'

export interface FiringCurveOptions {
  /** Default `exact`. */
  readonly method?: 'exact' | 'euler'
  /** Time step of Euler, ms. Default 0.1. */
  readonly dt?: number
  /** Simulated time, ms. Default 1000. */
  readonly duration?: number
  /** Time at the beginning in which spikes do not count, ms. Default 0. */
  readonly settle?: number
  /** How spikes become a rate. Default `interval`. */
  readonly measure?: RateMeasure
}

/**
 * `interval`: the inverse of the mean time between spikes; 0 with fewer than two spikes.
 * `count`: spikes after `settle`, divided by the time after it; in whole spikes, so that it rises in steps.
 */
export type RateMeasure = 'interval' | 'count'

export interface FiringCurve {
  /** pA */
  readonly currents: Float64Array
  /** Hz */
  readonly rates: Float64Array
}

/**
 * The published protocol: Euler with 0.1 ms, 1000 ms, the first 100 ms not counted, currents 0, 5, ... 495 pA.
 *
 * The seed states its figures but not this protocol. Among time steps 0.01 to 0.5 ms, durations, settling times, current steps and ways to
 * count, only this one gives all of slope .4278, offset 141.5, R² .9784, L 128.8, k .0198, x0 282.5, R² .9788 and 138.9 Hz.
 */
export const publishedProtocol = Object.freeze({
  method: 'euler',
  dt: publishedStep,
  duration: 1000,
  settle: 100,
  measure: 'count',
} as const satisfies FiringCurveOptions)

/** `from`, `from + step`, ... up to `to`, that included, pA. */
export function currentRange(from: number, to: number, step: number): Float64Array {
  quantity('currentRange', 'from', from, 'pA')
  quantity('currentRange', 'step', step, 'pA', { min: 0, exclusive: true })
  quantity('currentRange', 'to', to, 'pA', { min: from })
  const count = Math.floor((to - from) / step + 1e-9) + 1
  quantity('currentRange', 'number of currents', count, '', { max: 1e7 })
  return Float64Array.from({ length: count }, (_, k) => from + k * step)
}

/** The published range: 0 to 495 pA in steps of 5. */
export function publishedCurrents(): Float64Array {
  return currentRange(0, 495, 5)
}

/** From 0 to 20 rheobases, in steps of a fortieth of the rheobase (5 pA for the published neuron). */
export function longCurrents(neuron: LifNeuron = publishedNeuron): Float64Array {
  return currentRange(0, 20 * rheobase(neuron), rheobase(neuron) / 40)
}

/**
 * Rates under constant currents by simulation: all currents at once, off the main thread.
 *
 *     await firingCurve(publishedNeuron, publishedCurrents(), publishedProtocol)   // 138.9 Hz at 495 pA
 *
 * @param currents pA
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` naming the parameter, its unit and its range
 */
export async function firingCurve(
  neuron: LifNeuron,
  currents: ArrayLike<number>,
  options: FiringCurveOptions = {},
): Promise<FiringCurve> {
  const { method = 'exact', dt = publishedStep, duration = 1000, settle = 0, measure = 'interval' } = options
  const run = await simulate(neuron, currents, method === 'euler' ? { method, dt, duration } : { method, duration })
  return { currents: Float64Array.from(currents), rates: measuredRates(run, { settle, measure }) }
}

/** The same curve from the closed form. */
export function closedFormCurve(neuron: LifNeuron, currents: ArrayLike<number>): FiringCurve {
  return { currents: Float64Array.from(currents), rates: firingRates(neuron, currents) }
}

/**
 * Firing rate of each row of a simulation, Hz.
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE`
 */
export function measuredRates(
  run: Simulation,
  { settle = 0, measure = 'interval' }: Pick<FiringCurveOptions, 'settle' | 'measure'> = {},
): Float64Array {
  quantity('measuredRates', 'settle', settle, 'ms', { min: 0 })
  if (settle >= run.duration) {
    const details = { parameter: 'settle', unit: 'ms', value: settle, max: run.duration }
    const wanted = `shorter than the duration of ${run.duration} ms`
    throw new ArgumentError(`measuredRates: settle must be ${wanted}, got ${settle} ms`, 'ERR_RANGE', details)
  }
  if (measure !== 'interval' && measure !== 'count') {
    throw new ArgumentError(
      `measuredRates: measure must be interval or count, got ${JSON.stringify(measure)}`,
      'ERR_RANGE',
    )
  }
  return Float64Array.from(run.spikes, (train) => {
    // Euler's times are multiples of dt with their rounding: a spike at the end of settling does not count.
    const counted = train.filter((time) => time > settle * (1 + 1e-12))
    if (measure === 'count') return (1000 * counted.length) / (run.duration - settle)
    return counted.length < 2 ? 0 : (1000 * (counted.length - 1)) / (counted.at(-1)! - counted[0]!)
  })
}
