/** Receivers that were tried: a grid, a channel, a network and how it is trained. */
import type { Channel } from './channel.js'
import type { GridOptions } from './grid.js'
import type { ReceiverNetworkOptions } from './network.js'

export interface ReceiverPreset {
  readonly title: string
  readonly grid: GridOptions
  readonly channel: Channel
  /** Es/N0 in training, dB. */
  readonly snr: readonly [number, number]
  readonly network: ReceiverNetworkOptions
  readonly training: {
    /** Training steps. */
    readonly iterations: number
    /** Slots a step. */
    readonly batchSize: number
    readonly learningRate: number
  }
}

/** TDL-A at 100 ns, from standing to 108 km/h at 3.5 GHz. */
const urban: Channel = { kind: 'tdl-a', delaySpread: 100e-9, speed: [0, 30] }

/** `tiny` takes minutes on two processors, `small` up to an hour; `full` is for a GPU. */
export const receiverPresets = {
  tiny: {
    title: '14 × 48 elements, QPSK, 24 channels, 3 blocks, T = 2',
    grid: { symbols: 14, subcarriers: 48, modulation: 'qpsk' },
    channel: urban,
    snr: [-4, 16],
    network: { channels: 24, blocks: 3, steps: 2 },
    training: { iterations: 8000, batchSize: 8, learningRate: 8e-3 },
  },
  small: {
    title: '14 × 48 elements, QPSK, 32 channels, 4 blocks, T = 8, delay spreads of 30 to 300 ns',
    grid: { symbols: 14, subcarriers: 48, modulation: 'qpsk' },
    channel: { ...urban, delaySpread: [30e-9, 300e-9] },
    snr: [-4, 16],
    network: { channels: 32, blocks: 4, steps: 8 },
    training: { iterations: 6000, batchSize: 8, learningRate: 8e-3 },
  },
  full: {
    title: '14 × 128 elements, 16-QAM, 128 channels, 7 blocks, T = 4, delay spreads of 30 to 300 ns',
    grid: { symbols: 14, subcarriers: 128, modulation: '16qam' },
    channel: { ...urban, delaySpread: [30e-9, 300e-9] },
    snr: [0, 25],
    network: { channels: 128, blocks: 7, steps: 4 },
    training: { iterations: 100_000, batchSize: 64, learningRate: 1e-3 },
  },
} as const satisfies Readonly<Record<string, ReceiverPreset>>

export type ReceiverPresetName = keyof typeof receiverPresets
