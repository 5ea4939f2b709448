/** A link measured: error rates of receivers over SNR, all on the same slots. */
import { AbortedError, ArgumentError } from '../errors.js'
import { quantity, wholeNumber } from '../study/quantity.js'
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Channel } from './channel.js'
import type { ResourceGrid } from './grid.js'
import { gatherBits, scatterBits } from './layout.js'
import { type Estimate, RunningMean, slotQuality, wilson } from './metrics.js'
import type { Receiver } from './receivers.js'
import { simulateSlots } from './slots.js'

/** A code over a slot: what is sent in it, and what is made of its LLRs. */
export interface BlockCode {
  /** Payload bits of a slot. */
  readonly payloadBits: number
  /** Code words `[samples, grid.bits]` of payloads drawn from (seed, first ...), and these payloads `[samples, payloadBits]`; float32. */
  readonly encode: (samples: number, seed: number, first: number) => Promise<{ codewords: Tensor; payload: Tensor }>
  /** LLRs `[samples, grid.bits]` -> wrong payload bits of each slot. */
  readonly errors: (llrs: Tensor, payload: Tensor) => Promise<readonly number[]>
}

export interface MeasureOptions {
  /** Es/N0 of each point, dB. */
  readonly snr: readonly number[]
  /** Slots at a time. Default 64. */
  readonly batch?: number
  /** A point ends when every receiver has made so many block errors. Default 100. */
  readonly blockErrors?: number
  /** ... or after so many slots. Default 10000. */
  readonly mostSlots?: number
  /** Default 0. */
  readonly seed?: number
  /** Default: uncoded, a block being a slot. */
  readonly code?: BlockCode
  readonly signal?: AbortSignal
}

/** One receiver at one SNR. */
export interface LinkQuality {
  readonly receiver: string
  readonly slots: number
  readonly bitErrors: number
  /** Of the payload where there is a code; the interval comes from the spread between slots. */
  readonly ber: Estimate
  readonly blockErrors: number
  readonly bler: Estimate
  /** Bit-metric decoding rate of the LLRs, bits a data element. */
  readonly rate: Estimate
}

export interface LinkPoint {
  /** Es/N0, dB */
  readonly snr: number
  readonly receivers: readonly LinkQuality[]
}

/**
 * Measures receivers at each SNR until all have made `blockErrors` block errors. All decode the same slots, drawn from
 * (seed, number of the slot), so that the same call gives the same figures.
 *
 *     for await (const { snr, receivers } of measureLink(grid, channel, [perfectReceiver(grid)], { snr: [0, 5, 10] })) ...
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` before anything is simulated
 * @throws AbortedError when the signal stops it
 */
export async function* measureLink(
  grid: ResourceGrid,
  channel: Channel,
  receivers: readonly Receiver[],
  options: MeasureOptions,
): AsyncGenerator<LinkPoint> {
  const owner = 'measureLink'
  if (receivers.length === 0) throw new ArgumentError(`${owner}: needs a receiver at least`, 'ERR_ARGUMENT')
  const batch = wholeNumber(owner, 'batch', options.batch ?? 64, { min: 1 })
  const enough = wholeNumber(owner, 'blockErrors', options.blockErrors ?? 100, { min: 1 })
  const most = wholeNumber(owner, 'mostSlots', options.mostSlots ?? 10000, { min: 1 })
  const seed = wholeNumber(owner, 'seed', options.seed ?? 0, { min: 0 })
  for (const snr of options.snr) quantity(owner, 'snr', snr, 'dB', { min: -100, max: 100 })
  for (const [index, snr] of options.snr.entries()) {
    const tallies = receivers.map((receiver) => new Tally(receiver.name))
    let slots = 0
    while (slots < most && tallies.some((tally) => tally.blockErrors < enough)) {
      if (options.signal?.aborted) throw new AbortedError('measureLink was stopped by its signal', { snr, slots })
      const samples = Math.min(batch, most - slots)
      const first = index * most + slots
      await measureBatch(grid, channel, receivers, tallies, { snr, samples, seed, first }, options.code)
      slots += samples
    }
    const bits = options.code?.payloadBits ?? grid.bits
    yield { snr, receivers: tallies.map((tally) => tally.quality(bits, grid.bitsPerSymbol)) }
  }
}

interface Batch {
  readonly snr: number
  readonly samples: number
  readonly seed: number
  readonly first: number
}

async function measureBatch(
  grid: ResourceGrid,
  channel: Channel,
  receivers: readonly Receiver[],
  tallies: readonly Tally[],
  batch: Batch,
  code: BlockCode | undefined,
): Promise<void> {
  await scope(async () => {
    const coded = await code?.encode(batch.samples, batch.seed, batch.first)
    const bits = coded && { bits: await scatterBits(grid, coded.codewords) }
    using slots = await simulateSlots(grid, channel, { ...batch, ...bits })
    for (const [index, receiver] of receivers.entries()) {
      await scope(async () => {
        const llrs = await receiver.llrs(slots)
        const { bitErrors, information } = await slotQuality(grid, llrs, slots.bits)
        const errors = coded ? await code!.errors(await gatherBits(grid, llrs), coded.payload) : bitErrors
        tallies[index]!.add(errors, information)
      })
    }
  })
}

class Tally {
  readonly #receiver: string
  readonly #errors = new RunningMean()
  readonly #information = new RunningMean()
  #blocks = 0

  constructor(receiver: string) {
    this.#receiver = receiver
  }

  get blockErrors(): number {
    return this.#blocks
  }

  add(errors: readonly number[], information: readonly number[]): void {
    this.#errors.add(errors)
    this.#information.add(information)
    this.#blocks += errors.filter((count) => count > 0).length
  }

  quality(bits: number, bitsPerSymbol: number): LinkQuality {
    const slots = this.#errors.count
    return {
      receiver: this.#receiver,
      slots,
      bitErrors: this.#errors.sum,
      ber: this.#errors.estimate(bits),
      blockErrors: this.#blocks,
      bler: wilson(this.#blocks, slots),
      rate: this.#information.estimate(1 / bitsPerSymbol),
    }
  }
}
