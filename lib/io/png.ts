/** PNG files as rows of pixels: every colour type and depth, transparency over black. */
import { convertIndexedToRgb, decode } from 'fast-png'
import { DataError } from '../errors.js'

/** An image of one (grey) or three (red, green, blue) channels. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  /** `[height, width, channels]`, from 0 to 255, not rounded. */
  readonly values: Float32Array
}

/** Largest number of pixels: a small file can claim (and unpack to) any size. */
const MOST_PIXELS = 64 * 1024 * 1024

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const IHDR_END = 33
const INDEXED = 3

export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.equals(bytes.subarray(0, SIGNATURE.length))
}

/**
 * Decodes a PNG file. Partly transparent pixels are laid over black.
 *
 * @throws DataError `ERR_DATA_FORMAT` when it is damaged or larger than 64 megapixels, `ERR_DATA_UNSUPPORTED` when it is
 *   interlaced with fewer than 8 bits a sample
 */
export function decodePng(bytes: Uint8Array, name: string): Picture {
  const damaged = (what: string, cause?: unknown): DataError =>
    new DataError(`${name} ${what}`, 'ERR_DATA_FORMAT', { path: name }, cause)
  if (!isPng(bytes) || bytes.length < IHDR_END) throw damaged('is not a PNG file')
  const header = new DataView(bytes.buffer, bytes.byteOffset, IHDR_END)
  const pixels = header.getUint32(16) * header.getUint32(20)
  if (pixels === 0 || pixels > MOST_PIXELS) {
    throw damaged(`claims ${pixels} pixels, and 1 to ${MOST_PIXELS} are allowed`)
  }
  const indexed = header.getUint8(25) === INDEXED
  if (header.getUint8(28) !== 0 && header.getUint8(24) < 8) {
    throw new DataError(
      `${name} is an interlaced PNG with ${header.getUint8(24)} bits a sample, which is not supported: save it without interlacing`,
      'ERR_DATA_UNSUPPORTED',
      { path: name },
    )
  }
  try {
    const image = decode(bytes, { checkCrc: true })
    if (!indexed) return toPicture(image, unpack(image), 2 ** image.depth - 1, image.transparency)
    const colours = { ...image, channels: image.palette?.[0]?.length ?? 0 }
    return toPicture(colours, convertIndexedToRgb(image), 255)
  } catch (error) {
    throw damaged('is a damaged PNG file', error)
  }
}

interface Size {
  readonly width: number
  readonly height: number
  readonly channels: number
}

/** One number a sample. Rows of samples of fewer than 8 bits are packed from the highest bit on and end at a byte. */
function unpack(image: Size & { readonly depth: number; readonly data: ArrayLike<number> }): ArrayLike<number> {
  const { width, height, channels, depth, data } = image
  if (depth >= 8) return data
  const rowSamples = width * channels
  const rowBytes = Math.ceil((rowSamples * depth) / 8)
  const samples = new Uint8Array(height * rowSamples)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < rowSamples; x++) {
      const byte = data[y * rowBytes + ((x * depth) >> 3)]!
      samples[y * rowSamples + x] = (byte >> (8 - depth - ((x * depth) & 7))) & (2 ** depth - 1)
    }
  }
  return samples
}

/** Scales to 0..255 and lays over black by the alpha channel, or where the colour is the one named transparent. */
function toPicture(
  { width, height, channels }: Size,
  samples: ArrayLike<number>,
  largest: number,
  transparent?: ArrayLike<number>,
): Picture {
  const hasAlpha = channels === 2 || channels === 4
  const colours = channels <= 2 ? 1 : 3
  const values = new Float32Array(width * height * colours)
  for (let pixel = 0; pixel < width * height; pixel++) {
    const from = pixel * channels
    let opacity = hasAlpha ? samples[from + colours]! / largest : 1
    if (transparent && isSame(samples, from, transparent, colours)) opacity = 0
    for (let c = 0; c < colours; c++) values[pixel * colours + c] = (samples[from + c]! * 255 * opacity) / largest
  }
  return { width, height, channels: colours, values }
}

function isSame(samples: ArrayLike<number>, from: number, colour: ArrayLike<number>, channels: number): boolean {
  for (let c = 0; c < channels; c++) if (samples[from + c] !== colour[c]) return false
  return true
}
