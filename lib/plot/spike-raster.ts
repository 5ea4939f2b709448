import { checkNotEmpty, checkSamples, formatCount, formatFigure, oneOfEachStretch, type Samples } from './samples.js'
import { colours, framed, type PlotSpec } from './theme.js'

/** Spikes of one layer for one sample. */
export interface LayerSpikes {
  readonly layer: string
  readonly steps: number
  readonly neurons: number
  /** `[steps, neurons]` row by row: 0, 1, or above 1 behind a SEW block that adds. */
  readonly spikes: Samples
}

export interface SpikeRasterOptions {
  readonly title?: string
  readonly subtitle?: string
  /** Rows drawn for one layer at most. Default 80; fewer when the picture would hold more than 12,000 spikes. */
  readonly mostNeurons?: number
}

const mostSpikes = 12_000
const plotWidth = 560

/**
 * Which neuron fired at which step: one panel a layer, time to the right, one row a neuron.
 *
 * A layer with more neurons than rows is shown by one neuron out of each equal stretch of it; its panel says how many of how many. The rate in
 * the panel's title is over all neurons.
 *
 * @throws ShapeError when `spikes` does not hold steps x neurons numbers
 * @throws ArgumentError `ERR_RANGE` without layers
 */
export function spikeRaster(layers: readonly LayerSpikes[], options: SpikeRasterOptions = {}): PlotSpec {
  checkNotEmpty('spikeRaster', layers)
  for (const layer of layers) checkSamples(`spikeRaster: ${layer.layer}`, layer.spikes, [layer.steps, layer.neurons])
  let most = options.mostNeurons ?? 80
  while (most > 8 && countShown(layers, most) > mostSpikes) most = Math.floor(most / 2)
  const steps = Math.max(...layers.map((layer) => layer.steps))
  const graded = layers.some((layer) => Array.prototype.some.call(layer.spikes, (value: number) => value > 1))
  const last = layers.length - 1
  return framed(
    {
      text: options.title ?? 'Spike raster',
      subtitle: [
        options.subtitle ?? '',
        graded ? 'values above 1: behind a SEW block that adds, both paths spiked at once' : '',
      ],
    },
    {
      spacing: 14,
      vconcat: layers.map((layer, i) => layerPanel(layer, most, steps, graded, i === last)),
      resolve: { scale: { x: 'shared', color: 'shared' } },
    },
  )
}

function countShown(layers: readonly LayerSpikes[], most: number): number {
  return layers.reduce((sum, layer) => sum + shownSpikes(layer, oneOfEachStretch(most, layer.neurons)).length, 0)
}

interface Spike {
  readonly step: number
  readonly row: number
  readonly value: string
}

/** The spikes of `neurons`, by row from the top. */
function shownSpikes(layer: LayerSpikes, neurons: readonly number[]): Spike[] {
  const spikes: Spike[] = []
  for (let step = 0; step < layer.steps; step++) {
    neurons.forEach((neuron, row) => {
      const value = layer.spikes[step * layer.neurons + neuron]!
      if (value > 0) spikes.push({ step: step + 1, row, value: value > 1 ? 'above 1' : 'spike' })
    })
  }
  return spikes
}

function layerPanel(layer: LayerSpikes, most: number, steps: number, graded: boolean, withTime: boolean): object {
  const neurons = oneOfEachStretch(most, layer.neurons)
  const rows = neurons.length
  const rowHeight = Math.max(2, Math.min(12, Math.round(120 / rows)))
  const shown = rows < layer.neurons ? `${rows} of ${formatCount(layer.neurons)} neurons` : `${rows} neurons`
  const time = {
    field: 'from',
    type: 'quantitative',
    title: withTime ? 'time step' : null,
    scale: { domain: [0.5, steps + 0.5], nice: false, zero: false },
    axis: { tickMinStep: 1, grid: false, labels: withTime, ticks: withTime },
  }
  const value = graded
    ? {
        color: {
          field: 'value',
          type: 'nominal',
          scale: { domain: ['spike', 'above 1'], range: [colours.membrane, colours.spike] },
          legend: { title: null, orient: 'top' },
        },
      }
    : {}
  return {
    title: {
      text: `${layer.layer}: ${shown}, rate ${formatFigure(rateOf(layer))}`,
      fontSize: 11,
      fontWeight: 'normal',
      offset: 4,
    },
    width: plotWidth,
    height: rows * rowHeight,
    view: { stroke: colours.faint },
    data: { values: shownSpikes(layer, neurons) },
    transform: [
      { calculate: 'datum.step - 0.42', as: 'from' },
      { calculate: 'datum.step + 0.42', as: 'to' },
      { calculate: 'datum.row + 0.9', as: 'bottom' },
    ],
    mark: { type: 'rect', color: colours.membrane },
    encoding: {
      x: time,
      x2: { field: 'to' },
      y: {
        field: 'row',
        type: 'quantitative',
        title: 'neuron',
        axis: { labels: false, ticks: false, grid: false, titlePadding: 4 },
        scale: { domain: [0, rows], reverse: true, nice: false },
      },
      y2: { field: 'bottom' },
      ...value,
    },
  }
}

/** Mean value per neuron and step. */
function rateOf(layer: LayerSpikes): number {
  let sum = 0
  for (let i = 0; i < layer.spikes.length; i++) sum += layer.spikes[i]!
  return sum / layer.spikes.length
}
