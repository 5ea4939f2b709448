import { AbortedError } from '../errors.js'
import { argmax, cat, mean, softmax, Tensor } from '../tensor/index.js'
import { argumentReader, readSignal } from './arguments.js'
import { type ModelInput, resolveInput } from './inputs.js'
import type { Network } from './network.js'
import type { Shape } from './shape.js'

export interface PredictOptions {
  /** Samples computed at once. Default 256. */
  readonly batchSize?: number
  /** Give the softmax of the scores too. Default false. */
  readonly probabilities?: boolean
  /** Stops between batches with an AbortedError. */
  readonly signal?: AbortSignal
}

export interface Prediction {
  /** Mean over time of the network's output, row-major. */
  readonly scores: Float32Array
  /** `[N, K]`, or `[N, C, H, W]` for a network that ends in feature maps. */
  readonly shape: Shape
  /** Class of each sample: place of its largest score. Empty for feature maps. */
  readonly classes: Int32Array
  /** Names of these classes, where the spec has labels. */
  readonly labels?: readonly string[]
  /** Softmax of the scores, in the shape of `scores`. */
  readonly probabilities?: Float32Array
}

/** Scores and decisions for any number of samples. */
export async function predict(network: Network, input: ModelInput, options: PredictOptions = {}): Promise<Prediction> {
  const read = argumentReader('predict', options)
  const batchSize = read.integer('batchSize', { min: 1 }, 256)
  const wantProbabilities = read.flag('probabilities', false)
  const signal = readSignal(read)
  read.end()

  const samples = resolveInput(input, network.spec.input)
  const batches: Tensor[] = []
  try {
    // An empty input is one empty batch: it still gives shapes.
    for (let start = 0; start === 0 || start < samples.count; start += batchSize) {
      if (signal?.aborted) throw new AbortedError('predict was stopped by its signal', {}, signal.reason)
      using batch = samples.slice(start, Math.min(start + batchSize, samples.count))
      const result = await network.forward(batch.handle, {})
      using output = new Tensor(result.output)
      batches.push(mean(output, { dim: 1 }))
    }
    using scores = cat(batches)
    return decide(network, scores, wantProbabilities)
  } finally {
    for (const batch of batches) batch.dispose()
  }
}

function decide(network: Network, scores: Tensor, wantProbabilities: boolean): Prediction {
  const { labels } = network.spec
  const result = { scores: floats(scores), shape: scores.shape }
  if (scores.shape.length !== 2) return { ...result, classes: new Int32Array(0) }

  const classes = decisions(scores)
  return {
    ...result,
    classes,
    ...(labels ? { labels: Array.from(classes, (index) => labels[index] ?? String(index)) } : {}),
    ...(wantProbabilities ? { probabilities: probabilities(scores) } : {}),
  }
}

function decisions(scores: Tensor): Int32Array {
  if (scores.shape[0] === 0) return new Int32Array(0)
  using places = argmax(scores, { dim: 1 })
  return Int32Array.from(places.toTypedArray() as BigInt64Array, Number)
}

function probabilities(scores: Tensor): Float32Array {
  using values = softmax(scores, 1)
  return floats(values)
}

/** The values as 32-bit floats, whatever the network computes in. */
export function floats(tensor: Tensor): Float32Array {
  const values = tensor.toTypedArray()
  return values instanceof Float32Array ? values : Float32Array.from(values as ArrayLike<number>, Number)
}
