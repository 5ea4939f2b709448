/**
 * Spikes and synaptic operations of a batch, from the mean rate that each spiking layer measured in it.
 *
 *     spikes = Σ_l rate[l] neurons[l] B T        synaptic operations = Σ_l rate[l] neurons[l] B T fanOut[l]
 *
 * fanOut[l] is the number of synapses that one spike of layer l reaches, pooling and residual sums on the way included. It
 * is exact for dense layers; a convolution's is the mean over the places of its input, because border pixels have fewer
 * synapses. Maximum pooling and the products of `and`, `iand` blocks count as if every spike got through: an upper bound.
 * Work on analog input (the first layer) is multiply-accumulates, not spikes, and is not counted.
 */
import type { SewBlockLayer } from '../model/layers.js'
import type { Shape } from '../model/shape.js'
import { sizeOf } from '../model/shape.js'
import type { NetworkSpec } from '../model/spec.js'

export interface Activity {
  readonly spikes: number
  readonly synapticOperations: number
}

/** Of one spiking layer, in the order of the rates. */
export interface SpikingLayer {
  readonly neurons: number
  /** Synapses reached by a spike. */
  readonly fanOut: number
}

/** The sum of a signal's values as a weighted sum of spike counts; null where it is analog. */
type Signal = ReadonlyMap<number, number> | null

/** What is needed of a convolution or a pool. */
interface Window {
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly padding: readonly number[]
}

/** The spiking layers of a network with what their spikes reach. */
export function spikingLayers(spec: NetworkSpec): readonly SpikingLayer[] {
  const layers: { neurons: number; fanOut: number }[] = []
  let signal: Signal = null

  const fire = (neurons: number): Signal => new Map([[layers.push({ neurons, fanOut: 0 }) - 1, 1]])
  const activated = ({ activation }: SewBlockLayer, output: Shape): Signal =>
    activation === 'lif' ? fire(sizeOf(output)) : null
  const reach = (from: Signal, synapses: number): void => {
    for (const [layer, share] of from ?? []) layers[layer]!.fanOut += share * synapses
  }

  for (const { layer, input, output } of spec.summary) {
    switch (layer.kind) {
      case 'lif':
        signal = fire(sizeOf(output))
        break
      case 'convBlock':
        reach(signal, layer.channels * windowsAt(layer, input, output))
        signal = null
        break
      case 'linear':
        reach(signal, layer.features)
        signal = null
        break
      case 'averagePool': {
        const [height = 1, width = 1] = layer.kernel
        signal = scaled(signal, windowsAt(layer, input, output) / (height * width))
        break
      }
      case 'maxPool':
        signal = scaled(signal, windowsAt(layer, input, output))
        break
      case 'sewBlock': {
        const first = { kernel: [3, 3], stride: layer.stride, padding: [1, 1] }
        const rest = { ...first, stride: [1, 1] }
        const entry = signal
        let main = entry
        for (let stage = 0; stage < layer.stages; stage++) {
          const [window, from] = stage === 0 ? [first, input] : [rest, output]
          reach(main, layer.channels * windowsAt(window, from, output))
          main = activated(layer, output)
        }
        let shortcut = entry
        if (input[0] !== layer.channels || layer.stride.some((step) => step !== 1)) {
          const beside = { kernel: [1, 1], stride: layer.stride, padding: [0, 0] }
          reach(entry, layer.channels * windowsAt(beside, input, output))
          shortcut = activated(layer, output)
        }
        signal = connected(layer.connect, main, shortcut)
        break
      }
      case 'flatten':
      case 'dropout':
      case 'relu':
        break
      default:
        signal = null
    }
  }
  return layers
}

function connected(connect: 'add' | 'and' | 'iand' | 'mean', main: Signal, shortcut: Signal): Signal {
  if (connect === 'and') return main
  if (connect === 'iand') return shortcut
  const share = connect === 'mean' ? 0.5 : 1
  return new Map([...(scaled(main, share) ?? []), ...(scaled(shortcut, share) ?? [])])
}

function scaled(signal: Signal, factor: number): Signal {
  return signal && new Map([...signal].map(([layer, share]) => [layer, share * factor]))
}

/** Windows that a place of the input is in, on average. */
function windowsAt({ kernel, stride, padding }: Window, input: Shape, output: Shape): number {
  let windows = 1
  for (const axis of [0, 1]) {
    const size = input[axis + 1]!
    let taps = 0
    for (let place = 0; place < output[axis + 1]!; place++) {
      const first = place * stride[axis]! - padding[axis]!
      taps += Math.max(0, Math.min(first + kernel[axis]!, size) - Math.max(first, 0))
    }
    windows *= taps / size
  }
  return windows
}

/** @param presentations B × T */
export function activityOf(layers: readonly SpikingLayer[], rates: ArrayLike<number>, presentations: number): Activity {
  let spikes = 0
  let synapticOperations = 0
  for (const [index, { neurons, fanOut }] of layers.entries()) {
    const count = Math.round((rates[index] ?? 0) * neurons * presentations)
    spikes += count
    synapticOperations += count * fanOut
  }
  return { spikes, synapticOperations }
}

/** Batches of several requests of which one is measured. */
const SAMPLED = 8

/**
 * Measuring takes time: a tenth of a batch's where products are dense, less where they go by events. A request alone in its
 * batch is always measured; batches of several, whose activity is shared out among their requests anyway, are measured once
 * in eight, and taken to be alike in between.
 */
export class ActivityMeter {
  readonly #layers: readonly SpikingLayer[]
  #rates: ArrayLike<number> | undefined
  #batches = 0

  constructor(spec: NetworkSpec) {
    this.#layers = spikingLayers(spec)
  }

  /** Whether a batch of so many requests is to be measured. */
  samples(requests: number): boolean {
    return requests === 1 || this.#rates === undefined || this.#batches++ % SAMPLED === 0
  }

  /** @param rates of the batch, where it was measured */
  read(rates: ArrayLike<number> | undefined, requests: number, presentations: number): Activity {
    if (rates !== undefined && requests > 1) this.#rates = rates
    return activityOf(this.#layers, rates ?? this.#rates ?? [], presentations)
  }
}
