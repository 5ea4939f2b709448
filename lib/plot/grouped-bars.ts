import { ShapeError } from '../errors.js'
import { checkNotEmpty } from './samples.js'
import { framed, type PlotSpec, seriesColours } from './theme.js'

export interface BarSeries {
  readonly name: string
  /** One for each group. */
  readonly values: readonly number[]
  /** Default: by place. */
  readonly colour?: string
}

export interface GroupedBars {
  /** From top to bottom. */
  readonly groups: readonly string[]
  readonly series: readonly BarSeries[]
  /** With unit. */
  readonly xTitle: string
  readonly title: string
  readonly subtitle?: string
}

/**
 * For each group a bar of every series, the value written at its end.
 *
 * @throws ArgumentError `ERR_RANGE` without groups or series
 * @throws ShapeError when a series has another number of values
 */
export function groupedBars({ groups, series, xTitle, title, subtitle }: GroupedBars): PlotSpec {
  checkNotEmpty('groupedBars', groups)
  checkNotEmpty('groupedBars', series)
  for (const { name, values } of series) {
    if (values.length === groups.length) continue
    const details = { expected: groups.length, actual: values.length }
    throw new ShapeError(`groupedBars: ${name} expects ${groups.length} values, got ${values.length}`, details)
  }
  const names = series.map(({ name }) => name)
  const colours = series.map(({ colour }, i) => colour ?? seriesColours[i % seriesColours.length]!)
  const largest = Math.max(...series.flatMap(({ values }) => values))
  const y = {
    field: 'group',
    type: 'nominal',
    sort: null,
    title: null,
    axis: { ticks: false, domain: false },
    scale: { paddingInner: 0.3 },
  }
  const x = {
    field: 'value',
    type: 'quantitative',
    title: xTitle,
    axis: { tickCount: 6 },
    // Room for the figure behind the longest bar.
    scale: { domain: [0, 1.15 * Math.max(1e-3, largest)], nice: false },
  }
  const color = {
    field: 'series',
    type: 'nominal',
    scale: { domain: names, range: colours },
    legend: names.length > 1 ? { title: null } : null,
  }
  const values = groups.flatMap((group, i) => series.map((one) => ({ group, series: one.name, value: one.values[i]! })))
  return framed(
    { text: title, subtitle: [subtitle ?? ''] },
    {
      data: { values },
      width: 420,
      height: { step: 14 },
      encoding: { x, y, yOffset: { field: 'series', type: 'nominal', sort: names } },
      layer: [
        { mark: { type: 'bar' }, encoding: { color } },
        {
          mark: { type: 'text', align: 'left', dx: 5, fontSize: 9 },
          encoding: { text: { field: 'value', type: 'quantitative', format: '.3~g' } },
        },
      ],
    },
  )
}
