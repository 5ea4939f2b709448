/** Physical arguments: a number in a range, with its unit in the sentence when it is not. */
import { ArgumentError } from '../errors.js'

export interface QuantityRange {
  /** Smallest value allowed, or below it with `exclusive`. Default: none. */
  readonly min?: number
  /** Largest value allowed. Default: none. */
  readonly max?: number
  /** `min` itself is not allowed. Default false. */
  readonly exclusive?: boolean
}

/**
 * `value`, when it is a finite number in the range.
 *
 *     neuron: capacitance must be above 0 pF, got -100 pF
 *
 * @throws ArgumentError `ERR_TYPE` when it is no number, `ERR_RANGE` when it is not finite or outside the range; `details` has
 * `parameter`, `unit`, `value`, `min` and `max`
 */
export function quantity(
  owner: string,
  parameter: string,
  value: unknown,
  unit: string,
  range: QuantityRange = {},
): number {
  const { min, max, exclusive = false } = range
  const details = {
    parameter,
    unit,
    value,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  }
  const wanted = `${owner}: ${parameter} must be ${rangeText(range, unit)}`
  if (typeof value !== 'number') {
    throw new ArgumentError(`${wanted}, got ${value === null ? 'null' : typeof value}`, 'ERR_TYPE', details)
  }
  const low = min ?? -Infinity
  if (!Number.isFinite(value) || value < low || (exclusive && value === low) || value > (max ?? Infinity)) {
    throw new ArgumentError(`${wanted}, got ${withUnit(value, unit)}`, 'ERR_RANGE', details)
  }
  return value
}

/** @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` unless `value` is a whole number in the range */
export function wholeNumber(owner: string, parameter: string, value: unknown, range: QuantityRange = {}): number {
  const number = quantity(owner, parameter, value, '', range)
  if (!Number.isSafeInteger(number)) {
    const details = { parameter, value }
    throw new ArgumentError(`${owner}: ${parameter} must be a whole number, got ${number}`, 'ERR_RANGE', details)
  }
  return number
}

function rangeText({ min, max, exclusive = false }: QuantityRange, unit: string): string {
  if (min === undefined && max === undefined) return `a finite number${unit === '' ? '' : ` of ${unit}`}`
  const low = min === undefined ? '' : `${exclusive ? 'above' : 'at least'} ${withUnit(min, unit)}`
  const high = max === undefined ? '' : `at most ${withUnit(max, unit)}`
  return [low, high].filter((text) => text !== '').join(' and ')
}

function withUnit(value: number, unit: string): string {
  return unit === '' ? String(value) : `${value} ${unit}`
}
