/** The native optimisers over tensors, for training loops of one's own. */
import { ArgumentError, StateError } from '../errors.js'
import { native } from '../runtime/addon.js'
import { checkTensor, Tensor } from '../tensor/tensor.js'
import { type OptimizerDescription, resolveOptimizer } from '../train/optimizers.js'
import type { NamedTensor } from './module.js'

// An optimiser nobody disposed of gives its moments back when it is collected.
const forgotten = new FinalizationRegistry<number>((handle) => native().optimizerFree(handle))

/** Updates parameters by their gradients. Made by {@link createOptimizer}. */
export class Optimizer implements Disposable {
  #handle: number
  #learningRate: number

  /** Takes over a native optimiser; for {@link createOptimizer}. */
  constructor(handle: number, learningRate: number) {
    this.#handle = handle
    this.#learningRate = learningRate
    forgotten.register(this, handle, this)
  }

  /** η of the next step. */
  get learningRate(): number {
    return this.#learningRate
  }

  /** @throws ArgumentError `ERR_RANGE` unless finite and at least 0 */
  set learningRate(value: number) {
    if (!(Number.isFinite(value) && value >= 0)) {
      throw new ArgumentError(`learningRate must be a number of at least 0, got ${value}`, 'ERR_RANGE', { value })
    }
    this.#learningRate = value
  }

  /** Updates every parameter that has a gradient. */
  step(): void {
    native().optimizerStep(this.#alive(), this.#learningRate)
  }

  /** Forgets the gradients, so that the next `backward` starts from none. */
  zeroGrad(): void {
    native().optimizerZeroGrad(this.#alive())
  }

  /** Moments and step counts by parameter, sharing memory with the optimiser: what a resumed run needs. */
  state(): readonly NamedTensor[] {
    return native()
      .optimizerState(this.#alive())
      .map(({ name, handle, trainable }) => ({ name, tensor: new Tensor(handle), trainable }))
  }

  /** Copies a state of {@link state} back in; names, shapes and dtypes are checked before the first copy. */
  load(state: readonly { readonly name: string; readonly tensor: Tensor }[]): void {
    native().optimizerLoad(
      this.#alive(),
      state.map(({ name }) => name),
      state.map(({ tensor }) => tensor.handle),
    )
  }

  dispose(): void {
    if (this.#handle === 0) return
    forgotten.unregister(this)
    native().optimizerFree(this.#handle)
    this.#handle = 0
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #alive(): number {
    if (this.#handle === 0) throw new StateError('The optimizer was used after dispose()', 'ERR_DISPOSED')
    return this.#handle
  }
}

/**
 * An optimiser of `parameters` (floating leaves that require a gradient).
 *
 *     const optimizer = createOptimizer(adamW({ lr: 1e-3 }), module.parameters())
 *     loss.backward(); optimizer.step(); optimizer.zeroGrad()
 *
 * @throws ArgumentError `ERR_RANGE` when there are no parameters, `ERR_TYPE` when one does not require a gradient
 */
export function createOptimizer(description: OptimizerDescription, parameters: readonly Tensor[]): Optimizer {
  const resolved = resolveOptimizer(description)
  if (!Array.isArray(parameters)) {
    throw new ArgumentError('createOptimizer wants a list of tensors, such as module.parameters()')
  }
  if (parameters.length === 0) throw new ArgumentError('createOptimizer wants at least one parameter', 'ERR_RANGE')
  parameters.forEach((parameter, i) => {
    checkTensor(parameter, `createOptimizer, for parameter ${i},`)
    if (!(parameter.requiresGrad && parameter.isLeaf)) {
      throw new ArgumentError(`createOptimizer wants leaves that require a gradient: parameter ${i} does not`)
    }
  })
  const handle = native().optimizerCreate(
    { ...resolved },
    parameters.map((parameter) => parameter.handle),
  )
  return new Optimizer(handle, resolved.learningRate)
}

/**
 * Scales the gradients of `parameters` together so that their L2 norm is at most `largest`; returns the norm before.
 *
 * @throws ArgumentError `ERR_RANGE` unless `largest` is positive
 */
export function clipGradientNorm(parameters: readonly Tensor[], largest: number): number {
  if (!(largest > 0)) {
    throw new ArgumentError(`clipGradientNorm wants a norm above 0, got ${largest}`, 'ERR_RANGE', { largest })
  }
  return native().clipGradientNorm(
    parameters.map(({ handle }) => handle),
    largest,
  )
}
