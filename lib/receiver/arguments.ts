/** Checks that the link's functions share: shapes of grids, numbers of samples, ranges of a quantity. */
import { ArgumentError, ShapeError } from '../errors.js'
import { quantity, wholeNumber } from '../study/quantity.js'
import { Tensor } from '../tensor/tensor.js'

/** One value for all samples, or `[low, high]`: drawn evenly for each. */
export type Drawn = number | readonly [low: number, high: number]

/** @throws ArgumentError `ERR_TYPE`, `ERR_RANGE` unless it is a finite number, or two in order, within the limits */
export function drawnRange(
  owner: string,
  parameter: string,
  value: Drawn,
  unit: string,
  limits: { readonly min?: number; readonly max?: number } = {},
): readonly [number, number] {
  const ends: readonly unknown[] = Array.isArray(value) ? value : [value, value]
  if (ends.length !== 2) {
    const details = { parameter, value }
    throw new ArgumentError(`${owner}: ${parameter} must be a number or [low, high]`, 'ERR_TYPE', details)
  }
  const [low, high] = ends.map((end) => quantity(owner, parameter, end, unit, limits)) as [number, number]
  if (low > high) {
    const details = { parameter, value }
    throw new ArgumentError(`${owner}: ${parameter} must be [low, high], got [${low}, ${high}]`, 'ERR_RANGE', details)
  }
  return [low, high]
}

/** Where the random numbers of a call come from: samples `first`, `first + 1`, ... of a seed, each with its own. */
export interface SampleOptions {
  /** How many slots. */
  readonly samples: number
  /** Default 0. */
  readonly seed?: number
  /** Number of the first sample. Default 0: a run that goes on says where it stopped. */
  readonly first?: number
}

/** @throws ArgumentError `ERR_TYPE`, `ERR_RANGE` */
export function sampleArguments(owner: string, options: SampleOptions): readonly [number, number, number] {
  return [
    wholeNumber(owner, 'samples', options.samples, { min: 1 }),
    wholeNumber(owner, 'seed', options.seed ?? 0, { min: 0 }),
    wholeNumber(owner, 'first', options.first ?? 0, { min: 0 }),
  ]
}

/** Sizes wanted of a tensor; null: any. */
export type Sizes = readonly (number | null)[]

/** @throws ArgumentError `ERR_TYPE` for no tensor, ShapeError for another shape */
export function checkShape(
  owner: string,
  name: string,
  value: unknown,
  wanted: Sizes,
  axes: string,
): asserts value is Tensor {
  if (!(value instanceof Tensor)) {
    throw new ArgumentError(`${owner}: ${name} must be a tensor ${axes}`, 'ERR_TYPE', { parameter: name })
  }
  const { shape } = value
  const fits = shape.length === wanted.length && wanted.every((size, axis) => size === null || size === shape[axis])
  if (!fits) {
    const expected = wanted.map((size) => size ?? 'any').join(', ')
    const message = `${owner}: ${name} must have shape ${axes} = [${expected}], got [${shape.join(', ')}]`
    throw new ShapeError(message, { parameter: name, expected: wanted, actual: shape })
  }
}

/** The name, when it is one of `choices`. @throws ArgumentError `ERR_RANGE` */
export function choice<Name extends string>(
  owner: string,
  parameter: string,
  value: unknown,
  choices: readonly Name[],
): Name {
  if (choices.includes(value as Name)) return value as Name
  const message = `${owner}: ${parameter} must be ${choices.join(' or ')}, got ${JSON.stringify(value)}`
  throw new ArgumentError(message, 'ERR_RANGE', { parameter, value })
}
