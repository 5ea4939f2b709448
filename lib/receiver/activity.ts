/** What a receiver's network really does on simulated slots: how active it is, and what each convolution computes. */
import { ArgumentError } from '../errors.js'
import type { ActivityOptions, LayerTotals } from '../model/activity.js'
import type { ModelInput } from '../model/inputs.js'
import { Model } from '../model/model.js'
import { sizeOf } from '../model/shape.js'
import type { Device } from '../runtime/device.js'
import { countOperations, type MeasuredLayer, type OperationCount, withoutSkipping } from '../study/operations.js'
import { quantity, wholeNumber } from '../study/quantity.js'
import type { Channel } from './channel.js'
import { type Convolution, convolutionsOf, type Population } from './convolutions.js'
import type { ResourceGrid } from './grid.js'
import { networkInput } from './receivers.js'
import { simulateSlots } from './slots.js'

export interface ReceiverActivityOptions {
  /** Es/N0 of the slots, dB. Default 10. */
  readonly snr?: number
  /** Default 128. */
  readonly slots?: number
  /** Of the slots. Default 0. */
  readonly seed?: number
  readonly signal?: AbortSignal
}

/** How active neurons, or a block's output, are. */
export interface PopulationActivity extends Pick<Population, 'name' | 'title' | 'kind'> {
  readonly neurons: number
  /** Mean value a neuron and step. A block that adds gives values above 1. */
  readonly mean: number
  /** Share of neurons and steps whose value is not zero: of spikes the firing rate, of ReLU the share above zero. */
  readonly rate: number
  /** Share of neurons that were zero in every slot and step. */
  readonly silentNeurons: number
  /** Share of channels whose neurons were all so. */
  readonly silentChannels: number
}

export interface ReceiverActivity {
  readonly slots: number
  /** T */
  readonly steps: number
  readonly populations: readonly PopulationActivity[]
  /** {@link PopulationActivity.rate} of all neurons together. */
  readonly rate: number
  /** One for each convolution. */
  readonly layers: readonly MeasuredLayer[]
  /** Of one slot, on average: spikes cost accumulates, every real-valued input a MAC. */
  readonly operations: OperationCount
  /** The same where real-valued inputs that are zero cost nothing: pilots' empty places, and what a ReLU holds back. */
  readonly skippingZeros: OperationCount
}

/**
 * Measures a network on simulated slots. SynOps are sums over steps of the values that enter × the exact fan-out of their places; a constant
 * input, as the slot is to the stem, is convolved once for all steps. The additions that join a block's paths and make the mean over time
 * are not counted: one a neuron and step.
 *
 * @throws ArgumentError, ShapeError, AbortedError: a network with other layers than a receiver's, another grid, weights that are not finite
 */
export function receiverActivity(
  grid: ResourceGrid,
  channel: Channel,
  model: Model,
  options: ReceiverActivityOptions = {},
): Promise<ReceiverActivity> {
  return measured(grid, channel, model, options, false)
}

/**
 * The network before its training: the weights that its seed gave it, normed by the statistics of the slots, as the first training
 * step sees it.
 *
 * @throws as {@link receiverActivity}
 */
export async function untrainedActivity(
  grid: ResourceGrid,
  channel: Channel,
  { spec, seed, dtype, device }: Model,
  options: ReceiverActivityOptions = {},
): Promise<ReceiverActivity> {
  await using fresh = await Model.create(spec, { seed, dtype, device: device as Device })
  return await measured(grid, channel, fresh, options, true)
}

async function measured(
  grid: ResourceGrid,
  channel: Channel,
  model: Model,
  options: ReceiverActivityOptions,
  training: boolean,
): Promise<ReceiverActivity> {
  const owner = 'receiverActivity'
  const snr = quantity(owner, 'snr', options.snr ?? 10, 'dB', { min: -100, max: 100 })
  const samples = wholeNumber(owner, 'slots', options.slots ?? 128, { min: 1 })
  const seed = wholeNumber(owner, 'seed', options.seed ?? 0, { min: 0 })
  using slots = await simulateSlots(grid, channel, { snr, samples, seed })
  using read = await networkInput(grid, slots)
  return await networkActivity(model, read, { training, ...(options.signal ? { signal: options.signal } : {}) })
}

/**
 * {@link receiverActivity} on slots that are there already.
 *
 * @param input `[slots, 4, symbols, subcarriers]`, as {@link networkInput} makes them
 * @throws as {@link receiverActivity}
 */
export async function networkActivity(
  model: Model,
  input: ModelInput,
  options: Pick<ActivityOptions, 'training' | 'signal'> = {},
): Promise<ReceiverActivity> {
  const { steps } = model.spec
  const { convolutions, populations } = convolutionsOf(model.spec)
  const seen = await model.activity(input, { ...options, batchSize: batchOf(populations, steps) })
  const slots = seen.samples
  const of = (name: string | undefined): LayerTotals => (name === undefined ? seen.input : seen.layers[name]!)
  const layers = convolutions.map((one) => measuredLayer(one, of(one.source), slots))
  const neurons = populations.filter(({ kind }) => kind === 'neurons').map(({ name }) => of(name))
  const active = neurons.reduce((sum, { nonzero }) => sum + sumOf(nonzero), 0)
  const places = slots * neurons.reduce((sum, totals) => sum + totals.nonzero.length * totals.steps, 0)
  return {
    slots,
    steps,
    populations: populations.map((one) => populationActivity(one, of(one.name), slots)),
    rate: places === 0 ? 0 : active / places,
    layers,
    operations: countOperations(withoutSkipping(layers)),
    skippingZeros: countOperations(layers),
  }
}

function measuredLayer(
  { connections, kind, times, neuronUpdates }: Convolution,
  { sums, nonzero, steps }: LayerTotals,
  slots: number,
): MeasuredLayer {
  if (!sums.every(Number.isFinite)) {
    const message = `${connections.name}: what enters is not finite, so that the weights before it are not; train again`
    throw new ArgumentError(message, 'ERR_RANGE', { layer: connections.name })
  }
  if (kind === 'spikes') {
    return { connections, activity: { kind, sums: sums.map((sum) => sum / slots) }, neuronUpdates }
  }
  return { connections, activity: { kind, times, nonzero: nonzero.map((one) => one / (slots * steps)) }, neuronUpdates }
}

function populationActivity(
  { name, title, kind, shape }: Population,
  { sums, nonzero, steps }: LayerTotals,
  slots: number,
): PopulationActivity {
  const neurons = sizeOf(shape)
  const [channels = 1] = shape
  const plane = neurons / channels
  const silent = Array.from({ length: channels }, (_, channel) => {
    return nonzero.subarray(channel * plane, (channel + 1) * plane).filter((count) => count === 0).length
  })
  const places = neurons * steps * slots
  return {
    name,
    title,
    kind,
    neurons,
    mean: sumOf(sums) / places,
    rate: sumOf(nonzero) / places,
    silentNeurons: sumOf(silent) / neurons,
    silentChannels: silent.filter((count) => count === plane).length / channels,
  }
}

/** Values that a recording may hold at once; for each neuron and step there are its current before and after the norm, membrane and spike. */
const MOST_VALUES = 2 ** 26

function batchOf(populations: readonly Population[], steps: number): number {
  const values = 4 * steps * populations.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  return Math.min(32, Math.max(1, Math.floor(MOST_VALUES / Math.max(1, values))))
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  return sum
}
