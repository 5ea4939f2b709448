/**
 * Networks for the front of accuracy and energy. What makes the spiking ones cheap: each pixel spikes at most once (latency code), three steps
 * instead of 25, a price on hidden spikes, and connections taken out while they learn.
 */
import { type NetworkSpec, snn } from '../../model/spec.js'
import { crossEntropy } from '../../train/losses.js'
import { adamW } from '../../train/optimizers.js'
import { firingRate } from '../../train/regularizers.js'
import { oneCycle } from '../../train/schedules.js'
import type { NetworkPlan } from './train.js'

export interface FrontEntry {
  readonly plan: NetworkPlan
  /** What it has in common with others. */
  readonly group: 'dense' | 'dense, pruned' | 'spiking' | 'spiking, pruned'
  /** For the table. */
  readonly title: string
}

interface Shape {
  /** Neurons of the hidden layers. */
  readonly hidden: readonly number[]
  readonly dropout: number
}

const image = [1, 28, 28] as const

/** ReLU network of real-valued pixels. */
function denseSpec({ hidden, dropout }: Shape): NetworkSpec {
  let spec = snn({ input: image, steps: 1 }).flatten()
  for (const neurons of hidden) spec = spec.linear(neurons).relu().dropout(dropout)
  return spec.linear(10)
}

/**
 * LIF network of pixels that spike once, the brighter the earlier, and not at all below `threshold`; the readout adds up what its weights
 * give, without spikes.
 */
export function latencyCoded({ hidden, dropout, steps, threshold }: Shape & LatencyCode): NetworkSpec {
  let spec = snn({ input: image, steps }).latencyEncoder({ threshold }).flatten()
  for (const neurons of hidden) {
    spec = spec.linear(neurons).lif({ decay: 0.5, threshold: 0.5, decayInput: false }).dropout(dropout)
  }
  return spec.linear(10)
}

export interface LatencyCode {
  /** T */
  readonly steps: number
  /** Darkest pixel that spikes, 0 to 1. */
  readonly threshold: number
}

/** The networks of the front; the first is the dense one that the others are held against, the last the spiking one that goes furthest. */
export function frontEntries(seed: number, epochs: number): readonly FrontEntry[] {
  const training = {
    epochs,
    batchSize: 128,
    optimizer: adamW({ lr: 2e-3 }),
    schedule: oneCycle(),
    loss: crossEntropy(),
  }
  const sparing = { ...training, regularizer: firingRate({ target: 0.02, weight: 0.3, norm: 'l1', mode: 'upper' }) }
  const entry = (
    group: FrontEntry['group'],
    title: string,
    name: string,
    spec: NetworkSpec,
    rest: Omit<NetworkPlan, 'name' | 'spec' | 'seed' | 'training'> & {
      readonly training?: NetworkPlan['training']
    } = {},
  ): FrontEntry => ({ group, title, plan: { name, spec, seed, training, ...rest } })

  const two = { hidden: [256, 256], dropout: 0.2 }
  const wide = { hidden: [512, 256], dropout: 0.15 }
  const blackAndWhite = { steps: 1, threshold: 0.5 }
  const three = { steps: 3, threshold: 0.2 }
  return [
    entry('dense', '256-256', 'dense-256', denseSpec(two)),
    entry('dense, pruned', '256-256, a sixth of the connections', 'dense-256-pruned', denseSpec(two), {
      pruning: { shares: [0.85, 0.8, 0.4] },
    }),
    entry('spiking', '256-256, one step, black and white', 'spiking-1', latencyCoded({ ...two, ...blackAndWhite })),
    entry('spiking', '256-256, 3 steps', 'spiking-3', latencyCoded({ ...two, ...three })),
    entry('spiking', '256-256, 3 steps, price on spikes', 'spiking-3-sparing', latencyCoded({ ...two, ...three }), {
      training: sparing,
    }),
    entry('spiking, pruned', '512-256, 3 steps, an eighth', 'spiking-3-eighth', latencyCoded({ ...wide, ...three }), {
      training: sparing,
      pruning: { shares: [0.88, 0.85, 0.4] },
    }),
    entry('spiking, pruned', '512-256, 3 steps, a quarter', 'spiking-3-quarter', latencyCoded({ ...wide, ...three }), {
      training: sparing,
      pruning: { shares: [0.75, 0.7, 0.3] },
    }),
  ]
}
