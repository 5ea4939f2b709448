/** The activation functions that are held against an F-I curve, in currents (pA) and rates (Hz). */

export type ActivationKind = 'relu' | 'sigmoid' | 'softplus' | 'tanh' | 'hardSigmoid'

/** slope · max(0, I − offset) */
export interface Relu {
  readonly kind: 'relu'
  /** Hz / pA */
  readonly slope: number
  /** pA */
  readonly offset: number
}

/** slope · width · ln(1 + exp((I − offset) / width)) */
export interface Softplus {
  readonly kind: 'softplus'
  /** Hz / pA */
  readonly slope: number
  /** pA */
  readonly offset: number
  /** pA */
  readonly width: number
}

interface Saturating {
  /** L, Hz */
  readonly ceiling: number
  /** k, 1 / pA */
  readonly steepness: number
  /** x0, pA */
  readonly midpoint: number
}

/** L / (1 + exp(−k (I − x0))) */
export interface Sigmoid extends Saturating {
  readonly kind: 'sigmoid'
}

/** L tanh(k (I − x0)): negative below x0, as no rate is. */
export interface Tanh extends Saturating {
  readonly kind: 'tanh'
}

/** L clip(1/2 + k (I − x0), 0, 1) */
export interface HardSigmoid extends Saturating {
  readonly kind: 'hardSigmoid'
}

export type Activation = Relu | Softplus | Sigmoid | Tanh | HardSigmoid

/** All of them, in the order of tables. */
export const activationKinds: readonly ActivationKind[] = ['relu', 'sigmoid', 'softplus', 'tanh', 'hardSigmoid']

/**
 * An activation as amplitude times a shape of (I − location) / width; shapes of the five kinds:
 *
 *     relu max(0, z)   softplus ln(1 + e^z)   sigmoid 1 / (1 + e^−z)   tanh tanh(z)   hardSigmoid clip(1/2 + z, 0, 1)
 */
export const activationShapes: Readonly<Record<ActivationKind, (z: number) => number>> = {
  relu: (z) => Math.max(0, z),
  // No overflow above, no loss of digits below.
  softplus: (z) => Math.max(0, z) + Math.log1p(Math.exp(-Math.abs(z))),
  sigmoid: (z) => 1 / (1 + Math.exp(-z)),
  tanh: Math.tanh,
  hardSigmoid: (z) => Math.min(1, Math.max(0, 0.5 + z)),
}

/** Rate that the activation gives to a current, Hz. @param current I, pA */
export function activationRate(activation: Activation, current: number): number {
  const { amplitude, location, width } = scaled(activation)
  return amplitude * activationShapes[activation.kind]((current - location) / width)
}

/** The rate for ever larger currents, Hz: the ceiling, or Infinity. */
export function activationLimit(activation: Activation): number {
  return 'ceiling' in activation ? activation.ceiling : activation.slope * Number.POSITIVE_INFINITY
}

/** amplitude · shape((I − location) / width) */
export interface ScaledShape {
  readonly amplitude: number
  readonly location: number
  readonly width: number
}

function scaled(activation: Activation): ScaledShape {
  switch (activation.kind) {
    case 'relu':
      return { amplitude: activation.slope, location: activation.offset, width: 1 }
    case 'softplus': {
      const { slope, offset, width } = activation
      return { amplitude: slope * width, location: offset, width }
    }
    default:
      return { amplitude: activation.ceiling, location: activation.midpoint, width: 1 / activation.steepness }
  }
}

/** The activation of a kind with this amplitude, location and width. */
export function fromScaled(kind: ActivationKind, { amplitude, location, width }: ScaledShape): Activation {
  if (kind === 'relu') return { kind, slope: amplitude / width, offset: location }
  if (kind === 'softplus') return { kind, slope: amplitude / width, offset: location, width }
  return { kind, ceiling: amplitude, steepness: 1 / width, midpoint: location }
}
