/** What owns trained tensors and computes with them. */
import { SpecError, StateError } from '../errors.js'
import type { Dtype } from '../native.js'
import { assign } from '../tensor/convert.js'
import type { Tensor } from '../tensor/tensor.js'

/** A parameter (trained) or buffer, under the name checkpoints use. */
export interface NamedTensor {
  readonly name: string
  readonly tensor: Tensor
  readonly trainable: boolean
}

/** How the tensors of a new module are made. */
export interface ModuleOptions {
  /** Same seed, same weights. Default: drawn from libtorch's generator, which `manualSeed` seeds. */
  readonly seed?: number
  /** Default `'float32'`. */
  readonly dtype?: Dtype
  /** `'cpu'`, `'cuda'`, `'cuda:N'` or `'auto'`. Default `'cpu'`. */
  readonly device?: string
}

/**
 * Base of the modules. A module's tensors live until `dispose`, whatever scope it was made in; new modules train.
 */
export abstract class Module implements Disposable {
  #training = true
  #disposed = false

  /** Output for `input`; recorded for `backward` unless inside `noGrad`. */
  abstract forward(input: Tensor): Tensor

  /** Parameters and buffers. */
  abstract namedTensors(): readonly NamedTensor[]

  /** Frees the tensors the module owns. */
  protected abstract release(): void

  /** Modules inside this one. */
  protected children(): readonly Module[] {
    return []
  }

  /** Tensors an optimiser trains. */
  parameters(): readonly Tensor[] {
    return this.namedTensors()
      .filter(({ trainable }) => trainable)
      .map(({ tensor }) => tensor)
  }

  /** Whether normalisation uses the statistics of the batch, and dropout drops. */
  get training(): boolean {
    return this.#training
  }

  train(training = true): this {
    this.#training = training
    for (const child of this.children()) child.train(training)
    return this
  }

  eval(): this {
    return this.train(false)
  }

  /** Puts the membranes that were carried from call to call back to rest. */
  resetState(): void {
    for (const child of this.children()) child.resetState()
  }

  /**
   * Copies values in by name; every name and shape is checked before the first copy.
   *
   * @throws SpecError `ERR_NAMES` when names are missing or unknown, `ERR_SHAPE` when a shape differs
   */
  load(values: readonly { readonly name: string; readonly tensor: Tensor }[]): void {
    const own = this.namedTensors()
    const given = new Map(values.map(({ name, tensor }) => [name, tensor]))
    const missing = own.filter(({ name }) => !given.has(name)).map(({ name }) => name)
    const unknown = [...given.keys()].filter((name) => !own.some((tensor) => tensor.name === name))
    if (missing.length + unknown.length > 0) {
      const lack = missing.length > 0 ? `lacks ${missing.join(', ')}` : `has no place for ${unknown.join(', ')}`
      throw new SpecError(`load wants the tensors of this module: what was given ${lack}`, 'ERR_NAMES', {
        missing,
        unknown,
      })
    }
    for (const { name, tensor } of own) {
      const value = given.get(name)!
      if (value.shape.join() !== tensor.shape.join()) {
        throw new SpecError(`load wants ${name} to be ${tensor}, got ${value}`, 'ERR_SHAPE', {
          expected: tensor.shape,
          actual: value.shape,
        })
      }
    }
    for (const { name, tensor } of own) assign(tensor, given.get(name)!)
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.release()
    for (const child of this.children()) child.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** @throws StateError `ERR_DISPOSED` after `dispose` */
  protected checkAlive(): void {
    if (this.#disposed) throw new StateError(`The ${this.constructor.name} was used after dispose()`, 'ERR_DISPOSED')
  }
}
