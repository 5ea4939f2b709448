/** The networks of the comparison: 784-256-256-10 with ReLU and with LIF neurons, trained alike. */
import { type NetworkSpec, snn } from '../../model/spec.js'
import { crossEntropy, type Loss } from '../../train/losses.js'
import { adam } from '../../train/optimizers.js'
import { fullyConnected } from '../operations.js'
import type { NetworkPlan } from './train.js'

export const matchedSizes = [784, 256, 256, 10] as const

/** 200,704 + 65,536 + 2,560 = 268,800 weights. */
export const matchedConnections = fullyConnected(matchedSizes)

/** T of the published network. */
export const matchedSteps = 25

const image = [1, 28, 28] as const
/** snnTorch's neuron, and the decay of its lessons on MNIST with 25 steps: U ← 0.95 U + I, reset one step after the spike. */
const neurons = { decay: 0.95, decayInput: false, resetDelay: true, surrogate: 'atan' } as const

function denseSpec(): NetworkSpec {
  const [, first, second, classes] = matchedSizes
  return snn({ input: image, steps: 1 }).flatten().linear(first).relu().linear(second).relu().linear(classes)
}

/** The image is a constant current; the output neurons spike, and the class is the one that spikes most often. */
function spikingSpec(): NetworkSpec {
  const [, first, second, classes] = matchedSizes
  return snn({ input: image, steps: matchedSteps })
    .flatten()
    .linear(first)
    .lif(neurons)
    .linear(second)
    .lif(neurons)
    .linear(classes)
    .lif(neurons)
}

/**
 * Both networks, with the same parameters, optimiser, epochs and seed. The loss is the cross-entropy of the outputs of the dense network, and of
 * the spike counts of the output neurons of the spiking one; optimiser and batches are those of snnTorch's lessons too.
 */
export function matchedPlans(
  seed: number,
  epochs: number,
): { readonly dense: NetworkPlan; readonly spiking: NetworkPlan } {
  const plan = (name: string, spec: NetworkSpec, loss: Loss): NetworkPlan => ({
    name,
    spec,
    seed,
    training: { epochs, batchSize: 128, optimizer: adam({ lr: 5e-4 }), loss },
  })
  return {
    dense: plan('dense', denseSpec(), crossEntropy()),
    spiking: plan('spiking', spikingSpec(), crossEntropy({ reduce: 'sum' })),
  }
}
