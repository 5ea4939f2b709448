import { describe, expect, it } from 'vitest'
import { type LinkPoint, type RatePoint, rateCurve, snrAt, snrLoss } from '../../lib/receiver/index.js'
import { codeOf } from './tensor-expectations.js'

/** A curve that falls by a factor of 10 every 5 dB, 0.5 at −5 dB. */
const line = (snr: number): RatePoint => ({ snr, value: 0.5 * 10 ** (-(snr + 5) / 5) })
const points = [-5, -1, 2, 7, 10].map(line)

describe('the SNR at an error rate', () => {
  it('is exact on a curve that is a line in dB, between points and on them', () => {
    for (const snr of [-5, -4.2, -1, 0, 6.999, 10]) {
      const found = snrAt(points, line(snr).value)
      expect(found.kind).toBe('at')
      expect((found as { snr: number }).snr).toBeCloseTo(snr, 12)
    }
    expect(snrAt([...points].reverse(), line(0).value)).toEqual(snrAt(points, line(0).value))
  })

  it('is not made up beyond what was measured', () => {
    expect(snrAt(points, 0.6)).toEqual({ kind: 'within', low: Number.NEGATIVE_INFINITY, high: -5 })
    expect(snrAt(points, line(10.001).value)).toEqual({ kind: 'within', low: 10, high: Number.POSITIVE_INFINITY })
    const clean = [...points, { snr: 12, value: 0 }]
    expect(snrAt(clean, line(10.001).value)).toEqual({ kind: 'within', low: 10, high: 12 })
    expect(snrAt([{ snr: 3, value: 0.2 }], 0.2)).toEqual({ kind: 'at', snr: 3 })
    expect(snrAt([{ snr: 3, value: 0 }], 0.2)).toEqual({ kind: 'within', low: Number.NEGATIVE_INFINITY, high: 3 })
  })

  it('is where a noisy curve falls to the level for the last time', () => {
    const noisy = [0.4, 0.1, 0.2, 0.05].map((value, snr) => ({ snr, value }))
    expect(snrAt(noisy, 0.1)).toEqual({ kind: 'at', snr: 2.5 })
  })

  it('gives a loss where both curves reach the level', () => {
    const worse = points.map(({ snr, value }) => ({ snr: snr + 0.3, value }))
    expect(snrLoss(snrAt(points, 0.1), snrAt(worse, 0.1))).toBeCloseTo(0.3, 12)
    expect(snrLoss(snrAt(points, 0.1), snrAt(points.slice(0, 1), 0.1))).toBeUndefined()
  })

  it('reads the rates of a receiver out of a measurement', () => {
    const estimate = (value: number) => ({ value, low: 0, high: 1 })
    const quality = { slots: 1, bitErrors: 1, blockErrors: 1, rate: estimate(1) }
    const measured: LinkPoint[] = [
      { snr: 4, receivers: [{ ...quality, receiver: 'dense', ber: estimate(0.1), bler: estimate(0.7) }] },
    ]
    expect(rateCurve(measured, 'dense', 'ber')).toEqual([{ snr: 4, value: 0.1 }])
    expect(rateCurve(measured, 'dense', 'bler')).toEqual([{ snr: 4, value: 0.7 }])
    expect(codeOf(() => rateCurve(measured, 'spiking', 'ber'))).toBe('ERR_ARGUMENT ArgumentError')
  })

  it('refuses levels and points that are no rates', () => {
    for (const level of [0, -1, 1.1, Number.NaN])
      expect(codeOf(() => snrAt(points, level))).toMatch(/^ERR_(RANGE|TYPE) /)
    expect(codeOf(() => snrAt([], 0.1))).toBe('ERR_ARGUMENT ArgumentError')
    expect(codeOf(() => snrAt([{ snr: 1, value: 2 }], 0.1))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => snrAt([{ snr: Number.NaN, value: 0.1 }], 0.1))).toMatch(/^ERR_(RANGE|TYPE) /)
  })
})
