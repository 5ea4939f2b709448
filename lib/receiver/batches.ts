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
  /** Number of the first batch: a run that goes on says how many it has had. Default 0. */
  readonly first?: number
  /** How many. Default: without end. */
  readonly batches?: number
}

/** What one step of training reads; disposed with {@link ReceiverBatch.slots} and {@link ReceiverBatch.input}. */
export interface ReceiverBatch extends Disposable {
  /** `[batchSize, 4, symbols, subcarriers]`, see {@link networkInput}. */
  readonly input: Tensor
  /** What to learn: `slots.bits` where `grid.kinds` says data; with the SNR, delay spread and speed of each slot. */
  readonly slots: Slots
}

/**
 * Batches of slots with drawn SNR, and delay spread and speed as the channel says. Batch `n` of a seed is always the same.
 *
 *     for await (using batch of receiverBatches(grid, channel, { batchSize: 32, seed: 1, batches: 1000 })) ...
 *
 * @throws ArgumentError, ShapeError as {@link simulateSlots} and {@link networkInput} do
 */
export async function* receiverBatches(
  grid: ResourceGrid,
  channel: Channel,
  options: BatchOptions = {},
): AsyncGenerator<ReceiverBatch> {
  const owner = 'receiverBatches'
  const samples = wholeNumber(owner, 'batchSize', options.batchSize ?? 32, { min: 1 })
  const first = wholeNumber(owner, 'first', options.first ?? 0, { min: 0 })
  const { snr = [-4, 16], seed = 0, batches = Number.POSITIVE_INFINITY } = options
  for (let n = 0; n < batches; n++) {
    const slots = await simulateSlots(grid, channel, { snr, samples, seed, first: (first + n) * samples })
    const input = await networkInput(grid, slots)
    const dispose = (): void => {
      slots.dispose()
      input.dispose()
    }
    yield { input, slots, [Symbol.dispose]: dispose }
  }
}
