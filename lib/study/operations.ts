/**
 * Counting what a dense and a spiking network compute: pure functions of layers and of activity measured on data.
 *
 *     MAC    multiply-accumulate of a real-valued input with a weight; 2 FLOPs
 *     SynOp  accumulate caused by one spike on one synapse: Σ over steps of input values × fan-out
 *
 * Energy proxy: 45 nm figures for 32-bit floats, 4.6 pJ a MAC (3.7 multiply + 0.9 add) and 0.9 pJ an accumulate.
 * M. Horowitz, "Computing's energy problem (and what we can do about it)", ISSCC 2014. It leaves memory out, which costs more than both.
 */
import { ArgumentError, ShapeError } from '../errors.js'
import { quantity, wholeNumber } from './quantity.js'

/** 45 nm, 32-bit floating point, pJ. */
export const energyPerOperation = Object.freeze({ mac: 4.6, accumulate: 0.9 })

/** The connections into a layer. */
export interface Connections {
  readonly name: string
  readonly inputs: number
  /** Neurons of the layer. */
  readonly outputs: number
  /** Synapses that leave each input: one number for all or one an input (pruned, convolution). Default: `unpruned`. */
  readonly fanOut?: number | ArrayLike<number>
  /** The same with no synapse taken away: of a convolution the windows that an input lies in. Default: `outputs`, all to all. */
  readonly unpruned?: number | ArrayLike<number>
}

/** What came in through the connections, for one sample on average. */
export type Activity =
  /**
   * Spikes: the sum over all steps of the input's values, of all inputs together or of each; measured on the data, never assumed from a
   * rate. A SEW block that adds gives values above 1: they count by value.
   */
  | { readonly kind: 'spikes'; readonly sums: number | ArrayLike<number> }
  /**
   * Real numbers, presented `times` times (once where a constant input is computed once, else at each step). `nonzero`: the share of them that
   * is not zero, of all together or of each input, for a processor that skips zeros. Default 1: none are skipped.
   */
  | { readonly kind: 'analog'; readonly times: number; readonly nonzero?: number | ArrayLike<number> }

export interface MeasuredLayer {
  readonly connections: Connections
  readonly activity: Activity
  /** Membrane updates for one sample: neurons × steps. Default 0: the layer has no neurons that integrate. */
  readonly neuronUpdates?: number
}

export interface LayerOperations {
  readonly name: string
  readonly macs: number
  readonly synOps: number
  readonly neuronUpdates: number
  /** pJ: MACs and accumulates. */
  readonly energy: number
  /** pJ: besides, each membrane update (decay, current and bias) at the price of a MAC. */
  readonly energyWithUpdates: number
}

/** Sums over layers. The first layer and the readout are those that a count is tempted to leave out. */
export interface OperationCount {
  readonly layers: readonly LayerOperations[]
  readonly everything: LayerOperations
  readonly withoutFirst: LayerOperations
  readonly withoutReadout: LayerOperations
  readonly withoutBoth: LayerOperations
}

/** Weights that a layer multiplies with: synapses of all inputs. */
export function synapses(connections: Connections): number {
  const { inputs, fanOut } = checked(connections)
  return typeof fanOut === 'number' ? inputs * fanOut : sumOf(fanOut)
}

/** MACs of one dense pass: 784-256-256-10 has 268,800. */
export function denseMacs(layers: readonly Connections[]): number {
  return layers.reduce((sum, layer) => sum + synapses(layer), 0)
}

/** Fully connected layers between these sizes: `fullyConnected([784, 256, 256, 10])`. */
export function fullyConnected(sizes: readonly number[]): readonly Connections[] {
  if (sizes.length < 2) throw new ShapeError('fullyConnected needs at least two sizes', { sizes })
  return sizes.slice(1).map((outputs, i) => ({ name: `layer ${i + 1}`, inputs: sizes[i]!, outputs }))
}

/** Accumulates that spikes cause in a layer: Σ of input values over steps and inputs × fan-out. */
export function synOps(connections: Connections, sums: number | ArrayLike<number>): number {
  return reached(connections, sums, 'sums')
}

/** pJ: 4.6 a MAC, 0.9 an accumulate. */
export function energyProxy({ macs, synOps: accumulates }: Pick<LayerOperations, 'macs' | 'synOps'>): number {
  return energyPerOperation.mac * macs + energyPerOperation.accumulate * accumulates
}

/**
 * The honest count of one sample: each layer by what really enters it. Spikes cost accumulates, real numbers cost MACs: as often as they
 * are presented, and only the non-zero ones where `nonzero` is given (a processor that skips zeros, of inputs or behind a ReLU).
 *
 * @throws ArgumentError, ShapeError naming what does not fit
 */
export function countOperations(layers: readonly MeasuredLayer[]): OperationCount {
  if (layers.length === 0) throw new ShapeError('countOperations needs at least one layer, got none')
  const counted = layers.map(countLayer)
  const last = counted.length - 1
  return {
    layers: counted,
    everything: total('everything', counted),
    withoutFirst: total('without the first layer', counted.slice(1)),
    withoutReadout: total('without the readout', counted.slice(0, last)),
    withoutBoth: total('without both', counted.slice(1, last)),
  }
}

/** The same layers on a processor that skips no zeros: every weight, also those that are zero, meets every real-valued input. Spikes stay spikes. */
export function withoutSkipping(layers: readonly MeasuredLayer[]): readonly MeasuredLayer[] {
  return layers.map((layer) => {
    if (layer.activity.kind === 'spikes') return layer
    const { fanOut: _, ...connections } = layer.connections
    return {
      ...layer,
      connections,
      activity: { kind: 'analog', times: layer.activity.times },
    }
  })
}

export interface PublishedComparison {
  /** 2 × MACs of the dense network. */
  readonly denseFlops: number
  /** Spikes of the output layer × inputs of the output layer, and nothing else. */
  readonly spikingOperations: number
  readonly ratio: number
}

/**
 * The published comparison under its own definition: all FLOPs of the dense network against "synaptic operations" that count only the spikes
 * of the output layer, times that layer's inputs. 784-256-256-10 with 27.8 output spikes a sample: 537,600 / 7,111 = 76. It leaves out what the
 * input and both hidden layers cost; {@link countOperations} counts everything.
 *
 * @param outputSpikes spikes of the output layer over all steps, for one sample on average
 */
export function publishedComparison(layers: readonly Connections[], outputSpikes: number): PublishedComparison {
  quantity('publishedComparison', 'outputSpikes', outputSpikes, 'spikes', { min: 0, exclusive: true })
  const denseFlops = 2 * denseMacs(layers)
  const spikingOperations = outputSpikes * layers.at(-1)!.inputs
  return { denseFlops, spikingOperations, ratio: denseFlops / spikingOperations }
}

function countLayer({ connections, activity, neuronUpdates = 0 }: MeasuredLayer): LayerOperations {
  const { name } = connections
  quantity(name, 'neuronUpdates', neuronUpdates, '', { min: 0 })
  const work = { macs: 0, synOps: 0 }
  if (activity.kind === 'spikes') work.synOps = synOps(connections, activity.sums)
  else if (activity.kind === 'analog') {
    const { times, nonzero = 1 } = activity
    const shares = typeof nonzero === 'number' ? [nonzero] : Array.from(nonzero)
    for (const share of shares) quantity(name, 'nonzero', share, '', { min: 0, max: 1 })
    const weights =
      nonzero === 1 ? synapses(connections) : reached(connections, inputsOf(connections, nonzero), 'nonzero')
    work.macs = quantity(name, 'times', times, '', { min: 0 }) * weights
  } else {
    const { kind } = activity as { readonly kind: unknown }
    throw new ArgumentError(`${name}: activity must be spikes or analog, got ${JSON.stringify(kind)}`, 'ERR_RANGE')
  }
  return { name, ...work, neuronUpdates, ...energies({ ...work, neuronUpdates }) }
}

function total(name: string, layers: readonly LayerOperations[]): LayerOperations {
  const sum = (key: 'macs' | 'synOps' | 'neuronUpdates'): number => layers.reduce((all, layer) => all + layer[key], 0)
  const work = { macs: sum('macs'), synOps: sum('synOps'), neuronUpdates: sum('neuronUpdates') }
  return { name, ...work, ...energies(work) }
}

function energies(
  work: Pick<LayerOperations, 'macs' | 'synOps' | 'neuronUpdates'>,
): Pick<LayerOperations, 'energy' | 'energyWithUpdates'> {
  const energy = energyProxy(work)
  return { energy, energyWithUpdates: energy + energyPerOperation.mac * work.neuronUpdates }
}

/** A share of all inputs as their number. */
function inputsOf({ inputs }: Connections, share: number | ArrayLike<number>): number | ArrayLike<number> {
  return typeof share === 'number' ? share * inputs : share
}

/** Σ of values × fan-out: `values` of all inputs together, or of each. */
function reached(connections: Connections, values: number | ArrayLike<number>, what: string): number {
  const { name, inputs, fanOut } = checked(connections)
  if (typeof values === 'number') {
    quantity(name, what, values, '', { min: 0 })
    if (typeof fanOut === 'number') return values * fanOut
    throw new ArgumentError(`${name}: ${what} must be one number an input, as their fan-outs differ`, 'ERR_TYPE', {
      name,
    })
  }
  if (values.length !== inputs) {
    const details = { expected: inputs, actual: values.length }
    throw new ShapeError(
      `${name}: ${what} must be one number for each of ${inputs} inputs, got ${values.length}`,
      details,
    )
  }
  let sum = 0
  for (let i = 0; i < inputs; i++) {
    sum +=
      quantity(name, `${what}[${i}]`, values[i], '', { min: 0 }) * (typeof fanOut === 'number' ? fanOut : fanOut[i]!)
  }
  return sum
}

function checked(connections: Connections): Required<Omit<Connections, 'unpruned'>> {
  const { name, inputs, outputs, unpruned = outputs, fanOut = unpruned } = connections
  wholeNumber(name, 'inputs', inputs, { min: 1 })
  wholeNumber(name, 'outputs', outputs, { min: 1 })
  if (typeof fanOut === 'number') quantity(name, 'fanOut', fanOut, 'synapses', { min: 0 })
  else if (fanOut.length !== inputs) {
    const details = { expected: inputs, actual: fanOut.length }
    throw new ShapeError(
      `${name}: fanOut must be one number for each of ${inputs} inputs, got ${fanOut.length}`,
      details,
    )
  }
  return { name, inputs, outputs, fanOut }
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  return sum
}
