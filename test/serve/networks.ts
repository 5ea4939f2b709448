import { type Checkpoint, readCheckpoint } from '../../lib/io/checkpoint.js'
import type { Serving } from '../../lib/io/serving.js'
import { Model } from '../../lib/model/model.js'
import { type NetworkSpec, snn } from '../../lib/model/spec.js'
import type { Clock } from '../../lib/serve/batcher.js'
import { defaultSettings, type ModelSettings } from '../../lib/serve/model-settings.js'
import { LoadedModel } from '../../lib/serve/served-model.js'
import type { InferenceRequest, InferenceResult, SequencePosition, TensorValue } from '../../lib/serve/service.js'

/** A small network that spikes, with shared and per-step statistics, a residual block and a leaky readout. */
export const mixed: NetworkSpec = snn({ input: [1, 6, 6], steps: 3, labels: ['low', 'middle', 'high'] })
  .convBlock(4)
  .spikeNorm()
  .lif({ threshold: 0.1, decay: 0.5 })
  .sewBlock(4, { threshold: 0.1, statistics: 'perStep', resetDelay: true })
  .flatten()
  .linear(8)
  .lif({ threshold: 0.1 })
  .linear(3)
  .leakyReadout()

/** Without anything that depends on the number of steps seen. */
export const ageless: NetworkSpec = snn({ input: [12], steps: 4 })
  .linear(10)
  .lif({ threshold: 0.1, decay: 0.8, reset: 'zero' })
  .linear(6)
  .lif({ threshold: 0.05, decay: 0.9, decayInput: false })
  .linear(3)
  .leakyReadout()

/** The same in each run, between 0 and 1. */
export function numbers(count: number, seed: number): Float32Array {
  let state = (seed * 2654435761 + 12345) >>> 0
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  })
}

export async function writeModel(path: string, spec: NetworkSpec, seed = 1, serving?: Serving): Promise<void> {
  using model = await Model.create(spec, { seed, device: 'cpu' })
  await model.save(path, serving === undefined ? {} : { serving })
}

export async function checkpointOf(path: string, spec: NetworkSpec, seed = 1, serving?: Serving): Promise<Checkpoint> {
  await writeModel(path, spec, seed, serving)
  return readCheckpoint(path)
}

export function settings(changes: Partial<ModelSettings> = {}): ModelSettings {
  return { ...defaultSettings, ...changes }
}

export async function load(
  checkpoint: Checkpoint,
  changes: Partial<ModelSettings> = {},
  clock?: Clock,
): Promise<LoadedModel> {
  return LoadedModel.load(checkpoint, settings(changes), undefined, clock)
}

/** `data` as FP32, or as what its type says. */
export function value(data: Float32Array | Uint8Array, shape: readonly number[]): TensorValue {
  return { datatype: data instanceof Uint8Array ? 'UINT8' : 'FP32', shape, data }
}

export function request(input: TensorValue, more: Partial<InferenceRequest> = {}): InferenceRequest {
  return { inputs: new Map([['input', input]]), outputs: [], ...more }
}

export function position(id: string, flags: { start?: boolean; end?: boolean } = {}): SequencePosition {
  return { id, start: flags.start === true, end: flags.end === true }
}

export function output(result: InferenceResult, name = 'scores'): number[] {
  return Array.from(result.outputs.get(name)!.data, Number)
}

/** Time that passes when a test says so. */
export class ManualClock implements Clock {
  #now = 0
  readonly #timers = new Set<{ readonly at: number; readonly body: () => void }>()

  now(): number {
    return this.#now
  }

  after(milliseconds: number, body: () => void): () => void {
    const timer = { at: this.#now + milliseconds, body }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** When its timers are due. */
  get timers(): number[] {
    return Array.from(this.#timers, ({ at }) => at)
  }

  /** Goes on, and calls what is due in order. */
  pass(milliseconds: number): void {
    this.#now += milliseconds
    const due = [...this.#timers].filter(({ at }) => at <= this.#now).sort((a, b) => a.at - b.at)
    for (const timer of due) if (this.#timers.delete(timer)) timer.body()
  }
}

/** One turn of the event loop: what was asked for is in batches. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
