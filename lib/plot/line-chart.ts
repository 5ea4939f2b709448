import { ShapeError } from '../errors.js'
import { checkNotEmpty, type Samples } from './samples.js'
import { framed, type PlotSpec, seriesColours } from './theme.js'

export interface ChartSeries {
  readonly name: string
  readonly x: Samples
  readonly y: Samples
  /** Default `line`. `points` for measurements, `dashed` for fits and references. */
  readonly style?: 'line' | 'dashed' | 'points'
}

export interface LineChart {
  readonly series: readonly ChartSeries[]
  /** Axis titles with units: `input current (pA)`. */
  readonly xTitle: string
  readonly yTitle: string
  readonly title: string
  readonly subtitle?: string
  readonly xScale?: 'linear' | 'log'
  readonly yScale?: 'linear' | 'log'
  /** x counts something: ticks at whole numbers only. Default false. */
  readonly xWhole?: boolean
  /** y starts at 0. Default false. */
  readonly yFromZero?: boolean
}

/**
 * Curves over a common axis, such as firing rate against input current.
 *
 * @throws ShapeError when x and y of a series differ in length
 * @throws ArgumentError `ERR_RANGE` without series
 */
export function lineChart(chart: LineChart): PlotSpec {
  checkNotEmpty('lineChart', chart.series)
  for (const { name, x, y } of chart.series) {
    if (x.length !== y.length) {
      throw new ShapeError(`lineChart: ${name} expects as many y as x, got ${y.length} for ${x.length}`, {
        expected: x.length,
        actual: y.length,
      })
    }
  }
  const names = chart.series.map((series) => series.name)
  const range = names.map((_, i) => seriesColours[i % seriesColours.length]!)
  const encoding = {
    x: {
      field: 'x',
      type: 'quantitative',
      title: chart.xTitle,
      scale: axisScale(chart.xScale, false),
      axis: chart.xWhole ? { tickMinStep: 1 } : {},
    },
    y: {
      field: 'y',
      type: 'quantitative',
      title: chart.yTitle,
      scale: axisScale(chart.yScale, chart.yFromZero ?? false),
      axis: { tickCount: 8 },
    },
    order: { field: 'order' },
    color: {
      field: 'series',
      type: 'nominal',
      scale: { domain: names, range },
      legend: names.length > 1 ? { title: null } : null,
    },
  }
  return framed(
    { text: chart.title, subtitle: [chart.subtitle ?? ''] },
    {
      width: 460,
      height: 300,
      encoding,
      layer: chart.series.map((series) => ({
        data: {
          values: Array.from(series.x, (x, i) => ({ series: series.name, x, y: series.y[i]!, order: i })),
        },
        mark: markOf(series.style ?? 'line'),
      })),
    },
  )
}

function axisScale(kind: 'linear' | 'log' | undefined, zero: boolean): object {
  return kind === 'log' ? { type: 'log' } : { zero, nice: true }
}

function markOf(style: 'line' | 'dashed' | 'points'): object {
  if (style === 'points') return { type: 'point', filled: true, size: 36, opacity: 1 }
  return { type: 'line', strokeWidth: 2, ...(style === 'dashed' ? { strokeDash: [6, 4] } : {}) }
}
