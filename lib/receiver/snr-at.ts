/** The SNR that an error rate needs, read off a measured curve: how many dB one receiver is behind another. */
import { ArgumentError } from '../errors.js'
import { quantity } from '../study/quantity.js'
import type { LinkPoint } from './link.js'

/** An error rate measured at an SNR. */
export interface RatePoint {
  /** Es/N0, dB. */
  readonly snr: number
  /** 0 to 1. */
  readonly value: number
}

/** The SNR at which a curve reaches a level. */
export type SnrAt =
  | { readonly kind: 'at'; readonly snr: number }
  /** The points don't tell: it lies above `low` and below `high`, which are infinite where nothing was measured. */
  | { readonly kind: 'within'; readonly low: number; readonly high: number }

/** Rates of a receiver out of what {@link measureLink} gave. @throws ArgumentError `ERR_ARGUMENT` when it was not measured */
export function rateCurve(points: readonly LinkPoint[], receiver: string, rate: 'ber' | 'bler'): readonly RatePoint[] {
  return points.map(({ snr, receivers }) => {
    const found = receivers.find((one) => one.receiver === receiver)
    if (found !== undefined) return { snr, value: found[rate].value }
    const known = receivers.map((one) => one.receiver).join(', ')
    const message = `rateCurve: ${JSON.stringify(receiver)} was not measured at ${snr} dB; there is ${known}`
    throw new ArgumentError(message, 'ERR_ARGUMENT', { receiver, snr })
  })
}

/**
 * The SNR from which on the curve stays at or below `level`, by a straight line of log(rate) over dB between the two points around it:
 *
 *     snr = a + (b − a) (log r_a − log level) / (log r_a − log r_b)      r_a > level ≥ r_b
 *
 * A point without errors has no logarithm: a level between it and the one before is `within` the two.
 *
 * @param points in any order; a curve that is not monotone, by noise, counts from where it falls to the level for the last time
 * @throws ArgumentError `ERR_RANGE` for a level that is not above 0 and at most 1, or points that are no rates; `ERR_ARGUMENT` without points
 */
export function snrAt(points: readonly RatePoint[], level: number): SnrAt {
  const owner = 'snrAt'
  quantity(owner, 'level', level, '', { min: 0, max: 1, exclusive: true })
  if (points.length === 0) throw new ArgumentError(`${owner}: needs a point at least`, 'ERR_ARGUMENT')
  const curve = [...points].sort((a, b) => a.snr - b.snr)
  for (const { snr, value } of curve) {
    quantity(owner, 'snr', snr, 'dB')
    quantity(owner, 'value', value, '', { min: 0, max: 1 })
  }
  const last = curve.findLastIndex(({ value }) => value > level)
  const [before, after] = [curve[last], curve[last + 1]]
  if (after?.value === level) return { kind: 'at', snr: after.snr }
  if (before === undefined || after === undefined || after.value === 0) {
    const { NEGATIVE_INFINITY: low, POSITIVE_INFINITY: high } = Number
    return { kind: 'within', low: before?.snr ?? low, high: after?.snr ?? high }
  }
  const drop = Math.log(before.value / level) / Math.log(before.value / after.value)
  return { kind: 'at', snr: before.snr + drop * (after.snr - before.snr) }
}

/** dB that `other` needs beyond `reference`; undefined where one of them was not reached. */
export function snrLoss(reference: SnrAt, other: SnrAt): number | undefined {
  return reference.kind === 'at' && other.kind === 'at' ? other.snr - reference.snr : undefined
}
