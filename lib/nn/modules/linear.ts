import type { LinearOptions } from '../../model/layers.js'
import { snn } from '../../model/spec.js'
import { linear } from '../../tensor/product.js'
import type { Tensor } from '../../tensor/tensor.js'
import { initialTensors } from '../initial-tensors.js'
import type { ModuleOptions } from '../module.js'
import { OwningModule } from './owned.js'

/**
 * `y = x Wᵀ + b`, `[..., in]` to `[..., out]`. Tensors: `weight` `[out, in]`, `bias` `[out]`.
 *
 * @throws SpecError when features or an option are not usable
 */
export class Linear extends OwningModule {
  constructor(featuresIn: number, featuresOut: number, options: LinearOptions & ModuleOptions = {}) {
    const { seed: _, dtype: __, device: ___, ...layerOptions } = options
    super(initialTensors(snn({ input: [featuresIn], steps: 1 }).linear(featuresOut, layerOptions), options))
  }

  override forward(input: Tensor): Tensor {
    return linear(input, this.tensor('weight'), this.tensorIfAny('bias'))
  }
}
