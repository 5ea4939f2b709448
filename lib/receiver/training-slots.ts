/** Training data that nobody stores: slots simulated as they are read. */
import { type Batch, type BatchOptions, batchCount, type Dataset, resolveBatchOptions } from '../data/dataset.js'
import { wholeNumber } from '../study/quantity.js'
import { eq } from '../tensor/comparison.js'
import { op } from '../tensor/operator.js'
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Drawn, drawnRange } from './arguments.js'
import { receiverBatches } from './batches.js'
import { type Channel, channelSettings } from './channel.js'
import { elementKinds, type ResourceGrid } from './grid.js'
import type { Slots } from './slots.js'

export interface TrainingSlotOptions {
  /** Slots that make an epoch. */
  readonly slots: number
  /** Es/N0, dB: one for all, or drawn evenly from a range. */
  readonly snr: Drawn
  /** Other slots for another seed. Default 0. */
  readonly seed?: number
}

/**
 * A data set for a receiver's network: inputs as {@link receiverBatches} draws them, targets the bits sent, −1 on what carries no data.
 * Slot `n` of epoch `e` is the simulator's sample `e · slots + n`, so that every epoch is new and a run that resumes sees what
 * an uninterrupted one would have seen; with `everyEpoch: false` all epochs are the first, as validation wants it.
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` for a channel, an SNR or a number of slots that can't be
 */
export function trainingSlots(
  grid: ResourceGrid,
  channel: Channel,
  options: TrainingSlotOptions & { readonly everyEpoch?: boolean },
): Dataset {
  const owner = 'trainingSlots'
  channelSettings(owner, channel, grid)
  const snr = drawnRange(owner, 'snr', options.snr, 'dB', { min: -100, max: 100 })
  const slots = wholeNumber(owner, 'slots', options.slots, { min: 1 })
  const seed = wholeNumber(owner, 'seed', options.seed ?? 0, { min: 0 })
  const { symbols, subcarriers, bitsPerSymbol } = grid

  async function* batches(asked: BatchOptions): AsyncGenerator<Batch> {
    const { batchSize, epoch, lastBatch, start } = resolveBatchOptions(asked)
    const first = start * batchSize
    const end = lastBatch === 'drop' ? batchCount(slots, batchSize, lastBatch) * batchSize : slots
    const before = options.everyEpoch === false ? 0 : epoch * slots
    const drawn = { batchSize, snr, seed, first: before + first, slots: Math.max(0, end - first) }
    let index = start
    for await (using batch of receiverBatches(grid, channel, drawn)) {
      const [size = 0, ...shape] = batch.input.shape
      yield {
        inputs: batch.input.toTypedArray() as Float32Array,
        targets: targetsOf(batch.slots),
        size,
        index,
        shape: [size, ...shape],
        targetShape: [size, bitsPerSymbol, symbols, subcarriers],
      }
      index += 1
    }
  }

  function targetsOf({ bits }: Slots): Float32Array {
    return scope(() => {
      const isData = eq(grid.kinds, elementKinds.data)
      const wanted = op('aten::where.ScalarOther', [isData, bits, -1]) as Tensor
      return wanted.toTypedArray() as Float32Array
    })
  }
  return { inputShape: [4, symbols, subcarriers], length: slots, batches }
}
