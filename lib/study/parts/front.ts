/** Part `front`: how little energy, counted honestly, a network needs for which accuracy on MNIST. */
import { join } from 'node:path'
import { frontEntries } from '../networks/front-plans.js'
import { matchedPlans } from '../networks/plans.js'
import { firstImages } from '../networks/samples.js'
import { type NetworkPlan, type StudyData, type TrainedNetwork, trainNetwork } from '../networks/train.js'
import { timeInference } from '../networks/wall-time.js'
import { type MeasuredLayer, withoutSkipping } from '../operations.js'
import { type CountedNetworks, frontSection } from './front-section.js'
import { matchedEpochs, studyThreads } from './networks.js'
import { meanCount } from './networks-tables.js'
import type { StudyContext, StudyPart } from './part.js'

export const frontPart: StudyPart = {
  name: 'front',
  summary: 'the least energy for an accuracy: latency code, few steps, few spikes, pruned connections',
  kept: true,
  async run(context) {
    const size = context.quick ? quick : full
    const samples = await firstImages(size)
    const counted = await trainAll(samples, size, context)
    context.progress(0.97, 'timing')
    const named = counted.slice(1).map(({ group, title, networks }) => ({
      name: `${group}: ${title}`,
      path: networks[0]!.path,
    }))
    const times = await timeInference(named, samples.test, { samples: size.timed, signal: context.signal })
    return frontSection(counted, times, size)
  },
}

/** How large a run is. */
export interface FrontSize {
  readonly train: number
  readonly test: number
  readonly epochs: number
  /** Of every network. */
  readonly seeds: number
  /** Every so many of the networks between them. */
  readonly every: number
  readonly timed: number
}

const full: FrontSize = { train: 60_000, test: 10_000, epochs: 8, seeds: 3, every: 1, timed: 300 }
const quick: FrontSize = { train: 6000, test: 1000, epochs: 3, seeds: 1, every: 3, timed: 30 }

/** All networks, the dense one twice at the start: counted without and with skipped zeros. */
async function trainAll(data: StudyData, size: FrontSize, context: StudyContext): Promise<readonly CountedNetworks[]> {
  const { seed, work, signal } = context
  const last = frontEntries(seed, size.epochs).length - 1
  const chosen = Array.from({ length: last + 1 }, (_, i) => i).filter((i) => i === last || i % size.every === 0)
  const trainings = (chosen.length + 1) * size.seeds
  let done = 0
  const trained = async (plan: NetworkPlan, directory = work): Promise<TrainedNetwork> => {
    const began = done++
    return trainNetwork(plan, data, {
      directory,
      threads: studyThreads,
      signal,
      progress: (share, what) =>
        context.progress((0.96 * (began + share)) / trainings, `${plan.name}, seed ${plan.seed}: ${what}`),
    })
  }
  const ofSeeds = async (plan: (seed: number) => NetworkPlan, directory?: string): Promise<TrainedNetwork[]> => {
    const networks: TrainedNetwork[] = []
    for (let k = 0; k < size.seeds; k++) networks.push(await trained(plan(seed + k), directory))
    return networks
  }
  const counted: CountedNetworks[] = []
  for (const i of chosen) {
    const { group, title } = frontEntries(seed, size.epochs)[i]!
    const networks = await ofSeeds((one) => frontEntries(one, size.epochs)[i]!.plan)
    if (i === 0) counted.push(counts('dense', `${title}, skips nothing`, networks, withoutSkipping))
    counted.push(counts(group, i === 0 ? `${title}, skips zeros` : title, networks))
  }
  // The networks of the part `networks`: taken from there where that part has run.
  const matched = (one: number): NetworkPlan => matchedPlans(one, matchedEpochs(context)).spiking
  const networks = await ofSeeds(matched, join(work, '..', 'networks'))
  counted.splice(-1, 0, counts('spiking', '256-256, 25 steps, constant current', networks))
  return counted
}

function counts(
  group: CountedNetworks['group'],
  title: string,
  networks: readonly TrainedNetwork[],
  as: (layers: readonly MeasuredLayer[]) => readonly MeasuredLayer[] = (layers) => layers,
): CountedNetworks {
  return { group, title, networks, operations: meanCount(networks, as) }
}
