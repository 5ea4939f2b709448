import type { ScaledShape } from './activation.js'

/**
 * The least-squares fit of L · clip((x − p) / (q − p), 0, 1), exactly, as amplitude L, location (p + q) / 2 and width q − p.
 *
 * Which points lie below p, between, and above q cuts the problem into n²/2 cases in which the function is linear in its parameters: a line over
 * the middle and a constant above. The optimum of a case is that line and the mean above, where its ends fall into their gaps, else p, q or both
 * lie on a point. Prefix sums make each case a few operations.
 *
 * @param x rising
 */
export function fitHardSigmoid(x: Float64Array, y: Float64Array): ScaledShape {
  const n = x.length
  const sums = prefixSums(x, y)
  const mean = sums(0, n).y / n
  let best: Candidate = { gain: n * mean * mean, ceiling: mean, from: x[0]! - 1, to: x[0]! }
  const attempt = (found: Candidate): void => {
    if (found.gain > best.gain && found.to > found.from) best = found
  }
  for (let j = 0; j < n; j++) {
    if (j > 0 && x[j - 1] === x[j]) continue
    const [left, first] = [j > 0 ? x[j - 1]! : farthest, x[j]!]
    for (let m = j; m < n; m++) {
      if (m > 0 && x[m - 1] === x[m]) continue
      const [middle, above] = [sums(j, m), sums(m, n)]
      const q = x[m]!
      const ceiling = above.y / above.n
      const plateau = ceiling * above.y
      const free = freeLine(middle)
      // No case does better than a free line and a free plateau.
      if (free !== nothing && free.gain + plateau <= best.gain) continue
      if (j > 0) attempt(bothFixed(middle, above, left, q))
      if (middle.n === 0) continue
      // Where p must fall, and q where it is free.
      const fits = (p: number, end: number): boolean => p >= left && p <= first && end >= x[m - 1]! && end <= q
      for (const line of [free, ...(j > 0 ? [lineFrom(middle, left)] : [])]) {
        const end = line.from + ceiling / line.slope
        if (fits(line.from, end)) attempt({ gain: line.gain + plateau, ceiling, from: line.from, to: end })
      }
      const towards = lineTo(middle, above, q)
      if (towards.from >= left && towards.from <= first) attempt(towards)
    }
  }
  return { amplitude: best.ceiling, location: (best.from + best.to) / 2, width: best.to - best.from }
}

interface Sums {
  readonly n: number
  readonly x: number
  readonly y: number
  readonly xx: number
  readonly xy: number
}

interface Candidate {
  /** Σ y² − SSE */
  readonly gain: number
  readonly ceiling: number
  readonly from: number
  readonly to: number
}

interface Line {
  readonly gain: number
  readonly slope: number
  /** Where it is zero. */
  readonly from: number
}

/** p goes no further down than this, in units of the data's range. */
const farthest = -1000
const nothing: Line = { gain: Number.NEGATIVE_INFINITY, slope: Number.NaN, from: Number.NaN }

/** y = slope (x − from), both free. */
function freeLine({ n, x, y, xx, xy }: Sums): Line {
  const spread = n * xx - x * x
  if (!(spread > 1e-13 * n * n)) return nothing
  const slope = (n * xy - x * y) / spread
  const start = (y - slope * x) / n
  return { gain: start * y + slope * xy, slope, from: -start / slope }
}

/** y = slope (x − from), zero at a given place. */
function lineFrom({ n, x, y, xx, xy }: Sums, from: number): Line {
  const product = xy - from * y
  const slope = product / (xx - 2 * from * x + n * from * from)
  return { gain: slope * product, slope, from }
}

/** y = L − slope (q − x) over the middle, L above. */
function lineTo(middle: Sums, above: Sums, q: number): Candidate {
  // Normal equations of (L, slope); d = q − x.
  const d = middle.n * q - middle.x
  const dd = middle.n * q * q - 2 * q * middle.x + middle.xx
  const dy = q * middle.y - middle.xy
  const [count, y] = [middle.n + above.n, middle.y + above.y]
  const determinant = count * dd - d * d
  const ceiling = (y * dd - d * dy) / determinant
  const slope = (y * d - count * dy) / determinant
  return { gain: ceiling * y - slope * dy, ceiling, from: q - ceiling / slope, to: q }
}

/** y = L (x − p) / (q − p) over the middle, L above. */
function bothFixed(middle: Sums, above: Sums, p: number, q: number): Candidate {
  const width = q - p
  const product = (middle.xy - p * middle.y) / width + above.y
  const square = (middle.xx - 2 * p * middle.x + middle.n * p * p) / (width * width) + above.n
  return { gain: (product * product) / square, ceiling: product / square, from: p, to: q }
}

/** Sums over the points from one index to before another. */
function prefixSums(x: Float64Array, y: Float64Array): (from: number, to: number) => Sums {
  const run = (term: (i: number) => number): Float64Array => {
    const sums = new Float64Array(x.length + 1)
    for (let i = 0; i < x.length; i++) sums[i + 1] = sums[i]! + term(i)
    return sums
  }
  const all = [run((i) => x[i]!), run((i) => y[i]!), run((i) => x[i]! ** 2), run((i) => x[i]! * y[i]!)] as const
  return (from, to) => {
    const [sumX, sumY, sumXX, sumXY] = all
    return {
      n: to - from,
      x: sumX[to]! - sumX[from]!,
      y: sumY[to]! - sumY[from]!,
      xx: sumXX[to]! - sumXX[from]!,
      xy: sumXY[to]! - sumXY[from]!,
    }
  }
}
