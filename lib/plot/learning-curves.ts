import { checkNotEmpty, finiteRange, type Samples } from './samples.js'
import { colours, framed, type PlotSpec, seriesColours } from './theme.js'

/** What was measured at one moment of a training run. */
export interface LearningPoint {
  /** Epochs (or steps) done; a fraction within an epoch. */
  readonly at: number
  readonly loss: number
  /** Share of right answers, 0 to 1. */
  readonly accuracy?: number
  /** Mean spikes per neuron and time step, one number a spiking layer. */
  readonly firingRates?: Samples
}

export interface LearningHistory {
  /** One point an epoch: means over the epoch. */
  readonly train: readonly LearningPoint[]
  readonly validation?: readonly LearningPoint[]
  /** Points within the epochs, drawn as a faint line behind; averaged down to 300. */
  readonly batches?: readonly LearningPoint[]
  /** Names for `firingRates`. */
  readonly layers?: readonly string[]
  /** What `at` counts. Default `epoch`. */
  readonly unit?: 'epoch' | 'step'
  readonly title?: string
}

const mostBatchPoints = 300
const panelSize = { width: 270, height: 220 }

/**
 * Loss and accuracy against epochs, training beside validation, and the firing rate of every spiking layer where measured.
 *
 * @throws ArgumentError `ERR_RANGE` when there is no training point
 */
export function learningCurves(history: LearningHistory): PlotSpec {
  checkNotEmpty('learningCurves: train', history.train)
  const batches = averaged(history.batches ?? [], mostBatchPoints)
  const curves: Curves = {
    rows: [
      ...batches.map((point) => row('batches', point)),
      ...history.train.map((point) => row('training', point)),
      ...(history.validation ?? []).map((point) => row('validation', point)),
    ],
    x: timeAxis(history),
  }
  const panels = [lossPanel(curves), ...accuracyPanels(curves), ...ratePanels(history, curves.x)]
  return framed(
    {
      text: history.title ?? 'Learning curves',
      subtitle: [lastFigures(history), batchNote(history.batches?.length ?? 0, batches.length)],
    },
    { data: { values: curves.rows }, spacing: 36, hconcat: panels, resolve: { scale: { color: 'independent' } } },
  )
}

interface CurveRow {
  readonly series: 'batches' | 'training' | 'validation'
  readonly at: number
  readonly loss: number
  readonly accuracy?: number
}

interface Curves {
  readonly rows: readonly CurveRow[]
  readonly x: object
}

function row(series: CurveRow['series'], point: LearningPoint): CurveRow {
  const { at, loss, accuracy } = point
  return accuracy === undefined ? { series, at, loss } : { series, at, loss, accuracy }
}

/** From the start of training, so that one epoch is a curve too. */
function timeAxis(history: LearningHistory): object {
  const points = [...history.train, ...(history.validation ?? []), ...(history.batches ?? [])]
  const [, last] = finiteRange(points.map((point) => point.at)) ?? [0, 1]
  return {
    field: 'at',
    type: 'quantitative',
    title: history.unit ?? 'epoch',
    axis: { tickMinStep: 1, tickCount: 6 },
    scale: { domain: [0, 1.03 * (last > 0 ? last : 1)], nice: false },
  }
}

function lossPanel(curves: Curves): object {
  const y = { field: 'loss', type: 'quantitative', title: 'loss', scale: { zero: true } }
  return { ...panelSize, encoding: { x: curves.x, y }, layer: curveLayers(curves, { title: null, orient: 'bottom' }) }
}

function accuracyPanels(curves: Curves): object[] {
  const range = finiteRange(curves.rows.flatMap((entry) => (entry.accuracy === undefined ? [] : [entry.accuracy])))
  if (range === undefined) return []
  // Down to the next 5 % below the worst point, up to everything right.
  const lowest = Math.max(0, Math.min(0.95, Math.floor(range[0] * 20) / 20))
  const y = {
    field: 'accuracy',
    type: 'quantitative',
    title: 'accuracy (share right)',
    axis: { format: '~%' },
    scale: { domain: [lowest, 1], nice: false },
  }
  return [{ ...panelSize, encoding: { x: curves.x, y }, layer: curveLayers(curves, null) }]
}

function curveLayers(curves: Curves, legend: object | null): object[] {
  const series = (['training', 'validation'] as const).filter((name) => curves.rows.some((e) => e.series === name))
  const range = series.map((name) => (name === 'training' ? colours.train : colours.validation))
  return [
    {
      transform: [{ filter: "datum.series === 'batches'" }],
      mark: { type: 'line', color: colours.train, opacity: 0.3, strokeWidth: 1, clip: true },
    },
    {
      transform: [{ filter: "datum.series !== 'batches'" }],
      mark: { type: 'line', strokeWidth: 2, point: { size: 36, filled: true } },
      encoding: { color: { field: 'series', type: 'nominal', scale: { domain: series, range }, legend } },
    },
  ]
}

/** Validation's rates where there are any (measured without dropout), else those of training. */
function ratePanels(history: LearningHistory, x: object): object[] {
  const measured = [history.validation ?? [], history.train].find((points) => points.some((p) => p.firingRates)) ?? []
  const rates = measured.flatMap((point) =>
    Array.from(point.firingRates ?? [], (rate, i) => ({
      layer: history.layers?.[i] ?? `spiking layer ${i + 1}`,
      at: point.at,
      rate,
    })),
  )
  if (rates.length === 0) return []
  const layers = [...new Set(rates.map((entry) => entry.layer))]
  const palette = layers.length <= seriesColours.length
  const color = {
    field: 'layer',
    type: palette ? 'nominal' : 'ordinal',
    // More layers than colours: lightness tells depth, deeper layers are darker.
    scale: palette
      ? { domain: layers, range: seriesColours.slice(0, layers.length) }
      : { domain: layers, scheme: 'blues' },
    legend: { title: null, orient: 'bottom', columns: layers.length > 16 ? 3 : 2 },
  }
  const title = 'firing rate (spikes / neuron / step)'
  const y = { field: 'rate', type: 'quantitative', title, scale: { zero: true } }
  const mark = { type: 'line', strokeWidth: 2, point: { size: 36, filled: true } }
  return [{ ...panelSize, data: { values: rates }, mark, encoding: { x, y, color } }]
}

function lastFigures(history: LearningHistory): string {
  const figures = (name: string, point: LearningPoint | undefined): string => {
    if (point === undefined) return ''
    const accuracy = point.accuracy === undefined ? '' : `, accuracy ${(100 * point.accuracy).toFixed(2)} %`
    return `${name} loss ${point.loss.toPrecision(4)}${accuracy}`
  }
  const parts = [figures('training', history.train.at(-1)), figures('validation', history.validation?.at(-1))]
  return `last: ${parts.filter((part) => part !== '').join('; ')}`
}

function batchNote(given: number, drawn: number): string {
  if (given === 0) return ''
  if (given === drawn) return 'faint line: single batches'
  return `faint line: ${drawn} means of ${Math.ceil(given / drawn)} batches each`
}

/** Means of consecutive groups, so that at most `most` points remain. */
function averaged(points: readonly LearningPoint[], most: number): LearningPoint[] {
  if (points.length <= most) return [...points]
  const size = Math.ceil(points.length / most)
  const groups: LearningPoint[] = []
  for (let start = 0; start < points.length; start += size) {
    const group = points.slice(start, start + size)
    const mean = (pick: (point: LearningPoint) => number): number =>
      group.reduce((sum, point) => sum + pick(point), 0) / group.length
    const at = mean((point) => point.at)
    const loss = mean((point) => point.loss)
    const known = group.every((point) => point.accuracy !== undefined)
    groups.push(known ? { at, loss, accuracy: mean((point) => point.accuracy!) } : { at, loss })
  }
  return groups
}
