import { SpecError } from '../errors.js'
import type { TensorLayout } from './definitions/definition.js'
import { definitionOf } from './definitions/registry.js'
import type {
  ConvBlockOptions,
  Layer,
  LayerKind,
  LeakyReadoutOptions,
  LifOptions,
  LinearOptions,
  PairOption,
  PoolOptions,
  SewBlockOptions,
  SpikeNormOptions,
} from './layers.js'
import { LIMITS } from './limits.js'
import { optionReader } from './options.js'
import { formatShape, type Shape, sizeOf } from './shape.js'

/** What a network takes in. */
export interface NetworkInput {
  /** Shape of one sample at one time step: `[channels, height, width]` or `[features]`. */
  readonly input: Shape
  /** T, time steps a sample is presented for. */
  readonly steps: number
  /** Names of the classes, in the order of the outputs. */
  readonly labels?: readonly string[]
  /** Name of the network, for checkpoints and listings. */
  readonly name?: string
}

/** A network as plain JSON: what a checkpoint holds beside the weights. */
export interface SpecJson extends NetworkInput {
  readonly layers: readonly Layer[]
}

/** One layer with the shapes around it. */
export interface LayerSummary {
  /** `layers.3`: the prefix of its parameters. */
  readonly name: string
  readonly kind: LayerKind
  readonly layer: Layer
  readonly input: Shape
  readonly output: Shape
  /** Parameters and buffers, names as in checkpoints. */
  readonly tensors: readonly TensorLayout[]
  /** Trained values. */
  readonly parameters: number
}

/**
 * Starts the description of a network.
 *
 * ```ts
 * const spec = snn({ input: [1, 28, 28], steps: 8 })
 *   .convBlock(32).spikeNorm().lif({ beta: 0.9, theta: 0.5 })
 *   .sewBlock(64, { stride: 2 })
 *   .classifier(10)
 * ```
 *
 * @throws SpecError when the input shape, the steps, a label or the name is not usable
 */
export function snn(input: NetworkInput): NetworkSpec {
  return new NetworkSpec(checkInput(input), [])
}

/**
 * Immutable description of a network: each method gives a new one with a layer more. Shapes are inferred and checked as
 * layers are added, so that a size that does not fit is an error at the line that adds the layer.
 *
 * Every method throws {@link SpecError}: `ERR_SHAPE` when the layer does not fit the one before, `ERR_RANGE` or
 * `ERR_TYPE` for a bad option, `ERR_UNKNOWN` for one that does not exist.
 */
export class NetworkSpec implements SpecJson {
  readonly input: Shape
  readonly steps: number
  readonly labels?: readonly string[]
  readonly name?: string
  readonly layers: readonly Layer[]
  /** The layers with shapes, tensors and parameter counts. */
  readonly summary: readonly LayerSummary[]

  /** @internal Use {@link snn}. */
  constructor(input: NetworkInput, summary: readonly LayerSummary[]) {
    this.input = input.input
    this.steps = input.steps
    if (input.labels !== undefined) this.labels = input.labels
    if (input.name !== undefined) this.name = input.name
    this.summary = summary
    this.layers = summary.map(({ layer }) => layer)
    Object.freeze(this)
  }

  /** Shape of the output at each time step. */
  get output(): Shape {
    return this.summary.at(-1)?.output ?? this.input
  }

  /** Trained values in the whole network. */
  get parameters(): number {
    return this.summary.reduce((sum, { parameters }) => sum + parameters, 0)
  }

  /** Convolution to `channels` feature maps; see {@link ConvBlockOptions}. */
  convBlock(channels: number, options: ConvBlockOptions = {}): NetworkSpec {
    return this.add('convBlock', { ...options, channels })
  }

  /** Normalisation per channel and time step; see {@link SpikeNormOptions}. */
  spikeNorm(options: SpikeNormOptions = {}): NetworkSpec {
    return this.add('spikeNorm', { ...options })
  }

  /** Leaky integrate-and-fire neurons; see {@link LifOptions}. */
  lif(options: LifOptions = {}): NetworkSpec {
    return this.add('lif', { ...options })
  }

  /** Spike-element-wise residual block of `channels` feature maps; see {@link SewBlockOptions}. */
  sewBlock(channels: number, options: SewBlockOptions = {}): NetworkSpec {
    return this.add('sewBlock', { ...options, channels })
  }

  /** Fully connected layer to `features` values. */
  linear(features: number, options: LinearOptions = {}): NetworkSpec {
    return this.add('linear', { ...options, features })
  }

  /** Mean over windows of `kernel`, 2 by default. */
  averagePool(kernel: PairOption = 2, options: PoolOptions = {}): NetworkSpec {
    return this.add('averagePool', { ...options, kernel })
  }

  /** Maximum over windows of `kernel`, 2 by default. */
  maxPool(kernel: PairOption = 2, options: PoolOptions = {}): NetworkSpec {
    return this.add('maxPool', { ...options, kernel })
  }

  /** Mean over the whole feature map: `[C, H, W]` to `[C]`. */
  globalAveragePool(): NetworkSpec {
    const [, height = 1, width = 1] = this.output
    return this.add('averagePool', { kernel: [height, width] }).flatten()
  }

  /** `[C, H, W]` to `[C H W]`. */
  flatten(): NetworkSpec {
    return this.add('flatten', {})
  }

  /** Mean over the time steps: what comes after it runs once for all of them, such as the head of a receiver. */
  timeMean(): NetworkSpec {
    return this.add('timeMean', {})
  }

  /** Zeroes values with this probability in training, the same ones at every time step. */
  dropout(probability = 0.5): NetworkSpec {
    return this.add('dropout', { probability })
  }

  /** `max(0, x)`. */
  relu(): NetworkSpec {
    return this.add('relu', {})
  }

  /** Integrator without spikes; see {@link LeakyReadoutOptions}. */
  leakyReadout(options: LeakyReadoutOptions = {}): NetworkSpec {
    return this.add('leakyReadout', { ...options })
  }

  /** `(x − mean) / std` per channel; one number stands for every channel. Only before every other layer. */
  normalize(mean: number | readonly number[], std: number | readonly number[]): NetworkSpec {
    const perChannel = (value: number | readonly number[]) =>
      typeof value === 'number' ? new Array<number>(this.output[0] ?? 1).fill(value) : value
    return this.add('normalize', { mean: perChannel(mean), std: perChannel(std) })
  }

  /** The input as a constant current: the default, said aloud. */
  directEncoder(): NetworkSpec {
    return this.add('directEncoder', {})
  }

  /** Random spikes with probability x at each step, for x in [0, 1]. */
  rateEncoder(): NetworkSpec {
    return this.add('rateEncoder', {})
  }

  /** One spike for each input, the earlier the larger. */
  latencyEncoder(options: { readonly threshold?: number } = {}): NetworkSpec {
    return this.add('latencyEncoder', { ...options })
  }

  /** Scores of `classes` classes: flatten where needed, then linear. The decision is the largest mean over time. */
  classifier(classes: number, options: LinearOptions = {}): NetworkSpec {
    const flat = this.output.length === 1 ? this : this.flatten()
    if (this.labels && this.labels.length !== classes) {
      const message = `classifier(${classes}) does not fit the ${this.labels.length} labels of the network`
      throw new SpecError(message, 'ERR_SHAPE', { expected: this.labels.length, actual: classes })
    }
    return flat.linear(classes, options)
  }

  /**
   * Adds a layer by its kind and options, as the methods above do.
   *
   * @throws SpecError as said for the class
   */
  add(kind: LayerKind, options: unknown): NetworkSpec {
    if (this.layers.length >= LIMITS.layers) {
      throw new SpecError(`a network has at most ${LIMITS.layers} layers`, 'ERR_RANGE', { layers: this.layers.length })
    }
    const read = optionReader(kind, options, (message, code, details) => new SpecError(message, code, details))
    const context = { input: this.output, steps: this.steps, before: this.layers }
    const definition = definitionOf(kind)
    const layer = definition.complete(read, context)
    read.end()

    const output = definition.output(layer, this.output, read, context)
    if (sizeOf(output) > LIMITS.values) {
      read.fail(
        `gives ${formatShape(output)} for one sample, more than the ${LIMITS.values} values allowed`,
        'ERR_RANGE',
      )
    }
    const name = `layers.${this.layers.length}`
    const tensors = definition
      .tensors(layer, this.output)
      .map((tensor) => ({ ...tensor, name: `${name}.${tensor.name}` }))
    const parameters = tensors.reduce((sum, { shape, trainable }) => sum + (trainable ? sizeOf(shape) : 0), 0)
    if (this.parameters + parameters > LIMITS.parameters) {
      read.fail(`brings the network above the ${LIMITS.parameters} parameters allowed`, 'ERR_RANGE', { parameters })
    }
    return new NetworkSpec(this, [
      ...this.summary,
      { name, kind, layer, input: this.output, output, tensors, parameters },
    ])
  }

  /** Plain JSON; {@link parseSpec} reads it back. */
  toJSON(): SpecJson {
    return {
      ...(this.name === undefined ? {} : { name: this.name }),
      ...(this.labels === undefined ? {} : { labels: this.labels }),
      input: this.input,
      steps: this.steps,
      layers: this.layers,
    }
  }
}

/** Checks what `snn` is given. */
function checkInput(options: NetworkInput): NetworkInput {
  const read = optionReader('snn', options, (message, code, details) => new SpecError(message, code, details))
  const input = read.numbers('input', { min: 1, max: LIMITS.size })
  const shape = formatShape(input.slice(0, 4))
  if (input.length !== 1 && input.length !== 3) {
    read.fail(`needs input to be [channels, height, width] or [features], got ${shape}`, 'ERR_SHAPE', { actual: input })
  }
  if (!input.every(Number.isInteger)) read.fail(`needs whole numbers as input, got ${shape}`, 'ERR_RANGE')
  if (sizeOf(input) > LIMITS.values)
    read.fail(`has an input of more than ${LIMITS.values} values: ${shape}`, 'ERR_RANGE')
  const steps = read.integer('steps', { min: 1, max: LIMITS.steps })

  const text = (value: unknown): value is string => typeof value === 'string' && value.length <= LIMITS.text
  const name = read.raw('name')
  if (name !== undefined && !text(name)) {
    return read.fail(`needs name to be a string of at most ${LIMITS.text} characters`, 'ERR_TYPE')
  }
  const labels: unknown = read.raw('labels')
  if (labels !== undefined && !(Array.isArray(labels) && labels.length <= LIMITS.labels && labels.every(text))) {
    return read.fail(`needs labels to be a list of at most ${LIMITS.labels} strings`, 'ERR_TYPE')
  }
  read.end()
  return {
    input,
    steps,
    ...(labels === undefined ? {} : { labels: [...(labels as string[])] }),
    ...(name === undefined ? {} : { name }),
  }
}
