import { scope } from '../../tensor/scope.js'
import type { Tensor } from '../../tensor/tensor.js'
import { Module, type NamedTensor } from '../module.js'

/** A module, or a function between two: `(x) => flatten(x, 2)`. */
export type SequentialLayer = Module | ((input: Tensor) => Tensor)

/**
 * Layers one after the other. It owns its modules: `dispose` frees them. Tensors are named `<place>.<name>`, places
 * counted from 0 over modules and functions alike.
 */
export class Sequential extends Module {
  readonly #layers: readonly SequentialLayer[]

  constructor(...layers: readonly SequentialLayer[]) {
    super()
    this.#layers = layers
  }

  override forward(input: Tensor): Tensor {
    this.checkAlive()
    return scope(() =>
      this.#layers.reduce((x, layer) => (layer instanceof Module ? layer.forward(x) : layer(x)), input),
    )
  }

  override namedTensors(): readonly NamedTensor[] {
    return this.#layers.flatMap((layer, place) =>
      layer instanceof Module
        ? layer.namedTensors().map((named) => ({ ...named, name: `${place}.${named.name}` }))
        : [],
    )
  }

  protected override children(): readonly Module[] {
    return this.#layers.filter((layer) => layer instanceof Module)
  }

  protected override release(): void {}
}
