import type { LifLayer, LifOptions } from '../../model/layers.js'
import { snn } from '../../model/spec.js'
import type { Tensor } from '../../tensor/tensor.js'
import { initialTensors } from '../initial-tensors.js'
import { type LifResult, type LifRun, runLif } from '../lif.js'
import type { ModuleOptions } from '../module.js'
import { OwningModule } from './owned.js'

export interface LifModuleOptions extends LifOptions, ModuleOptions {
  /** Channels, for `perChannel`. Default 1. */
  readonly channels?: number
  /** Carries the membrane from call to call, until `resetState`. Default false. */
  readonly stateful?: boolean
}

/**
 * Leaky integrate-and-fire neurons, `[B, T, ...]` to spikes of the same shape.
 * Tensors: `decay` and `threshold` where `learnable` names them, else none.
 *
 * @throws SpecError when an option is not usable
 */
export class Lif extends OwningModule {
  readonly #layer: LifLayer
  readonly #stateful: boolean

  constructor(options: LifModuleOptions = {}) {
    const { seed: _, dtype: __, device: ___, channels = 1, stateful = false, ...layerOptions } = options
    const spec = snn({ input: [channels, 1, 1], steps: 1 }).lif(layerOptions)
    super((options.learnable ?? []).length === 0 ? [] : initialTensors(spec, options))
    this.#layer = spec.layers[0] as LifLayer
    this.#stateful = stateful
  }

  override forward(input: Tensor): Tensor {
    const { spikes, membrane } = this.run(input)
    membrane.dispose()
    return spikes
  }

  /** The spikes with the last membrane and, where asked for, its trace. */
  run(input: Tensor, options: Omit<LifRun, 'membrane'> = {}): LifResult {
    this.checkAlive()
    const decay = this.tensorIfAny('decay')
    const threshold = this.tensorIfAny('threshold')
    const parameters = { ...(decay ? { decay } : {}), ...(threshold ? { threshold } : {}) }
    const result = runLif(input, this.#layer, parameters, { ...options, membrane: this.state?.[0] })
    if (this.#stateful) this.carry([result.membrane])
    return result
  }
}
