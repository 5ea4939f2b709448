import type { SewBlockLayer, SewBlockOptions } from '../../model/layers.js'
import { snn } from '../../model/spec.js'
import type { Tensor } from '../../tensor/tensor.js'
import { initialTensors } from '../initial-tensors.js'
import type { ModuleOptions } from '../module.js'
import { type SewStage, sewBlock } from '../sew-block.js'
import { OwningModule } from './owned.js'

export interface SewBlockModuleOptions extends SewBlockOptions, ModuleOptions {
  /** T, for `statistics: 'perStep'`. Default 1. */
  readonly steps?: number
  /** Carries the membranes from call to call, until `resetState`. Default false. */
  readonly stateful?: boolean
}

/**
 * Spike-element-wise residual block, `[B, T, in, H, W]` to `[B, T, out, H / stride, W / stride]`.
 * Tensors: `stages.0.conv.weight`, `stages.0.norm.gamma`, ..., and `shortcut...` where channels or stride change.
 *
 * @throws SpecError when channels or an option are not usable
 */
export class SEWBlock extends OwningModule {
  readonly #layer: SewBlockLayer
  readonly #stateful: boolean

  constructor(channelsIn: number, channelsOut: number, options: SewBlockModuleOptions = {}) {
    const { seed: _, dtype: __, device: ___, steps = 1, stateful = false, ...layerOptions } = options
    const spec = snn({ input: [channelsIn, 1, 1], steps }).sewBlock(channelsOut, layerOptions)
    super(initialTensors(spec, options))
    this.#layer = spec.layers[0] as SewBlockLayer
    this.#stateful = stateful
  }

  override forward(input: Tensor): Tensor {
    this.checkAlive()
    const { kind: _, channels: __, stages, statistics: ___, steps: ____, ...options } = this.#layer
    const { output, state } = sewBlock(
      input,
      {
        stages: Array.from({ length: stages }, (_unused, k) => this.#stage(`stages.${k}`)),
        shortcut: this.tensorIfAny('shortcut.conv.weight') ? this.#stage('shortcut') : undefined,
      },
      { ...options, training: this.training, state: this.state },
    )
    if (this.#stateful) this.carry(state)
    for (const membrane of state) membrane.dispose()
    return output
  }

  #stage(prefix: string): SewStage {
    return {
      weight: this.tensor(`${prefix}.conv.weight`),
      bias: this.tensorIfAny(`${prefix}.conv.bias`),
      norm: {
        gamma: this.tensor(`${prefix}.norm.gamma`),
        beta: this.tensor(`${prefix}.norm.beta`),
        runningMean: this.tensor(`${prefix}.norm.runningMean`),
        runningVariance: this.tensor(`${prefix}.norm.runningVariance`),
      },
      decay: this.tensorIfAny(`${prefix}.lif.decay`),
      threshold: this.tensorIfAny(`${prefix}.lif.threshold`),
    }
  }
}
