/** Losses as plain descriptions; the native core computes them. Y is the network's output `[B, T, K]`. */
import { ArgumentError } from '../errors.js'
import { argumentReader } from '../model/arguments.js'
import { describe } from '../model/options.js'

/** Cross-entropy of the class scores taken over time: `−log softmax(mean_t Y)[target]`. Targets: classes `[B]`. */
export interface CrossEntropyLoss {
  readonly kind: 'crossEntropy'
  /** Mean or sum over the time steps. */
  readonly reduce: 'mean' | 'sum'
  /** Share of the target probability spread over all classes. */
  readonly labelSmoothing: number
}

/** Squared error of the mean over time against target rates: `correct` for the target class, `incorrect` for others. */
export interface RateMseLoss {
  readonly kind: 'rateMse'
  readonly correct: number
  readonly incorrect: number
}

/** Squared error of the number of spikes over all steps against target counts, for the target class and for others. */
export interface SpikeCountLoss {
  readonly kind: 'spikeCount'
  readonly correct: number
  readonly incorrect: number
}

/** Squared error of the mean over time against floating-point targets `[B, K]`. */
export interface MseLoss {
  readonly kind: 'mse'
}

/**
 * Binary cross-entropy of each value of the mean over time, x, as a logit: `log(1 + eˣ) − x y`, the mean over the elements
 * whose target y is not negative. Targets: floating point in [0, 1] in the shape of an output step `[B, ...]`; −1 leaves an
 * element out, such as the pilots of a resource grid.
 */
export interface BinaryCrossEntropyLoss {
  readonly kind: 'binaryCrossEntropy'
}

export type Loss = CrossEntropyLoss | RateMseLoss | SpikeCountLoss | MseLoss | BinaryCrossEntropyLoss

/**
 * Cross-entropy for classification; the default loss.
 *
 * @param options `reduce`: the decision is the `'mean'` (default) or `'sum'` over time; `labelSmoothing`: in [0, 1), default 0
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE`
 */
export function crossEntropy(options: Partial<Omit<CrossEntropyLoss, 'kind'>> = {}): CrossEntropyLoss {
  const read = argumentReader('crossEntropy', options)
  const loss: CrossEntropyLoss = {
    kind: 'crossEntropy',
    reduce: read.choice('reduce', ['mean', 'sum'], 'mean'),
    labelSmoothing: read.number('labelSmoothing', { min: 0, below: 1 }, 0),
  }
  read.end()
  return loss
}

/**
 * Squared error on firing rates.
 *
 * @param options rates in spikes per step, for the target class (`correct`, default 1) and the others (`incorrect`, 0)
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE`
 */
export function rateMse(options: Partial<Omit<RateMseLoss, 'kind'>> = {}): RateMseLoss {
  const read = argumentReader('rateMse', options)
  const loss: RateMseLoss = {
    kind: 'rateMse',
    correct: read.number('correct', { min: -1e6, max: 1e6 }, 1),
    incorrect: read.number('incorrect', { min: -1e6, max: 1e6 }, 0),
  }
  read.end()
  return loss
}

/**
 * Squared error on spike counts.
 *
 * @param options spikes over all steps, for the target class (`correct`) and the others (`incorrect`, default 0)
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE`
 */
export function spikeCount(options: { readonly correct: number; readonly incorrect?: number }): SpikeCountLoss {
  const read = argumentReader('spikeCount', options)
  const loss: SpikeCountLoss = {
    kind: 'spikeCount',
    correct: read.number('correct', { min: -1e6, max: 1e6 }),
    incorrect: read.number('incorrect', { min: -1e6, max: 1e6 }, 0),
  }
  read.end()
  return loss
}

/** Squared error against floating-point targets, for regression. */
export function mse(): MseLoss {
  return { kind: 'mse' }
}

/** Binary cross-entropy for many yes-or-no decisions at once, such as the bits of a resource grid. */
export function binaryCrossEntropy(): BinaryCrossEntropyLoss {
  return { kind: 'binaryCrossEntropy' }
}

/**
 * The loss to use where the caller gave none; checks one made by hand.
 *
 * @throws ArgumentError `ERR_TYPE`, `ERR_RANGE`
 */
export function resolveLoss(loss: Loss | undefined): Loss {
  if (loss === undefined) return crossEntropy()
  const { kind, ...options } = loss ?? {}
  switch (kind) {
    case 'crossEntropy':
      return crossEntropy(options as Partial<CrossEntropyLoss>)
    case 'rateMse':
      return rateMse(options as Partial<RateMseLoss>)
    case 'spikeCount':
      return spikeCount(options as SpikeCountLoss)
    case 'mse':
      return mse()
    case 'binaryCrossEntropy':
      return binaryCrossEntropy()
    default:
      throw new ArgumentError(
        `loss must be one of crossEntropy(), rateMse(), spikeCount(), mse(), binaryCrossEntropy(), got kind ${describe(kind)}`,
        'ERR_RANGE',
      )
  }
}

/** Every loss, by name. */
export const losses = { crossEntropy, rateMse, spikeCount, mse, binaryCrossEntropy } as const
