/** Least-squares fits of activation functions to an F-I curve, to the global optimum. */
import { ArgumentError, ShapeError } from '../errors.js'
import {
  type Activation,
  type ActivationKind,
  activationKinds,
  activationLimit,
  activationRate,
  fromScaled,
  type ScaledShape,
} from './activation.js'
import type { FiringCurve } from './firing-curve.js'
import { fitHardSigmoid } from './hard-sigmoid-fit.js'
import { firingRate, type LifNeuron, rheobase } from './neuron.js'
import { fitRelu } from './relu-fit.js'
import { fitShape } from './shape-fit.js'

export interface ActivationFit {
  readonly activation: Activation
  /** R² = 1 − Σ (f − fit)² / Σ (f − mean f)² */
  readonly r2: number
  /** √(Σ (f − fit)² / n), Hz */
  readonly rootMeanSquare: number
  /** Largest |f − fit| over the data, Hz. */
  readonly largestError: number
  /**
   * Whether the optimum is one of the shape's limits, its width then being of no account: `sharp` where it turns between two currents (softplus
   * is a ReLU then, sigmoid a step), `straight` where it turns over, or lies before, far more than the data (ReLU is a constant then).
   */
  readonly limit: 'sharp' | 'straight' | null
}

/** Where an activation misses the neuron, Hz; positive: it fires too fast. */
export interface FitErrors {
  /** fit(I_rheo): the neuron does not fire there yet. */
  readonly atThreshold: number
  /** fit − f at the largest current of the range. */
  readonly atSaturation: number
  /** Limit of the fit for ever larger currents less that of the neuron, 1 / t_ref; null where either has none. */
  readonly atInfinity: number | null
}

/**
 * Fits one activation to a curve by least squares.
 *
 * ReLU and hard sigmoid: which points lie on which straight part leaves a linear problem, and all ways are tried. The others are linear in
 * their amplitude; location and width are searched on a grid over far more than the data, and the best places are followed down. No start
 * is given and none is needed.
 *
 *     fitActivation('relu', curve).activation   // { kind: 'relu', slope: 0.4278, offset: 141.5 } for the published curve
 *
 * @throws ShapeError when rates and currents differ in number, or are fewer than four
 * @throws ArgumentError `ERR_RANGE` when a value is not finite, or all rates or all currents are equal
 */
export function fitActivation(kind: ActivationKind, curve: FiringCurve): ActivationFit {
  if (!activationKinds.includes(kind)) {
    const wanted = activationKinds.join(', ')
    throw new ArgumentError(`fitActivation: kind must be one of ${wanted}, got ${JSON.stringify(kind)}`, 'ERR_RANGE')
  }
  const { currents, rates } = checkCurve(curve)
  const [lowest, highest] = rangeOf(currents)
  const [, largest] = rangeOf(rates.map(Math.abs))
  // In units of the data, so that one grid serves all.
  const x = currents.map((current) => (current - lowest) / (highest - lowest))
  const y = rates.map((rate) => rate / largest)
  const best = kind === 'relu' ? fitRelu(x, y) : kind === 'hardSigmoid' ? fitHardSigmoid(x, y) : fitShape(kind, x, y)
  const activation = fromScaled(kind, {
    amplitude: best.amplitude * largest,
    location: lowest + best.location * (highest - lowest),
    width: best.width * (highest - lowest),
  })
  const limit = limitOf(kind, best, smallestGap(x))
  return { activation, ...goodness(activation, currents, rates), limit }
}

/** {@link fitActivation} of every kind. */
export function fitActivations(curve: FiringCurve): readonly ActivationFit[] {
  return activationKinds.map((kind) => fitActivation(kind, curve))
}

/**
 * What the fit makes of the neuron's two ends, against the closed form.
 *
 * @param saturation the largest current of the range, pA
 */
export function fitErrors({ activation }: ActivationFit, neuron: LifNeuron, saturation: number): FitErrors {
  const limit = activationLimit(activation)
  const both = Number.isFinite(limit) && neuron.refractory > 0
  return {
    atThreshold: activationRate(activation, rheobase(neuron)),
    atSaturation: activationRate(activation, saturation) - firingRate(neuron, saturation),
    atInfinity: both ? limit - 1000 / neuron.refractory : null,
  }
}

function goodness(activation: Activation, currents: Float64Array, rates: Float64Array) {
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length
  let [squares, total, largestError] = [0, 0, 0]
  rates.forEach((rate, i) => {
    const error = rate - activationRate(activation, currents[i]!)
    squares += error * error
    total += (rate - mean) ** 2
    largestError = Math.max(largestError, Math.abs(error))
  })
  return { r2: 1 - squares / total, rootMeanSquare: Math.sqrt(squares / rates.length), largestError }
}

/** In units of the data's range. */
function limitOf(kind: ActivationKind, { location, width }: ScaledShape, gap: number): ActivationFit['limit'] {
  if (kind === 'relu') return location < -10 ? 'straight' : null
  return width < gap / 4 ? 'sharp' : width > 10 ? 'straight' : null
}

/** Of rising numbers; equal ones do not count. */
function smallestGap(x: Float64Array): number {
  let smallest = Number.POSITIVE_INFINITY
  for (let i = 1; i < x.length; i++) if (x[i]! > x[i - 1]!) smallest = Math.min(smallest, x[i]! - x[i - 1]!)
  return smallest
}

/** The curve with rising currents. */
function checkCurve(curve: FiringCurve): FiringCurve {
  const { currents, rates } = curve
  if (currents.length !== rates.length || currents.length < 4) {
    const got = `${rates.length} rates for ${currents.length} currents`
    const details = { currents: currents.length, rates: rates.length }
    throw new ShapeError(`fitActivation needs as many rates as currents, at least four, got ${got}`, details)
  }
  for (const [name, values] of [
    ['currents', currents],
    ['rates', rates],
  ] as const) {
    if (!values.every(Number.isFinite)) throw new ArgumentError(`fitActivation: ${name} must be finite`, 'ERR_RANGE')
    const [low, high] = rangeOf(values)
    if (low === high) {
      throw new ArgumentError(`fitActivation: ${name} must not all be equal, got only ${low}`, 'ERR_RANGE')
    }
  }
  const order = Array.from(currents.keys()).sort((a, b) => currents[a]! - currents[b]!)
  return {
    currents: Float64Array.from(order, (i) => currents[i]!),
    rates: Float64Array.from(order, (i) => rates[i]!),
  }
}

function rangeOf(values: Float64Array): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  return [low, high]
}
