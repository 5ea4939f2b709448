/** A module that owns a flat list of tensors, and may carry membranes from call to call. */
import { keep } from '../../tensor/scope.js'
import type { Tensor } from '../../tensor/tensor.js'
import { Module, type NamedTensor } from '../module.js'

export abstract class OwningModule extends Module {
  readonly #tensors: ReadonlyMap<string, NamedTensor>
  #state: readonly Tensor[] | undefined

  constructor(tensors: readonly NamedTensor[]) {
    super()
    this.#tensors = new Map(tensors.map((named) => [named.name, named]))
  }

  override namedTensors(): readonly NamedTensor[] {
    this.checkAlive()
    return [...this.#tensors.values()]
  }

  override resetState(): void {
    for (const membrane of this.#state ?? []) membrane.dispose()
    this.#state = undefined
  }

  protected override release(): void {
    this.resetState()
    for (const { tensor } of this.#tensors.values()) tensor.dispose()
  }

  protected tensor(name: string): Tensor {
    this.checkAlive()
    return this.#tensors.get(name)!.tensor
  }

  protected tensorIfAny(name: string): Tensor | undefined {
    return this.#tensors.get(name)?.tensor
  }

  /** Membranes of the call before, undefined at rest. */
  protected get state(): readonly Tensor[] | undefined {
    return this.#state
  }

  /** Carries the values of these membranes, without their graph, to the next call. */
  protected carry(membranes: readonly Tensor[]): void {
    const detached = membranes.map((membrane) => keep(membrane.detach()))
    this.resetState()
    this.#state = detached
  }
}
