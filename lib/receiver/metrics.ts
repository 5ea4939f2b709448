/** What soft bits are worth: errors, information, and how sure the figures are. */
import { quantity, wholeNumber } from '../study/quantity.js'
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkShape } from './arguments.js'
import type { ResourceGrid } from './grid.js'
import { linkTensor } from './operators.js'

/** A measured share with its 95 % confidence interval. */
export interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
}

/** Standard normal quantile of a two-sided 95 %. */
const confident = 1.959963984540054

/**
 * Share of successes of independent trials with its Wilson score interval (Wilson, 1927): right for few successes too, where the usual
 * one is not. Bounds for no trials are 0 and 1.
 *
 * @throws ArgumentError `ERR_RANGE` unless 0 ≤ successes ≤ trials
 */
export function wilson(successes: number, trials: number, z = confident): Estimate {
  wholeNumber('wilson', 'trials', trials, { min: 0 })
  wholeNumber('wilson', 'successes', successes, { min: 0, max: trials })
  quantity('wilson', 'z', z, '', { min: 0 })
  if (trials === 0) return { value: Number.NaN, low: 0, high: 1 }
  const share = successes / trials
  const scale = 1 / (1 + z ** 2 / trials)
  const middle = scale * (share + z ** 2 / (2 * trials))
  const half = scale * z * Math.sqrt((share * (1 - share)) / trials + z ** 2 / (4 * trials ** 2))
  return { value: share, low: Math.max(0, middle - half), high: Math.min(1, middle + half) }
}

/** Errors and information of each slot. */
export interface SlotQuality {
  /** Wrong hard decisions, one count a slot. */
  readonly bitErrors: readonly number[]
  /** Information a bit, 1 − mean log2(1 + exp(−(2b−1) LLR)); times `bitsPerSymbol`: the bit-metric decoding rate of a data element. */
  readonly information: readonly number[]
}

/**
 * Compares soft bits with the bits sent, on the data elements.
 *
 * @throws ShapeError when LLRs or bits are of another grid
 */
export async function slotQuality(grid: ResourceGrid, llrs: Tensor, bits: Tensor): Promise<SlotQuality> {
  const owner = 'slotQuality'
  const shape = [null, grid.bitsPerSymbol, grid.symbols, grid.subcarriers]
  checkShape(owner, 'llrs', llrs, shape, '[samples, bitsPerSymbol, symbols, subcarriers]')
  checkShape(owner, 'bits', bits, [llrs.shape[0]!, ...shape.slice(1)], '[samples, bitsPerSymbol, symbols, subcarriers]')
  return scope(async () => {
    const errors = await linkTensor('count_errors', [llrs, bits, grid.kinds])
    const information = await linkTensor('information', [llrs, bits, grid.kinds])
    return {
      bitErrors: Array.from(errors.toTypedArray(), Number),
      information: Array.from(information.toTypedArray(), Number),
    }
  })
}

/** Mean of independent values with its 95 % interval from their spread: for bits, which fade together within a slot. */
export class RunningMean {
  #count = 0
  #sum = 0
  #squares = 0

  add(values: readonly number[]): void {
    for (const value of values) {
      this.#count += 1
      this.#sum += value
      this.#squares += value ** 2
    }
  }

  get count(): number {
    return this.#count
  }

  get sum(): number {
    return this.#sum
  }

  /** In units of `unit`; the interval is as wide as all values with fewer than two. */
  estimate(unit = 1): Estimate {
    const mean = this.#sum / this.#count
    if (this.#count < 2) return { value: mean / unit, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
    const variance = Math.max(0, this.#squares - this.#sum * mean) / (this.#count - 1)
    const half = confident * Math.sqrt(variance / this.#count)
    return { value: mean / unit, low: (mean - half) / unit, high: (mean + half) / unit }
  }
}
