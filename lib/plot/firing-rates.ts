import { checkNotEmpty } from './samples.js'
import { colours, framed, type PlotSpec } from './theme.js'

export interface LayerRate {
  readonly layer: string
  /** Mean spikes per neuron and time step. */
  readonly rate: number
}

export interface FiringRatesOptions {
  readonly title?: string
  readonly subtitle?: string
}

/**
 * One bar a layer, from input to output, the rate written at its end.
 *
 * @throws ArgumentError `ERR_RANGE` without layers
 */
export function firingRates(rates: readonly LayerRate[], options: FiringRatesOptions = {}): PlotSpec {
  checkNotEmpty('firingRates', rates)
  const y = { field: 'layer', type: 'nominal', sort: null, title: null, axis: { ticks: false, domain: false } }
  const x = {
    field: 'rate',
    type: 'quantitative',
    title: 'firing rate (spikes / neuron / step)',
    axis: { tickCount: 6 },
    // Room for the figure behind the longest bar.
    scale: { domain: [0, 1.15 * Math.max(1e-3, ...rates.map((entry) => entry.rate))], nice: false },
  }
  return framed(
    { text: options.title ?? 'Firing rates by layer', subtitle: [options.subtitle ?? ''] },
    {
      data: { values: rates.map(({ layer, rate }) => ({ layer, rate })) },
      width: 420,
      height: { step: 26 },
      encoding: { x, y },
      layer: [
        { mark: { type: 'bar', color: colours.bar, height: { band: 0.7 } } },
        {
          mark: { type: 'text', align: 'left', dx: 5, fontSize: 10 },
          encoding: { text: { field: 'rate', type: 'quantitative', format: '.4~g' } },
        },
      ],
    },
  )
}
