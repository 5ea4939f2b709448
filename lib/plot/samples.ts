import { ArgumentError, ShapeError } from '../errors.js'

/** Numbers in row-major order: a typed array or a plain one. */
export type Samples = ArrayLike<number>

/** @throws ShapeError when `values` does not hold exactly `shape` numbers */
export function checkSamples(name: string, values: Samples, shape: readonly number[]): void {
  for (const size of shape) {
    if (!Number.isInteger(size) || size < 1) {
      throw new ShapeError(`${name} expects positive whole sizes, got [${shape.join(', ')}]`, { shape })
    }
  }
  const expected = shape.reduce((product, size) => product * size, 1)
  if (values.length !== expected) {
    const wanted = `${expected} numbers for [${shape.join(', ')}]`
    throw new ShapeError(`${name} expects ${wanted}, got ${values.length}`, { expected, actual: values.length })
  }
}

/** @throws ArgumentError when there is nothing to draw */
export function checkNotEmpty(name: string, values: { readonly length: number }): void {
  if (values.length === 0) throw new ArgumentError(`${name} expects at least one entry, got none`, 'ERR_RANGE')
}

/** Smallest and largest finite value; undefined where there is none. */
export function finiteRange(values: Samples): readonly [number, number] | undefined {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (!Number.isFinite(value)) continue
    if (value < low) low = value
    if (value > high) high = value
  }
  return low <= high ? [low, high] : undefined
}

/** Mean and standard deviation (divided by n) of the finite values, in two passes. */
export function meanAndDeviation(values: Samples): { readonly mean: number; readonly deviation: number } {
  let sum = 0
  let count = 0
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]!)) continue
    sum += values[i]!
    count += 1
  }
  if (count === 0) return { mean: Number.NaN, deviation: Number.NaN }
  const mean = sum / count
  let squares = 0
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i]!)) squares += (values[i]! - mean) ** 2
  }
  return { mean, deviation: Math.sqrt(squares / count) }
}

const goldenRatio = (Math.sqrt(5) - 1) / 2

/**
 * `count` of the whole numbers 0 .. total-1, ascending: one out of each of `count` equal stretches, all where `count >= total`.
 * The place in the stretch wanders by the golden ratio; equal distances would meet the same few places of every feature map.
 */
export function oneOfEachStretch(count: number, total: number): number[] {
  const kept = Math.min(count, total)
  return Array.from({ length: kept }, (_, i) => Math.floor(((i + ((i * goldenRatio) % 1)) * total) / kept))
}

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 })

/** 25088 -> "25,088". */
export function formatCount(value: number): string {
  return grouped.format(value)
}

/** Two or three significant figures without trailing zeros, and without "-0". */
export function formatFigure(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return String(value)
  const rounded = Number(value.toPrecision(digits))
  return String(rounded === 0 ? 0 : rounded)
}
