import { ShapeError, StateError } from '../errors.js'
import { add, div, keep, select, Tensor } from '../tensor/index.js'
import { argumentReader } from './arguments.js'
import { type Engine, engines } from './engine.js'
import { type ModelInput, resolveInput } from './inputs.js'
import type { Network } from './network.js'
import { floats } from './predict.js'
import { formatShape, type Shape } from './shape.js'

export interface StreamOptions {
  /** How products are computed. Default `'auto'`. */
  readonly engine?: Engine
}

/** What one time step gave. */
export interface StreamStep {
  /** Output of this step, row-major. */
  readonly scores: Float32Array
  /** Mean of the outputs since the start or the last reset. */
  readonly mean: Float32Array
  /** `[B, K]`, or `[B, C, H, W]`, of both. */
  readonly shape: Shape
  /** Steps seen since the start or the last reset, this one included. */
  readonly steps: number
}

/**
 * Inference one time step at a time: membranes are carried from call to call, so that n steps give what a sequence of
 * length n gives at once. Made by `model.stream()`; free it by `dispose` or `using`.
 */
export class Stream implements Disposable {
  readonly #network: Network
  readonly #engine: Engine
  #state: readonly Tensor[] = []
  #sum: Tensor | undefined
  #steps = 0
  #batch: number | undefined
  #disposed = false
  #last: Promise<unknown> = Promise.resolve()

  /** @internal Use `model.stream()`. */
  constructor(network: Network, options: StreamOptions = {}) {
    const read = argumentReader('stream', options)
    this.#engine = read.choice('engine', engines, 'auto')
    read.end()
    this.#network = network
  }

  /**
   * Presents one frame. Calls made without waiting run in their order.
   *
   * @param frame `[...input]` for one sample or `[B, ...input]`, the same B until the next reset
   * @throws ShapeError when the frame does not fit, StateError `ERR_DISPOSED` after dispose
   */
  step(frame: ModelInput): Promise<StreamStep> {
    const next = this.#last.then(() => this.#advance(frame))
    this.#last = next.catch(() => undefined)
    return next
  }

  /** Forgets what was seen: the next frame starts from rest. Takes effect after the steps already asked for. */
  async reset(): Promise<void> {
    this.#last = this.#last.then(() => this.#clear())
    await this.#last
  }

  dispose(): void {
    this.#disposed = true
    this.#clear()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  async #advance(frame: ModelInput): Promise<StreamStep> {
    if (this.#disposed) throw new StateError('the stream was used after dispose(); make a new one', 'ERR_DISPOSED')
    const { input } = this.#network.spec
    const samples = resolveInput(frame, input)
    if (samples.shape.length !== input.length) {
      throw new ShapeError(
        `a stream takes one frame at a time, ${formatShape(input)} or [B, ${input.join(', ')}], not a sequence`,
        { expected: input, actual: samples.shape },
      )
    }
    if (this.#batch !== undefined && samples.count !== this.#batch) {
      throw new ShapeError(
        `the stream carries ${this.#batch} samples, got ${samples.count}; reset() it to change that`,
        {
          expected: this.#batch,
          actual: samples.count,
        },
      )
    }
    using batch = samples.part(0, samples.count, true)
    const before = this.#state.map(({ handle }) => handle)
    const options = { carryState: true, output: true, engine: this.#engine }
    const result = await this.#network.infer(batch, options, before)
    using output = new Tensor(result.output!)
    // Carried from step to step: they belong to no scope, and to the collector where the stream is forgotten.
    const state = result.state.map((handle) => keep(new Tensor(handle)))
    if (this.#disposed) {
      for (const membrane of state) membrane.dispose()
      throw new StateError('the stream was disposed of during a step', 'ERR_DISPOSED')
    }
    this.#carry(state)
    this.#batch = samples.count
    return this.#report(output)
  }

  #report(output: Tensor): StreamStep {
    const scores = select(output, 1, 0)
    const before = this.#sum
    this.#sum = keep(before ? add(before, scores) : scores)
    before?.dispose()
    this.#steps += 1
    using average = div(this.#sum, this.#steps)
    const report = { scores: floats(scores), mean: floats(average), shape: scores.shape, steps: this.#steps }
    if (before) scores.dispose()
    return report
  }

  #carry(state: readonly Tensor[]): void {
    for (const membrane of this.#state) membrane.dispose()
    this.#state = state
  }

  #clear(): void {
    this.#carry([])
    this.#sum?.dispose()
    this.#sum = undefined
    this.#steps = 0
    this.#batch = undefined
  }
}
