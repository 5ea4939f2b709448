import { describe, expect, it } from 'vitest'
import {
  closedFormCurve,
  currentRange,
  dimensionlessRate,
  firingCurve,
  firingRate,
  firingRates,
  fromDimensionless,
  fromDimensionlessCurrent,
  type LifNeuron,
  longCurrents,
  measuredRates,
  publishedCurrents,
  publishedNeuron,
  publishedProtocol,
  rheobase,
  timeConstant,
  toDimensionless,
  toDimensionlessCurrent,
} from '../../lib/study/index.js'

/** As SEMANTICS.md writes it, without the rearrangement of the library. */
function writtenOut(
  { capacitance, conductance, rest, threshold, reset, refractory }: LifNeuron,
  current: number,
): number {
  const steady = current / conductance + rest
  if (steady <= threshold) return 0
  const tau = capacitance / conductance
  return 1000 / (refractory + tau * Math.log((steady - reset) / (steady - threshold)))
}

const other: LifNeuron = { capacitance: 250, conductance: 12.5, rest: -65, threshold: -50, reset: -68, refractory: 4 }

describe('the closed form', () => {
  it.each([
    [200, 0],
    [199.99, 0],
    [-500, 0],
    // 1000 / (2 + 10 ln(40 / 20)) and 1000 / (2 + 10 ln(49.5 / 29.5))
    [400, 111.964],
    [495, 139.3568],
  ])('gives for %d pA %d Hz', (current, rate) => {
    expect(firingRate(publishedNeuron, current)).toBeCloseTo(rate, 3)
  })

  it('is the formula of the specification', () => {
    for (const neuron of [publishedNeuron, other]) {
      for (const factor of [0.5, 1.001, 1.5, 3, 20, 1e4]) {
        const current = factor * rheobase(neuron)
        expect(firingRate(neuron, current) / (writtenOut(neuron, current) || 1)).toBeCloseTo(factor > 1 ? 1 : 0, 9)
      }
    }
  })

  it('ends at 1 / t_ref', () => {
    expect(firingRate(publishedNeuron, 1e12)).toBeCloseTo(500, 5)
    expect(firingRate(publishedNeuron, 1e12)).toBeLessThan(500)
  })

  it('refuses what is not a current', () => {
    expect(() => firingRate(publishedNeuron, Number.NaN)).toThrow(/current must be a finite number of pA, got NaN pA/)
    expect(() => firingRates({ ...publishedNeuron, capacitance: 0 }, [1])).toThrow(/capacitance must be above 0 pF/)
  })
})

describe('without units', () => {
  it('the published neuron is v_reset 0, r 0.2', () => {
    expect(toDimensionless(publishedNeuron)).toEqual({ reset: 0, refractory: 0.2 })
    expect(toDimensionless(other)).toEqual({ reset: -0.2, refractory: 0.2 })
    expect(toDimensionlessCurrent(publishedNeuron, 500)).toBe(2.5)
    expect(fromDimensionlessCurrent(publishedNeuron, 2.5)).toBe(500)
  })

  it('both ways lead back', () => {
    const back = fromDimensionless(toDimensionless(other), other)
    for (const key of Object.keys(other) as (keyof LifNeuron)[]) expect(back[key]).toBeCloseTo(other[key], 10)
  })

  it('two neurons with the same numbers have the same scaled curve, in closed form and simulated', async () => {
    const numbers = { reset: -0.35, refractory: 0.15 }
    const units = [
      { capacitance: 100, conductance: 10, rest: -75, threshold: -55 },
      { capacitance: 37, conductance: 1.7, rest: -61, threshold: -48.5 },
    ]
    const scaled = currentRange(0, 5, 0.05)
    const curves = await Promise.all(
      units.map(async (one) => {
        const neuron = fromDimensionless(numbers, one)
        const currents = scaled.map((i) => fromDimensionlessCurrent(neuron, i))
        const run = await firingCurve(neuron, currents, { duration: 60 * timeConstant(neuron) })
        // Spikes per time constant.
        return run.rates.map((rate) => (rate * timeConstant(neuron)) / 1000)
      }),
    )
    let firing = 0
    scaled.forEach((i, k) => {
      expect(Math.abs(curves[0]![k]! - curves[1]![k]!)).toBeLessThan(1e-10)
      expect(Math.abs(curves[0]![k]! - dimensionlessRate(numbers, i))).toBeLessThan(1e-10)
      firing += curves[0]![k]! > 0 ? 1 : 0
    })
    expect(firing).toBe(80)
  })

  it('other numbers give another curve', () => {
    expect(dimensionlessRate({ reset: 0, refractory: 0.2 }, 2)).toBeCloseTo(1 / (0.2 + Math.LN2), 12)
    expect(dimensionlessRate({ reset: -1, refractory: 0.2 }, 2)).toBeCloseTo(1 / (0.2 + Math.log(3)), 12)
    expect(dimensionlessRate({ reset: 0, refractory: 0.2 }, 1)).toBe(0)
    expect(() => dimensionlessRate({ reset: 1, refractory: 0 }, 2)).toThrow(/reset must be at most/)
    expect(() => fromDimensionless({ reset: 0, refractory: -1 }, other)).toThrow(
      /refractory must be at least 0, got -1/,
    )
  })
})

describe('the F-I curve by simulation', () => {
  it('reaches the published 138.9 Hz at 495 pA', async () => {
    const { currents, rates } = await firingCurve(publishedNeuron, publishedCurrents(), publishedProtocol)
    expect([currents.length, currents[1], currents.at(-1)]).toEqual([100, 5, 495])
    expect(rates.at(-1)!.toFixed(1)).toBe('138.9')
    expect(Array.from(rates.subarray(0, 41))).toEqual(Array(41).fill(0))
    expect(rates[41]).toBeGreaterThan(0)
  })

  it('is the closed form where integration is exact', async () => {
    const currents = longCurrents()
    expect([currents.length, currents.at(-1)]).toEqual([801, 4000])
    const { rates } = await firingCurve(publishedNeuron, currents)
    const { rates: closed } = closedFormCurve(publishedNeuron, currents)
    expect(rates.filter((rate) => rate > 0)).toHaveLength(760)
    rates.forEach((rate, k) => void expect(Math.abs(rate - closed[k]!)).toBeLessThan(1e-8))
  })

  it('counts or measures intervals, after settling', () => {
    const run = { duration: 100, spikes: [[10, 20, 40, 60, 100], [50], []].map((train) => Float64Array.from(train)) }
    expect(Array.from(measuredRates(run))).toEqual([4000 / 90, 0, 0])
    expect(Array.from(measuredRates(run, { measure: 'count' }))).toEqual([50, 10, 0])
    expect(Array.from(measuredRates(run, { measure: 'count', settle: 20 }))).toEqual([3000 / 80, 12.5, 0])
    expect(Array.from(measuredRates(run, { settle: 20 }))).toEqual([2000 / 60, 0, 0])
    expect(() => measuredRates(run, { settle: 100 })).toThrow(/settle must be shorter than the duration of 100 ms/)
  })
})
