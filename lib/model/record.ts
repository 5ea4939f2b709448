import { Tensor } from '../tensor/index.js'
import { type ModelInput, resolveInput } from './inputs.js'
import type { Network } from './network.js'
import { floats } from './predict.js'
import type { Shape } from './shape.js'

export interface RecordedArray {
  /** Row-major. */
  readonly data: Float32Array
  /** `[B, T, ...]`. */
  readonly shape: Shape
}

/** What one layer did, step by step. */
export interface LayerRecording {
  /** Of neuron layers. */
  readonly spikes?: RecordedArray
  /** Of neuron layers and the leaky readout: U before the reset. */
  readonly membrane?: RecordedArray
  /** Of layers without spikes. */
  readonly output?: RecordedArray
}

/** Everything that happened inside the network while it looked at some samples. */
export interface Recording {
  /** Output of the network. */
  readonly output: RecordedArray
  /** By name: `layers.2`, and `layers.3.stages.0` inside a SEW block. */
  readonly layers: Readonly<Record<string, LayerRecording>>
}

/** Runs the samples in one batch and keeps every layer's trace: for a few samples, not for a data set. */
export async function record(network: Network, input: ModelInput): Promise<Recording> {
  const samples = resolveInput(input, network.spec.input)
  using batch = samples.slice(0, samples.count)
  const result = await network.forward(batch.handle, { record: true })
  const layers: Record<string, Record<string, RecordedArray>> = {}
  for (const { layer, quantity, handle } of result.records) {
    using value = new Tensor(handle)
    layers[layer] = { ...layers[layer], [quantity]: recorded(value) }
  }
  using output = new Tensor(result.output)
  return { output: recorded(output), layers }
}

function recorded(value: Tensor): RecordedArray {
  return { data: floats(value), shape: value.shape }
}
