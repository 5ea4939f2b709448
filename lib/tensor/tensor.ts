/** The tensor: a handle into the native table, with its shape, values and gradient. */
import { ArgumentError, ShapeError, StateError, TorchError } from '../errors.js'
import type { Dtype, TensorHandle, TensorInfo, TypedArray } from '../native.js'
import { native } from '../runtime/addon.js'
import { isFloating } from './dtype.js'
import { elementCount, type NestedArray, nested, safeNumber } from './literal.js'
import { track, untrack } from './scope.js'

export interface TensorOptions {
  /** Element type. Default: what the data stand for (numbers are float32). */
  readonly dtype?: Dtype
  /** `'cpu'`, `'cuda'`, `'cuda:N'` or `'auto'` (the first GPU where there is one). Default `'cpu'`. */
  readonly device?: string
  /** Records operations on the tensor, so that `backward` fills its `grad`. Default false. */
  readonly requiresGrad?: boolean
}

export interface BackwardOptions {
  /** Gradient of the final value with respect to this tensor, of its shape. Default 1, for a tensor of one element. */
  readonly gradient?: Tensor
  /** Keeps the graph, so that `backward` can run through it again. Default false. */
  readonly retainGraph?: boolean
}

/**
 * An n-dimensional array of libtorch. Made by {@link tensor}, the creation functions and every operation; freed by
 * `dispose`, by `using`, by the {@link scope} around it, or by the garbage collector.
 *
 * Every member throws `StateError` `ERR_DISPOSED` once the tensor is freed.
 */
export class Tensor implements Disposable {
  #handle: TensorHandle
  #info: TensorInfo | undefined

  /** Takes over a handle of the native table; for this package's own modules. */
  constructor(handle: TensorHandle) {
    this.#handle = handle
    native().tensorAdopt(this, handle)
    track(this)
  }

  /** Place in the native table; for this package's own modules. */
  get handle(): TensorHandle {
    if (this.#handle === 0) {
      throw new StateError('The tensor was used after dispose() or after the scope that owned it ended', 'ERR_DISPOSED')
    }
    return this.#handle
  }

  get disposed(): boolean {
    return this.#handle === 0
  }

  get shape(): readonly number[] {
    return this.#known().shape
  }

  /** Elements to skip in memory for one step along each axis; transposes and slices are views. */
  get strides(): readonly number[] {
    return this.#known().strides
  }

  get dtype(): Dtype {
    return this.#known().dtype
  }

  get device(): string {
    return this.#known().device
  }

  /** Number of axes. */
  get rank(): number {
    return this.#known().shape.length
  }

  /** Number of elements. */
  get numel(): number {
    return elementCount(this.#known().shape)
  }

  get requiresGrad(): boolean {
    return native().tensorInfo(this.handle).requiresGrad
  }

  /** False for the result of a recorded operation: such a tensor has no `grad` of its own. */
  get isLeaf(): boolean {
    return native().tensorInfo(this.handle).isLeaf
  }

  /**
   * Gradient that `backward` has added up here, of this tensor's shape, or undefined. It shares memory with the
   * accumulated gradient: a later `backward` may change it.
   */
  get grad(): Tensor | undefined {
    const handle = native().tensorGrad(this.handle)
    return handle === 0 ? undefined : new Tensor(handle)
  }

  /**
   * Switches recording on (or off) for this leaf; returns the tensor.
   *
   * @throws ArgumentError `ERR_TYPE` for a dtype that is not floating
   */
  requireGrad(requiresGrad = true): this {
    if (requiresGrad && !isFloating(this.dtype)) {
      throw new ArgumentError(`only floating tensors take gradients, got ${this}: make it float32, or cast() it first`)
    }
    native().tensorSetRequiresGrad(this.handle, requiresGrad)
    return this
  }

  /** The same values outside the graph; shares memory. */
  detach(): Tensor {
    const result = native().callOperator('aten::detach', [{ handle: this.handle }], {})
    return new Tensor((result as { readonly handle: TensorHandle }).handle)
  }

  /**
   * Adds the derivative of this tensor with respect to every leaf it came from to the leaf's `grad`.
   *
   * @throws StateError `ERR_NO_GRADIENT` when nothing it came from requires a gradient, `ERR_GRAPH_FREED` when a
   * `backward` without `retainGraph` ran through it before
   * @throws ShapeError when it has more than one element and no `gradient` is given
   */
  backward(options: BackwardOptions = {}): void {
    this.#checkBackward(options)
    try {
      native().tensorBackward(this.handle, options.gradient?.handle ?? 0, options.retainGraph ?? false)
    } catch (error) {
      throw backwardError(error)
    }
  }

  /** {@link backward} on the executor thread: the event loop runs on. */
  async backwardAsync(options: BackwardOptions = {}): Promise<void> {
    this.#checkBackward(options)
    try {
      await native().tensorBackwardAsync(this.handle, options.gradient?.handle ?? 0, options.retainGraph ?? false)
    } catch (error) {
      throw backwardError(error)
    }
  }

  /** A copy of the values in row-major order: bool as 0 and 1, int64 as bigint, bfloat16 and float16 as float32. */
  toTypedArray(): TypedArray {
    return native().tensorData(this.handle)
  }

  /**
   * The values as nested arrays: bool as booleans, all else as numbers; a tensor without axes gives its one value.
   *
   * @throws ArgumentError `ERR_RANGE` when an int64 does not fit a JavaScript number
   */
  toArray(): NestedArray {
    const { shape, dtype } = this.#known()
    return nested(native().tensorData(this.handle), shape, dtype)
  }

  /**
   * The value of a tensor of one element, as a number (bool as 0 or 1).
   *
   * @throws ShapeError when there are none or several
   */
  item(): number {
    if (this.numel !== 1) {
      throw new ShapeError(`item() wants a tensor of one element, got ${this}: reduce it first, or use toArray()`, {
        expected: 1,
        actual: this.numel,
      })
    }
    return safeNumber(native().tensorData(this.handle)[0]!)
  }

  /** Shape and dtype are asked for anew: an operator has changed the tensor in place. */
  forget(): void {
    this.#info = undefined
  }

  /** Frees the handle; what shares its memory lives on. Safe to call twice. */
  dispose(): void {
    if (this.#handle === 0) return
    native().tensorFree(this.#handle)
    this.#handle = 0
    untrack(this)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  toString(): string {
    if (this.disposed) return 'Tensor(disposed)'
    const { shape, dtype, device } = this.#known()
    return `Tensor([${shape.join(', ')}], ${dtype}${device === 'cpu' ? '' : `, ${device}`})`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  #known(): TensorInfo {
    const handle = this.handle
    const info = this.#info ?? native().tensorInfo(handle)
    this.#info = info
    return info
  }

  #checkBackward({ gradient }: BackwardOptions): void {
    if (gradient !== undefined) checkTensor(gradient, 'backward() with a gradient')
    if (!this.requiresGrad) {
      throw new StateError(
        'backward() found no graph: make the inputs with requiresGrad and compute outside noGrad()',
        'ERR_NO_GRADIENT',
      )
    }
    if (gradient === undefined && this.numel !== 1) {
      throw new ShapeError(`backward() without a gradient wants a tensor of one element, got ${this}`, {
        expected: 1,
        actual: this.numel,
      })
    }
    if (gradient !== undefined && gradient.shape.join() !== this.shape.join()) {
      throw new ShapeError(`backward() wants a gradient like ${this}, got ${gradient}`, {
        expected: this.shape,
        actual: gradient.shape,
      })
    }
  }
}

/** libtorch's advice is for Python. */
function backwardError(error: unknown): unknown {
  if (!(error instanceof TorchError && error.message.startsWith('Trying to backward through the graph a second time')))
    return error
  const what = 'backward() ran through this graph before and freed it'
  return new StateError(
    `${what}: pass retainGraph: true the first time, or compute it anew`,
    'ERR_GRAPH_FREED',
    {},
    error,
  )
}

/** @throws ArgumentError unless `value` is a tensor. */
export function checkTensor(value: unknown, where: string): asserts value is Tensor {
  if (!(value instanceof Tensor)) {
    throw new ArgumentError(
      `${where} wants a Tensor, got ${value === null ? 'null' : typeof value}: make one with tensor()`,
    )
  }
}
