/** What Prometheus is told: counters and histograms fed from every request, gauges read when they are asked for. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { native } from '../runtime/addon.js'
import type { InferenceResult, ModelRepository, ServedModel } from './service.js'
import { TalliedHistogram, type Tally } from './tallied-histogram.js'

/** Seconds, from a small network's step to a long wait. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const SAMPLES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
const OPERATIONS = Array.from({ length: 9 }, (_, power) => 100 * 10 ** power)

interface ModelMetrics {
  readonly total: Tally
  readonly queue: Tally
  readonly compute: Tally
  readonly batch: Tally
  readonly spikes: Tally
  readonly operations: Tally
  readonly succeeded: Counter.Internal
}

export class ServiceMetrics {
  readonly registry = new Registry()
  readonly #models = new Map<string, ModelMetrics>()
  readonly #labels = ['model', 'version'] as const
  readonly #requests = this.#counter('requests_total', 'Inference requests, by the status of their response.', [
    'status',
  ])
  readonly #failures = this.#counter('request_failures_total', 'Inference requests that failed.', ['code'])
  readonly #total = this.#histogram(
    'request_seconds',
    'Time from a request being read to its response being ready.',
    SECONDS,
  )
  readonly #queue = this.#histogram('queue_seconds', 'Time that a request waited for its batch.', SECONDS)
  readonly #compute = this.#histogram('compute_seconds', 'Time that the batch of a request was computed in.', SECONDS)
  readonly #batch = this.#histogram('batch_samples', 'Samples in the batch that a request was computed in.', SAMPLES)
  readonly #spikes = this.#histogram('request_spikes', 'Spikes that a request caused.', OPERATIONS)
  readonly #operations = this.#histogram(
    'request_synaptic_operations',
    'Synaptic operations (SynOps) that a request caused.',
    OPERATIONS,
  )

  /** @param streams number of WebSocket streams that are open now */
  constructor(repository: ModelRepository, streams: () => number) {
    collectDefaultMetrics({ register: this.registry })
    this.#ofModels('waiting_requests', 'Requests that wait for a batch now.', repository, ({ waiting }) => waiting)
    this.#ofModels(
      'sequences',
      'Sequences whose state is kept now.',
      repository,
      (model) => model.statistics().sequences,
    )
    this.#gauge('streams', 'WebSocket streams that are open now.', [], (gauge) => gauge.set(streams()))
    this.#gauge('native_memory_bytes', 'Bytes held by tensors in native memory.', [], (gauge) =>
      gauge.set(native().memory().bytes),
    )
    this.#gauge('native_tensors', 'Tensors alive.', [], (gauge) => gauge.set(native().memory().tensors))
  }

  /** @param seconds from the request being read to its response being ready */
  succeeded(model: string, version: string, result: InferenceResult, seconds: number): void {
    const metrics = this.#of(model, version)
    metrics.succeeded.inc()
    metrics.total.observe(seconds)
    metrics.queue.observe(result.queued / 1000)
    metrics.compute.observe(result.computed / 1000)
    metrics.batch.observe(result.batch.samples)
    metrics.spikes.observe(result.activity.spikes)
    metrics.operations.observe(result.activity.synapticOperations)
  }

  /** Model and version are empty where there is no such model: names that are made up would be counted for ever. */
  failed(model: string, version: string, status: number, code: string): void {
    this.#requests.inc({ model, version, status: String(status) })
    this.#failures.inc({ model, version, code })
  }

  /** Looking labels up costs more than counting: once a model. */
  #of(model: string, version: string): ModelMetrics {
    const key = `${model}/${version}`
    const known = this.#models.get(key)
    if (known !== undefined) return known
    const made = {
      total: this.#total.tally({ model, version }),
      queue: this.#queue.tally({ model, version }),
      compute: this.#compute.tally({ model, version }),
      batch: this.#batch.tally({ model, version }),
      spikes: this.#spikes.tally({ model, version }),
      operations: this.#operations.tally({ model, version }),
      succeeded: this.#requests.labels(model, version, '200'),
    }
    this.#models.set(key, made)
    return made
  }

  #counter<Label extends string>(name: string, help: string, labels: readonly Label[]) {
    const labelNames = [...this.#labels, ...labels]
    return new Counter({ name: `spikingrx_${name}`, help, labelNames, registers: [this.registry] })
  }

  #histogram(name: string, help: string, buckets: readonly number[]): TalliedHistogram<'model' | 'version'> {
    const settings = { name: `spikingrx_${name}`, help, labelNames: this.#labels, buckets: [...buckets] }
    return new TalliedHistogram({ ...settings, registers: [this.registry] })
  }

  /** A gauge with a value for each version of each model that is served. */
  #ofModels(name: string, help: string, repository: ModelRepository, value: (model: ServedModel) => number): void {
    this.#gauge(name, help, ['model', 'version'], (gauge) => {
      gauge.reset()
      for (const { name: model, version, state } of repository.index()) {
        if (state === 'READY') gauge.set({ model, version }, value(repository.model(model, version)))
      }
    })
  }

  /** A gauge that can't be read now is left out. */
  #gauge(name: string, help: string, labelNames: readonly string[], read: (gauge: Gauge) => void): void {
    new Gauge({
      name: `spikingrx_${name}`,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        try {
          read(this)
        } catch {
          this.reset()
        }
      },
    })
  }
}
