/**
 * Connections taken out while a network learns: the smallest weights of each layer, more and more of them.
 *
 *     s(q) = s_f (1 − (1 − q)³)        q from 0 to 1 between the begin and the end of pruning
 *
 * M. Zhu, S. Gupta, "To prune, or not to prune", 2017. Between two prunings the optimiser may move a weight that was taken out: it is put
 * back to zero after each step, so that what is left at the end was learnt without the others.
 */
import { ArgumentError } from '../../errors.js'
import type { Model } from '../../model/model.js'
import { noGrad, type Tensor, tensor, tensorOp } from '../../tensor/index.js'
import { quantity, wholeNumber } from '../quantity.js'

export interface Pruning {
  /** Share of each fully connected layer's weights that is taken out in the end, in the order of the network: [0.9, 0.8, 0.5]. */
  readonly shares: readonly number[]
  /** First pruning, as a share of the training, in [0, 1). Default 0.2. */
  readonly begin?: number
  /** Last one, as a share of the training, above `begin`. Default 0.7. */
  readonly end?: number
  /** Training steps between two prunings. Default 50. */
  readonly every?: number
}

/**
 * The description with its defaults.
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` naming the parameter
 */
export function checkPruning(pruning: Pruning): Required<Pruning> {
  const { shares, begin = 0.2, end = 0.7, every = 50 } = pruning
  if (!Array.isArray(shares)) throw new ArgumentError('pruning: shares must be an array, one share a layer')
  for (const [i, share] of shares.entries()) {
    if (quantity('pruning', `shares[${i}]`, share, '', { min: 0, max: 1 }) === 1) {
      throw new ArgumentError(`pruning: shares[${i}] must be below 1, or nothing is left of the layer`, 'ERR_RANGE')
    }
  }
  quantity('pruning', 'begin', begin, '', { min: 0, max: 1 })
  quantity('pruning', 'end', end, '', { min: begin, max: 1, exclusive: true })
  return { shares, begin, end, every: wholeNumber('pruning', 'every', every, { min: 1 }) }
}

/** s(q) / s_f: the share of the pruning that is done at `progress`, a share of the training. */
export function pruningProgress(pruning: Pruning, progress: number): number {
  const { begin, end } = checkPruning(pruning)
  const q = Math.min(1, Math.max(0, (progress - begin) / (end - begin)))
  return 1 - (1 - q) ** 3
}

/**
 * 1 for each weight that stays, 0 for the ⌊share × n⌋ smallest in magnitude (of equal ones the first).
 *
 * @throws ArgumentError `ERR_RANGE` when the share is not in [0, 1]
 */
export function magnitudeMask(weights: ArrayLike<number>, share: number): Float32Array {
  quantity('magnitudeMask', 'share', share, '', { min: 0, max: 1 })
  const mask = new Float32Array(weights.length).fill(1)
  let left = Math.floor(share * weights.length)
  if (left === 0) return mask
  const magnitudes = Float64Array.from(weights, Math.abs)
  const largest = magnitudes.slice().sort()[left - 1]!
  for (const [i, magnitude] of magnitudes.entries()) {
    if (magnitude < largest) {
      mask[i] = 0
      left--
    }
  }
  for (let i = 0; left > 0; i++) {
    if (magnitudes[i] === largest) {
      mask[i] = 0
      left--
    }
  }
  return mask
}

/**
 * Synapses that leave each input: the weights of its column that are not zero.
 *
 * @param weights `[outputs, inputs]`, row-major
 */
export function fanOuts(weights: ArrayLike<number>, inputs: number): number[] {
  const counts = new Array<number>(inputs).fill(0)
  for (let i = 0; i < weights.length; i++) if (weights[i] !== 0) counts[i % inputs]!++
  return counts
}

/** Weights `[outputs, inputs]` of the fully connected layers, sharing memory with the network. */
export function connectionWeights(model: Model): readonly Tensor[] {
  const names = model.spec.summary.flatMap(({ name, kind }) => (kind === 'linear' ? [`${name}.weight`] : []))
  const weights: Tensor[] = []
  for (const { name, tensor: values } of model.tensors()) {
    if (names.includes(name)) weights.push(values)
    else values.dispose()
  }
  return weights
}

/** Prunes a model between the steps of a training run; give it the number of each step that was done. */
export class Pruner implements Disposable {
  readonly #pruning: Required<Pruning>
  readonly #totalSteps: number
  readonly #weights: readonly Tensor[]
  #masks: readonly Tensor[] = []

  /** @throws ArgumentError `ERR_RANGE` when there is not one share for each fully connected layer */
  constructor(model: Model, pruning: Pruning, totalSteps: number) {
    this.#pruning = checkPruning(pruning)
    this.#totalSteps = totalSteps
    this.#weights = connectionWeights(model)
    const { shares } = this.#pruning
    if (shares.length !== this.#weights.length) {
      const got = `${shares.length} for ${this.#weights.length} layers`
      throw new ArgumentError(`pruning: shares must be one for each fully connected layer, got ${got}`, 'ERR_RANGE')
    }
  }

  /** After step `step` (from 1): prunes when it is time, and keeps what was taken out at zero. */
  after(step: number): void {
    const { begin, every } = this.#pruning
    const due = (step % every === 0 && step > begin * this.#totalSteps && step < this.#last) || step === this.#last
    if (due) {
      const progress = pruningProgress(this.#pruning, step / this.#totalSteps)
      this.#setMasks((weights, i) => magnitudeMask(weights, this.#pruning.shares[i]! * progress))
    }
    noGrad(() => {
      for (const [i, mask] of this.#masks.entries()) tensorOp('mul_.Tensor', [this.#weights[i]!, mask]).dispose()
    })
  }

  /** Goes on with a network that was pruned before its checkpoint of `step`: what is zero stays zero. */
  resume(step: number): void {
    const { begin, every } = this.#pruning
    const pruned = step >= this.#last || Math.floor(step / every) * every > begin * this.#totalSteps
    if (pruned) this.#setMasks((weights) => Float32Array.from(weights, (value) => (value === 0 ? 0 : 1)))
  }

  get #last(): number {
    return Math.ceil(this.#pruning.end * this.#totalSteps)
  }

  #setMasks(maskOf: (weights: Float32Array, layer: number) => Float32Array): void {
    const before = this.#masks
    this.#masks = this.#weights.map((weight, layer) =>
      tensor(maskOf(weight.toTypedArray() as Float32Array, layer), { shape: weight.shape }),
    )
    for (const mask of before) mask.dispose()
  }

  [Symbol.dispose](): void {
    for (const one of [...this.#masks, ...this.#weights]) one.dispose()
    this.#masks = []
  }
}
