import { checkNotEmpty, checkSamples, type Samples } from './samples.js'
import { framed, type PlotSpec } from './theme.js'

export interface PanelLine {
  readonly name: string
  readonly values: Samples
}

export interface LinePanel {
  readonly title: string
  readonly lines: readonly PanelLine[]
}

export interface LinePanels {
  readonly panels: readonly LinePanel[]
  /** Of the lines by name, in the order of the legend; those not named here are not drawn. */
  readonly colours: Readonly<Record<string, string>>
  /** Places of the values on the common axis. */
  readonly x: Samples
  readonly xTitle: string
  readonly yTitle: string
  readonly title: string
  readonly subtitle?: string
}

/**
 * The same lines in several situations, one panel beside the other on the same axes: a channel's estimates at some symbols.
 *
 * @throws ShapeError when a line has another number of values than `x`
 * @throws ArgumentError `ERR_RANGE` without panels
 */
export function linePanels(chart: LinePanels): PlotSpec {
  const { panels, x, colours } = chart
  checkNotEmpty('linePanels', panels)
  for (const { title, lines } of panels) {
    for (const { name, values } of lines) checkSamples(`linePanels: ${title}, ${name}`, values, [x.length])
  }
  const names = Object.keys(colours)
  return framed(
    { text: chart.title, subtitle: [chart.subtitle ?? ''] },
    {
      spacing: 24,
      hconcat: panels.map(({ title, lines }, index) => ({
        title: { text: title, fontSize: 11, fontWeight: 'normal', frame: 'group', offset: 6 },
        width: 230,
        height: 230,
        data: {
          values: lines.flatMap(({ name, values }) =>
            Array.from(values, (y, i) => ({ name, x: x[i]!, y: Number(y.toPrecision(5)) })),
          ),
        },
        transform: [{ filter: { field: 'name', oneOf: names } }],
        mark: { type: 'line', strokeWidth: 1.8 },
        encoding: {
          x: { field: 'x', type: 'quantitative', title: chart.xTitle, scale: { zero: false, nice: false } },
          y: { field: 'y', type: 'quantitative', title: index === 0 ? chart.yTitle : null, scale: { zero: true } },
          color: {
            field: 'name',
            type: 'nominal',
            scale: { domain: names, range: Object.values(colours) },
            legend: { title: null },
          },
        },
      })),
      resolve: { scale: { y: 'shared', color: 'shared' } },
    },
  )
}
