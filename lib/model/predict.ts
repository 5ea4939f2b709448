import { AbortedError } from '../errors.js'
import type { NativeInferenceResult } from '../native.js'
import type { Tensor } from '../tensor/index.js'
import { argumentReader, readSignal } from './arguments.js'
import { type Engine, engines } from './engine.js'
import { type ModelInput, resolveInput } from './inputs.js'
import type { Network } from './network.js'
import type { Shape } from './shape.js'

export interface PredictOptions {
  /** Samples computed at once. Default 256. */
  readonly batchSize?: number
  /** Give the softmax of the scores too. Default false. */
  readonly probabilities?: boolean
  /** How products are computed. Default `'auto'`. */
  readonly engine?: Engine
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
  const probabilities = read.flag('probabilities', false)
  const engine = read.choice('engine', engines, 'auto')
  const signal = readSignal(read)
  read.end()

  const samples = resolveInput(input, network.spec.input)
  const batches: NativeInferenceResult[] = []
  // An empty input is one empty batch: it still gives shapes.
  for (let start = 0; start === 0 || start < samples.count; start += batchSize) {
    if (signal?.aborted) throw new AbortedError('predict was stopped by its signal', {}, signal.reason)
    using batch = samples.part(start, Math.min(start + batchSize, samples.count))
    batches.push(await network.infer(batch, { engine, probabilities }))
  }
  return joined(network, batches, samples.count)
}

function joined(network: Network, batches: readonly NativeInferenceResult[], count: number): Prediction {
  const { labels } = network.spec
  const [, ...shape] = batches[0]!.shape
  const classes = concatenated(batches.map((batch) => batch.classes))
  const named = labels && shape.length === 1
  return {
    scores: concatenated(batches.map(({ scores }) => scores)),
    shape: [count, ...shape],
    classes,
    ...(named ? { labels: Array.from(classes, (index) => labels[index] ?? String(index)) } : {}),
    ...(batches[0]!.probabilities
      ? { probabilities: concatenated(batches.flatMap(({ probabilities = [] }) => probabilities)) }
      : {}),
  }
}

function concatenated<A extends Float32Array | Int32Array>(parts: readonly A[]): A {
  const [first] = parts as readonly [A, ...A[]]
  if (parts.length === 1) return first
  const all = new (first.constructor as new (length: number) => A)(parts.reduce((sum, part) => sum + part.length, 0))
  let end = 0
  for (const part of parts) {
    all.set(part, end)
    end += part.length
  }
  return all
}

/** The values as 32-bit floats, whatever the network computes in. */
export function floats(tensor: Tensor): Float32Array {
  const values = tensor.toTypedArray()
  return values instanceof Float32Array ? values : Float32Array.from(values as ArrayLike<number>, Number)
}
