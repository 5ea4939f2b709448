/** Input currents of a simulation, and the pieces of straight line they are computed from. */
import { ArgumentError } from '../errors.js'
import { tensorOp } from '../tensor/operator.js'
import { quantity, wholeNumber } from './quantity.js'

/** Always the same current. A plain number means this. */
export interface ConstantCurrent {
  readonly kind: 'constant'
  /** pA */
  readonly amplitude: number
}

/** Another current from one time to another. */
export interface StepCurrent {
  readonly kind: 'step'
  /** Current during the step, pA. */
  readonly amplitude: number
  /** Current before and after it, pA. Default 0. */
  readonly base?: number
  /** Beginning, ms. */
  readonly from: number
  /** End, ms. Default: the end of the simulation. */
  readonly until?: number
}

/** A current that rises or falls in a straight line, and is constant before and after. */
export interface RampCurrent {
  readonly kind: 'ramp'
  /** Current at the beginning and before it, pA. */
  readonly start: number
  /** Current at the end and after it, pA. */
  readonly end: number
  /** Beginning of the ramp, ms. Default 0. */
  readonly from?: number
  /** End of the ramp, ms. Default: the end of the simulation. */
  readonly until?: number
}

/**
 * Gaussian noise around a mean, held for an interval at a time.
 *
 *     I[k+1] = μ + r (I[k] − μ) + σ √(1 − r²) n[k];   r = exp(−interval / correlation)
 *
 * With a correlation time it is the Ornstein-Uhlenbeck process seen at each interval; without, white.
 */
export interface NoiseCurrent {
  readonly kind: 'noise'
  /** μ, pA */
  readonly mean: number
  /** σ, pA. At least 0. */
  readonly deviation: number
  /** How long each value is held, ms. Above 0. */
  readonly interval: number
  /** Correlation time, ms. Default 0: values do not depend on one another. */
  readonly correlation?: number
  /** Same seed, same noise. Neurons of one simulation with the same seed see the same noise. */
  readonly seed: number
}

/** Values of one's own, each held for an interval; the last one to the end. */
export interface SampledCurrent {
  readonly kind: 'samples'
  /** pA */
  readonly values: ArrayLike<number>
  /** ms. Above 0. */
  readonly interval: number
}

export type Current = ConstantCurrent | StepCurrent | RampCurrent | NoiseCurrent | SampledCurrent

/** The pieces of one current: `start` + `slope` (t − `edge`) pA from each edge to the next. */
interface Pieces {
  /** ms, rising from 0, all before the end. */
  readonly edges: Float64Array
  /** pA */
  readonly start: Float64Array
  /** pA / ms */
  readonly slope: Float64Array
}

/** Currents of N neurons over common pieces. */
export interface CurrentPieces {
  /** [K] ms, rising from 0, all before the end. */
  readonly edges: Float64Array
  /** [K, N] pA, row-major. */
  readonly start: Float64Array
  /** [K, N] pA / ms. */
  readonly slope: Float64Array
}

const mostPieces = 1 << 26

/**
 * The currents as pieces over the union of all their edges.
 *
 * @param duration ms
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` naming the parameter, its unit and its range
 */
export function currentPieces(currents: readonly (Current | number)[], duration: number): CurrentPieces {
  const columns = currents.map((current) => piecesOf(current, duration))
  const edges = unionOfEdges(columns)
  const width = columns.length
  if (edges.length * width > mostPieces) {
    const got = `${edges.length} for each of ${width} neurons`
    throw new ArgumentError(`the currents have too many values, ${got}: use a longer interval`, 'ERR_RANGE')
  }
  const start = new Float64Array(edges.length * width)
  const slope = new Float64Array(start.length)
  columns.forEach((pieces, column) => {
    let at = 0
    for (let row = 0; row < edges.length; row++) {
      while (at + 1 < pieces.edges.length && pieces.edges[at + 1]! <= edges[row]!) at += 1
      start[row * width + column] = pieces.start[at]! + pieces.slope[at]! * (edges[row]! - pieces.edges[at]!)
      slope[row * width + column] = pieces.slope[at]!
    }
  })
  return { edges, start, slope }
}

/** Most simulations have the same edges for every neuron. */
function unionOfEdges(columns: readonly Pieces[]): Float64Array {
  const first = columns[0]!.edges
  const same = columns.every(
    ({ edges }) => edges.length === first.length && edges.every((time, k) => time === first[k]),
  )
  if (same) return first
  const times = new Set<number>()
  for (const { edges } of columns) for (const time of edges) times.add(time)
  return Float64Array.from(times).sort()
}

/**
 * Current at a time, pA: what the simulation applies.
 *
 * @param times ms
 */
export function currentAt(current: Current | number, times: ArrayLike<number>, duration: number): Float64Array {
  const pieces = piecesOf(current, duration)
  return Float64Array.from(times, (time) => {
    let [low, high] = [0, pieces.edges.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (pieces.edges[middle]! <= time) low = middle
      else high = middle - 1
    }
    return pieces.start[low]! + pieces.slope[low]! * (time - pieces.edges[low]!)
  })
}

function piecesOf(current: Current | number, duration: number): Pieces {
  if (typeof current === 'number') return constant('current', 'amplitude', current)
  if (typeof current !== 'object' || current === null) {
    throw new ArgumentError(
      `current must be a number of pA or an object with a kind, got ${typeof current}`,
      'ERR_TYPE',
    )
  }
  switch (current.kind) {
    case 'constant':
      return constant('constant current', 'amplitude', current.amplitude)
    case 'step':
      return step(current, duration)
    case 'ramp':
      return ramp(current, duration)
    case 'noise':
      return held('noise current', noise(current, duration), current.interval, duration)
    case 'samples':
      return held('sampled current', current.values, current.interval, duration)
    default: {
      const { kind } = current as { readonly kind: unknown }
      const known = 'constant, step, ramp, noise or samples'
      throw new ArgumentError(`current must be of kind ${known}, got ${JSON.stringify(kind)}`, 'ERR_RANGE', { kind })
    }
  }
}

function constant(owner: string, parameter: string, amplitude: unknown): Pieces {
  return {
    edges: Float64Array.of(0),
    start: Float64Array.of(quantity(owner, parameter, amplitude, 'pA')),
    slope: Float64Array.of(0),
  }
}

function step({ amplitude, base = 0, from, until }: StepCurrent, duration: number): Pieces {
  quantity('step current', 'amplitude', amplitude, 'pA')
  quantity('step current', 'base', base, 'pA')
  quantity('step current', 'from', from, 'ms', { min: 0 })
  const end =
    until === undefined ? duration : quantity('step current', 'until', until, 'ms', { min: from, exclusive: true })
  return within(duration, [
    ...(from > 0 ? [{ time: 0, start: base, slope: 0 }] : []),
    { time: from, start: amplitude, slope: 0 },
    { time: end, start: base, slope: 0 },
  ])
}

function ramp(current: RampCurrent, duration: number): Pieces {
  const { start, end, from = 0, until = duration } = current
  quantity('ramp current', 'start', start, 'pA')
  quantity('ramp current', 'end', end, 'pA')
  quantity('ramp current', 'from', from, 'ms', { min: 0 })
  quantity('ramp current', 'until', until, 'ms', { min: from, exclusive: true })
  return within(duration, [
    ...(from > 0 ? [{ time: 0, start, slope: 0 }] : []),
    { time: from, start, slope: (end - start) / (until - from) },
    { time: until, start: end, slope: 0 },
  ])
}

function noise(current: NoiseCurrent, duration: number): Float64Array {
  const { mean, deviation, interval, correlation = 0, seed } = current
  quantity('noise current', 'mean', mean, 'pA')
  quantity('noise current', 'deviation', deviation, 'pA', { min: 0 })
  const samples = sampleCount('noise current', interval, duration)
  const ratio =
    quantity('noise current', 'correlation', correlation, 'ms', { min: 0 }) === 0
      ? 0
      : Math.exp(-interval / correlation)
  wholeNumber('noise current', 'seed', seed, { min: 0 })
  using drawn = tensorOp('spikingrx::correlated_noise', [samples, 1, ratio, seed])
  return (drawn.toTypedArray() as Float64Array).map((value) => mean + deviation * value)
}

function held(owner: string, values: ArrayLike<number>, interval: number, duration: number): Pieces {
  if (values === null || typeof values !== 'object' || !(values.length >= 1)) {
    throw new ArgumentError(`${owner}: values must be an array of at least one number of pA`, 'ERR_TYPE')
  }
  const count = Math.min(values.length, sampleCount(owner, interval, duration))
  const start = Float64Array.from({ length: count }, (_, k) => values[k]!)
  const wrong = start.findIndex((value) => !Number.isFinite(value))
  if (wrong >= 0) quantity(owner, `values[${wrong}]`, values[wrong], 'pA')
  return {
    edges: Float64Array.from({ length: count }, (_, k) => k * interval),
    start,
    slope: new Float64Array(count),
  }
}

/** Values that begin before the end. */
function sampleCount(owner: string, interval: number, duration: number): number {
  quantity(owner, 'interval', interval, 'ms', { min: 0, exclusive: true })
  return quantity(owner, 'duration / interval', Math.ceil((duration / interval) * (1 - 1e-12)), '', { max: mostPieces })
}

/** The pieces that begin before the end. */
function within(
  duration: number,
  pieces: readonly { readonly time: number; readonly start: number; readonly slope: number }[],
): Pieces {
  const kept = pieces.filter(({ time }) => time < duration)
  return {
    edges: Float64Array.from(kept, ({ time }) => time),
    start: Float64Array.from(kept, ({ start }) => start),
    slope: Float64Array.from(kept, ({ slope }) => slope),
  }
}
