/**
 * One loaded network that computes batches: typed arrays in, typed arrays out, nothing else crosses. The network is
 * folded for inference and runs on the executor thread, without autograd, in the order of the calls.
 */
import { loadCheckpoint, type StoredNetwork } from '../io/checkpoint.js'
import type { Network } from '../model/network.js'
import { Running } from '../model/running.js'
import type { Shape } from '../model/shape.js'
import { sizeOf } from '../model/shape.js'
import type { Dtype, NativeInferenceResult, TensorHandle, TypedArray } from '../native.js'
import { native } from '../runtime/addon.js'
import type { LayerSpikes } from './service.js'
import { free, type StateRows, StateTable } from './state-table.js'
import type { BatchTimes } from './statistics.js'

export interface BatchInput {
  readonly data: TypedArray
  /** `[N, ...input]`, or `[N, T, ...input]`. */
  readonly shape: Shape
  readonly dtype: Dtype
  /** Where the samples are parts of sequences: their states. */
  readonly state?: StateRows
  /** Give the output of every step. */
  readonly steps: boolean
  /** Give the spikes of every layer. */
  readonly record: boolean
  /** Measure the rates of the spiking layers: up to a tenth of the time of a batch. */
  readonly measure: boolean
}

export interface BatchOutput {
  /** Mean over the batch's time steps, `[N, ...output]`. */
  readonly scores: Float32Array
  /** `[N, T, ...output]`, where asked for. */
  readonly steps: Float32Array | undefined
  readonly records: readonly LayerSpikes[]
  /** Mean value of each spiking layer, where measured. */
  readonly rates: ArrayLike<number> | undefined
  readonly times: BatchTimes
}

/** Computes batches: in this thread's executor ({@link Instance}) or in a thread of its own (`WorkerInstance`). */
export interface BatchComputer {
  /**
   * Computes once for each batch size, so that the first requests find memory and kernels prepared.
   *
   * @throws what a network that can't compute throws
   */
  warmUp(sizes: readonly number[]): Promise<void>
  /** A batch that fails leaves every state as it was. One at a time where they have states. */
  run(batch: BatchInput): Promise<BatchOutput>
  /** Waits for what is under way, then frees weights and states. */
  dispose(): Promise<void>
}

export class Instance implements BatchComputer {
  readonly #network: Network
  readonly #states = new StateTable()
  /** Batches under way. */
  readonly #running = new Running()

  private constructor(network: Network) {
    this.#network = network
  }

  /** Makes the network of a checkpoint ready to compute. */
  static async create(checkpoint: StoredNetwork, device: string): Promise<Instance> {
    const network = await loadCheckpoint(checkpoint, device)
    try {
      return new Instance(await network.folded())
    } finally {
      network.dispose()
    }
  }

  async warmUp(sizes: readonly number[]): Promise<void> {
    const { input } = this.#network.spec
    for (const size of sizes) {
      const shape = [size, ...input]
      const data = new Float32Array(sizeOf(shape))
      await this.run({ data, shape, dtype: 'float32', steps: false, record: false, measure: true })
    }
  }

  run(batch: BatchInput): Promise<BatchOutput> {
    return this.#running.track(this.#compute(batch))
  }

  async #compute(batch: BatchInput): Promise<BatchOutput> {
    const begin = performance.now()
    let before: TensorHandle[] = []
    let result: NativeInferenceResult | undefined
    try {
      if (batch.state) before = await this.#states.gather(batch.state)
      const entered = performance.now()
      const { data: values, shape, dtype, record, measure: measureRates, steps: output } = batch
      const carryState = batch.state !== undefined
      // While a batch is computed, the event loop reads the requests of the next.
      const options = { carryState, record, measureRates, output, engine: 'auto' as const, offThread: true }
      result = await this.#network.infer({ values, shape, dtype }, options, before)
      const computed = performance.now()
      const read = readOutput(result, batch)
      if (batch.state) await this.#states.scatter(batch.state, result.state)
      const times = { input: entered - begin, infer: computed - entered, output: performance.now() - computed }
      return { ...read, times }
    } finally {
      free(before)
      if (result)
        free([
          ...(result.output ? [result.output] : []),
          ...result.state,
          ...result.records.map(({ handle }) => handle),
        ])
    }
  }

  async dispose(): Promise<void> {
    await this.#running.idle()
    this.#states.dispose()
    this.#network.dispose()
  }
}

function readOutput(
  { scores, output, rates, records }: NativeInferenceResult,
  batch: BatchInput,
): Omit<BatchOutput, 'times'> {
  return {
    scores,
    steps: output === undefined ? undefined : floats(native().tensorData(output)),
    records: spikesOf(records),
    rates: batch.measure ? rates : undefined,
  }
}

function spikesOf(records: NativeInferenceResult['records']): LayerSpikes[] {
  return records.flatMap(({ layer, quantity, handle }) => {
    if (quantity !== 'spikes') return []
    return [{ layer, shape: native().tensorInfo(handle).shape, values: floats(native().tensorData(handle)) }]
  })
}

function floats(values: TypedArray): Float32Array {
  return values instanceof Float32Array ? values : Float32Array.from(values as ArrayLike<number>, Number)
}
