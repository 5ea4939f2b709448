/** A straight line through measurements, by least squares. */
export interface Line {
  /** y per x. */
  readonly slope: number
  readonly intercept: number
  /** Share of the variance of y that the line explains; 1 where y does not vary. */
  readonly rSquared: number
  /** Largest distance from the line, as a share of the line's value there. */
  readonly worst: number
}

export function lineThrough(x: readonly number[], y: readonly number[]): Line {
  if (x.length !== y.length || x.length < 2) throw new RangeError('a line wants two points at least, as many y as x')
  const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length
  const [mx, my] = [mean(x), mean(y)]
  const sum = (of: (i: number) => number): number => x.reduce((total, _, i) => total + of(i), 0)
  const spread = sum((i) => (x[i]! - mx) ** 2)
  if (spread === 0) throw new RangeError('a line wants two places at least')
  const slope = sum((i) => (x[i]! - mx) * (y[i]! - my)) / spread
  const intercept = my - slope * mx
  const at = (i: number): number => slope * x[i]! + intercept
  const total = sum((i) => (y[i]! - my) ** 2)
  return {
    slope,
    intercept,
    rSquared: total === 0 ? 1 : 1 - sum((i) => (y[i]! - at(i)) ** 2) / total,
    worst: Math.max(...x.map((_, i) => Math.abs(y[i]! - at(i)) / Math.abs(at(i)))),
  }
}
