import { type GridColours, imageGrid } from './image-grid.js'
import { checkSamples, finiteRange, type Samples } from './samples.js'
import type { PlotSpec } from './theme.js'

/** Output of a layer for one sample, or its mean over time. */
export interface FeatureMaps {
  /** `[channels, height, width]` row by row. */
  readonly values: Samples
  readonly channels: number
  readonly height: number
  readonly width: number
  /** What the values are, with unit: `firing rate (spikes / step)`, `convolution output`. */
  readonly quantity: string
  /** Default: `diverging` when any value is below 0, else `sequential`. */
  readonly colours?: GridColours
  readonly title?: string
  readonly subtitle?: string
}

/**
 * Every channel of a layer as an image (`map 0`, `map 1`, ...), one colour scale for all.
 *
 * @throws ShapeError when `values` does not hold channels x height x width numbers
 */
export function featureMapGrid(maps: FeatureMaps): PlotSpec {
  const { channels, height, width } = maps
  checkSamples('featureMapGrid: values', maps.values, [channels, height, width])
  const size = height * width
  const lowest = finiteRange(maps.values)?.[0] ?? 0
  return imageGrid({
    height,
    width,
    images: Array.from({ length: channels }, (_, channel) => ({
      label: `map ${channel}`,
      values: Array.prototype.slice.call(maps.values, channel * size, (channel + 1) * size) as number[],
    })),
    columns: Math.min(8, Math.ceil(Math.sqrt(channels * 2))),
    colours: maps.colours ?? (lowest < 0 ? 'diverging' : 'sequential'),
    quantity: maps.quantity,
    title: maps.title ?? 'Feature maps',
    subtitle: `${maps.subtitle === undefined ? '' : `${maps.subtitle}; `}${channels} maps of ${height} x ${width}`,
  })
}
