import { join } from 'node:path'
import { ConvBlock } from '../nn/index.js'
import { featureMapGrid } from '../plot/feature-maps.js'
import { filterGrid } from '../plot/filters.js'
import { savePlot } from '../plot/render.js'
import { meanAndDeviation } from '../plot/samples.js'
import { manualSeed, noGrad, randn, scope } from '../tensor/index.js'
import { type DemoOptions, type DemoResult, demoSeed, numbers, shapeText } from './demo.js'

const channels = { in: 3, out: 8 }
const size = 32

/**
 * ConvBlock on standard-normal input, 3 to 8 channels of 32 x 32: shape kept, mean about 0, deviation about sqrt(2 * 3 / 8) = 0.866 less
 * what the zero border takes. The pictures `conv-filters` and `conv-feature-maps` show the Kaiming-normal kernels and the output.
 *
 * @throws ArgumentError `ERR_RANGE` for a seed that is not a whole number from 0 on
 */
export async function demoConv(options: DemoOptions): Promise<DemoResult> {
  const seed = demoSeed(options)
  using block = new ConvBlock(channels.in, channels.out, { seed })
  const run = scope(() => {
    manualSeed(seed)
    const input = randn([1, channels.in, size, size])
    const output = noGrad(() => block.forward(input))
    const weight = block.namedTensors().find(({ name }) => name === 'weight')!.tensor
    return { input: input.shape, shape: output.shape, output: numbers(output), weights: numbers(weight) }
  })
  const { mean, deviation } = meanAndDeviation(run.output)
  const expected = Math.sqrt((2 * channels.in) / channels.out)
  // Of 3 taps an axis, those on the border miss one: (3 * 32 - 2) / (3 * 32) are left along each of two axes.
  const bordered = expected * ((3 * size - 2) / (3 * size))
  const filters = filterGrid({
    weights: run.weights,
    filters: channels.out,
    channels: channels.in,
    height: 3,
    width: 3,
    title: 'ConvBlock: filters',
    subtitle: 'Kaiming normal (fan out)',
  })
  const maps = featureMapGrid({
    values: run.output,
    channels: channels.out,
    height: size,
    width: size,
    quantity: 'output',
    title: 'ConvBlock: feature maps',
    subtitle: 'of standard-normal input',
  })
  return {
    lines: [
      `ConvBlock: ${channels.in} -> ${channels.out} channels, kernel 3, stride 1, padding 1, seed ${seed}`,
      `Input:  ${shapeText(run.input)}`,
      `Output: ${shapeText(run.shape)}`,
      `Mean: ${mean.toFixed(4)} (expected 0)`,
      `Std:  ${deviation.toFixed(4)} (expected sqrt(2 * 3 / 8) = ${expected.toFixed(3)}, with the zero border ${bordered.toFixed(3)})`,
    ],
    pictures: [
      ...(await savePlot(join(options.directory, 'conv-filters'), filters, ['svg', 'png'])),
      ...(await savePlot(join(options.directory, 'conv-feature-maps'), maps, ['svg', 'png'])),
    ],
  }
}
