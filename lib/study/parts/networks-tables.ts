/** Tables of the part `networks`. */

import type { Cell, ReportTable } from '../../report/section.js'
import { matchedConnections } from '../networks/plans.js'
import { meanOf, meanOperations, spreadOf } from '../networks/spread.js'
import type { TrainedNetwork } from '../networks/train.js'
import type { InferenceTime } from '../networks/wall-time.js'
import {
  countOperations,
  type LayerOperations,
  type MeasuredLayer,
  type OperationCount,
  publishedComparison,
  withoutSkipping,
} from '../operations.js'
import type { ComparedNetworks } from './networks.js'

/** A network under one way of counting: the mean over its seeds. */
export interface CountedWay {
  readonly name: string
  readonly count: OperationCount
}

/** Dense and spiking, each on a processor that skips no zeros of real-valued inputs, and on one that does. */
export function countedWays({ dense, spiking }: Pick<ComparedNetworks, 'dense' | 'spiking'>): readonly CountedWay[] {
  return [
    { name: 'dense', count: meanCount(dense, withoutSkipping) },
    { name: 'dense, skips zeros', count: meanCount(dense, (layers) => layers) },
    { name: 'spiking', count: meanCount(spiking, withoutSkipping) },
    { name: 'spiking, skips zero pixels', count: meanCount(spiking, (layers) => layers) },
  ]
}

/** Mean over networks of one shape. */
export function meanCount(
  networks: readonly TrainedNetwork[],
  as: (layers: readonly MeasuredLayer[]) => readonly MeasuredLayer[],
): OperationCount {
  const counts = networks.map(({ measured }) => countOperations(as(measured.layers)))
  const mean = (part: 'everything' | 'withoutFirst' | 'withoutReadout' | 'withoutBoth'): LayerOperations =>
    meanOperations(counts.map((count) => count[part]))
  return {
    layers: counts[0]!.layers.map((_, i) => meanOperations(counts.map(({ layers }) => layers[i]!))),
    everything: mean('everything'),
    withoutFirst: mean('withoutFirst'),
    withoutReadout: mean('withoutReadout'),
    withoutBoth: mean('withoutBoth'),
  }
}

export function accuracyTable(compared: ComparedNetworks): ReportTable {
  const rows = (['dense', 'spiking'] as const).flatMap((kind): Cell[][] => {
    const accuracies = compared[kind].map(({ measured }) => measured.accuracy)
    const { mean, deviation, lowest, highest } = spreadOf(accuracies)
    return [
      ...compared[kind].map(({ seed, curve, measured }) => [kind, seed, 100 * measured.accuracy, curve.at(-1)!.loss]),
      [kind, `mean of ${accuracies.length}: ± ${(100 * deviation).toFixed(3)}`, 100 * mean, null],
      [kind, 'lowest and highest', `${(100 * lowest).toFixed(2)} to ${(100 * highest).toFixed(2)}`, null],
    ]
  })
  return {
    name: 'networks-accuracy',
    title: 'Accuracy on the test images',
    columns: [
      { name: 'network' },
      { name: 'seed' },
      { name: 'test accuracy', unit: '%' },
      { name: 'loss of the last epoch' },
    ],
    rows,
  }
}

/** Spikes of the output layer after each epoch, mean over seeds. */
export function outputSpikesByEpoch(spiking: readonly TrainedNetwork[]): readonly number[] {
  return spiking[0]!.curve.map((_, i) => meanOf(spiking.map(({ curve }) => curve[i]!.outputSpikes!)))
}

/** The published count under its own definition: for each seed, their mean, and how it changes while they learn. */
export function publishedTable({ spiking }: Pick<ComparedNetworks, 'spiking'>): ReportTable {
  const outputSpikes = spiking.map(({ measured }) => measured.outputSpikes!)
  const row = (name: string, spikes: number): Cell[] => {
    const { denseFlops, spikingOperations, ratio } = publishedComparison(matchedConnections, spikes)
    return [name, spikes, denseFlops, spikingOperations, ratio]
  }
  return {
    name: 'networks-published',
    title: 'The published count, by its own definition',
    columns: [
      { name: 'network' },
      { name: 'output spikes an image' },
      { name: 'FLOPs, dense' },
      { name: 'operations, spiking' },
      { name: 'ratio' },
    ],
    rows: [
      ['published', 7111 / 256, 537_600, 7111, 537_600 / 7111],
      ...spiking.map(({ seed, measured }) => row(`here, seed ${seed}`, measured.outputSpikes!)),
      row('here, mean', meanOf(outputSpikes)),
      ...outputSpikesByEpoch(spiking).map((spikes, i) => row(`here, mean after epoch ${i + 1}`, spikes)),
    ],
  }
}

export function operationTable(compared: ComparedNetworks): ReportTable {
  const ways = countedWays(compared)
  const dense = ways[0]!.count
  const scopes = ['everything', 'withoutFirst', 'withoutReadout', 'withoutBoth'] as const
  return {
    name: 'networks-operations',
    title: 'The honest count, for one image',
    columns: [
      { name: 'network' },
      { name: 'counted' },
      { name: 'MACs' },
      { name: 'accumulates' },
      { name: 'neuron updates' },
      { name: 'energy', unit: 'nJ' },
      { name: 'dense / this' },
      { name: 'with updates', unit: 'nJ' },
      { name: 'dense / this, with updates' },
    ],
    rows: ways.flatMap(({ name, count }) =>
      scopes.map((scope): Cell[] => {
        const { name: counted, macs, synOps, neuronUpdates, energy, energyWithUpdates } = count[scope]
        const ratio = (mine: number): number => dense[scope].energy / mine
        return [
          name,
          counted,
          macs,
          synOps,
          neuronUpdates,
          energy / 1000,
          ratio(energy),
          energyWithUpdates / 1000,
          ratio(energyWithUpdates),
        ]
      }),
    ),
  }
}

export function layerTable(compared: ComparedNetworks): ReportTable {
  return {
    name: 'networks-layers',
    title: 'Layer by layer, for one image',
    columns: [
      { name: 'network' },
      { name: 'layer' },
      { name: 'inputs' },
      { name: 'outputs' },
      { name: 'MACs' },
      { name: 'accumulates' },
      { name: 'neuron updates' },
      { name: 'energy with updates', unit: 'nJ' },
    ],
    rows: countedWays(compared).flatMap(({ name, count }) =>
      count.layers.map(({ macs, synOps, neuronUpdates, energyWithUpdates }, i): Cell[] => {
        const { inputs, outputs } = matchedConnections[i]!
        return [name, i + 1, inputs, outputs, macs, synOps, neuronUpdates, energyWithUpdates / 1000]
      }),
    ),
  }
}

export function neuronTable(compared: ComparedNetworks): ReportTable {
  return {
    name: 'networks-neurons',
    title: 'Activity of the neurons: spikes a neuron and step (LIF), share of outputs above zero (ReLU)',
    columns: [
      { name: 'network' },
      { name: 'seed' },
      { name: 'layer' },
      { name: 'neurons' },
      { name: 'rate' },
      { name: 'silent for an image', unit: '%' },
      { name: 'never active', unit: '%' },
    ],
    rows: (['dense', 'spiking'] as const).flatMap((kind) =>
      compared[kind].flatMap(({ seed, measured }) =>
        measured.neurons.map(({ neurons, rate, silent, dead }, i): Cell[] => [
          kind,
          seed,
          i + 1,
          neurons,
          rate,
          100 * silent,
          100 * dead,
        ]),
      ),
    ),
  }
}

/** Name and columns are those of every part that times networks. */
export function timeTable(times: readonly InferenceTime[], part = 'networks'): ReportTable {
  return {
    name: `${part}-time`,
    title: 'Time of one image through Model.predict, one thread',
    columns: [
      { name: 'network' },
      { name: 'engine' },
      { name: 'images' },
      { name: 'median', unit: 'ms' },
      { name: 'lower quartile', unit: 'ms' },
      { name: 'upper quartile', unit: 'ms' },
      { name: 'energy of the processor (RAPL)', unit: 'µJ' },
    ],
    rows: times.map(({ name, engine, samples, median, lower, upper, energy }) => [
      name,
      engine,
      samples,
      median,
      lower,
      upper,
      energy ?? null,
    ]),
  }
}

export function curveTable(compared: ComparedNetworks): ReportTable {
  return {
    name: 'networks-curves',
    title: 'Training curves',
    fileOnly: true,
    columns: [
      { name: 'network' },
      { name: 'seed' },
      { name: 'epoch' },
      { name: 'loss' },
      { name: 'accuracy', unit: '%' },
      { name: 'test loss' },
      { name: 'test accuracy', unit: '%' },
      { name: 'time', unit: 's' },
    ],
    rows: (['dense', 'spiking'] as const).flatMap((kind) =>
      compared[kind].flatMap(({ seed, curve }) =>
        curve.map(({ epoch, loss, accuracy, testLoss, testAccuracy, seconds }): Cell[] => [
          kind,
          seed,
          epoch,
          loss,
          100 * accuracy,
          testLoss,
          100 * testAccuracy,
          seconds,
        ]),
      ),
    ),
  }
}
