import type { ConvBlockLayer, Pair, PoolLayer } from '../layers.js'
import { LIMITS } from '../limits.js'
import type { OptionReader } from '../options.js'
import type { Shape } from '../shape.js'
import { type LayerDefinition, requireMap, type TensorLayout } from './definition.js'

const SIZE = { min: 1, max: LIMITS.size }

/** Places a window can take: `floor((size + 2 padding − kernel) / stride) + 1`. */
export function windows(size: number, kernel: number, stride: number, padding: number): number {
  return Math.floor((size + 2 * padding - kernel) / stride) + 1
}

/** Weight `[out, in, h, w]` and bias `[out]` of a convolution. */
export function convolutionTensors(
  prefix: string,
  out: number,
  into: number,
  kernel: Pair,
  bias: boolean,
): TensorLayout[] {
  const weight = { name: `${prefix}weight`, shape: [out, into, ...kernel], trainable: true }
  return bias ? [weight, { name: `${prefix}bias`, shape: [out], trainable: true }] : [weight]
}

export const convBlock: LayerDefinition<ConvBlockLayer> = {
  complete: (read) => ({
    kind: 'convBlock',
    channels: read.integer('channels', SIZE),
    kernel: read.pair('kernel', SIZE, [3, 3]),
    stride: read.pair('stride', SIZE, [1, 1]),
    padding: read.pair('padding', { min: 0, max: LIMITS.size }, [1, 1]),
    bias: read.flag('bias', true),
    initial: read.choice('initial', ['kaiming', 'uniform'], 'kaiming'),
  }),
  output({ channels, kernel, stride, padding }, input, read) {
    const [, height, width] = requireMap(input, read)
    requireRoom(input, kernel, padding, read)
    return [
      channels,
      windows(height, kernel[0], stride[0], padding[0]),
      windows(width, kernel[1], stride[1], padding[1]),
    ]
  },
  tensors: ({ channels, kernel, bias }, input) => convolutionTensors('', channels, input[0] ?? 0, kernel, bias),
}

function pool(kind: PoolLayer['kind']): LayerDefinition<PoolLayer> {
  return {
    complete(read) {
      const kernel = read.pair('kernel', SIZE, [2, 2])
      const stride = read.pair('stride', SIZE, kernel)
      const padding = read.pair('padding', { min: 0, max: LIMITS.size }, [0, 0])
      if (padding[0] > kernel[0] / 2 || padding[1] > kernel[1] / 2) {
        read.fail(
          `needs padding of at most half the kernel [${kernel.join(', ')}], got [${padding.join(', ')}]`,
          'ERR_RANGE',
        )
      }
      return { kind, kernel, stride, padding }
    },
    output({ kernel, stride, padding }, input, read) {
      const [channels, height, width] = requireMap(input, read)
      requireRoom(input, kernel, padding, read)
      return [
        channels,
        windows(height, kernel[0], stride[0], padding[0]),
        windows(width, kernel[1], stride[1], padding[1]),
      ]
    },
    tensors: () => [],
  }
}

export const averagePool = pool('averagePool')
export const maxPool = pool('maxPool')

function requireRoom(input: Shape, kernel: Pair, padding: Pair, read: OptionReader): void {
  const least: Pair = [kernel[0] - 2 * padding[0], kernel[1] - 2 * padding[1]]
  const [, height = 0, width = 0] = input
  if (height >= least[0] && width >= least[1]) return
  const call = kernel[0] === kernel[1] ? `(${kernel[0]})` : `([${kernel.join(', ')}])`
  const what = least[0] === least[1] ? `height and width of at least ${least[0]}` : `at least ${least.join(' by ')}`
  read.fail(`${call} needs ${what}, got [${input.join(', ')}]`, 'ERR_SHAPE', { expected: least, actual: input })
}
