/**
 * One version of one model under its name: what requests are given to. Its file may be replaced while it serves. The new
 * one is loaded and warmed up beside the old one; then requests go to the new one, while the old one answers what it has
 * accepted, and goes on with the sequences whose state it keeps.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { ServeError } from './errors.js'
import type { LoadedModel } from './served-model.js'
import type {
  InferenceRequest,
  InferenceResult,
  ModelSignature,
  ModelStatistics,
  RepositoryEntry,
  ServedModel,
} from './service.js'
import { StatisticsRecorder } from './statistics.js'

/** Milliseconds after which a retired model is asked again whether its sequences have ended. */
const SEQUENCE_CHECK = 100

export class ModelVersion implements ServedModel {
  readonly name: string
  readonly version: string
  readonly recorder = new StatisticsRecorder()
  state: RepositoryEntry['state'] = 'UNAVAILABLE'
  reason = ''
  /** Of the file and settings that are served. */
  identity: string | undefined
  /** Of those that could not be loaded: they are not tried again until they change. */
  failed: string | undefined
  /** A change that was seen, and since when: a file that is still being written goes on changing. */
  seen: { readonly identity: string; readonly since: number } | undefined
  #current: LoadedModel | undefined
  #last: ModelSignature | undefined
  readonly #retired = new Map<LoadedModel, Promise<void>>()
  #ending = false

  constructor(name: string, version: number) {
    this.name = name
    this.version = String(version)
  }

  get ready(): boolean {
    return this.#current !== undefined
  }

  get signature(): ModelSignature {
    const signature = this.#current?.signature ?? this.#last
    if (signature === undefined) throw this.#notServed()
    return signature
  }

  async infer(request: InferenceRequest): Promise<InferenceResult> {
    return this.#modelFor(request).infer(request)
  }

  get waiting(): number {
    return this.#models().reduce((sum, { waiting }) => sum + waiting, 0)
  }

  endSequence(id: string): void {
    for (const model of this.#models()) model.endSequence(id)
  }

  statistics(): ModelStatistics {
    const models = this.#models().map((model) => model.statistics())
    const sum = (count: (one: ModelStatistics) => number): number => models.reduce((all, one) => all + count(one), 0)
    return this.recorder.read({
      waiting: sum(({ waiting }) => waiting),
      computing: sum(({ computing }) => computing),
      sequences: sum(({ sequences }) => sequences),
    })
  }

  get entry(): RepositoryEntry {
    const { name, version, state, reason } = this
    return { name, version, state, reason }
  }

  /** From now on requests go to `model`. */
  replace(model: LoadedModel): void {
    const before = this.#current
    this.#current = model
    this.#last = model.signature
    this.state = 'READY'
    this.reason = ''
    if (before) void this.#retire(before)
  }

  /** Takes no more requests; settles when the accepted ones are answered and everything is freed. */
  async unload(): Promise<void> {
    const before = this.#current
    this.#current = undefined
    this.identity = undefined
    this.state = 'UNLOADING'
    this.reason = ''
    this.#ending = true
    if (before) void this.#retire(before)
    await Promise.all(this.#retired.values())
    this.#ending = false
    // It may have been loaded again meanwhile.
    if (this.#current !== undefined) return
    this.state = 'UNAVAILABLE'
    this.reason = 'unloaded'
  }

  /** Settles when everything accepted is answered. */
  async drained(): Promise<void> {
    await Promise.all(this.#models().map((model) => model.drained()))
  }

  /** Frees everything; what is not computed yet is answered with an error. */
  async dispose(): Promise<void> {
    this.#ending = true
    const models = this.#models()
    this.#current = undefined
    this.state = 'UNAVAILABLE'
    this.reason = 'unloaded'
    await Promise.all(models.map((model) => model.dispose()))
    await Promise.all(this.#retired.values())
  }

  /** The one that serves, and those that still have something to do. */
  #models(): LoadedModel[] {
    return [...(this.#current ? [this.#current] : []), ...this.#retired.keys()]
  }

  #modelFor({ sequence }: InferenceRequest): LoadedModel {
    if (sequence !== undefined) {
      const before = [...this.#retired.keys()].find((model) => model.hasSequence(sequence.id))
      // It goes on where it began; begun anew, it is the new network's.
      if (before && !sequence.start) return before
      before?.endSequence(sequence.id)
    }
    if (this.#current === undefined) throw this.#notServed()
    return this.#current
  }

  #retire(model: LoadedModel): Promise<void> {
    const end = async (): Promise<void> => {
      await model.drained()
      while (model.sequences > 0 && !this.#ending) {
        await sleep(SEQUENCE_CHECK)
        await model.drained()
      }
      await model.dispose()
      this.#retired.delete(model)
    }
    const ended = end()
    this.#retired.set(model, ended)
    return ended
  }

  #notServed(): ServeError {
    const message = `version ${this.version} of the model ${JSON.stringify(this.name)} is not served`
    return new ServeError(`${message}: ${this.reason || this.state.toLowerCase()}`, 'ERR_SERVE_MODEL')
  }
}
