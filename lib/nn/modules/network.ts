import type { NetworkSpec } from '../../model/spec.js'
import { native } from '../../runtime/addon.js'
import { keep } from '../../tensor/scope.js'
import { Tensor } from '../../tensor/tensor.js'
import { createNetwork, tensorsOf } from '../initial-tensors.js'
import { Module, type ModuleOptions, type NamedTensor } from '../module.js'

export interface NetworkOptions extends ModuleOptions {
  /** Carries the state of every neuron from call to call, until `resetState`. Default false. */
  readonly stateful?: boolean
}

/**
 * A whole network of a spec as one module, for training loops of one's own: the same weights for the same seed, and the
 * same mathematics, as `Model`. Input `[B, ...sample]` or `[B, T, ...sample]`, output `[B, T, ...]`.
 * Tensors are named as in checkpoints: `layers.0.weight`.
 */
export class Network extends Module {
  readonly #network: number
  readonly #tensors: readonly NamedTensor[]
  readonly #stateful: boolean
  #state: readonly Tensor[] = []

  constructor(spec: NetworkSpec, options: NetworkOptions = {}) {
    super()
    this.#network = createNetwork(spec, options)
    this.#tensors = tensorsOf(this.#network)
    this.#stateful = options.stateful ?? false
  }

  override forward(input: Tensor): Tensor {
    this.checkAlive()
    const { output, state, records, rates } = native().networkForward(
      this.#network,
      input.handle,
      { training: this.training, carryState: this.#stateful, record: false, measureRates: false },
      this.#state.map(({ handle }) => handle),
    )
    for (const unused of [...records.map(({ handle }) => handle), ...rates]) native().tensorFree(unused)
    if (this.#stateful) this.#carry(state.map((handle) => new Tensor(handle)))
    return new Tensor(output)
  }

  override namedTensors(): readonly NamedTensor[] {
    this.checkAlive()
    return this.#tensors
  }

  override resetState(): void {
    for (const tensor of this.#state) tensor.dispose()
    this.#state = []
  }

  protected override release(): void {
    this.resetState()
    for (const { tensor } of this.#tensors) tensor.dispose()
    native().networkFree(this.#network)
  }

  #carry(state: readonly Tensor[]): void {
    const detached = state.map((tensor) => keep(tensor.detach()))
    for (const tensor of state) tensor.dispose()
    this.resetState()
    this.#state = detached
  }
}
