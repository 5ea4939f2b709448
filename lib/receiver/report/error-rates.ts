/** Pictures of a measured link: bit and block error rates and the bit-metric rate over SNR, with intervals and theory. */
import { type MeasuredCurve, type MeasuredCurves, measuredCurves } from '../../plot/measured-curves.js'
import { colours } from '../../plot/theme.js'
import type { ReportPicture } from '../../report/section.js'
import type { LinkPoint, LinkQuality } from '../link.js'
import type { Estimate } from '../metrics.js'
import { lookOf } from './looks.js'

/** One closed form over SNR. */
export interface TheoryCurve {
  readonly name: string
  readonly points: readonly { readonly snr: number; readonly value: number }[]
}

/** Block error rate that receivers are compared at. */
export const comparedLevel = 0.1

const intervals = 'Bars: 95 % confidence intervals.'

/**
 * Pictures `ber`, `bler` and `rate`.
 *
 * @param about what was simulated, in a line
 */
export function errorRatePictures(
  points: readonly LinkPoint[],
  theory: readonly TheoryCurve[],
  about: string,
  bitsPerSymbol: number,
): readonly ReportPicture[] {
  const references: MeasuredCurve[] = theory.map(({ name, points: line }) => ({
    name,
    colour: colours.ink,
    points: line.map(({ snr: x, value }) => ({ x, value })),
  }))
  const common = { xTitle: 'Es/N0 (dB)', subtitle: [about, intervals], scale: 'log' } as const
  const beside = theory.length > 0 ? ' The dashed line is the closed form.' : ''
  const charts: readonly (readonly [string, string, MeasuredCurves])[] = [
    [
      'ber',
      `Bit error rate over SNR. ${intervals}${beside} A point without errors is left out; the table has its upper bound.`,
      {
        ...common,
        curves: [...references, ...curvesOf(points, ({ ber }) => ber)],
        title: 'Bit error rate',
        yTitle: 'bit error rate',
      },
    ],
    [
      'bler',
      `Block error rate over SNR. ${intervals} The dotted line is the level that receivers are compared at.`,
      {
        ...common,
        curves: curvesOf(points, ({ bler }) => bler),
        title: 'Block error rate',
        yTitle: 'block error rate',
        level: { value: comparedLevel, text: `${100 * comparedLevel} %` },
      },
    ],
    [
      'rate',
      `Bit-metric decoding rate: what a code could carry with these soft bits, of ${bitsPerSymbol} bits a data element. ${intervals}`,
      {
        ...common,
        curves: curvesOf(points, ({ rate }) => rate),
        title: 'Bit-metric decoding rate',
        yTitle: 'bits a data element',
        scale: 'linear',
        legend: 'bottom-right',
      },
    ],
  ]
  return charts.map(([name, caption, chart]) => ({ name, caption, plot: measuredCurves(chart) }))
}

/** One curve a receiver, in the order of the first point. */
function curvesOf(points: readonly LinkPoint[], estimate: (quality: LinkQuality) => Estimate): MeasuredCurve[] {
  const names = points[0]?.receivers.map(({ receiver }) => receiver) ?? []
  return names.map((name, index) => ({
    name,
    ...lookOf(name, index),
    points: points.map(({ snr, receivers }) => ({ x: snr, ...estimate(receivers[index]!) })),
  }))
}
