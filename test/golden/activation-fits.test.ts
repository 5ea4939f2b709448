import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import {
  type ActivationKind,
  activationKinds,
  activationRate,
  closedFormCurve,
  currentRange,
  type FiringCurve,
  firingCurve,
  fitActivation,
  fitActivations,
  fitErrors,
  longCurrents,
  publishedCurrents,
  publishedNeuron,
  publishedProtocol,
} from '../../lib/study/index.js'

interface Case {
  readonly name: string
  readonly currents: number[]
  readonly rates: number[]
  readonly r2: Readonly<Record<ActivationKind, number>>
}

const file = new URL('./activation-fits.json', import.meta.url)
const { cases } = JSON.parse(await readFile(file, 'utf8')) as { readonly cases: readonly Case[] }
const curveOf = ({ currents, rates }: Pick<Case, 'currents' | 'rates'>): FiringCurve => ({
  currents: Float64Array.from(currents),
  rates: Float64Array.from(rates),
})

describe('against the global search of SciPy', () => {
  it.each(cases.flatMap((one) => activationKinds.map((kind) => [kind, one.name, one] as const)))(
    '%s on "%s" explains as much',
    (kind, _, one) => {
      const { r2, activation } = fitActivation(kind, curveOf(one))
      expect(r2).toBeGreaterThan(one.r2[kind] - 1e-7)
      // R² is that of the activation returned.
      const mean = one.rates.reduce((sum, rate) => sum + rate, 0) / one.rates.length
      const squares = one.rates.reduce(
        (sum, rate, i) => sum + (rate - activationRate(activation, one.currents[i]!)) ** 2,
        0,
      )
      expect(1 - squares / one.rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0)).toBeCloseTo(r2, 12)
    },
  )
})

describe('the published fits', () => {
  it('come out to the printed digits', async () => {
    const curve = await firingCurve(publishedNeuron, publishedCurrents(), publishedProtocol)
    const [relu, sigmoid] = [fitActivation('relu', curve), fitActivation('sigmoid', curve)]
    const { slope, offset } = relu.activation as { slope: number; offset: number }
    const { ceiling, steepness, midpoint } = sigmoid.activation as {
      ceiling: number
      steepness: number
      midpoint: number
    }
    expect([slope.toFixed(4), offset.toFixed(1), relu.r2.toFixed(4)]).toEqual(['0.4278', '141.5', '0.9784'])
    expect([ceiling.toFixed(1), steepness.toFixed(4), midpoint.toFixed(1), sigmoid.r2.toFixed(4)]).toEqual([
      '128.8',
      '0.0198',
      '282.5',
      '0.9788',
    ])
    // Both fire at the rheobase already, and miss the largest rate from either side.
    const errors = [relu, sigmoid].map((fit) => fitErrors(fit, publishedNeuron, 495))
    expect(errors.map(({ atThreshold }) => atThreshold.toFixed(1))).toEqual(['25.0', '21.1'])
    expect(errors.map(({ atSaturation }) => atSaturation.toFixed(1))).toEqual(['11.8', '-12.5'])
    expect(errors.map(({ atInfinity }) => atInfinity?.toFixed(0))).toEqual([undefined, '-371'])
  })

  it('explain .830 and .963 up to 20 rheobases', () => {
    const curve = closedFormCurve(publishedNeuron, longCurrents())
    expect([fitActivation('relu', curve).r2.toFixed(3), fitActivation('sigmoid', curve).r2.toFixed(3)]).toEqual([
      '0.830',
      '0.963',
    ])
  })
})

describe('a fit', () => {
  const currents = currentRange(-300, 900, 12)
  const sampled = (rate: (current: number) => number): FiringCurve => ({ currents, rates: currents.map(rate) })

  it('finds the parameters that made the data', () => {
    expect(
      fitActivation(
        'relu',
        sampled((i) => 0.3 * Math.max(0, i - 97)),
      ).activation,
    ).toEqual({
      kind: 'relu',
      slope: expect.closeTo(0.3, 10),
      offset: expect.closeTo(97, 8),
    })
    expect(
      fitActivation(
        'sigmoid',
        sampled((i) => 80 / (1 + Math.exp(-0.02 * (i - 140)))),
      ).activation,
    ).toEqual({
      kind: 'sigmoid',
      ceiling: expect.closeTo(80, 6),
      steepness: expect.closeTo(0.02, 8),
      midpoint: expect.closeTo(140, 5),
    })
    expect(
      fitActivation(
        'softplus',
        sampled((i) => 0.3 * 60 * Math.log1p(Math.exp((i - 200) / 60))),
      ).activation,
    ).toEqual({
      kind: 'softplus',
      slope: expect.closeTo(0.3, 7),
      offset: expect.closeTo(200, 4),
      width: expect.closeTo(60, 4),
    })
    expect(
      fitActivation(
        'tanh',
        sampled((i) => 55 * Math.tanh(0.004 * (i - 20))),
      ).activation,
    ).toEqual({
      kind: 'tanh',
      ceiling: expect.closeTo(55, 6),
      steepness: expect.closeTo(0.004, 8),
      midpoint: expect.closeTo(20, 5),
    })
    const clip = (i: number): number => 70 * Math.min(1, Math.max(0, 0.5 + 0.003 * (i - 260)))
    expect(fitActivation('hardSigmoid', sampled(clip)).activation).toEqual({
      kind: 'hardSigmoid',
      ceiling: expect.closeTo(70, 5),
      steepness: expect.closeTo(0.003, 7),
      midpoint: expect.closeTo(260, 3),
    })
  })

  it('does not depend on the order, the origin or the units of the data', () => {
    const curve = closedFormCurve(publishedNeuron, currentRange(0, 1000, 20))
    const order = Array.from(curve.currents.keys()).sort((a, b) => Math.sin(a) - Math.sin(b))
    const shuffled = { currents: order.map((i) => curve.currents[i]!), rates: order.map((i) => curve.rates[i]!) }
    const scaled = { currents: curve.currents.map((i) => 1e-3 * i + 7), rates: curve.rates.map((rate) => 1e6 * rate) }
    fitActivations(curve).forEach((fit, k) => {
      expect(fitActivations(curveOf(shuffled))[k]!.r2).toBeCloseTo(fit.r2, 9)
      expect(fitActivations(scaled)[k]!.r2).toBeCloseTo(fit.r2, 9)
    })
  })

  it('says when the best shape is a limit', async () => {
    const curve = closedFormCurve(publishedNeuron, publishedCurrents())
    const limits = Object.fromEntries(fitActivations(curve).map(({ activation, limit }) => [activation.kind, limit]))
    expect(limits).toEqual({ relu: null, sigmoid: null, softplus: 'sharp', tanh: 'straight', hardSigmoid: null })
  })

  it('refuses what can not be fitted', () => {
    const attempt = (currents: number[], rates: number[]) => () =>
      fitActivation('sigmoid', curveOf({ currents, rates }))
    expect(attempt([1, 2, 3], [1, 2, 3])).toThrow(/at least four, got 3 rates for 3 currents/)
    expect(attempt([1, 2, 3, 4], [1, 2, 3])).toThrow(/got 3 rates for 4 currents/)
    expect(attempt([1, 2, 3, 4], [0, 0, 0, 0])).toThrow(/rates must not all be equal, got only 0/)
    expect(attempt([5, 5, 5, 5], [0, 1, 2, 3])).toThrow(/currents must not all be equal, got only 5/)
    expect(attempt([1, 2, 3, 4], [0, 1, Number.NaN, 3])).toThrow(/rates must be finite/)
    expect(() => fitActivation('gelu' as 'relu', closedFormCurve(publishedNeuron, publishedCurrents()))).toThrow(
      /got "gelu"/,
    )
  })
})
