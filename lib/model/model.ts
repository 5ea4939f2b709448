import type { Dataset } from '../data/dataset.js'
import { loadModel, saveModel } from '../io/checkpoint.js'
import { classCount, parseServing, type Serving } from '../io/serving.js'
import type { NamedTensor } from '../nn/module.js'
import { native } from '../runtime/addon.js'
import { type Device, type ResolvedDevice, resolveDevice } from '../runtime/device.js'
import { keep } from '../tensor/scope.js'
import { checkTensor, Tensor } from '../tensor/tensor.js'
import { type EvaluateOptions, type Evaluation, evaluate } from '../train/evaluate.js'
import type { TrainEvent } from '../train/events.js'
import type { TrainOptions } from '../train/options.js'
import { train } from '../train/run.js'
import { type ActivityOptions, activity, type ModelActivity } from './activity.js'
import { argumentFailure, argumentReader } from './arguments.js'
import type { ModelInput } from './inputs.js'
import { Network, type NetworkDtype } from './network.js'
import { type Prediction, type PredictOptions, predict } from './predict.js'
import { type Recording, record } from './record.js'
import { checkLabels, parseSpec } from './schema.js'
import { NetworkSpec, type SpecJson } from './spec.js'
import { Stream, type StreamOptions } from './stream.js'
import { summaryTable } from './table.js'
import { codeBits, requireCodable } from './weight-codes.js'

export interface LoadOptions {
  /** Default `'auto'`: the first CUDA device where there is one, else the CPU. */
  readonly device?: Device
  /** Threads libtorch computes with, in the whole process. Default: left as it is. */
  readonly threads?: number
}

export interface CreateOptions extends LoadOptions {
  /** Of the weights, dropout, Poisson encoding and, unless said otherwise, shuffling. Default 0. */
  readonly seed?: number
  /** Element type of weights and activities. Default `'float32'`. */
  readonly dtype?: NetworkDtype
}

export interface SaveOptions {
  /** How the network wants to be served: names, the type of its input, labels. */
  readonly serving?: Serving
  /**
   * Stores weights of convolutions and linear layers as integers of 2 to 8 bits with a scale for each output channel, see
   * {@link quantizeWeights}: a byte a weight. Such a file loads as the model of the rounded weights. Default: all are stored as they are.
   */
  readonly weightBits?: number
}

export interface ForwardOptions {
  /** Batch statistics, dropout. Default false. */
  readonly training?: boolean
}

/**
 * A spiking network with its weights: trained, evaluated, asked, saved. The same spec, seed, data and thread count give
 * the same bits. Owns native memory: free it by `dispose`, `using` or `await using`.
 *
 * Every method throws StateError `ERR_DISPOSED` after `dispose`, and those that read or write weights at once (`forward`,
 * `parameters`, `tensors`) StateError `ERR_BUSY` while an asynchronous call is under way.
 */
export class Model implements Disposable, AsyncDisposable {
  readonly #network: Network
  readonly #deviceReason: string

  private constructor(network: Network, { reason }: ResolvedDevice) {
    this.#network = network
    this.#deviceReason = reason
  }

  /**
   * A network with fresh weights.
   *
   * @throws SpecError for a spec that is not usable, ArgumentError `ERR_RANGE`, DeviceError `ERR_DEVICE`,
   * LibtorchNotFoundError
   */
  static async create(spec: NetworkSpec | SpecJson, options: CreateOptions = {}): Promise<Model> {
    const read = argumentReader('Model.create', options)
    const seed = read.integer('seed', { min: 0 }, 0)
    const dtype = read.choice<NetworkDtype>('dtype', ['float32', 'float64', 'bfloat16'], 'float32')
    const { device, threads } = readPlace(read)
    read.end()
    const checked = spec instanceof NetworkSpec ? checkLabels(spec) : parseSpec(spec)
    if (threads !== undefined) await native().setThreads(threads)
    const place = resolveDevice(device)
    return new Model(await Network.create(checked, { device: place.device, dtype, seed }), place)
  }

  /**
   * A network from a file that `save` or a training run wrote; needs nothing else. The whole file is checked before a
   * network is made.
   *
   * @throws CheckpointError when the file is missing (`ERR_CHECKPOINT_MISSING`), damaged or made for something else
   */
  static async load(path: string, options: LoadOptions = {}): Promise<Model> {
    const read = argumentReader('Model.load', options)
    const { device, threads } = readPlace(read)
    read.end()
    if (threads !== undefined) await native().setThreads(threads)
    const place = resolveDevice(device)
    return new Model(await loadModel(path, place.device), place)
  }

  get spec(): NetworkSpec {
    return this.#network.spec
  }

  /** `'cpu'` or `'cuda:N'`. */
  get device(): string {
    return this.#network.device
  }

  /** Why it is this one: `'asked for'`, the name of the GPU, or what `'auto'` missed on the way to a GPU. */
  get deviceReason(): string {
    return this.#deviceReason
  }

  get dtype(): NetworkDtype {
    return this.#network.dtype
  }

  get seed(): number {
    return this.#network.seed
  }

  /**
   * Trains, one event after the other: the run computes while it is asked for the next event, and waits while it is not.
   * `break` ends it and frees what it holds. See {@link TrainOptions} and {@link TrainEvent}.
   *
   * @throws ArgumentError, ShapeError for options or data that do not fit (at the first event), DataError from the data,
   * CheckpointError when `resume` finds only unusable checkpoints, StateError `ERR_BUSY` when a run is under way
   */
  train(dataset: Dataset, options: TrainOptions = {}): AsyncGenerator<TrainEvent, void, undefined> {
    return train(this.#network, dataset, options)
  }

  /**
   * Loss, accuracy, confusion matrix and firing rates over a data set.
   *
   * @throws ArgumentError, ShapeError, DataError, AbortedError when stopped by its signal
   */
  evaluate(dataset: Dataset, options: EvaluateOptions = {}): Promise<Evaluation> {
    return evaluate(this.#network, dataset, options)
  }

  /**
   * Scores and classes for samples. Read batch by batch: leave them unchanged until it is done.
   *
   * @throws ShapeError, ArgumentError, AbortedError when stopped by its signal
   */
  predict(inputs: ModelInput, options: PredictOptions = {}): Promise<Prediction> {
    return predict(this.#network, inputs, options)
  }

  /**
   * The network as a function of the tensor layer, at once and with gradients: for own losses and own loops.
   *
   * @param input `[B, ...input]`, presented at every step, or a sequence `[B, T, ...input]`
   * @returns `[B, T, K]`, the output at each step
   * @throws ShapeError `ERR_SHAPE`, ArgumentError `ERR_TYPE`, StateError `ERR_BUSY`
   */
  forward(input: Tensor, { training = false }: ForwardOptions = {}): Tensor {
    checkTensor(input, 'forward')
    const handle = this.#network.idleHandle('forward')
    return new Tensor(native().networkForward(handle, input.handle, { training }, []).output)
  }

  /** The trained parameters, sharing memory with the network: what an optimiser takes. */
  parameters(): Tensor[] {
    return this.tensors().flatMap(({ tensor, trainable }) => (trainable ? [tensor] : []))
  }

  /** Parameters and buffers with the names they have in checkpoints, sharing memory with the network. */
  tensors(): NamedTensor[] {
    // They belong to the model, not to the scope they are asked for in.
    return this.#network
      .tensors()
      .map(({ name, handle, trainable }) => ({ name, tensor: keep(new Tensor(handle)), trainable }))
  }

  /** Inference step by step with state carried on. @throws ArgumentError */
  stream(options: StreamOptions = {}): Stream {
    return new Stream(this.#network, options)
  }

  /** Spikes and membranes of every layer while the network looks at some samples, for pictures. */
  record(inputs: ModelInput): Promise<Recording> {
    return record(this.#network, inputs)
  }

  /**
   * Sums over samples and steps of what every layer gives, for each of its elements: firing rates, silent neurons, operations.
   *
   * @throws ShapeError, ArgumentError, AbortedError when stopped by its signal
   */
  activity(inputs: ModelInput, options: ActivityOptions = {}): Promise<ModelActivity> {
    return activity(this.#network, inputs, options)
  }

  /**
   * Writes spec and weights as one safetensors file: to a temporary file first, flushed, then renamed.
   *
   * @throws CheckpointError `ERR_CHECKPOINT_WRITE` when the file cannot be written, ArgumentError, ShapeError for a
   * `serving` that does not fit, ArgumentError for `weightBits` that can't be, SpikingRxError `ERR_NOT_FINITE` for weights that have no code
   */
  async save(path: string, options: SaveOptions = {}): Promise<void> {
    const read = argumentReader('save', options)
    const value = read.raw('serving')
    const weightBits = read.has('weightBits') ? read.integer('weightBits', codeBits) : void read.raw('weightBits')
    read.end()
    if (weightBits !== undefined) requireCodable('save', this.dtype)
    const owner = 'save: serving'
    const serving = value === undefined ? undefined : parseServing(owner, value, classCount(this.spec), argumentFailure)
    await saveModel(this.#network, path, { serving, weightBits })
  }

  /** Layers, output shapes and parameter counts as a table. */
  summary(): string {
    return summaryTable(this.spec)
  }

  /** Frees the weights. Safe to call twice. */
  dispose(): void {
    this.#network.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#network.whenIdle(() => this.dispose())
  }
}

function readPlace(read: ReturnType<typeof argumentReader>): { device: string; threads: number | undefined } {
  const device = read.raw('device') ?? 'auto'
  if (typeof device !== 'string') return read.fail('needs device to be a string', 'ERR_TYPE')
  const threads = read.has('threads') ? read.integer('threads', { min: 1, max: 1024 }) : void read.raw('threads')
  return { device, threads }
}
