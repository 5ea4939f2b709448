import { ArgumentError } from '../errors.js'
import { checkNotEmpty, finiteRange, formatCount, formatFigure, meanAndDeviation, type Samples } from './samples.js'
import { colours, framed, type PlotSpec, seriesColours } from './theme.js'

export interface HistogramSeries {
  readonly name: string
  readonly values: Samples
}

export interface HistogramPanel {
  readonly title: string
  readonly series: readonly HistogramSeries[]
}

export interface HistogramOptions {
  readonly title: string
  readonly subtitle?: string
  /** What is counted, with unit: below the axis. */
  readonly quantity: string
  readonly bins?: number
  /** Ends of the axis; what lies beyond is not drawn. Default: from the values. */
  readonly domain?: readonly [number, number]
  /** Of the series in their order. Default: before and after, or as many as there are. */
  readonly colours?: readonly string[]
}

/**
 * Values by bin: `counts[k]` of those in `[edges[k], edges[k+1])`, the last bin closed. Non-finite values and those outside are not
 * counted.
 */
export function binCounts(values: Samples, edges: readonly number[]): number[] {
  const counts = new Array<number>(edges.length - 1).fill(0)
  const low = edges[0]!
  const high = edges.at(-1)!
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (!(value >= low && value <= high)) continue
    let bin = Math.min(counts.length - 1, Math.floor(((value - low) / (high - low)) * counts.length))
    // Rounding may land one bin beside.
    if (value < edges[bin]!) bin -= 1
    else if (bin + 1 < counts.length && value >= edges[bin + 1]!) bin += 1
    counts[bin]! += 1
  }
  return counts
}

/**
 * Histograms of several series over each other (before and after), one panel beside the other, all with the same bins and the same
 * axis; mean and standard deviation of each stand in its legend.
 *
 * @throws ArgumentError `ERR_RANGE` without values, or with bins outside 1 to 500
 */
export function histograms(panels: readonly HistogramPanel[], options: HistogramOptions): PlotSpec {
  checkNotEmpty('histograms', panels)
  const bins = options.bins ?? 60
  if (!Number.isInteger(bins) || bins < 1 || bins > 500) {
    throw new ArgumentError(`histograms expects bins from 1 to 500, got ${bins}`, 'ERR_RANGE', { bins })
  }
  const ranges =
    options.domain ?? panels.flatMap((panel) => panel.series.flatMap((series) => finiteRange(series.values) ?? []))
  if (ranges.length === 0)
    throw new ArgumentError('histograms expects at least one finite value, got none', 'ERR_RANGE')
  const edges = binEdges(Math.min(...ranges), Math.max(...ranges), bins)
  return framed(
    { text: options.title, subtitle: [options.subtitle ?? ''] },
    {
      spacing: 36,
      hconcat: panels.map((panel) => histogramPanel(panel, edges, options)),
      resolve: { scale: { color: 'independent' } },
    },
  )
}

function binEdges(low: number, high: number, bins: number): number[] {
  const [from, to] = high > low ? [low, high] : [low - 0.5, high + 0.5]
  return Array.from({ length: bins + 1 }, (_, k) => from + ((to - from) * k) / bins)
}

function histogramPanel(panel: HistogramPanel, edges: readonly number[], options: HistogramOptions): object {
  const names = panel.series.map(nameWithFigures)
  const rows = panel.series.flatMap((series, s) => {
    const counts = binCounts(series.values, edges)
    return counts.map((count, k) => ({ series: names[s]!, from: edges[k]!, to: edges[k + 1]!, count }))
  })
  const range = options.colours ?? (panel.series.length === 2 ? [colours.before, colours.after] : seriesColours)
  return {
    title: { text: panel.title, fontSize: 11, fontWeight: 'normal', offset: 6 },
    width: 330,
    height: 220,
    data: { values: rows },
    mark: { type: 'rect', opacity: 0.55, strokeWidth: 0 },
    encoding: {
      x: { field: 'from', type: 'quantitative', title: options.quantity, scale: { zero: false, nice: false } },
      x2: { field: 'to' },
      y: { field: 'count', type: 'quantitative', title: 'values in the bin' },
      y2: { datum: 0 },
      color: {
        field: 'series',
        type: 'nominal',
        scale: { domain: names, range: range.slice(0, names.length) },
        legend: { title: null, orient: 'bottom', direction: 'vertical', symbolType: 'square' },
      },
    },
  }
}

function nameWithFigures(series: HistogramSeries): string {
  const { mean, deviation } = meanAndDeviation(series.values)
  let lost = 0
  for (let i = 0; i < series.values.length; i++) if (!Number.isFinite(series.values[i]!)) lost += 1
  const note = lost > 0 ? `, ${formatCount(lost)} not finite` : ''
  return `${series.name}: mean ${figure(mean)}, std ${figure(deviation)}${note}`
}

/** Three decimals: a mean of 1e-9 is 0 here. */
function figure(value: number): string {
  return formatFigure(Number(value.toFixed(3)), 4)
}
