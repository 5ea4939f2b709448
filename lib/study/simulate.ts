/** Many neurons under many currents at once, on the native kernels. */
import { ArgumentError, ShapeError } from '../errors.js'
import { tensor } from '../tensor/create.js'
import { type OperatorResult, opAsync } from '../tensor/operator.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Current, currentPieces } from './current.js'
import { checkNeuron, type LifNeuron, timeConstant } from './neuron.js'
import { quantity } from './quantity.js'

interface CommonOptions {
  /** Simulated time, ms. */
  readonly duration: number
  /** V at t = 0, mV: one for all or one a row. Default: the resting potential. */
  readonly initial?: number | ArrayLike<number>
  /**
   * Records the voltage every so many ms (with Euler: a multiple of `dt`). Default: no voltage. A sample at a spike shows the
   * potential after it.
   */
  readonly sampling?: number
}

/** The solution in closed form between events: no time step, spike times exact to rounding. */
export interface ExactOptions extends CommonOptions {
  readonly method?: 'exact'
}

/** Explicit Euler: V[k+1] = V[k] + dt (I − g (V[k] − E)) / C, a refractory period of round(t_ref / dt) steps. */
export interface EulerOptions extends CommonOptions {
  readonly method: 'euler'
  /** Time step, ms: at most τ / 10. Default 0.1. */
  readonly dt?: number
}

export type SimulateOptions = ExactOptions | EulerOptions

export interface Simulation {
  /** Spike times of each row, ms, ascending. */
  readonly spikes: readonly Float64Array[]
  /** ms */
  readonly duration: number
  readonly voltage?: Voltage
}

export interface Voltage {
  /** [S] ms */
  readonly times: Float64Array
  /** Each row's V, [S] mV. */
  readonly values: readonly Float64Array[]
}

/** The published study's time step, ms. */
export const publishedStep = 0.1

/** dt may be this share of τ. */
const largestStep = 0.1

/**
 * Simulates neurons under currents, off the main thread. Rows: as many as there are neurons or currents; one of either stands for all.
 *
 *     const { spikes } = await simulate(publishedNeuron, [205, 210, 400], { duration: 500 })
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` naming the parameter, its unit and its range, such as a `dt` too large for τ
 * @throws ShapeError when neurons, currents and initial voltages differ in number
 */
export async function simulate(
  neurons: LifNeuron | readonly LifNeuron[],
  currents: Current | number | ArrayLike<Current | number>,
  options: SimulateOptions,
): Promise<Simulation> {
  const population = listOf<LifNeuron>(neurons)
  const inputs = listOf<Current | number>(currents)
  const rows = rowCount(population.length, inputs.length)
  population.forEach((neuron, i) => void checkNeuron(neuron, population.length > 1 ? `neuron ${i}` : 'neuron'))
  const duration = quantity('simulate', 'duration', options.duration, 'ms', { min: 0, exclusive: true })
  const scheme = schemeOf(options, population)
  const initial = initialVoltages(options.initial, population, rows)
  const { edges, start, slope } = currentPieces(inputs, duration)
  const pieces = edges.length
  const args = [
    float64(neuronTable(population), [6, population.length]),
    float64(edges, [pieces]),
    float64(start, [pieces, inputs.length]),
    float64(slope, [pieces, inputs.length]),
    float64(initial, [initial.length]),
  ]
  try {
    const result = await opAsync(scheme.operator, [...args, rows, duration, ...scheme.args])
    return simulation(result, duration, scheme.sampling)
  } finally {
    for (const one of args) one.dispose()
  }
}

interface Scheme {
  readonly operator: string
  readonly args: readonly number[]
  /** ms; 0: no voltage. */
  readonly sampling: number
}

function schemeOf(options: SimulateOptions, population: readonly LifNeuron[]): Scheme {
  const { sampling } = options
  if (sampling !== undefined) quantity('simulate', 'sampling', sampling, 'ms', { min: 0, exclusive: true })
  if (options.method === undefined || options.method === 'exact') {
    return { operator: 'spikingrx::neuron_exact', args: [sampling ?? 0], sampling: sampling ?? 0 }
  }
  if (options.method !== 'euler') {
    const { method } = options as { readonly method: unknown }
    throw new ArgumentError(`simulate: method must be exact or euler, got ${JSON.stringify(method)}`, 'ERR_RANGE')
  }
  const shortest = Math.min(...population.map(timeConstant))
  const dt = quantity('simulate', 'dt', options.dt ?? publishedStep, 'ms', { min: 0, exclusive: true })
  if (dt > largestStep * shortest * (1 + 1e-12)) {
    const max = largestStep * shortest
    const details = { parameter: 'dt', unit: 'ms', value: dt, min: 0, max }
    const wanted = `at most ${max} ms, a tenth of the time constant τ = ${shortest} ms`
    throw new ArgumentError(`simulate: dt must be ${wanted}, got ${dt} ms`, 'ERR_RANGE', details)
  }
  const every = sampling === undefined ? 0 : Math.round(sampling / dt)
  if (sampling !== undefined && (every < 1 || Math.abs(every * dt - sampling) > 1e-9 * sampling)) {
    const details = { parameter: 'sampling', unit: 'ms', value: sampling }
    throw new ArgumentError(
      `simulate: sampling must be a multiple of dt, ${dt} ms, got ${sampling} ms`,
      'ERR_RANGE',
      details,
    )
  }
  return { operator: 'spikingrx::neuron_euler', args: [dt, every], sampling: every * dt }
}

function simulation(result: OperatorResult, duration: number, sampling: number): Simulation {
  const [counts, times, voltage] = (result as readonly Tensor[]).map((one) => {
    using owned = one
    return { shape: owned.shape, data: owned.toTypedArray() }
  })
  const all = times!.data as Float64Array
  let at = 0
  const spikes = Array.from(counts!.data as BigInt64Array, (count) => {
    const from = at
    at += Number(count)
    return all.slice(from, at)
  })
  if (sampling === 0) return { spikes, duration }
  const samples = voltage!.shape[1]!
  const values = voltage!.data as Float64Array
  return {
    spikes,
    duration,
    voltage: {
      times: Float64Array.from({ length: samples }, (_, k) => k * sampling),
      values: spikes.map((_, row) => values.slice(row * samples, (row + 1) * samples)),
    },
  }
}

function neuronTable(population: readonly LifNeuron[]): Float64Array {
  const names = ['capacitance', 'conductance', 'rest', 'threshold', 'reset', 'refractory'] as const
  return Float64Array.from(names.flatMap((name) => population.map((neuron) => neuron[name])))
}

function initialVoltages(
  initial: SimulateOptions['initial'],
  population: readonly LifNeuron[],
  rows: number,
): Float64Array {
  if (initial === undefined) return Float64Array.from(population, ({ rest }) => rest)
  const values = typeof initial === 'number' ? Float64Array.of(initial) : Float64Array.from(initial)
  if (values.length !== 1 && values.length !== rows) {
    const details = { expected: rows, actual: values.length }
    throw new ShapeError(`simulate: initial must be one voltage or ${rows}, got ${values.length}`, details)
  }
  for (let row = 0; row < rows; row++) {
    const value = quantity('simulate', 'initial', values[values.length === 1 ? 0 : row], 'mV')
    const { threshold } = population[population.length === 1 ? 0 : row]!
    if (value >= threshold) {
      const details = { parameter: 'initial', unit: 'mV', value, max: threshold }
      const wanted = `below the threshold of ${threshold} mV`
      throw new ArgumentError(`simulate: initial must be ${wanted}, got ${value} mV`, 'ERR_RANGE', details)
    }
  }
  return values
}

function listOf<Item>(given: unknown): readonly Item[] {
  const several = typeof given === 'object' && given !== null && 'length' in given
  return several ? Array.from(given as ArrayLike<Item>) : [given as Item]
}

function rowCount(neurons: number, currents: number): number {
  if (neurons === 0 || currents === 0) {
    throw new ShapeError('simulate needs at least one neuron and one current, got none', { neurons, currents })
  }
  if (neurons !== currents && neurons !== 1 && currents !== 1) {
    const got = `${neurons} neurons and ${currents} currents`
    throw new ShapeError(`simulate needs as many neurons as currents, or one of either, got ${got}`, {
      neurons,
      currents,
    })
  }
  return Math.max(neurons, currents)
}

function float64(values: Float64Array, shape: readonly number[]): Tensor {
  return tensor(values, { shape, dtype: 'float64' })
}
