import { StateError } from '../errors.js'
import type {
  Dtype,
  NamedHandle,
  NativeForwardOptions,
  NativeForwardResult,
  NativeInferenceOptions,
  NativeInferenceResult,
  NativeNetworkSpec,
  NativeSpec,
  NetworkHandle,
  TensorHandle,
  TypedArray,
} from '../native.js'
import { native } from '../runtime/addon.js'
import { engineCostsKnown, knowEngineCosts } from './engine-costs.js'
import { Running } from './running.js'
import type { NetworkSpec } from './spec.js'

/** Element types a network can compute in. */
export type NetworkDtype = Extract<Dtype, 'float32' | 'float64' | 'bfloat16'>

export interface NetworkSettings {
  /** As the native core names it: `cpu`, `cuda:0`. */
  readonly device: string
  readonly dtype: NetworkDtype
  readonly seed: number
}

/** Samples for one native call; of a tensor, only the handle is read. */
export interface InferenceInput {
  readonly values: TypedArray | TensorHandle
  readonly shape: readonly number[]
  readonly dtype: Dtype
}

// A model nobody disposed of gives its weights back when it is collected.
const forgotten = new FinalizationRegistry<NetworkHandle>((handle) => native().networkFree(handle))

/**
 * Owns one native network. Asynchronous calls run on the executor thread in order; a synchronous one is refused while any
 * is under way, because both would touch the same weights at once.
 */
export class Network {
  readonly spec: NetworkSpec
  readonly device: string
  readonly dtype: NetworkDtype
  readonly seed: number
  #handle: NetworkHandle
  readonly #running = new Running()
  #trained = false

  private constructor(spec: NetworkSpec, settings: NetworkSettings, handle: NetworkHandle) {
    this.spec = spec
    this.device = settings.device
    this.dtype = settings.dtype
    this.seed = settings.seed
    this.#handle = handle
    forgotten.register(this, handle, this)
  }

  static async create(spec: NetworkSpec, settings: NetworkSettings): Promise<Network> {
    const { seed, device, dtype } = settings
    const handle = await native().networkCreateAsync(nativeSpec(spec), seed, device, dtype)
    return new Network(spec, settings, handle)
  }

  /** @throws StateError `ERR_DISPOSED` */
  get handle(): NetworkHandle {
    if (this.#handle === 0)
      throw new StateError('the model was used after dispose(); create or load it again', 'ERR_DISPOSED')
    return this.#handle
  }

  /** The handle for a synchronous call. @throws StateError `ERR_BUSY` while an asynchronous one is under way */
  idleHandle(what: string): NetworkHandle {
    if (this.#running.count > 0) {
      throw new StateError(`${what} needs a model at rest; await the call that is under way first`, 'ERR_BUSY')
    }
    return this.handle
  }

  /**
   * A copy for inference that shares nothing with this one: each SpikeNorm with shared statistics becomes part of the
   * convolution before it. It is only for `forward`: its tensors are not those of the spec.
   */
  async folded(): Promise<Network> {
    const { device, dtype, seed } = this
    const handle = await this.track(native().networkFoldedAsync(this.handle))
    return new Network(this.spec, { device, dtype, seed }, handle)
  }

  /** Names of the layers whose output is spikes, in the order of `rates` of a forward pass. */
  spikingLayers(): readonly string[] {
    return native().networkSpikingLayers(this.handle)
  }

  /** Notes an asynchronous native call until it settles. */
  track<T>(call: Promise<T>): Promise<T> {
    return this.#running.track(call)
  }

  /** Runs `body`, which is synchronous, at a moment when no asynchronous call is under way. */
  async whenIdle<T>(body: () => T): Promise<T> {
    while (this.#running.count > 0) await this.#running.idle()
    return body()
  }

  forward(
    input: TensorHandle,
    options: NativeForwardOptions,
    state: readonly TensorHandle[] = [],
  ): Promise<NativeForwardResult> {
    return this.track(native().networkForwardAsync(this.handle, input, options, state))
  }

  /** Samples to decisions, without gradients. @param input values, with their shape and dtype, or a tensor */
  infer(
    input: InferenceInput,
    options: NativeInferenceOptions,
    state: readonly TensorHandle[] = [],
  ): Promise<NativeInferenceResult> {
    const { values, shape, dtype } = input
    const ask = (): Promise<NativeInferenceResult> =>
      native().networkInferAsync(this.handle, values, shape, dtype, options, state)
    const chooses = options.engine === 'auto' && this.dtype === 'float32' && this.device === 'cpu'
    return this.track(chooses && !engineCostsKnown() ? knowEngineCosts().then(ask) : ask())
  }

  /** Fresh handles of every parameter and buffer; they share storage with the network. The caller frees them. */
  tensors(): NamedHandle[] {
    return native().networkTensors(this.idleHandle('reading the weights'))
  }

  /** Copies all parameters and buffers in; nothing changes when one does not fit. */
  load(names: readonly string[], tensors: readonly TensorHandle[]): void {
    native().networkLoad(this.idleHandle('loading weights'), names, tensors)
  }

  /** Takes the network for one training run; call the result to give it back. @throws StateError `ERR_BUSY` */
  takeForTraining(): () => void {
    if (this.#trained) {
      throw new StateError(
        'the model is being trained already; end that run (break, return or abort) first',
        'ERR_BUSY',
      )
    }
    this.#trained = true
    return () => {
      this.#trained = false
    }
  }

  dispose(): void {
    if (this.#handle === 0) return
    forgotten.unregister(this)
    native().networkFree(this.#handle)
    native().releaseMemory()
    this.#handle = 0
  }
}

/** The spec as the native core takes it. */
function nativeSpec({ input, steps, layers }: NetworkSpec): NativeNetworkSpec {
  // Layers are flat objects of numbers, strings, flags and lists of these, which is what a NativeSpec is.
  return { input, steps, layers: layers as unknown as readonly NativeSpec[] }
}
