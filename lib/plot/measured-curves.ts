import { checkNotEmpty } from './samples.js'
import { framed, type PlotSpec } from './theme.js'

/** A value with its confidence interval, at `x`. */
export interface MeasuredPoint {
  readonly x: number
  readonly value: number
  /** Without an interval: as the value. */
  readonly low?: number
  readonly high?: number
}

export interface MeasuredCurve {
  readonly name: string
  readonly points: readonly MeasuredPoint[]
  readonly colour: string
  /** Of its points. A curve without one is a reference: dashed, without points. */
  readonly shape?: 'circle' | 'square' | 'cross' | 'diamond' | 'triangle-up' | 'triangle-down'
}

export interface MeasuredCurves {
  readonly curves: readonly MeasuredCurve[]
  /** Axis titles with units. */
  readonly xTitle: string
  readonly yTitle: string
  readonly title: string
  readonly subtitle?: readonly string[]
  /** Of y. On a logarithmic axis points at or below 0 are left out. Default 'linear', from 0. */
  readonly scale?: 'linear' | 'log'
  /** Corner of the plot that no curve passes, for the legend. Default 'bottom-left'. */
  readonly legend?: 'bottom-left' | 'bottom-right' | 'top-left' | 'top-right'
  /** A value of y to look at, as a faint line with what it is written on it. */
  readonly level?: { readonly value: number; readonly text: string }
}

/**
 * What was measured, with error bars, beside references: error rates over SNR.
 *
 * @throws ArgumentError `ERR_RANGE` without curves
 */
export function measuredCurves(chart: MeasuredCurves): PlotSpec {
  const { curves, scale = 'linear', level, legend = 'bottom-left' } = chart
  checkNotEmpty('measuredCurves', curves)
  const drawn = (value: number): boolean => Number.isFinite(value) && (scale === 'linear' || value > 0)
  const rows = curves.flatMap(({ name, shape, points }) =>
    points
      .filter(({ value }) => drawn(value))
      .map(({ x, value, low = value, high = value }) => ({ name, x, y: value, low, high, reference: !shape })),
  )
  // References may fall far below what was measured: they end there.
  const measured = rows.filter(({ reference }) => !reference)
  const values = (measured.length > 0 ? measured : rows).map(({ y }) => y)
  const domain = scale === 'log' ? decades(values) : [0, Math.max(...values, 1e-12)]
  const inside = rows.filter(({ y, reference }) => !reference || scale === 'linear' || y >= domain[0]!)
  const clamped = inside.map(({ low, high, ...row }) => ({
    ...row,
    low: Math.max(low, domain[0]!),
    high: Math.min(high, scale === 'log' ? domain[1]! : Number.POSITIVE_INFINITY),
  }))
  const x = {
    field: 'x',
    type: 'quantitative',
    title: chart.xTitle,
    scale: { zero: false, nice: false, padding: 12 },
  }
  const y = {
    field: 'y',
    type: 'quantitative',
    title: chart.yTitle,
    scale: { type: scale, domain, nice: scale === 'linear' },
    axis: scale === 'log' ? logarithmicAxis(domain as [number, number]) : { tickCount: 8 },
  }
  const names = curves.map(({ name }) => name)
  const byName = (range: readonly unknown[]): object => ({
    field: 'name',
    type: 'nominal',
    scale: { domain: names, range },
    legend: {
      title: null,
      orient: legend,
      offset: 10,
      padding: 6,
      fillColor: '#ffffff',
      strokeColor: '#d9d9d9',
      labelFontSize: 11,
      symbolSize: 90,
      symbolOpacity: 1,
    },
  })
  const color = byName(curves.map(({ colour }) => colour))
  const shape = byName(curves.map((curve) => curve.shape ?? 'stroke'))
  const isMeasured = { filter: '!datum.reference' }
  const ends = (field: 'low' | 'high'): object => ({
    transform: [isMeasured],
    mark: { type: 'tick', orient: 'horizontal', thickness: 1.2, size: 7, opacity: 1 },
    encoding: { y: { ...y, field }, color },
  })
  return framed(
    { text: chart.title, subtitle: chart.subtitle ?? [] },
    {
      width: 540,
      height: 360,
      data: { values: clamped },
      encoding: { x },
      layer: [
        ...(level === undefined ? [] : levelLayers(level, y)),
        {
          transform: [{ filter: 'datum.reference' }],
          mark: { type: 'line', strokeWidth: 1.5, strokeDash: [6, 4] },
          encoding: { y, color, order: { field: 'x' } },
        },
        {
          transform: [isMeasured],
          mark: { type: 'line', strokeWidth: 2 },
          encoding: { y, color, order: { field: 'x' } },
        },
        {
          transform: [isMeasured],
          mark: { type: 'rule', strokeWidth: 1.2 },
          encoding: { y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
        },
        ends('low'),
        ends('high'),
        {
          transform: [isMeasured],
          mark: { type: 'point', filled: true, size: 55, opacity: 1 },
          encoding: { y, color, shape },
        },
      ],
    },
  )
}

/** From the power of ten below the values up to the next 1, 2 or 5 of a decade. */
function decades(values: readonly number[]): readonly [number, number] {
  if (values.length === 0) return [0.1, 1]
  const low = 10 ** (Math.ceil(Math.log10(Math.min(...values)) - 1e-9) - 1)
  const most = Math.max(...values)
  const decade = 10 ** Math.floor(Math.log10(most) + 1e-9)
  const high = [1, 2, 5, 10].map((digit) => digit * decade).find((end) => end >= most * (1 - 1e-9))!
  return [low, high]
}

/** A line at every digit of every decade, a label at the powers of ten; where there are few of these, also at 2 and 5. */
function logarithmicAxis([low, high]: readonly [number, number]): object {
  const [from, to] = [Math.round(Math.log10(low)), Math.ceil(Math.log10(high) - 1e-9)]
  const values: number[] = []
  for (let power = from; power <= to; power++) {
    for (let digit = 1; digit < 10; digit++) values.push(Number(`${digit}e${power}`))
  }
  const labelled = to - from <= 2 ? [1, 2, 5] : [1]
  const isLabelled = labelled.map((digit) => `abs(digit - ${digit}) < 1e-6`).join(' || ')
  const digit = 'datum.value / pow(10, floor(log(datum.value) / LN10 + 1e-9))'
  return {
    values: values.filter((value) => value <= high * (1 + 1e-9)),
    labelExpr: `(${isLabelled.replaceAll('digit', `(${digit})`)}) ? format(datum.value, '~g') : ''`,
    labelOverlap: false,
    tickSize: 3,
  }
}

function levelLayers({ value, text }: { readonly value: number; readonly text: string }, y: object): object[] {
  return [
    {
      data: { values: [{ y: value }] },
      mark: { type: 'rule', strokeWidth: 1, strokeDash: [2, 3], color: '#555555' },
      encoding: { x: null, y },
    },
    {
      data: { values: [{ y: value, text }] },
      mark: { type: 'text', align: 'right', baseline: 'bottom', dx: -4, dy: -3, fontSize: 10, color: '#555555' },
      encoding: { x: { value: 'width' }, y, text: { field: 'text' } },
    },
  ]
}
