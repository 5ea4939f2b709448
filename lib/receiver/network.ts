/**
 * The receiver's network: a received slot and its pilots in, one LLR for each bit of each element out.
 *
 *     [Re Y, Im Y, Re P, Im P] at each of T steps
 *       -> ConvBlock -> SpikeNorm -> LIF -> N x SEW block -> mean over time -> 1x1 convolution -> LLRs [B, bits, S, K]
 *
 * Its dense twin has the same topology, with ReLU for LIF, whose decays and thresholds are all that it lacks; it runs once
 * instead of T times.
 */
import { argumentReader } from '../model/arguments.js'
import type { Connect, LifOptions } from '../model/layers.js'
import { type NetworkSpec, snn } from '../model/spec.js'

/** What the network must know of a grid. */
export interface GridShape {
  readonly symbols: number
  readonly subcarriers: number
  readonly bitsPerSymbol: number
}

/** Kinds of network: spiking, or its dense twin. */
export const receiverKinds = ['snn', 'dense'] as const
export type ReceiverKind = (typeof receiverKinds)[number]

export interface ReceiverNetworkOptions extends LifOptions {
  /** Default `'snn'`. */
  readonly kind?: ReceiverKind
  /** Feature maps. Default 24. */
  readonly channels?: number
  /** SEW blocks. Default 3. */
  readonly blocks?: number
  /** Convolutions of a block: 2 (default), or 1 as in the first description of this receiver. */
  readonly stages?: 1 | 2
  /** How a block joins its input: `'add'` (default), or `'mean'` as in the first description. */
  readonly connect?: Connect
  /** T. Default 2. */
  readonly steps?: number
}

/**
 * Neurons that trained well: currents enter whole (k = 1) against a threshold of 1, which SpikeNorm's unit variance meets
 * often enough, and the sigmoid's gradient reaches neurons far from it. Each layer learns its decay and threshold.
 */
const neurons: LifOptions = {
  decay: 0.9,
  threshold: 1,
  decayInput: false,
  resetDelay: true,
  surrogate: 'sigmoid',
  learnable: ['decay', 'threshold'],
}

/**
 * @param grid as {@link resourceGrid} makes it
 * @throws ArgumentError, SpecError naming the option and its range
 */
export function receiverNetwork(grid: GridShape, options: ReceiverNetworkOptions = {}): NetworkSpec {
  const { kind: _kind, channels: _channels, blocks: _blocks, stages, connect, steps: _steps, ...lif } = options
  const read = argumentReader('receiverNetwork', { kind: _kind, channels: _channels, blocks: _blocks, steps: _steps })
  const kind = read.choice('kind', receiverKinds, 'snn')
  const channels = read.integer('channels', { min: 1, max: 4096 }, 24)
  const blocks = read.integer('blocks', { min: 0, max: 100 }, 3)
  const steps = read.integer('steps', { min: 1, max: 1000 }, 2)
  read.end()
  const settings: LifOptions = { ...neurons, ...lif }
  const { symbols, subcarriers, bitsPerSymbol } = grid

  const stem = snn({ name: `receiver-${kind}`, input: [4, symbols, subcarriers], steps: kind === 'snn' ? steps : 1 })
    .convBlock(channels)
    .spikeNorm()
  let network = kind === 'snn' ? stem.lif(settings) : stem.relu()
  for (let block = 0; block < blocks; block++) {
    const activation = kind === 'snn' ? 'lif' : 'relu'
    network = network.sewBlock(channels, {
      ...settings,
      activation,
      ...(stages === undefined ? {} : { stages }),
      ...(connect === undefined ? {} : { connect }),
    })
  }
  return network.timeMean().convBlock(bitsPerSymbol, { kernel: 1, padding: 0, initial: 'uniform' })
}
