/**
 * The sole typed declaration of the native addon. Everything crosses as integers (handles), strings, numbers, plain
 * objects and typed arrays; classes live on the TypeScript side. Every function throws errors that carry a `code`.
 */

/** A tensor in the native table. 0 is never a tensor. */
export type TensorHandle = number
export type NetworkHandle = number
export type TrainerHandle = number
export type OptimizerHandle = number

export type TypedArray = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array | Int16Array | Int8Array

/** Element types as the API names them. */
export type Dtype =
  | 'float32'
  | 'float64'
  | 'bfloat16'
  | 'float16'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint8'
  | 'bool'

export interface TensorInfo {
  readonly shape: number[]
  readonly strides: number[]
  readonly dtype: Dtype
  readonly device: string
  readonly requiresGrad: boolean
  readonly isLeaf: boolean
}

export type OptionValue = boolean | number | string | readonly number[] | readonly string[]

/** A layer, loss, optimiser or schedule: a kind and flat options (native/model/spec.h). */
export interface NativeSpec {
  readonly kind: string
  readonly [option: string]: OptionValue
}

export interface NativeNetworkSpec {
  readonly input: readonly number[]
  readonly steps: number
  readonly layers: readonly NativeSpec[]
}

export interface NamedHandle {
  readonly name: string
  readonly handle: TensorHandle
  readonly trainable: boolean
}

export interface NativeForwardOptions {
  readonly training?: boolean
  readonly carryState?: boolean
  readonly record?: boolean
  readonly measureRates?: boolean
  /** How products are computed where no gradient is asked for (native/model/network.h). Default 'dense'. */
  readonly engine?: 'auto' | 'dense' | 'event'
}

export interface NativeInferenceOptions extends NativeForwardOptions {
  /** Give the output of every step too. */
  readonly output?: boolean
  readonly probabilities?: boolean
  /** Always on the executor thread; else short work is done at once where nothing is under way. */
  readonly offThread?: boolean
}

export interface NativeInferenceResult {
  /** Mean of the output over time. */
  readonly scores: Float32Array
  /** Of the scores: `[B, K]`, or `[B, C, H, W]`. */
  readonly shape: number[]
  /** Place of the largest score of each sample; empty where scores are not `[B, K]`. */
  readonly classes: Int32Array
  /** Softmax of the scores, where asked for and these are `[B, K]`. */
  readonly probabilities?: Float32Array
  /** `[B, T, ...]`, where asked for. */
  readonly output?: TensorHandle
  readonly state: TensorHandle[]
  readonly records: NativeForwardResult['records']
  /** Mean value of each spiking layer, where measured. */
  readonly rates: number[]
}

export interface NativeForwardResult {
  readonly output: TensorHandle
  readonly state: TensorHandle[]
  readonly records: { readonly layer: string; readonly quantity: string; readonly handle: TensorHandle }[]
  readonly rates: TensorHandle[]
}

export interface NativeTrainerSpec {
  readonly loss: NativeSpec
  readonly optimizer: NativeSpec
  readonly schedule: NativeSpec
  readonly rateRegularizer: NativeSpec
  readonly clipNorm: number
  readonly totalSteps: number
  readonly measureRates: boolean
}

export interface NativeEvaluationReport {
  readonly loss: number
  readonly correct: number
  readonly samples: number
  readonly predictions: TensorHandle
  readonly firingRates: number[]
}

export interface NativeMemory {
  /** Handles alive in this environment. */
  readonly tensors: number
  /** Bytes held by the CPU allocator for live tensors, in the whole process. */
  readonly bytes: number
}

/** Argument or result of an operator called by its schema. Tensors are `{ handle }`. */
export type OperatorValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | { readonly handle: TensorHandle }
  | readonly OperatorValue[]

/** Functions of the addon. Those named `...Async` run on the executor thread, in the order of their calls. */
export interface Native {
  // Tensors
  tensorFrom(data: TypedArray, shape: readonly number[], dtype: Dtype): TensorHandle
  /** The rows `rows` of `data`, a table of rows of `shape[1] x shape[2] x ...` elements. */
  tensorFromRows(data: TypedArray, rows: Uint32Array, shape: readonly number[], dtype: Dtype): TensorHandle
  /** A contiguous copy: bool as Uint8Array, int64 as BigInt64Array, bfloat16 and float16 as Float32Array. */
  tensorData(tensor: TensorHandle): TypedArray
  tensorInfo(tensor: TensorHandle): TensorInfo
  tensorFree(tensor: TensorHandle): void
  tensorSetRequiresGrad(tensor: TensorHandle, requiresGrad: boolean): void
  /** 0 where there is no gradient. */
  tensorGrad(tensor: TensorHandle): TensorHandle
  /** `gradient` 0: ones, for a tensor of one element. */
  tensorBackward(tensor: TensorHandle, gradient: TensorHandle, retainGraph: boolean): void
  tensorBackwardAsync(tensor: TensorHandle, gradient: TensorHandle, retainGraph: boolean): Promise<void>
  /** Ties a handle to a JavaScript object: freed when the object is collected (weak-reference sweep). */
  tensorAdopt(owner: object, tensor: TensorHandle): void

  // The generic door to libtorch's operators: "aten::add.Tensor". Missing trailing arguments take the schema's defaults.
  callOperator(
    name: string,
    args: readonly OperatorValue[],
    named: Readonly<Record<string, OperatorValue>>,
  ): OperatorValue
  callOperatorAsync(
    name: string,
    args: readonly OperatorValue[],
    named: Readonly<Record<string, OperatorValue>>,
  ): Promise<OperatorValue>
  operatorSchema(name: string): string
  gradEnabled(): boolean
  setGradEnabled(enabled: boolean): void
  manualSeed(seed: number): void

  // Networks
  networkCreateAsync(spec: NativeNetworkSpec, seed: number, device: string, dtype: Dtype): Promise<NetworkHandle>
  networkCreate(spec: NativeNetworkSpec, seed: number, device: string, dtype: Dtype): NetworkHandle
  networkTensors(network: NetworkHandle): NamedHandle[]
  networkLoad(network: NetworkHandle, names: readonly string[], tensors: readonly TensorHandle[]): void
  networkSpikingLayers(network: NetworkHandle): string[]
  networkForward(
    network: NetworkHandle,
    input: TensorHandle,
    options: NativeForwardOptions,
    state: readonly TensorHandle[],
  ): NativeForwardResult
  /** Without gradients. */
  networkForwardAsync(
    network: NetworkHandle,
    input: TensorHandle,
    options: NativeForwardOptions,
    state: readonly TensorHandle[],
  ): Promise<NativeForwardResult>
  /** From samples (values with shape and dtype, or a tensor) to decisions in one call. Without gradients. */
  networkInferAsync(
    network: NetworkHandle,
    input: TypedArray | TensorHandle,
    shape: readonly number[],
    dtype: Dtype,
    options: NativeInferenceOptions,
    state: readonly TensorHandle[],
  ): Promise<NativeInferenceResult>
  /** What products cost here, in the order of native/model/engine_costs.h, in seconds. Takes some milliseconds. */
  measureEngineCostsAsync(): Promise<number[]>
  /** For the whole process. */
  setEngineCosts(costs: readonly number[]): void
  networkFoldedAsync(network: NetworkHandle): Promise<NetworkHandle>
  networkRandomState(network: NetworkHandle): TensorHandle
  networkSetRandomState(network: NetworkHandle, state: TensorHandle): void
  networkFree(network: NetworkHandle): void
  networkEvaluateAsync(
    network: NetworkHandle,
    inputs: TensorHandle,
    targets: TensorHandle,
    loss: NativeSpec,
    measureRates: boolean,
  ): Promise<NativeEvaluationReport>

  // Training
  trainerCreate(network: NetworkHandle, spec: NativeTrainerSpec): TrainerHandle
  /** Gives [loss, gradient norm before clipping, learning rate, right decisions, samples, ...firing rates]. */
  trainerStepAsync(trainer: TrainerHandle, inputs: TensorHandle, targets: TensorHandle): Promise<Float64Array>
  trainerState(trainer: TrainerHandle): NamedHandle[]
  trainerLoad(trainer: TrainerHandle, names: readonly string[], tensors: readonly TensorHandle[]): void
  trainerFree(trainer: TrainerHandle): void
  optimizerCreate(spec: NativeSpec, parameters: readonly TensorHandle[]): OptimizerHandle
  /** `learningRate` negative: the one of the spec. */
  optimizerStep(optimizer: OptimizerHandle, learningRate: number): void
  optimizerZeroGrad(optimizer: OptimizerHandle): void
  optimizerState(optimizer: OptimizerHandle): NamedHandle[]
  optimizerLoad(optimizer: OptimizerHandle, names: readonly string[], tensors: readonly TensorHandle[]): void
  optimizerFree(optimizer: OptimizerHandle): void
  /** Scales gradients so that their common L2 norm is at most `largest` (0: only measures); returns the norm before. */
  clipGradientNorm(parameters: readonly TensorHandle[], largest: number): number
  learningRate(schedule: NativeSpec, base: number, step: number, totalSteps: number): number

  // Process
  memory(): NativeMemory
  /** Gives freed blocks that the allocator keeps for reuse back to the system. */
  releaseMemory(): void
  threads(): number
  setThreads(threads: number): Promise<void>
  devices(): { readonly cuda: number; readonly names: string[] }
  versions(): { readonly libtorch: string; readonly core: string; readonly parallel: string }
}
