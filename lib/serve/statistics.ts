import type { Duration, ModelStatistics } from './service.js'

/** How long the parts of a batch took, in milliseconds. */
export interface BatchTimes {
  readonly input: number
  readonly infer: number
  readonly output: number
}

/** Adds up durations. */
class Sum {
  count = 0
  milliseconds = 0

  add(milliseconds: number, count = 1): void {
    this.count += count
    this.milliseconds += milliseconds * count
  }

  get duration(): Duration {
    return { count: this.count, nanoseconds: Math.round(this.milliseconds * 1e6) }
  }
}

/** Counters of one version of a model; they go on when its file is replaced. */
export class StatisticsRecorder {
  readonly #success = new Sum()
  readonly #fail = new Sum()
  readonly #queue = new Sum()
  readonly #input = new Sum()
  readonly #infer = new Sum()
  readonly #output = new Sum()
  readonly #batches = new Map<number, Sum>()
  #samples = 0
  #executions = 0
  #last = 0

  succeeded(milliseconds: number): void {
    this.#success.add(milliseconds)
  }

  failed(milliseconds: number): void {
    this.#fail.add(milliseconds)
  }

  queued(milliseconds: number): void {
    this.#queue.add(milliseconds)
  }

  /** A batch was computed. Its times count for each of its requests, as in Triton. */
  executed(requests: number, samples: number, { input, infer, output }: BatchTimes): void {
    this.#samples += samples
    this.#executions += 1
    this.#last = Date.now()
    this.#input.add(input, requests)
    this.#infer.add(infer, requests)
    this.#output.add(output, requests)
    const batch = this.#batches.get(samples) ?? new Sum()
    batch.add(infer)
    this.#batches.set(samples, batch)
  }

  read(now: Pick<ModelStatistics, 'waiting' | 'computing' | 'sequences'>): ModelStatistics {
    return {
      lastInference: this.#last,
      inferenceCount: this.#samples,
      executionCount: this.#executions,
      success: this.#success.duration,
      fail: this.#fail.duration,
      queue: this.#queue.duration,
      computeInput: this.#input.duration,
      computeInfer: this.#infer.duration,
      computeOutput: this.#output.duration,
      batches: [...this.#batches]
        .sort(([a], [b]) => a - b)
        .map(([batchSize, sum]) => ({ batchSize, computeInfer: sum.duration })),
      ...now,
    }
  }
}
