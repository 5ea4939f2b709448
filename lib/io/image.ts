/** One image, from a PNG or .npy file, as the input of a network that was trained on images. */
import { ArgumentError, DataError, ShapeError } from '../errors.js'
import { readDataFile } from './idx.js'
import { parseNpy } from './npy.js'
import type { Picture } from './png.js'
import { decodePng, isPng } from './png.js'

export interface ImageOptions {
  /** `[C, H, W]` wanted, C 1 (grey) or 3 (red, green, blue). */
  readonly shape: readonly number[]
  /**
   * Whether to swap light and dark. 'auto' swaps when the outermost ring of pixels is lighter than half on average: digits
   * are white on black in MNIST, ink on paper elsewhere. Default false.
   */
  readonly invert?: boolean | 'auto' | undefined
}

export interface ImageTensor {
  /** `[C, H, W]`. */
  readonly shape: readonly number[]
  /** Row-major values from 0 to 255, which a network scales by 1/255. */
  readonly data: Uint8Array
}

/**
 * Reads a PNG image, or an array in .npy: `[H, W]`, `[C, H, W]` or `[H, W, C]` (the former where both are
 * possible), integers from 0 to 255, floating
 * point from 0 to 1, bool.
 *
 * In this order: transparency is laid over black; colour becomes grey as 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601) or
 * grey is repeated; light and dark are swapped (`invert`); the image is resized to `H x W` by area (each new pixel is
 * the mean of what it covers; the proportions are not kept); values are rounded.
 *
 * @throws DataError `ERR_DATA_MISSING`, `ERR_DATA_READ`, `ERR_DATA_FORMAT` when it is damaged or has values out of range,
 *   `ERR_DATA_UNSUPPORTED` when it is neither PNG nor .npy
 * @throws ShapeError `ERR_SHAPE` when `shape` is not `[1 or 3, H, W]`, or an array is not an image
 */
export async function readImage(path: string, options: ImageOptions): Promise<ImageTensor> {
  const [channels, height, width] = wantedShape(options)
  const bytes = await readDataFile(path)
  let picture: Picture
  if (isPng(bytes)) picture = decodePng(bytes, path)
  else if (bytes[0] === 0x93) picture = pictureFromArray(bytes, path)
  else throw new DataError(`${path} is neither a PNG image nor a .npy array`, 'ERR_DATA_UNSUPPORTED', { path })

  picture = withChannels(picture, channels)
  const { invert = false } = options
  if (invert === true || (invert === 'auto' && borderMean(picture) > 127.5)) {
    picture = { ...picture, values: picture.values.map((value) => 255 - value) }
  }
  const resized = resize(picture, width, height)
  const data = new Uint8Array(channels * height * width)
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < height * width; i++) data[c * height * width + i] = Math.round(resized[i * channels + c]!)
  }
  return { shape: [channels, height, width], data }
}

function wantedShape({ shape, invert }: ImageOptions): readonly [channels: 1 | 3, height: number, width: number] {
  const [channels, height, width] = shape
  const valid = shape.length === 3 && shape.every((size) => Number.isSafeInteger(size) && size > 0)
  if (!valid || (channels !== 1 && channels !== 3)) {
    throw new ShapeError(`an image must have the shape [1 or 3, height, width], got [${shape.join(', ')}]`, { shape })
  }
  if (invert !== undefined && typeof invert !== 'boolean' && invert !== 'auto') {
    throw new ArgumentError(`invert must be true, false or 'auto', got ${JSON.stringify(invert)}`)
  }
  return [channels, height!, width!]
}

/** An array as a picture: channels first, or last, or none. */
function pictureFromArray(bytes: Uint8Array, path: string): Picture {
  const { shape, data, dtype, complex } = parseNpy(bytes, path)
  const channelsFirst = shape.length === 3 && isChannels(shape[0])
  const channelsLast = shape.length === 3 && !channelsFirst && isChannels(shape[2])
  if (complex || data.length === 0 || (shape.length !== 2 && !channelsFirst && !channelsLast)) {
    throw new ShapeError(
      `${path} must be [H, W], [C, H, W] or [H, W, C] of real numbers with 1 or 3 channels, got ${complex ? 'complex ' : ''}[${shape.join(', ')}]`,
      { path, shape },
    )
  }
  const sizes = channelsFirst ? [shape[1]!, shape[2]!, shape[0]!] : [shape[0]!, shape[1]!, shape[2] ?? 1]
  const [height, width, channels] = sizes as [number, number, 1 | 3]
  const scale = dtype === 'float32' || dtype === 'float64' || dtype === 'bool' ? 255 : 1
  const values = new Float32Array(data.length)
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]) * scale
    if (!(value >= 0 && value <= 255)) {
      throw new DataError(
        `${path} has the value ${data[i]}, but a ${dtype} image must be from 0 to ${255 / scale}`,
        'ERR_DATA_FORMAT',
        { path, index: i },
      )
    }
    const pixel = i % (height * width)
    values[channelsFirst ? pixel * channels + Math.floor(i / (height * width)) : i] = value
  }
  return { width, height, channels, values }
}

function isChannels(size: number | undefined): boolean {
  return size === 1 || size === 3
}

function withChannels(picture: Picture, channels: 1 | 3): Picture {
  const { width, height, values } = picture
  if (picture.channels === channels) return picture
  const result = new Float32Array(width * height * channels)
  for (let pixel = 0; pixel < width * height; pixel++) {
    if (channels === 3) result.fill(values[pixel]!, pixel * 3, pixel * 3 + 3)
    else {
      const [red, green, blue] = values.subarray(pixel * 3, pixel * 3 + 3) as unknown as [number, number, number]
      result[pixel] = 0.299 * red + 0.587 * green + 0.114 * blue
    }
  }
  return { width, height, channels, values: result }
}

/** Mean over the outermost ring of pixels, all channels. */
function borderMean({ width, height, channels, values }: Picture): number {
  let sum = 0
  let count = 0
  for (let y = 0; y < height; y++) {
    const inside = y > 0 && y < height - 1
    for (let x = 0; x < width; x += inside && width > 1 ? width - 1 : 1) {
      for (let c = 0; c < channels; c++) sum += values[(y * width + x) * channels + c]!
      count += channels
    }
  }
  return sum / count
}

/** Area resampling, first along the rows, then along the columns: `[height, width, channels]`. */
function resize(picture: Picture, width: number, height: number): Float32Array {
  const { channels } = picture
  const across = coverage(picture.width, width)
  const down = coverage(picture.height, height)
  const narrowed = new Float32Array(picture.height * width * channels)
  for (let y = 0; y < picture.height; y++) {
    for (const { from, to, weight } of across) {
      for (let c = 0; c < channels; c++) {
        const at = (y * width + to) * channels + c
        narrowed[at] = narrowed[at]! + weight * picture.values[(y * picture.width + from) * channels + c]!
      }
    }
  }
  const result = new Float32Array(height * width * channels)
  const row = width * channels
  for (const { from, to, weight } of down) {
    for (let i = 0; i < row; i++) result[to * row + i] = result[to * row + i]! + weight * narrowed[from * row + i]!
  }
  return result
}

interface Coverage {
  readonly from: number
  readonly to: number
  /** Share of the new pixel `to` that the old pixel `from` covers; they sum to 1 for each `to`. */
  readonly weight: number
}

/** Which of `before` equal pieces of a line cover which of `after` equal pieces. */
function coverage(before: number, after: number): readonly Coverage[] {
  const result: Coverage[] = []
  for (let to = 0; to < after; to++) {
    // In units of 1 / (before * after) of the line, where all borders are whole numbers.
    const begin = to * before
    const end = begin + before
    for (let from = Math.floor(begin / after); from * after < end; from++) {
      const shared = Math.min(end, (from + 1) * after) - Math.max(begin, from * after)
      result.push({ from, to, weight: shared / before })
    }
  }
  return result
}
