/** Part `networks`: a dense and a spiking network of the same shape on MNIST, and what each of them really computes. */
import type { ReportSection } from '../../report/section.js'
import { learningPicture } from '../networks/pictures.js'
import { matchedConnections, matchedPlans, matchedSizes, matchedSteps } from '../networks/plans.js'
import { firstImages } from '../networks/samples.js'
import { meanOf, percentText, spreadOf } from '../networks/spread.js'
import { type StudyData, type TrainedNetwork, trainNetwork } from '../networks/train.js'
import { type InferenceTime, timeInference } from '../networks/wall-time.js'
import { publishedComparison } from '../operations.js'
import {
  accuracyTable,
  countedWays,
  curveTable,
  layerTable,
  neuronTable,
  operationTable,
  outputSpikesByEpoch,
  publishedTable,
  timeTable,
} from './networks-tables.js'
import type { StudyContext, StudyPart } from './part.js'

export const networksPart: StudyPart = {
  name: 'networks',
  summary: 'a dense and a spiking network of one shape on MNIST: accuracy, operations, energy proxy, time',
  kept: true,
  async run(context) {
    const size = context.quick ? quick : full
    const samples = await firstImages(size)
    const dense: TrainedNetwork[] = []
    const spiking: TrainedNetwork[] = []
    for (let i = 0; i < size.seeds; i++) {
      const plans = matchedPlans(context.seed + i, size.epochs)
      // Training the spiking one takes about five times as long.
      dense.push(await trainPart(plans.dense, samples, context, i / size.seeds, 0.15 / size.seeds))
      spiking.push(await trainPart(plans.spiking, samples, context, (i + 0.15) / size.seeds, 0.8 / size.seeds))
    }
    context.progress(0.95, 'timing')
    const named = [
      { name: 'dense', path: dense[0]!.path },
      { name: 'spiking', path: spiking[0]!.path },
    ]
    const times = await timeInference(named, samples.test, { samples: size.timed, signal: context.signal })
    return section({ dense, spiking, times }, size)
  },
}

/** One, so that the figures are the same whatever the number of cores. */
export const studyThreads = 1

/** Trains one network as a share of the part's progress. */
function trainPart(
  plan: Parameters<typeof trainNetwork>[0],
  data: StudyData,
  { work, signal, progress }: StudyContext,
  from: number,
  share: number,
): Promise<TrainedNetwork> {
  return trainNetwork(plan, data, {
    directory: work,
    threads: studyThreads,
    signal,
    progress: (done, what) => progress(from + share * done, `${plan.name}, seed ${plan.seed}: ${what}`),
  })
}

/** Epochs of the matched networks: other parts train the same ones. */
export function matchedEpochs({ quick: short }: Pick<StudyContext, 'quick'>): number {
  return (short ? quick : full).epochs
}

interface Size {
  readonly train: number
  readonly test: number
  readonly epochs: number
  readonly seeds: number
  /** Samples for each time. */
  readonly timed: number
}

const full: Size = { train: 60_000, test: 10_000, epochs: 6, seeds: 3, timed: 500 }
const quick: Size = { train: 6000, test: 1000, epochs: 2, seeds: 2, timed: 50 }

/** What was trained and measured: one network of each kind a seed. */
export interface ComparedNetworks {
  readonly dense: readonly TrainedNetwork[]
  readonly spiking: readonly TrainedNetwork[]
  readonly times: readonly InferenceTime[]
}

function section(compared: ComparedNetworks, size: Size): ReportSection {
  const { dense, spiking } = compared
  const outputSpikes = spiking.map(({ measured }) => measured.outputSpikes!)
  const published = publishedComparison(matchedConnections, meanOf(outputSpikes))
  const ratios = outputSpikesByEpoch(spiking).map((spikes) =>
    publishedComparison(matchedConnections, spikes).ratio.toFixed(0),
  )
  const [all, skipping, spikes, sparse] = countedWays(compared).map(({ count }) => count.everything)
  const share = (what: number, of: number): string => (what / of).toFixed(2)
  const accuracies = (networks: readonly TrainedNetwork[]): number[] =>
    networks.map(({ measured }) => measured.accuracy)
  const difference = 100 * (meanOf(accuracies(spiking)) - meanOf(accuracies(dense)))
  return {
    part: networksPart.name,
    title: 'A dense and a spiking network',
    text: [
      `Two networks ${matchedSizes.join('-')} with the same ${dense[0]!.parameters.toLocaleString('en')} parameters, the same optimiser, ` +
        `batches, epochs and seeds, on ${size.train.toLocaleString('en')} images of MNIST: one with ReLU, one with LIF neurons in all three layers ` +
        `over T = ${matchedSteps} steps. The image is a constant current; the class is the output neuron with the most spikes.`,
      'How the published network was trained is not known in all details. This one has the neuron, optimiser and batches of the lessons that such ' +
        'studies start from (snnTorch: β = 0.95, reset one step after the spike, Adam with 5e-4, batches of 128) and the cross-entropy of spike counts ' +
        'as its loss.',
      'The published count divides all FLOPs of the dense network by the spikes of the output layer times its 256 inputs. It leaves out what the ' +
        'input and both hidden layers of the spiking network cost. The honest count has every layer: real numbers cost multiply-accumulates ' +
        '(4.6 pJ), each once, as a constant current is computed once for all steps; spikes cost accumulates (0.9 pJ), measured on the test ' +
        'images; with updates, each neuron and step costs a multiply-accumulate more (decay, current, bias). Memory is left out in both.',
    ],
    findings: [
      `Test accuracy over ${dense.length} seeds: dense ${percentText(accuracies(dense))}, spiking ${percentText(accuracies(spiking))} ` +
        `(${difference >= 0 ? '+' : '−'}${Math.abs(difference).toFixed(2)} points).`,
      `By the published definition the spiking network needs ${published.ratio.toFixed(1)} times fewer operations: ` +
        `${published.denseFlops.toLocaleString('en')} FLOPs / ${Math.round(published.spikingOperations).toLocaleString('en')} (published: 76 = 537,600 / 7,111).`,
      `That figure is a matter of when training stops: after each epoch it is ${ratios.join(', ')}.`,
      `Counted honestly it needs ${Math.round(spikes!.macs).toLocaleString('en')} MACs and ${Math.round(spikes!.synOps).toLocaleString('en')} accumulates: ` +
        `by the proxy ${share(spikes!.energy, all!.energy)} of the dense network's energy, ${share(spikes!.energyWithUpdates, all!.energyWithUpdates)} ` +
        'with neuron updates.',
      skippingSentence(skipping!.energyWithUpdates, sparse!.energyWithUpdates),
      ...timeSentence(compared.times),
      `Training: ${(secondsOf(spiking) / secondsOf(dense)).toFixed(1)} times as long for the spiking network as for the dense one.`,
    ],
    parameters: [
      { name: 'training images', value: size.train },
      { name: 'test images', value: size.test },
      { name: 'epochs', value: size.epochs },
      { name: 'seeds', value: dense.map(({ seed }) => seed).join(', ') },
      { name: 'batch', value: 128 },
      { name: 'Adam, learning rate', value: 5e-4 },
      { name: 'T, steps', value: matchedSteps },
      { name: 'β, decay', value: 0.95 },
      { name: 'θ, threshold', value: 1 },
      { name: 'energy of a MAC', value: 4.6, unit: 'pJ' },
      { name: 'energy of an accumulate', value: 0.9, unit: 'pJ' },
    ],
    tables: [
      accuracyTable(compared),
      publishedTable(compared),
      operationTable(compared),
      layerTable(compared),
      neuronTable(compared),
      timeTable(compared.times),
      curveTable(compared),
    ],
    pictures: [learningPicture('networks-accuracy', { dense, spiking })],
  }
}

function skippingSentence(dense: number, spiking: number): string {
  const ratio = spiking / dense
  return ratio > 1
    ? `Where zeros are skipped on both sides the dense network wins: the spiking one takes ${ratio.toFixed(2)} times its energy.`
    : `Where zeros are skipped on both sides the spiking network takes ${ratio.toFixed(2)} of the dense one's energy.`
}

function timeSentence(times: readonly InferenceTime[]): readonly string[] {
  const fastest = (name: string): InferenceTime | undefined =>
    times.filter((time) => time.name === name).sort((a, b) => a.median - b.median)[0]
  const [dense, spiking] = [fastest('dense'), fastest('spiking')]
  if (!dense || !spiking) return []
  const energy = times.some((time) => time.energy !== undefined) ? '' : ' This machine shows no energy counter (RAPL).'
  return [
    `On this processor, one image at a time: dense ${dense.median.toFixed(3)} ms, spiking ${spiking.median.toFixed(3)} ms ` +
      `(${dense.engine} and ${spiking.engine} engine).${energy}`,
  ]
}

function secondsOf(networks: readonly TrainedNetwork[]): number {
  return spreadOf(networks.flatMap(({ curve }) => curve.map(({ seconds }) => seconds))).mean
}
