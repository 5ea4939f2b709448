/** The convolutions of a receiver's network, what enters each of them, and the populations of neurons behind them. */
import { ArgumentError } from '../errors.js'
import type { SewBlockLayer } from '../model/layers.js'
import { type Shape, sameShape, sizeOf } from '../model/shape.js'
import type { LayerSummary, NetworkSpec } from '../model/spec.js'
import { type ConvolutionShape, convolutionConnections } from '../study/convolution.js'
import type { Connections } from '../study/operations.js'

/** One convolution. */
export interface Convolution {
  /** Named `stem`, `block 1, convolution 2`, `block 1, shortcut`, `head`. */
  readonly connections: Connections
  /** Layer whose output enters, as recordings name it; undefined: the slot itself. */
  readonly source: string | undefined
  /** Spikes, or the sums of spikes that a block adds: whole numbers. Or real numbers. */
  readonly kind: 'spikes' | 'analog'
  /** How often the convolution is computed: T times, or once where every step is the same. */
  readonly times: number
  /** Membranes behind it that are updated: neurons × T; 0 without spiking neurons. */
  readonly neuronUpdates: number
}

/** Neurons of one stage, or the output of a block. */
export interface Population {
  /** As recordings name it. */
  readonly name: string
  /** `stem`, `block 1, stage 2`, `block 1`. */
  readonly title: string
  readonly kind: 'neurons' | 'block'
  readonly shape: Shape
}

/** A network as the sum of its convolutions. */
export interface ConvolutionalNetwork {
  readonly convolutions: readonly Convolution[]
  readonly populations: readonly Population[]
}

/**
 * @throws ArgumentError `ERR_ARGUMENT` for layers that a receiver has not: all but convBlock, spikeNorm, lif, relu, sewBlock and timeMean
 */
export function convolutionsOf(spec: NetworkSpec): ConvolutionalNetwork {
  const walk = new Walk(spec)
  for (const layer of spec.summary) walk.add(layer)
  return walk
}

/** What flows from layer to layer. */
interface Flow {
  readonly source: string | undefined
  readonly kind: 'spikes' | 'analog'
  /** The same at every step. */
  readonly constant: boolean
}

class Walk implements ConvolutionalNetwork {
  readonly convolutions: Convolution[] = []
  readonly populations: Population[] = []
  readonly #steps: number
  readonly #last: LayerSummary | undefined
  #flow: Flow = { source: undefined, kind: 'analog', constant: true }
  #blocks = 0

  constructor({ steps, summary }: NetworkSpec) {
    this.#steps = steps
    this.#last = summary.findLast(({ kind }) => kind === 'convBlock')
  }

  add(summary: LayerSummary): void {
    const { name, kind, layer, input, output } = summary
    const { source, constant } = this.#flow
    if (layer.kind === 'convBlock') {
      const title = this.convolutions.length === 0 ? 'stem' : summary === this.#last ? 'head' : name
      this.#convolve(title, { ...layer, input }, this.#flow)
      this.#flow = { source: name, kind: 'analog', constant }
    } else if (layer.kind === 'spikeNorm') {
      this.#flow = { source: name, kind: 'analog', constant }
    } else if (layer.kind === 'timeMean') {
      this.#flow = { source: name, kind: 'analog', constant: true }
    } else if (layer.kind === 'lif' || layer.kind === 'relu') {
      const before = this.convolutions.at(-1)
      const title = source === undefined ? name : (before?.connections.name ?? name)
      this.#flow = this.#activate(layer.kind, name, title, output, this.#flow)
    } else if (layer.kind === 'sewBlock') {
      this.#addBlock(name, layer, input, output)
    } else {
      const message = `a receiver's operations are counted over convolutions, norms, neurons and SEW blocks; ${name} is a ${kind}`
      throw new ArgumentError(message, 'ERR_ARGUMENT', { layer: name, kind })
    }
  }

  #addBlock(
    name: string,
    { activation, channels, connect, stages, stride }: SewBlockLayer,
    input: Shape,
    output: Shape,
  ): void {
    const title = `block ${++this.#blocks}`
    const entry = this.#flow
    let main = entry
    for (let stage = 0; stage < stages; stage++) {
      const shape = { channels, kernel: [3, 3], padding: [1, 1] } as const
      const from = stage === 0 ? { input, stride } : { input: output, stride: [1, 1] as const }
      this.#convolve(`${title}, convolution ${stage + 1}`, { ...shape, ...from }, main)
      main = this.#activate(
        activation,
        `${name}.stages.${stage}.${activation}`,
        `${title}, stage ${stage + 1}`,
        output,
        main,
      )
    }
    let beside = entry
    if (!sameShape(input, output)) {
      this.#convolve(`${title}, shortcut`, { input, channels, kernel: [1, 1], padding: [0, 0], stride }, entry)
      beside = this.#activate(activation, `${name}.shortcut.${activation}`, `${title}, shortcut`, output, entry)
    }
    this.populations.push({ name, title, kind: 'block', shape: output })
    // Half of a sum of spikes is no whole number of them.
    const whole = connect !== 'mean' && main.kind === 'spikes' && beside.kind === 'spikes'
    this.#flow = { source: name, kind: whole ? 'spikes' : 'analog', constant: main.constant && beside.constant }
  }

  #convolve(title: string, shape: ConvolutionShape, { source, kind, constant }: Flow): void {
    const connections = convolutionConnections(title, shape)
    this.convolutions.push({ connections, source, kind, times: constant ? 1 : this.#steps, neuronUpdates: 0 })
  }

  /** Neurons behind the last convolution. */
  #activate(kind: 'lif' | 'relu', name: string, title: string, shape: Shape, from: Flow): Flow {
    this.populations.push({ name, title, kind: 'neurons', shape })
    if (kind === 'relu') return { source: name, kind: 'analog', constant: from.constant }
    const last = this.convolutions.pop()
    if (last) this.convolutions.push({ ...last, neuronUpdates: sizeOf(shape) * this.#steps })
    return { source: name, kind: 'spikes', constant: false }
  }
}
