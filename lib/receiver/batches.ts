/** Batches to train a receiver network from, drawn as they are needed: nothing is stored. */
import { wholeNumber } from '../study/quantity.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Drawn } from './arguments.js'
import type { Channel } from './channel.js'
import type { ResourceGrid } from './grid.js'
import { networkInput } from './receivers.js'
import { type Slots, simulateSlots } from './slots.js'

export interface BatchOptions {
  /** Slots a batch. Default 32. */
  readonly batchSize?: number
  /** Es/N0, dB: one for all, or drawn for each slot. Default [-4, 16]. */
  readonly snr?: Drawn
  /** Default 0. */
  readonly seed?: number
  /** Number of the first slot: a run that goes on says how many it has had. Default 0. */
  readonly first?: number
  /** How many slots in all; the last batch has what is left. Default: without end. */
  readonly slots?: number
}

/** What one step of training reads; disposed with {@link ReceiverBatch.slots} and {@link ReceiverBatch.input}. */
export interface ReceiverBatch extends Disposable {
  /** `[size, 4, symbols, subcarriers]`, see {@link networkInput}. */
  readonly input: Tensor
  /** What to learn: `slots.bits` where `grid.kinds` says data; with the SNR, delay spread and speed of each slot. */
  readonly slots: Slots
}

/**
 * Batches of slots with drawn SNR, and delay spread and speed as the channel says. Slot `n` of a seed is always the same.
 *
 *     for await (using batch of receiverBatches(grid, channel, { batchSize: 32, seed: 1, slots: 32_000 })) ...
 *
 * {@link trainingSlots} makes a data set of them.
 *
 * @throws ArgumentError, ShapeError as {@link simulateSlots} and {@link networkInput} do
 */
export async function* receiverBatches(
  grid: ResourceGrid,
  channel: Channel,
  options: BatchOptions = {},
): AsyncGenerator<ReceiverBatch> {
  const owner = 'receiverBatches'
  const batchSize = wholeNumber(owner, 'batchSize', options.batchSize ?? 32, { min: 1 })
  const first = wholeNumber(owner, 'first', options.first ?? 0, { min: 0 })
  const { snr = [-4, 16], seed = 0, slots: all } = options
  const end = all === undefined ? Number.POSITIVE_INFINITY : first + wholeNumber(owner, 'slots', all, { min: 0 })
  for (let next = first; next < end; next += batchSize) {
    const samples = Math.min(batchSize, end - next)
    const slots = await simulateSlots(grid, channel, { snr, samples, seed, first: next })
    const input = await networkInput(grid, slots)
    const dispose = (): void => {
      slots.dispose()
      input.dispose()
    }
    yield { input, slots, [Symbol.dispose]: dispose }
  }
}
