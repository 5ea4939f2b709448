/**
 * What a fully connected network really does on a data set: how often each input of each layer is active, and with what is left of its
 * connections. {@link countOperations} makes operations of it.
 */
import type { ArrayDataset } from '../../data/arrays.js'
import { AbortedError, ArgumentError, ShapeError } from '../../errors.js'
import type { Model } from '../../model/model.js'
import type { Recording } from '../../model/record.js'
import { formatShape, sameShape, sizeOf } from '../../model/shape.js'
import type { LayerSummary, NetworkSpec } from '../../model/spec.js'
import type { Activity, Connections, MeasuredLayer } from '../operations.js'
import { wholeNumber } from '../quantity.js'
import { connectionWeights, fanOuts } from './pruning.js'

/** Activity of a layer of neurons (LIF or ReLU). */
export interface NeuronActivity {
  /** `layers.3` */
  readonly name: string
  readonly kind: 'lif' | 'relu'
  readonly neurons: number
  /** LIF: spikes a neuron and step. ReLU: share of outputs above zero. */
  readonly rate: number
  /** Share of the neurons that stay silent for a sample, on average. */
  readonly silent: number
  /** Share of the neurons that no sample made active. */
  readonly dead: number
}

export interface NetworkMeasurement {
  readonly samples: number
  /** 0 to 1 */
  readonly accuracy: number
  /** One for each fully connected layer, for `countOperations`: zeros of real-valued inputs and connections that are zero are skipped. */
  readonly layers: readonly MeasuredLayer[]
  readonly neurons: readonly NeuronActivity[]
  /** Spikes of the output layer for a sample; undefined where the readout does not spike. */
  readonly outputSpikes?: number
}

export interface MeasureOptions {
  /** Samples at once. Default 250. */
  readonly batchSize?: number
  /** Stops between batches with an AbortedError. */
  readonly signal?: AbortSignal
}

/**
 * Measures a network of fully connected layers with LIF or ReLU neurons, and at most one encoder before them, on a data set. What enters
 * the first layer are spikes behind an encoder, else real numbers that are presented once: a constant current is computed once for all steps.
 *
 * @throws ArgumentError `ERR_ARGUMENT` for a network of other layers, ShapeError for other samples, AbortedError `ERR_ABORTED` when stopped by its signal
 */
export async function measureNetwork(
  model: Model,
  data: ArrayDataset,
  { batchSize = 250, signal }: MeasureOptions = {},
): Promise<NetworkMeasurement> {
  wholeNumber('measureNetwork', 'batchSize', batchSize, { min: 1 })
  const stages = stagesOf(model.spec)
  if (!sameShape(data.inputShape, model.spec.input)) {
    const details = { expected: model.spec.input, actual: data.inputShape }
    throw new ShapeError(
      `measureNetwork expects samples ${formatShape(model.spec.input)}, got ${formatShape(data.inputShape)}`,
      details,
    )
  }
  const totals = stages.map(({ size }) => new Totals(size))
  let right = 0
  for (const { inputs, shape, targets, size } of data.batches({ batchSize })) {
    if (signal?.aborted) throw new AbortedError('the measurement was stopped by its signal', {}, signal.reason)
    const recording = await model.record({ data: inputs, shape })
    for (const [i, { source }] of stages.entries()) totals[i]!.add(size, valuesOf(recording, source, inputs))
    right += rightOnes(recording, targets)
  }
  const samples = data.length
  const layers = connectionsOf(model).map((connections, i): MeasuredLayer => {
    const { kind } = stages[i]!
    const activity: Activity =
      kind === 'spikes'
        ? { kind, sums: totals[i]!.sums.map((sum) => sum / samples) }
        : { kind, times: 1, nonzero: totals[i]!.active.map((count) => count / samples) }
    return { connections, activity, neuronUpdates: updatesAfter(model.spec, i) }
  })
  const neurons = stages.flatMap(({ source, kind, size }, i): NeuronActivity[] => {
    const layer = model.spec.summary.find(({ name }) => name === source)
    if (layer?.kind !== 'lif' && layer?.kind !== 'relu') return []
    const { sums, active } = totals[i]!
    const perNeuron = samples * size
    const rate = kind === 'spikes' ? sumOf(sums) / perNeuron / model.spec.steps : sumOf(active) / perNeuron
    const silent = 1 - sumOf(active) / perNeuron
    const dead = active.filter((count) => count === 0).length / size
    return [{ name: source, kind: layer.kind, neurons: size, rate, silent, dead }]
  })
  const last = stages[layers.length]
  return {
    samples,
    accuracy: right / samples,
    layers,
    neurons,
    ...(last?.kind === 'spikes' ? { outputSpikes: sumOf(totals[layers.length]!.sums) / samples } : {}),
  }
}

/** Fully connected layers with what is left of their connections: `fanOut` has the weights of each input that are not zero. */
export function connectionsOf(model: Model): readonly Connections[] {
  const layers = model.spec.summary.filter(({ kind }) => kind === 'linear')
  return connectionWeights(model).map((weight, i) => {
    using values = weight
    const { name, input, output } = layers[i]!
    const [inputs, outputs] = [input[0]!, output[0]!]
    return { name, inputs, outputs, fanOut: fanOuts(values.toTypedArray() as Float32Array, inputs) }
  })
}

/** What enters a fully connected layer, or leaves the last one as spikes. */
interface Stage {
  /** Name of the layer it comes from; `input` for the sample itself. */
  readonly source: string
  readonly kind: 'spikes' | 'analog'
  readonly size: number
}

/** One stage for each fully connected layer, and one more where the readout spikes. */
function stagesOf(spec: NetworkSpec): readonly Stage[] {
  const stages: Stage[] = []
  let current: Stage = { source: 'input', kind: 'analog', size: sizeOf(spec.input) }
  for (const { name, kind, output } of spec.summary) {
    const size = sizeOf(output)
    if (kind === 'linear') stages.push(current)
    else if (kind === 'lif' || kind === 'latencyEncoder' || kind === 'rateEncoder') {
      current = { source: name, kind: 'spikes', size }
    } else if (kind === 'relu') current = { source: name, kind: 'analog', size }
    else if (!['flatten', 'dropout', 'directEncoder', 'leakyReadout'].includes(kind)) {
      throw new ArgumentError(
        `measureNetwork counts fully connected layers with LIF or ReLU neurons; ${name} is a ${kind}`,
        'ERR_ARGUMENT',
        { layer: name, kind },
      )
    }
  }
  if (stages.length === 0) throw new ArgumentError('measureNetwork needs a fully connected layer', 'ERR_ARGUMENT')
  const after = spec.summary.slice(spec.summary.findLastIndex(({ kind }) => kind === 'linear') + 1)
  return after.some(({ kind }) => kind === 'lif') ? [...stages, current] : stages
}

/** Membranes updated for a sample behind the `index`-th fully connected layer: neurons × steps. */
function updatesAfter(spec: NetworkSpec, index: number): number {
  const places = spec.summary.flatMap(({ kind }, at) => (kind === 'linear' ? [at] : []))
  const behind: readonly LayerSummary[] = spec.summary.slice(places[index]! + 1, places[index + 1])
  const neurons = behind.find(({ kind }) => kind === 'lif' || kind === 'leakyReadout')
  return neurons === undefined ? 0 : neurons.output[0]! * spec.steps
}

/** Sums over samples, for each input of a layer. */
class Totals {
  /** Of values over steps and samples. */
  readonly sums: number[]
  /** Samples in which the input was not zero at some step. */
  readonly active: number[]

  constructor(size: number) {
    this.sums = new Array<number>(size).fill(0)
    this.active = new Array<number>(size).fill(0)
  }

  /** `values`: `[samples, T, size]` */
  add(samples: number, values: ArrayLike<number>): void {
    const size = this.sums.length
    const steps = values.length / samples / size
    const one = new Float64Array(size)
    for (let sample = 0; sample < samples; sample++) {
      one.fill(0)
      const start = sample * steps * size
      for (let at = 0; at < steps * size; at++) one[at % size]! += values[start + at]!
      for (let i = 0; i < size; i++) {
        this.sums[i]! += one[i]!
        if (one[i] !== 0) this.active[i]!++
      }
    }
  }
}

function valuesOf(recording: Recording, source: string, inputs: ArrayLike<number>): ArrayLike<number> {
  if (source === 'input') return inputs
  const { spikes, output } = recording.layers[source]!
  return (spikes ?? output)!.data
}

/** Samples whose largest mean output over time is the target: the first of equal ones. */
function rightOnes({ output }: Recording, targets: ArrayLike<number>): number {
  const [samples = 0, steps = 0, classes = 0] = output.shape
  let right = 0
  const scores = new Float64Array(classes)
  for (let sample = 0; sample < samples; sample++) {
    scores.fill(0)
    const start = sample * steps * classes
    for (let at = 0; at < steps * classes; at++) scores[at % classes]! += output.data[start + at]!
    if (scores.indexOf(Math.max(...scores)) === targets[sample]) right++
  }
  return right
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
