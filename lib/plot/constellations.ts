import { ShapeError } from '../errors.js'
import { checkNotEmpty, formatCount, type Samples } from './samples.js'
import { colours, framed, type PlotSpec, seriesColours } from './theme.js'

/** Complex symbols of one kind, such as those received. */
export interface ConstellationPanel {
  readonly title: string
  /** Real and imaginary part, one pair after the other. */
  readonly symbols: Samples
}

export interface Constellations {
  readonly panels: readonly ConstellationPanel[]
  /** What each symbol was sent as, the same for all panels: an index into `labels`. Without: all in one colour. */
  readonly sent?: Samples
  readonly labels?: readonly string[]
  /** What the labels are. */
  readonly legend?: string
  /** Points that a sender chooses from, as pairs: drawn as crosses. */
  readonly ideal: Samples
  /** Both axes reach from −extent to extent; what lies beyond is not drawn, and each panel says how much. */
  readonly extent: number
  readonly title: string
  readonly subtitle?: string
}

const side = 230

/**
 * Complex symbols in the plane, one panel beside the other on the same axes.
 *
 * @throws ShapeError when a panel has half a pair, or another number of symbols than `sent`
 * @throws ArgumentError `ERR_RANGE` without panels
 */
export function constellations(chart: Constellations): PlotSpec {
  const { panels, sent, ideal, extent } = chart
  checkNotEmpty('constellations', panels)
  for (const { title, symbols } of panels) {
    const wanted = sent === undefined ? 2 * Math.floor(symbols.length / 2) : 2 * sent.length
    if (symbols.length === wanted) continue
    throw new ShapeError(`constellations: ${title} expects ${wanted} numbers, got ${symbols.length}`, {
      expected: wanted,
      actual: symbols.length,
    })
  }
  return framed(
    { text: chart.title, subtitle: [chart.subtitle ?? ''] },
    {
      spacing: 30,
      hconcat: panels.map((panel, index) => panelOf(panel, chart, ideal, extent, index === 0)),
      resolve: { scale: { color: 'shared' } },
    },
  )
}

interface Point {
  readonly x: number
  readonly y: number
  readonly sent?: string
}

function panelOf(panel: ConstellationPanel, chart: Constellations, ideal: Samples, extent: number, first: boolean) {
  const { sent, labels = [] } = chart
  const all = pairs(panel.symbols).map((point, i) =>
    sent === undefined ? point : { ...point, sent: labels[sent[i]!] ?? String(sent[i]) },
  )
  const inside = all.filter(({ x, y }) => Math.max(Math.abs(x), Math.abs(y)) <= extent)
  const beyond = all.length - inside.length
  const axis = (field: string, title: string | null): object => ({
    field,
    type: 'quantitative',
    title,
    scale: { domain: [-extent, extent], nice: false, zero: false },
    axis: { tickCount: 5 },
  })
  const place = { x: axis('x', 'in phase'), y: axis('y', first ? 'quadrature' : null) }
  const color =
    sent === undefined
      ? { value: colours.membrane }
      : {
          field: 'sent',
          type: 'nominal',
          scale: { domain: labels, range: seriesColours.slice(0, labels.length) },
          legend: { title: chart.legend ?? null, symbolOpacity: 1 },
        }
  return {
    title: {
      text: `${panel.title}${beyond > 0 ? ` (${formatCount(beyond)} outside)` : ''}`,
      fontSize: 11,
      fontWeight: 'normal',
      frame: 'group',
      offset: 6,
    },
    width: side,
    height: side,
    layer: [
      {
        data: { values: inside },
        mark: { type: 'point', filled: true, size: 14, opacity: 0.55 },
        encoding: { ...place, color },
      },
      {
        data: { values: pairs(ideal) },
        mark: { type: 'point', shape: 'cross', filled: true, size: 60, color: colours.ink, opacity: 1 },
        encoding: place,
      },
    ],
  }
}

function pairs(values: Samples): Point[] {
  return Array.from({ length: values.length / 2 }, (_, i) => ({ x: values[2 * i]!, y: values[2 * i + 1]! }))
}
