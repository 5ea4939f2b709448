import type { SpikeNormLayer, SpikeNormOptions } from '../../model/layers.js'
import { snn } from '../../model/spec.js'
import type { Tensor } from '../../tensor/tensor.js'
import { initialTensors } from '../initial-tensors.js'
import type { ModuleOptions } from '../module.js'
import { spikeNorm } from '../spike-norm.js'
import { OwningModule } from './owned.js'

export interface SpikeNormModuleOptions extends SpikeNormOptions, ModuleOptions {
  /** T, for `statistics: 'perStep'`. Default 1. */
  readonly steps?: number
}

/**
 * Normalisation per channel and time step, `[B, C, H, W]` or `[B, T, C, H, W]`.
 * Tensors: `gamma` (1), `beta` (0), `runningMean` (0), `runningVariance` (1).
 *
 * @throws SpecError when channels or an option are not usable
 */
export class SpikeNorm extends OwningModule {
  readonly #layer: SpikeNormLayer

  constructor(channels: number, options: SpikeNormModuleOptions = {}) {
    const { seed: _, dtype: __, device: ___, steps = 1, ...layerOptions } = options
    const spec = snn({ input: [channels, 1, 1], steps }).spikeNorm(layerOptions)
    super(initialTensors(spec, options))
    this.#layer = spec.layers[0] as SpikeNormLayer
  }

  override forward(input: Tensor): Tensor {
    const { epsilon, momentum } = this.#layer
    const tensors = {
      gamma: this.tensor('gamma'),
      beta: this.tensor('beta'),
      runningMean: this.tensor('runningMean'),
      runningVariance: this.tensor('runningVariance'),
    }
    return spikeNorm(input, tensors, { training: this.training, epsilon, momentum })
  }
}
