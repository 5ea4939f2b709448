import { ArgumentError } from '../errors.js'
import { checkNotEmpty, checkSamples, finiteRange, formatCount, type Samples } from './samples.js'
import { colours, divergingColours, framed, greyColours, type PlotSpec, sequentialColours } from './theme.js'

export interface GridImage {
  readonly label: string
  /** `[height, width]` row by row, from the top. */
  readonly values: Samples
}

/**
 * `diverging`: blue below 0, white at 0, red above, the same distance on both sides. `sequential`: white to blue from 0 (or the
 * lowest value, where below 0). `grey`: black to white.
 */
export type GridColours = 'diverging' | 'sequential' | 'grey'

export interface ImageGrid {
  readonly height: number
  readonly width: number
  readonly images: readonly GridImage[]
  readonly colours: GridColours
  /** What the colour means, with unit: beside the scale. */
  readonly quantity: string
  readonly title: string
  readonly subtitle?: string
  /** Images in a row. Default: as square as it goes. */
  readonly columns?: number
  /** Pixels that an image is wide, about. Default: 72, or as its label needs. */
  readonly imageWidth?: number
  /** Images drawn at most. Default: all that fit. */
  readonly most?: number
  /** Lowest and highest value of the colour scale. Default: from all values, one scale for all images. */
  readonly domain?: readonly [number, number]
}

/** Cells of one picture: about 1 MB of SVG. */
const mostCells = 16_000

/**
 * Images side by side under one colour scale, pixel for pixel.
 *
 * Where all would be more than 16,000 pixels the first ones are shown, and the subtitle says how many of how many.
 *
 * @throws ShapeError when an image does not hold height x width numbers
 * @throws ArgumentError `ERR_RANGE` without images or when a single one is larger than 16,000 pixels
 */
export function imageGrid(grid: ImageGrid): PlotSpec {
  const { height, width } = grid
  checkNotEmpty('imageGrid', grid.images)
  for (const image of grid.images) checkSamples(`imageGrid: ${image.label}`, image.values, [height, width])
  if (height * width > mostCells) {
    const limit = `at most ${formatCount(mostCells)} pixels`
    throw new ArgumentError(`imageGrid expects images of ${limit}, got ${height} x ${width}`, 'ERR_RANGE', {
      height,
      width,
    })
  }
  const columns = grid.columns ?? Math.ceil(Math.sqrt(grid.images.length))
  const wanted = Math.min(grid.images.length, grid.most ?? grid.images.length)
  const images = grid.images.slice(0, fitting(wanted, columns, height * width))
  const cut =
    images.length < grid.images.length ? `first ${images.length} of ${formatCount(grid.images.length)} shown` : ''
  const domain = grid.domain ?? colourDomain(images, grid.colours)
  const layout = layOut(images, height, width, Math.min(columns, images.length), grid.imageWidth)
  const scale = {
    domain: grid.colours === 'diverging' ? [domain[0], 0, domain[1]] : domain,
    range: rangeOf(grid.colours),
    interpolate: 'rgb',
  }
  const horizontal = { type: 'quantitative', axis: null, scale: { domain: [0, layout.width], nice: false } }
  const vertical = {
    type: 'quantitative',
    axis: null,
    scale: { domain: [0, layout.height], nice: false, reverse: true },
  }
  const blank = blankOf(grid.colours, domain)
  const box = {
    x: { field: 'x', ...horizontal },
    x2: { field: 'right' },
    y: { field: 'y', ...vertical },
    y2: { field: 'bottom' },
  }
  return framed(
    { text: grid.title, subtitle: [grid.subtitle ?? '', cut] },
    {
      width: layout.width,
      height: layout.height,
      layer: [
        {
          data: { values: layout.frames },
          mark: { type: 'rect', fill: blank.colour },
          encoding: box,
        },
        {
          data: { values: cells(images, layout, blank.value) },
          transform: [
            { calculate: `datum.x + ${layout.cell}`, as: 'right' },
            { calculate: `datum.y + ${layout.cell}`, as: 'bottom' },
          ],
          mark: { type: 'rect' },
          encoding: {
            ...box,
            color: {
              field: 'value',
              type: 'quantitative',
              scale,
              legend: { title: grid.quantity, gradientLength: Math.max(80, Math.min(200, layout.height - 20)) },
            },
          },
        },
        {
          data: { values: layout.frames },
          mark: { type: 'rect', filled: false, stroke: colours.input, strokeWidth: 1 },
          encoding: box,
        },
        {
          data: { values: layout.frames },
          mark: { type: 'text', align: 'left', baseline: 'bottom', dy: -3, fontSize: 9, color: colours.ink },
          encoding: { x: box.x, y: box.y, text: { field: 'label', type: 'nominal' } },
        },
      ],
    },
  )
}

/** As many images as the cell limit allows, in whole rows where there is more than one row. */
function fitting(images: number, columns: number, cellsEach: number): number {
  if (images * cellsEach <= mostCells) return images
  const most = Math.floor(mostCells / cellsEach)
  return most > columns ? most - (most % columns) : most
}

function colourDomain(images: readonly GridImage[], kind: GridColours): readonly [number, number] {
  const ranges = images.map((image) => finiteRange(image.values)).filter((range) => range !== undefined)
  const low = Math.min(...ranges.map((range) => range[0]))
  const high = Math.max(...ranges.map((range) => range[1]))
  if (ranges.length === 0) return kind === 'diverging' ? [-1, 1] : [0, 1]
  if (kind === 'diverging') {
    const largest = Math.max(Math.abs(low), Math.abs(high)) || 1
    return [-largest, largest]
  }
  const from = Math.min(0, low)
  return [from, high > from ? high : from + 1]
}

function rangeOf(kind: GridColours): readonly string[] {
  return kind === 'diverging' ? divergingColours : kind === 'sequential' ? sequentialColours : greyColours
}

/** The value whose colour fills each frame, so that its cells need not be drawn: most of a digit, most of a spike map. */
function blankOf(kind: GridColours, domain: readonly [number, number]): { value: number; colour: string } {
  if (kind === 'diverging') return { value: 0, colour: divergingColours[1]! }
  return { value: domain[0], colour: rangeOf(kind)[0]! }
}

interface Layout {
  readonly cell: number
  readonly imageWidth: number
  readonly width: number
  readonly height: number
  readonly frames: readonly { x: number; y: number; right: number; bottom: number; label: string }[]
}

/** Whole pixels everywhere, so that cells meet without seams. */
function layOut(
  images: readonly GridImage[],
  height: number,
  width: number,
  columns: number,
  imageWidth: number | undefined,
): Layout {
  const labelWidth = Math.max(...images.map((image) => image.label.length)) * 6
  const wanted = imageWidth ?? (images.length === 1 ? 280 : Math.max(72, labelWidth))
  const cell = Math.max(1, Math.round(wanted / Math.max(width, height)), Math.ceil(labelWidth / width))
  const gap = { x: 14, y: 20 }
  const frames = images.map((image, i) => {
    const x = (i % columns) * (width * cell + gap.x)
    const y = Math.floor(i / columns) * (height * cell + gap.y) + 14
    return { x, y, right: x + width * cell, bottom: y + height * cell, label: image.label }
  })
  return {
    cell,
    imageWidth: width,
    width: Math.max(...frames.map((frame) => frame.right)),
    height: Math.max(...frames.map((frame) => frame.bottom)),
    frames,
  }
}

function cells(images: readonly GridImage[], layout: Layout, blank: number): object[] {
  return images.flatMap((image, i) => {
    const frame = layout.frames[i]!
    return Array.from(image.values, (value, k) => ({
      x: frame.x + (k % layout.imageWidth) * layout.cell,
      y: frame.y + Math.floor(k / layout.imageWidth) * layout.cell,
      value: Number(value.toPrecision(5)),
    })).filter((cell) => Number.isFinite(cell.value) && cell.value !== blank)
  })
}
