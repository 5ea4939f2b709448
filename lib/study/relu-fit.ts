import type { ScaledShape } from './activation.js'

/**
 * The least-squares fit of slope · max(0, x − offset), exactly.
 *
 * With the offset between two neighbouring x the points above it are fitted by a straight line slope (x − offset): the optimum there is that
 * line, where it meets zero in this very gap, else the offset lies at an end of the gap. Sums over "all points above" are carried from the
 * right, so that all gaps cost n steps.
 *
 * @param x rising, in units of the data's range
 */
export function fitRelu(x: Float64Array, y: Float64Array): ScaledShape {
  const n = x.length
  let [count, sumX, sumY, sumXX, sumXY, above] = [0, 0, 0, 0, 0, n]
  let best = { gain: Number.NEGATIVE_INFINITY, slope: 0, offset: x[0]! }
  // Σ y² − SSE of the best slope with this offset: its gain over the constant zero.
  const attempt = (offset: number): void => {
    const square = sumXX - 2 * offset * sumX + count * offset * offset
    const product = sumXY - offset * sumY
    if (!(square > 1e-14)) return
    const gain = (product * product) / square
    if (gain > best.gain) best = { gain, slope: product / square, offset }
  }
  while (above > 0) {
    // Points from `above - 1` on: the offset lies below x[above - 1], down to the next smaller x.
    const right = x[above - 1]!
    while (above > 0 && x[above - 1] === right) {
      above -= 1
      count += 1
      sumX += right
      sumXX += right * right
      sumY += y[above]!
      sumXY += right * y[above]!
    }
    const left = above > 0 ? x[above - 1]! : farthest
    attempt(left)
    const spread = count * sumXX - sumX * sumX
    if (!(spread > 1e-14 * count * count)) continue
    const slope = (count * sumXY - sumX * sumY) / spread
    const crossing = sumX / count - sumY / count / slope
    if (crossing >= left && crossing <= right) attempt(crossing)
  }
  return { amplitude: best.slope, location: best.offset, width: 1 }
}

/** Falling or level data want a constant, which is the limit of offsets that go down without end: they stop here. */
const farthest = -1000
