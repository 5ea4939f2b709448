/**
 * The models of a folder, kept as the folder is: found, loaded, replaced when their files are, unloaded when these go.
 * All changes are made one after the other; requests go on meanwhile.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { readCheckpoint } from '../io/checkpoint.js'
import { classCount } from '../io/serving.js'
import { ServeError } from './errors.js'
import { ModelEntry } from './model-entry.js'
import { defaultSettings, type ModelSettings, readModelConfig, type SettingsFor } from './model-settings.js'
import { ModelVersion } from './model-version.js'
import { type FoundFile, type FoundModel, type FoundModels, scanRepository } from './repository-folder.js'
import { LoadedModel } from './served-model.js'
import type { ModelRepository, RepositoryEntry, ServedModel } from './service.js'
import { wantedVersions } from './versions.js'
import { type Watch, watchFolders } from './watch.js'

/** Told what happens to models. */
export type RepositoryLog = (
  level: 'info' | 'warn' | 'error',
  message: string,
  details: { readonly model: string; readonly version?: string; readonly code?: string },
) => void

export interface RepositoryOptions {
  /** How models are served that do not say otherwise in their `config.json`. */
  readonly settings?: Partial<ModelSettings>
  /** Milliseconds between two looks at the folder; 0: it is looked at when asked to load. Default 2000. */
  readonly poll?: number
  /** Milliseconds that a changed file must stay as it is before it is loaded. Default 250. */
  readonly settle?: number
  readonly log?: RepositoryLog
}

export class FolderRepository implements ModelRepository {
  readonly path: string
  readonly #options: Required<RepositoryOptions>
  readonly #settings: ModelSettings
  readonly #entries = new Map<string, ModelEntry>()
  /** Found at the start and not served yet. */
  readonly #awaited = new Set<string>()
  /** Versions that still answer what they have accepted. */
  readonly #leaving = new Map<ModelVersion, Promise<void>>()
  #changes: Promise<unknown> = Promise.resolve()
  #watch: Watch | undefined
  #lookPlanned = false
  #started = false
  #closed = false

  constructor(path: string, options: RepositoryOptions = {}) {
    this.path = path
    this.#options = { settings: {}, poll: 2000, settle: 250, log: () => undefined, ...options }
    this.#settings = { ...defaultSettings, ...this.#options.settings }
  }

  /** @throws ServeError `ERR_SERVE_REPOSITORY` when the folder can't be read */
  async check(): Promise<void> {
    await scanRepository(this.path)
  }

  /**
   * Loads every model that is found, then watches the folder. A model that can't be loaded is told in the index and the
   * log, and keeps the repository from being ready.
   *
   * @throws ServeError `ERR_SERVE_REPOSITORY` when the folder can't be read
   */
  async start(): Promise<void> {
    const found = await scanRepository(this.path)
    for (const name of found.models.keys()) this.#awaited.add(name)
    await this.#change(() => this.#apply(found, true))
    this.#started = true
    const { poll } = this.#options
    if (poll === 0 || this.#closed) return
    this.#watch = watchFolders(poll, () => this.#planLook())
    this.#watch.follow(found.folders)
  }

  get ready(): boolean {
    return this.#started && !this.#closed && this.#awaited.size === 0
  }

  model(name: string, version?: string): ServedModel {
    return this.#entry(name).served(version)
  }

  versions(name: string): readonly string[] {
    return this.#entry(name).servedVersions
  }

  index(): readonly RepositoryEntry[] {
    return [...this.#entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).flatMap((entry) => entry.index)
  }

  /** @throws ServeError `ERR_SERVE_MODEL` when there is none, `ERR_SERVE_LOAD` when it can't be loaded */
  async load(name: string): Promise<void> {
    await this.#change(async () => {
      const { models } = await scanRepository(this.path)
      const found = models.get(name)
      if (found === undefined) throw unknownModel(name)
      const entry = this.#entryFor(name)
      entry.wanted = true
      for (const version of entry.versions.values()) version.failed = undefined
      await this.#applyModel(entry, found, true)
      const served = entry.newestFirst
      const problem = entry.problem ?? served.find(({ failed }) => failed !== undefined)?.reason
      if (problem !== undefined || !served.some(({ ready }) => ready)) {
        const message = `the model ${JSON.stringify(name)} can't be loaded: ${problem ?? 'no version is there'}`
        throw new ServeError(message, 'ERR_SERVE_LOAD')
      }
    })
  }

  async unload(name: string): Promise<void> {
    const versions = await this.#change(async () => {
      const entry = this.#entry(name)
      entry.wanted = false
      this.#awaited.delete(name)
      return entry.newestFirst.map((version) => version.unload())
    })
    await Promise.all(versions)
    this.#options.log('info', `unloaded ${name}`, { model: name })
  }

  async close(deadline: number): Promise<void> {
    this.#closed = true
    this.#watch?.stop()
    const late = new AbortController()
    await Promise.race([
      Promise.all([...this.#allVersions(), ...this.#leaving.keys()].map((version) => version.drained())),
      sleep(deadline, undefined, { signal: late.signal }).catch(() => undefined),
    ])
    late.abort()
    // A load under way is waited for: what it made is freed too.
    await this.#changes
    await Promise.all([...this.#allVersions(), ...this.#leaving.keys()].map((version) => version.dispose()))
    await Promise.all(this.#leaving.values())
  }

  /** Looks at the folder now, as the watcher does; settles when what has changed is loaded. */
  async refresh(): Promise<void> {
    await this.#change(async () => {
      if (this.#closed) return
      const found = await scanRepository(this.path)
      await this.#apply(found, false)
      this.#watch?.follow(found.folders)
    })
  }

  /** A burst of notices is one look. */
  #planLook(delay = 20): void {
    if (this.#lookPlanned || this.#closed) return
    this.#lookPlanned = true
    setTimeout(() => {
      this.#lookPlanned = false
      this.refresh().catch((error) => this.#options.log('error', String((error as Error).message), { model: '' }))
    }, delay).unref()
  }

  #change<T>(body: () => Promise<T>): Promise<T> {
    const change = this.#changes.then(body)
    this.#changes = change.catch(() => undefined)
    return change
  }

  #entry(name: string): ModelEntry {
    const entry = this.#entries.get(name)
    if (entry !== undefined) return entry
    if (!this.#awaited.has(name)) throw unknownModel(name)
    throw new ServeError(`the model ${JSON.stringify(name)} is not served yet`, 'ERR_SERVE_NOT_READY')
  }

  #entryFor(name: string): ModelEntry {
    const entry = this.#entries.get(name) ?? new ModelEntry(name)
    this.#entries.set(name, entry)
    return entry
  }

  /** @param now load changed files at once, without waiting for them to settle */
  async #apply({ models }: FoundModels, now: boolean): Promise<void> {
    for (const found of models.values()) {
      const entry = this.#entryFor(found.name)
      if (entry.wanted) await this.#applyModel(entry, found, now)
    }
    for (const entry of this.#entries.values()) {
      if (!models.has(entry.name)) this.#remove(entry, now)
    }
  }

  async #applyModel(entry: ModelEntry, found: FoundModel, now: boolean): Promise<void> {
    const { log } = this.#options
    const config = await readModelConfig(found.config?.path, this.#settings).catch((error: Error) => error)
    if (config instanceof Error) {
      if (entry.problem !== config.message) log('error', config.message, { model: entry.name })
      entry.problem = config.message
      return
    }
    const settings = config(undefined)
    const { candidates, count, missing } = wantedVersions(settings.versions, found.versions.keys())
    entry.problem = missing.length > 0 ? `there is no version ${missing.join(', ')}` : undefined
    const kept = new Set<number>()
    for (const number of candidates) {
      if (kept.size === count || this.#closed) break
      const version = entry.versions.get(number) ?? new ModelVersion(entry.name, number)
      entry.versions.set(number, version)
      const file = found.versions.get(number)!
      const identity = `${file.identity} ${found.config?.identity ?? ''}`
      if (identity !== version.identity && identity !== version.failed && this.#settled(version, identity, now)) {
        await this.#load(version, file, identity, config)
      }
      if (version.ready) kept.add(number)
    }
    if (kept.size > 0) this.#awaited.delete(entry.name)
    for (const [number, version] of entry.versions) {
      // A version that could not be loaded stays in the index with its reason.
      if (kept.has(number) || (found.versions.has(number) && !version.ready)) continue
      // One file may take the place of another in two steps: gone for a moment is not gone.
      if (!found.versions.has(number) && !this.#settled(version, 'gone', now)) continue
      this.#drop(entry, number, version, kept.size > 0 || candidates.length === 0)
    }
  }

  /** Whether a file has stayed as it is for long enough; if not, there will be another look. */
  #settled(version: ModelVersion, identity: string, now: boolean): boolean {
    if (now) return true
    const { settle } = this.#options
    const time = performance.now()
    if (version.seen?.identity !== identity) version.seen = { identity, since: time }
    const left = version.seen.since + settle - time
    if (left > 0) this.#planLook(left)
    return left <= 0
  }

  async #load(version: ModelVersion, { path }: FoundFile, identity: string, settingsFor: SettingsFor): Promise<void> {
    const { log } = this.#options
    const details = { model: version.name, version: version.version }
    const again = version.ready
    if (!again) version.state = 'LOADING'
    const begin = performance.now()
    try {
      const checkpoint = await readCheckpoint(path)
      const settings = settingsFor(classCount(checkpoint.spec))
      version.replace(await LoadedModel.load(checkpoint, settings, version.recorder))
      version.identity = identity
      version.failed = undefined
      const took = Math.round(performance.now() - begin)
      log('info', `${again ? 'replaced' : 'loaded'} ${version.name} version ${version.version} in ${took} ms`, details)
    } catch (error) {
      const { message, code } = error as Error & { code?: string }
      version.failed = identity
      if (!again) version.state = 'UNAVAILABLE'
      version.reason = again ? `the new file is not served, the one before still is: ${message}` : message
      log('error', `${version.name} version ${version.version} can't be loaded: ${message}`, {
        ...details,
        ...(code === undefined ? {} : { code }),
      })
    }
  }

  #drop(entry: ModelEntry, number: number, version: ModelVersion, replaced: boolean): void {
    // Without another that serves, what serves goes on.
    if (!replaced) return
    entry.versions.delete(number)
    if (!version.ready) return
    const details = { model: entry.name, version: version.version }
    this.#options.log('info', `unloading ${entry.name} version ${version.version}`, details)
    this.#leave(version)
  }

  /** Unloads in the background; `close` waits for it. */
  #leave(version: ModelVersion): void {
    this.#leaving.set(
      version,
      version.unload().finally(() => this.#leaving.delete(version)),
    )
  }

  #allVersions(): ModelVersion[] {
    return [...this.#entries.values()].flatMap((entry) => entry.newestFirst)
  }

  #remove(entry: ModelEntry, now: boolean): void {
    if (!entry.newestFirst.every((version) => this.#settled(version, 'gone', now))) return
    for (const version of entry.versions.values()) {
      if (version.ready) this.#options.log('info', `unloading ${entry.name}: its files are gone`, { model: entry.name })
      this.#leave(version)
    }
    this.#entries.delete(entry.name)
    this.#awaited.delete(entry.name)
  }
}

function unknownModel(name: string): ServeError {
  return new ServeError(`there is no model ${JSON.stringify(name.slice(0, 100))}`, 'ERR_SERVE_MODEL')
}
