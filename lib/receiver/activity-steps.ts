/** A receiver's energy beside its dense twin's, and the same weights run for other numbers of steps. */
import { withSteps } from '../model/copy.js'
import type { Model } from '../model/model.js'
import { denseMacs, energyPerOperation, energyProxy } from '../study/operations.js'
import { type ReceiverActivity, type ReceiverActivityOptions, receiverActivity } from './activity.js'
import type { Channel } from './channel.js'
import type { ResourceGrid } from './grid.js'
import { measureLink } from './link.js'
import type { Estimate } from './metrics.js'
import { neuralReceiver } from './neural-receiver.js'

/** Energy proxy of one slot, pJ: 4.6 a MAC, 0.9 an accumulate (45 nm, without memory). */
export interface EnergyComparison {
  /** Everything that the network computes, with the stem and the head on real numbers. */
  readonly spiking: number
  /** Besides, each membrane update at the price of a MAC. */
  readonly spikingWithUpdates: number
  /** One pass of the twin: every weight a MAC. */
  readonly dense: number
  /** dense / spiking */
  readonly ratio: number
  readonly ratioWithUpdates: number
  /** Without stem and head on either side: what spikes alone cost. */
  readonly ratioWithoutBoth: number
  /**
   * Papers' convention: MACs × 4.6 / (T × firing rate × MACs × 0.9), one mean rate for all convolutions, also for the stem, whose input never
   * was spikes, and for those behind a block that adds. Undefined for a silent network.
   */
  readonly published: number | undefined
}

/** What a spiking network's slot costs beside one pass of the same convolutions on real numbers, its dense twin. */
export function compareEnergy({ layers, operations, rate, steps }: ReceiverActivity): EnergyComparison {
  const connections = layers.map((layer) => layer.connections)
  const price = (chosen: typeof connections): number => energyProxy({ macs: denseMacs(chosen), synOps: 0 })
  const dense = price(connections)
  const { energy: spiking, energyWithUpdates: spikingWithUpdates } = operations.everything
  const published = energyPerOperation.mac / (steps * rate * energyPerOperation.accumulate)
  return {
    spiking,
    spikingWithUpdates,
    dense,
    ratio: dense / spiking,
    ratioWithUpdates: dense / spikingWithUpdates,
    ratioWithoutBoth: price(connections.slice(1, -1)) / operations.withoutBoth.energy,
    published: rate > 0 ? published : undefined,
  }
}

export interface ActivityStepsOptions extends ReceiverActivityOptions {
  /** Numbers of steps. Default 1 to 10. */
  readonly steps?: readonly number[]
}

/** The network run for T steps. */
export interface StepsActivity {
  readonly steps: number
  /** On the same slots for every T. */
  readonly ber: Estimate
  readonly activity: ReceiverActivity
  readonly energy: EnergyComparison
}

/**
 * Runs the same weights for other numbers of steps than they were trained for, and tells what that costs and how many bits are wrong then.
 * Nothing is trained again: a network trained for each T would do better than these rates say.
 *
 * @throws as {@link receiverActivity}
 */
export async function activityOverSteps(
  grid: ResourceGrid,
  channel: Channel,
  model: Model,
  options: ActivityStepsOptions = {},
): Promise<readonly StepsActivity[]> {
  const { steps = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], ...rest } = options
  const { snr = 10, slots = 128, seed = 0, signal } = rest
  const found: StepsActivity[] = []
  for (const one of steps) {
    using changed = await withSteps(model, one)
    const activity = await receiverActivity(grid, channel, changed, rest)
    const receivers = [neuralReceiver(grid, changed)]
    const settings = {
      snr: [snr],
      mostSlots: slots,
      blockErrors: Number.MAX_SAFE_INTEGER,
      seed,
      ...(signal ? { signal } : {}),
    }
    for await (const {
      receivers: [quality],
    } of measureLink(grid, channel, receivers, settings)) {
      found.push({ steps: one, ber: quality!.ber, activity, energy: compareEnergy(activity) })
    }
  }
  return found
}
