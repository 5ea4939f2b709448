/**
 * One file of one model, loaded: checks requests, lets them wait, computes them in batches, answers them. It lives until
 * its file is replaced or unloaded; then it answers what it has accepted and gives everything back.
 */

import { AbortedError } from '../errors.js'
import type { Checkpoint } from '../io/checkpoint.js'
import type { NetworkSpec } from '../model/spec.js'
import { native } from '../runtime/addon.js'
import { ActivityMeter } from './activity.js'
import { joinInputs, takeOutputs, takeRecords } from './answer.js'
import { Batcher, type Clock, realClock } from './batcher.js'
import { ServeError } from './errors.js'
import { type BatchComputer, type BatchOutput, Instance } from './instance.js'
import type { ModelSettings } from './model-settings.js'
import { OpenRequests } from './open-requests.js'
import { aborted, isOfSequence, Pending, type PendingEvents, type SequencePending } from './pending.js'
import { type SequenceBatch, Sequences } from './sequences.js'
import type { InferenceRequest, InferenceResult, ModelStatistics } from './service.js'
import { Signature } from './signature.js'
import { StatisticsRecorder } from './statistics.js'
import { WorkerInstance } from './worker-instance.js'

/** Time steps a request may have for each sample of the largest batch. */
const MANY_STEPS = 64

export class LoadedModel {
  readonly signature: Signature
  readonly #spec: NetworkSpec
  readonly #settings: ModelSettings
  readonly #statistics: StatisticsRecorder
  readonly #clock: Clock
  readonly #instances: readonly BatchComputer[]
  readonly #activity: ActivityMeter
  readonly #batcher: Batcher<Pending>
  readonly #sequences: Sequences<SequencePending>
  readonly #stopExpiry: () => void
  readonly #open: OpenRequests<Pending>
  #closed = false

  private constructor(
    { spec, serving }: Checkpoint,
    settings: ModelSettings,
    instances: readonly BatchComputer[],
    statistics: StatisticsRecorder,
    clock: Clock,
  ) {
    const { maximumSize, maximumDelay } = settings.batching
    const maximumFrames = maximumSize * Math.max(MANY_STEPS, spec.steps)
    const batching = { maximumSize, maximumDelay, maximumFrames }
    this.signature = new Signature(
      spec,
      { ...serving, ...settings.serving },
      { samples: maximumSize, frames: maximumFrames },
    )
    this.#spec = spec
    this.#settings = settings
    this.#instances = instances
    this.#statistics = statistics
    this.#clock = clock
    this.#activity = new ActivityMeter(spec)
    this.#open = new OpenRequests(clock, (pending) => this.#giveUp(pending, tookTooLong(pending)))
    this.#batcher = new Batcher(batching, instances.length, (batch, instance) => this.#compute(batch, instance), clock)
    const events = {
      enqueue: (pending: SequencePending, age: number, instance: number) => {
        pending.inSequence(ageThatMatters(spec, age), instance)
        this.#batcher.add(pending)
      },
      refuse: (pending: SequencePending, error: ServeError) => pending.reject(error),
    }
    const { maximum, idle } = settings.sequences
    this.#sequences = new Sequences({ maximum, idle }, instances.length, events, () => clock.now())
    const timer = setInterval(() => this.#sequences.expire(), Math.max(100, Math.min(idle / 2, 5000)))
    timer.unref()
    this.#stopExpiry = () => clearInterval(timer)
  }

  /** Makes the networks and computes with them once. @throws what a network that can't be made or computed throws */
  static async load(
    checkpoint: Checkpoint,
    settings: ModelSettings,
    statistics = new StatisticsRecorder(),
    clock: Clock = realClock,
  ): Promise<LoadedModel> {
    const instances: BatchComputer[] = []
    try {
      for (let i = 0; i < settings.instances; i++) {
        const instance = await openInstance(checkpoint, settings)
        instances.push(instance)
        await instance.warmUp([...new Set([1, settings.batching.maximumSize])])
      }
      return new LoadedModel(checkpoint, settings, instances, statistics, clock)
    } catch (error) {
      await Promise.all(instances.map((instance) => instance.dispose()))
      throw error
    }
  }

  /** Whether the sequence has its state here. */
  hasSequence(id: string): boolean {
    return this.#sequences.has(id)
  }

  get sequences(): number {
    return this.#sequences.size
  }

  infer(request: InferenceRequest): Promise<InferenceResult> {
    const arrived = this.#clock.now()
    try {
      if (this.#closed) throw unloaded()
      if (request.signal?.aborted) throw aborted(request.signal)
      const { timeout = this.#settings.timeout } = request
      if (!(timeout >= 0)) throw badTimeout(timeout)
      const checked = this.signature.check(request)
      if (this.waiting >= this.#settings.queue) throw queueFull(this.#settings.queue)
      const pending = new Pending(checked, request, arrived, timeout, this.#events)
      if (isOfSequence(pending)) this.#sequences.add(pending)
      else this.#batcher.add(pending)
      if (!pending.settled) {
        this.#open.add(pending)
        pending.heed(request.signal)
      }
      return pending.answer
    } catch (error) {
      if (!(error instanceof AbortedError)) this.#statistics.failed(this.#clock.now() - arrived)
      return Promise.reject(error as Error)
    }
  }

  readonly #events: PendingEvents = {
    answered: (pending, error) => {
      const took = this.#clock.now() - pending.arrived
      if (error === undefined) this.#statistics.succeeded(took)
      else if (!(error instanceof AbortedError)) this.#statistics.failed(took)
      this.#open.delete(pending)
    },
    gone: (pending, error) => this.#giveUp(pending, error),
  }

  get waiting(): number {
    return this.#batcher.waiting + this.#sequences.waiting
  }

  statistics(): ModelStatistics {
    const { waiting } = this
    return this.#statistics.read({ waiting, computing: this.#batcher.computing, sequences: this.#sequences.size })
  }

  endSequence(id: string): void {
    this.#sequences.end(id)
  }

  /** Forgets sequences that were idle for too long. */
  expireSequences(): void {
    this.#sequences.expire()
  }

  /** Settles when everything accepted is answered. */
  drained(): Promise<void> {
    return this.#open.drained()
  }

  /** Answers what still waits with an error, and frees the networks once no batch uses them. */
  async dispose(): Promise<void> {
    this.#closed = true
    this.#stopExpiry()
    this.#batcher.clear()
    for (const pending of [...this.#open]) this.#giveUp(pending, unloaded())
    await Promise.all(this.#instances.map((instance) => instance.dispose()))
  }

  #giveUp(pending: Pending, error: Error): void {
    pending.reject(error)
    if (pending.computing) return
    this.#batcher.remove(pending)
    if (isOfSequence(pending)) this.#sequences.remove(pending)
  }

  async #compute(batch: readonly Pending[], index: number): Promise<() => void> {
    const started = this.#clock.now()
    for (const pending of batch) {
      pending.computing = true
      this.#statistics.queued(started - pending.arrived)
    }
    let sequences: SequenceBatch | undefined
    try {
      if (batch.every(isOfSequence)) sequences = this.#sequences.begin(batch)
      const measure = this.#activity.samples(batch.length)
      const output = await this.#instances[index]!.run(joinInputs(batch, sequences?.rows, measure))
      sequences?.succeed(output.scores, batch[0]!.steps)
      return () => rejectOnError(batch, () => this.#answer(batch, output, started))
    } catch (error) {
      sequences?.fail()
      return () => {
        for (const pending of batch) pending.reject(error)
      }
    }
  }

  #answer(batch: readonly Pending[], output: BatchOutput, started: number): void {
    const begin = performance.now()
    const computed = this.#clock.now() - started
    const total = batch.reduce((sum, { samples }) => sum + samples, 0)
    const presentations = total * batch[0]!.steps
    const { spikes, synapticOperations } = this.#activity.read(output.rates, batch.length, presentations)
    const shape = this.#spec.output
    let first = 0
    for (const pending of batch) {
      const { samples, arrived } = pending
      const share = samples / total
      if (!pending.settled) {
        pending.resolve({
          outputs: takeOutputs(pending, first, output, total, shape),
          records: takeRecords(output.records, first, samples, total),
          queued: started - arrived,
          computed,
          batch: { requests: batch.length, samples: total },
          activity: {
            spikes: Math.round(spikes * share),
            synapticOperations: Math.round(synapticOperations * share),
          },
        })
      }
      first += samples
    }
    const { input, infer, output: read } = output.times
    this.#statistics.executed(batch.length, total, { input, infer, output: read + performance.now() - begin })
  }
}

/**
 * One instance computes in this thread's executor. Several on the CPU have a thread each, or they would take turns, and
 * share the processor; on a GPU it is the device that they share, and waiting for it costs nothing.
 */
async function openInstance(checkpoint: Checkpoint, { instances, device }: ModelSettings): Promise<BatchComputer> {
  if (instances === 1 || device !== 'cpu') return Instance.create(checkpoint, device)
  return new WorkerInstance(checkpoint, device, Math.max(1, Math.floor(native().threads() / instances)))
}

/** Time steps seen, as far as a layer depends on them: sequences that differ only in what doesn't matter share a batch. */
function ageThatMatters({ layers, steps }: NetworkSpec, age: number): number {
  if (layers.some(({ kind }) => kind === 'latencyEncoder')) return age
  const perStep = layers.some((layer) => 'statistics' in layer && layer.statistics === 'perStep')
  // Beyond its own steps, SpikeNorm takes the statistics of the last one.
  return perStep ? Math.min(age, steps) : 0
}

function rejectOnError(batch: readonly Pending[], body: () => void): void {
  try {
    body()
  } catch (error) {
    for (const pending of batch) pending.reject(error)
  }
}

function queueFull(limit: number): ServeError {
  return new ServeError(`${limit} requests are waiting already; try again later`, 'ERR_SERVE_QUEUE_FULL', { limit })
}

function badTimeout(timeout: number): ServeError {
  return new ServeError(`timeout must be milliseconds, 0 or more, got ${timeout}`, 'ERR_SERVE_INPUT', { timeout })
}

function tookTooLong({ timeout }: Pending): ServeError {
  return new ServeError(`the request was not answered within ${timeout} ms`, 'ERR_SERVE_TIMEOUT', { timeout })
}

function unloaded(): ServeError {
  return new ServeError('the model was unloaded before the request was computed', 'ERR_SERVE_NOT_READY')
}
