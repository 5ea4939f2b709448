/**
 * Connections of a convolution, with the exact fan-out of every input:
 *
 *     fanOut[c, y, x] = channels × windows over y × windows over x
 *
 * where windows over y counts the outputs o with o stride − padding ≤ y < o stride − padding + kernel. In the middle of a 3×3 convolution with
 * stride 1 these are 9 places, in a corner 4: zeros of the padding have no synapses.
 */
import { ShapeError } from '../errors.js'
import type { Connections } from './operations.js'
import { wholeNumber } from './quantity.js'

type Pair = readonly [height: number, width: number]

export interface ConvolutionShape {
  /** `[channels, height, width]` that go in. */
  readonly input: readonly number[]
  /** Feature maps that come out. */
  readonly channels: number
  readonly kernel: Pair
  readonly stride: Pair
  readonly padding: Pair
}

/**
 * The connections of one pass.
 *
 * @throws ShapeError for an input that is no feature map, or smaller than the kernel; ArgumentError `ERR_RANGE` for sizes that can't be
 */
export function convolutionConnections(name: string, shape: ConvolutionShape): Connections {
  const { input, channels, kernel, stride, padding } = shape
  if (input.length !== 3) {
    throw new ShapeError(`${name}: input must be [channels, height, width], got [${input.join(', ')}]`, { input })
  }
  const [into, height, width] = input as readonly [number, number, number]
  wholeNumber(name, 'channels', channels, { min: 1 })
  wholeNumber(name, 'input channels', into, { min: 1 })
  const rows = windowsOver(name, height, kernel[0], stride[0], padding[0])
  const columns = windowsOver(name, width, kernel[1], stride[1], padding[1])
  const plane = height * width
  const unpruned = Float64Array.from({ length: into * plane }, (_, i) => {
    const place = i % plane
    return channels * rows.of[Math.floor(place / width)]! * columns.of[place % width]!
  })
  return { name, inputs: unpruned.length, outputs: channels * rows.places * columns.places, unpruned }
}

/** How many windows there are along an axis, and how many of them each place lies in. */
function windowsOver(
  name: string,
  size: number,
  kernel: number,
  stride: number,
  padding: number,
): { readonly places: number; readonly of: readonly number[] } {
  wholeNumber(name, 'size', size, { min: 1 })
  wholeNumber(name, 'kernel', kernel, { min: 1 })
  wholeNumber(name, 'stride', stride, { min: 1 })
  wholeNumber(name, 'padding', padding, { min: 0 })
  const places = Math.floor((size + 2 * padding - kernel) / stride) + 1
  if (places < 1) {
    const details = { size, kernel, padding }
    throw new ShapeError(`${name}: a kernel of ${kernel} does not fit into ${size} with padding ${padding}`, details)
  }
  const of = Array.from({ length: size }, (_, place) => {
    const last = Math.min(places - 1, Math.floor((place + padding) / stride))
    const first = Math.max(0, Math.ceil((place + padding - kernel + 1) / stride))
    return Math.max(0, last - first + 1)
  })
  return { places, of }
}
