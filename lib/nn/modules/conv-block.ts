import type { ConvBlockLayer, ConvBlockOptions, Pair, PairOption } from '../../model/layers.js'
import { snn } from '../../model/spec.js'
import type { Tensor } from '../../tensor/tensor.js'
import { convBlock } from '../conv-block.js'
import { initialTensors } from '../initial-tensors.js'
import type { ModuleOptions } from '../module.js'
import { OwningModule } from './owned.js'

/**
 * Convolution alone, `[B, in, H, W]` or `[B, T, in, H, W]` to `out` channels; weights Kaiming-normal (fan out), bias 0.
 * Tensors: `weight`, `bias`.
 *
 * @throws SpecError when channels or an option are not usable
 */
export class ConvBlock extends OwningModule {
  readonly #layer: ConvBlockLayer

  constructor(channelsIn: number, channelsOut: number, options: ConvBlockOptions & ModuleOptions = {}) {
    const { seed: _, dtype: __, device: ___, ...layerOptions } = options
    // The weights do not depend on the size of the image: the smallest that a kernel fits on will do.
    const spec = snn({ input: [channelsIn, ...asPair(options.kernel ?? 3)], steps: 1 }).convBlock(
      channelsOut,
      layerOptions,
    )
    super(initialTensors(spec, options))
    this.#layer = spec.layers[0] as ConvBlockLayer
  }

  override forward(input: Tensor): Tensor {
    const { stride, padding } = this.#layer
    return convBlock(input, this.tensor('weight'), { bias: this.tensorIfAny('bias'), stride, padding })
  }
}

function asPair(value: PairOption): Pair {
  return typeof value === 'number' ? [value, value] : value
}
