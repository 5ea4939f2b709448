/** One slot looked at from all sides: what each receiver made of it, as plain numbers for pictures and tables. */
import type { Model } from '../../model/model.js'
import { tensor } from '../../tensor/create.js'
import { op } from '../../tensor/operator.js'
import { mean } from '../../tensor/reduction.js'
import { scope } from '../../tensor/scope.js'
import type { Tensor } from '../../tensor/tensor.js'
import type { Channel } from '../channel.js'
import { type ChannelEstimator, leastSquares, lmmse, perfectKnowledge } from '../estimation.js'
import { elementKinds, type ResourceGrid } from '../grid.js'
import { slotQuality } from '../metrics.js'
import { demap, equalise, networkInput, type Receiver } from '../receivers.js'
import type { ReceivedSlots } from '../slots.js'

/** What one receiver made of the slot. */
export interface SlotDecision {
  readonly name: string
  /** `[bitsPerSymbol, symbols, subcarriers]` */
  readonly llrs: Float32Array
  /** Where it is known what was sent. */
  readonly bitErrors?: number
  /** Bit-metric decoding rate, bits a data element; where it is known what was sent. */
  readonly rate?: number
}

/** What a receiver that estimates the channel found out on the way. */
export interface SlotEstimate {
  readonly name: string
  /** `[symbols, subcarriers, 2]` */
  readonly response: Float32Array
  /** `[symbols, subcarriers, 2]` */
  readonly equalised: Float32Array
}

/** Spikes of one layer, the mean over its channels: `[steps, symbols, subcarriers]`. */
export interface SlotActivity {
  readonly layer: string
  readonly steps: number
  readonly rates: Float32Array
}

export interface SlotView {
  /** `[symbols, subcarriers, 2]` */
  readonly received: Float32Array
  /** `[bitsPerSymbol, symbols, subcarriers]`, where it is known. */
  readonly bits?: Float32Array
  /** Perfect knowledge first, where the channel is known. */
  readonly estimates: readonly SlotEstimate[]
  /** In the order of `estimates`, then the networks. */
  readonly decisions: readonly SlotDecision[]
  readonly activity: readonly SlotActivity[]
}

/** Slots, and what is known of them. */
export interface ViewedSlots extends ReceivedSlots {
  readonly bits?: Tensor
}

/**
 * Looks at the first of the slots.
 *
 * @param channel what LMMSE assumes
 * @param model whose spikes are recorded; stays the caller's, as the networks do
 */
export async function viewSlot(
  grid: ResourceGrid,
  channel: Channel,
  slots: ViewedSlots,
  networks: readonly Receiver[],
  model: Model,
): Promise<SlotView> {
  const estimators: readonly ChannelEstimator[] = [
    ...(slots.response === undefined ? [] : [perfectKnowledge(grid)]),
    await lmmse(grid, channel),
    leastSquares(grid),
  ]
  try {
    return await scope(async () => {
      const estimates: SlotEstimate[] = []
      const decisions: SlotDecision[] = []
      for (const estimator of estimators) {
        const estimate = await estimator.estimate(slots)
        const equalised = await equalise(slots, estimate)
        // Of one antenna: the networks read no more.
        const response = op('select.int', [estimate.estimate, 1, 0]) as Tensor
        estimates.push({ name: estimator.name, response: first(response), equalised: first(equalised.symbols) })
        decisions.push(await decision(grid, estimator.name, await demap(equalised, grid.modulation), slots))
      }
      for (const network of networks) {
        decisions.push(await decision(grid, network.name, await network.llrs(slots), slots))
      }
      return {
        received: first(op('select.int', [slots.received, 1, 0]) as Tensor),
        ...(slots.bits === undefined ? {} : { bits: first(slots.bits) }),
        estimates,
        decisions,
        activity: await activityOf(grid, slots, model),
      }
    })
  } finally {
    for (const one of estimators) one.dispose()
  }
}

async function decision(grid: ResourceGrid, name: string, llrs: Tensor, { bits }: ViewedSlots): Promise<SlotDecision> {
  const values = first(llrs)
  if (bits === undefined) return { name, llrs: values }
  const { bitErrors, information } = await slotQuality(grid, llrs, bits)
  return { name, llrs: values, bitErrors: bitErrors[0]!, rate: information[0]! * grid.bitsPerSymbol }
}

async function activityOf(grid: ResourceGrid, slots: ReceivedSlots, model: Model): Promise<readonly SlotActivity[]> {
  const { layers } = await model.record(firstOnly(await networkInput(grid, slots)))
  return Object.entries(layers).flatMap(([layer, { spikes }]) => {
    if (spikes === undefined) return []
    const rates = scope(() => mean(tensor(spikes.data, { shape: spikes.shape }), { dim: [0, 2] }).toTypedArray())
    return [{ layer: titleOf(layer), steps: spikes.shape[1]!, rates: rates as Float32Array }]
  })
}

/** `layers.2` is the stem, `layers.3.stages.0.lif` the first stage of the first block. */
function titleOf(layer: string): string {
  const [, place, stage] = /^layers\.(\d+)\.stages\.(\d+)/.exec(layer) ?? []
  return place === undefined ? 'stem' : `block ${Number(place) - 2}, stage ${Number(stage) + 1}`
}

function firstOnly(values: Tensor): Tensor {
  return op('narrow', [values, 0, 0, 1]) as Tensor
}

function first(values: Tensor): Float32Array {
  using one = op('select.int', [values, 0, 0]) as Tensor
  using here = op('to.device', [one, 'cpu', 'float32']) as Tensor
  return here.toTypedArray() as Float32Array
}

/** Indices of the elements that carry data. */
export function dataElements(grid: ResourceGrid): readonly number[] {
  const kinds = grid.kinds.toTypedArray()
  return Array.from(kinds, Number).flatMap((kind, element) => (kind === elementKinds.data ? [element] : []))
}
