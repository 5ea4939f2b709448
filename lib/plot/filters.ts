import { imageGrid } from './image-grid.js'
import { checkSamples, formatCount, type Samples } from './samples.js'
import type { PlotSpec } from './theme.js'

/** Weights of a convolution (or of a fully connected layer on an image, as one filter a neuron). */
export interface FilterBank {
  /** `[filters, channels, height, width]` row by row. */
  readonly weights: Samples
  readonly filters: number
  readonly channels: number
  readonly height: number
  readonly width: number
  readonly title?: string
  readonly subtitle?: string
}

const mostKernels = 96

/**
 * Filters as small images, red positive, blue negative, white zero, one symmetric scale for all: `f0-ch0` is filter 0 on input
 * channel 0. The channels of a filter stand side by side. At most 96 kernels are shown, and the subtitle says so.
 *
 * @throws ShapeError when `weights` does not hold filters x channels x height x width numbers
 */
export function filterGrid(bank: FilterBank): PlotSpec {
  const { filters, channels, height, width } = bank
  checkSamples('filterGrid: weights', bank.weights, [filters, channels, height, width])
  const size = height * width
  const shape = `${formatCount(filters)} filters of ${channels} x ${height} x ${width}`
  return imageGrid({
    height,
    width,
    images: Array.from({ length: filters * channels }, (_, i) => ({
      label: `f${Math.floor(i / channels)}-ch${i % channels}`,
      values: Array.prototype.slice.call(bank.weights, i * size, (i + 1) * size) as number[],
    })),
    // Whole filters in a row.
    columns: channels === 1 ? 8 : channels * Math.max(1, Math.floor(12 / channels)),
    most: Math.max(channels, mostKernels - (mostKernels % channels)),
    colours: 'diverging',
    quantity: 'weight',
    title: bank.title ?? 'First-layer filters',
    subtitle: `${bank.subtitle === undefined ? '' : `${bank.subtitle}; `}${shape}; red positive, blue negative`,
  })
}
