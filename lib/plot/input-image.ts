import { ShapeError } from '../errors.js'
import { imageGrid } from './image-grid.js'
import { checkSamples, finiteRange, type Samples } from './samples.js'
import type { PlotSpec } from './theme.js'

export interface InputImage {
  /** `[channels, height, width]` row by row. */
  readonly values: Samples
  readonly channels: number
  readonly height: number
  readonly width: number
  readonly title?: string
  readonly subtitle?: string
}

/**
 * A sample as the network sees it: grey, black lowest and white highest; several channels side by side.
 *
 * The scale is 0 to 1 where values lie inside it, 0 to 255 where they look like bytes, else their own range.
 *
 * @throws ShapeError when `values` does not hold channels x height x width numbers
 */
export function inputImage(image: InputImage): PlotSpec {
  const { channels, height, width } = image
  checkSamples('inputImage: values', image.values, [channels, height, width])
  const range = finiteRange(image.values)
  if (range === undefined) throw new ShapeError('inputImage expects finite values, got none')
  const size = height * width
  return imageGrid({
    height,
    width,
    images: Array.from({ length: channels }, (_, channel) => ({
      label: channels === 1 ? '' : `ch${channel}`,
      values: Array.prototype.slice.call(image.values, channel * size, (channel + 1) * size) as number[],
    })),
    colours: 'grey',
    quantity: 'value',
    domain: greyDomain(range),
    title: image.title ?? 'Input',
    subtitle: `${image.subtitle === undefined ? '' : `${image.subtitle}; `}${channels} x ${height} x ${width}`,
  })
}

function greyDomain([low, high]: readonly [number, number]): readonly [number, number] {
  if (low >= 0 && high <= 1) return [0, 1]
  if (low >= 0 && high <= 255 && high > 16) return [0, 255]
  return high > low ? [low, high] : [low, low + 1]
}
