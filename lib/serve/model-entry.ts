import { ServeError } from './errors.js'
import type { ModelVersion } from './model-version.js'
import type { RepositoryEntry, ServedModel } from './service.js'

/** A model of a repository with those of its versions that are served, or should be. */
export class ModelEntry {
  readonly name: string
  /** False once it was unloaded by name: it stays so until it is loaded by name. */
  wanted = true
  readonly versions = new Map<number, ModelVersion>()
  /** What is wrong with the model as a whole. */
  problem: string | undefined

  constructor(name: string) {
    this.name = name
  }

  get newestFirst(): ModelVersion[] {
    return [...this.versions].sort(([a], [b]) => b - a).map(([, version]) => version)
  }

  get servedVersions(): string[] {
    return this.newestFirst
      .filter(({ ready }) => ready)
      .map(({ version }) => version)
      .reverse()
  }

  /** @throws ServeError `ERR_SERVE_MODEL`; `ERR_SERVE_NOT_READY` while it is being loaded */
  served(version: string | undefined): ServedModel {
    let newest: ModelVersion | undefined
    let number = 0
    for (const [other, one] of this.versions) {
      if (!one.ready || other < number || (version !== undefined && one.version !== version)) continue
      newest = one
      number = other
    }
    if (newest !== undefined) return newest
    const asked = this.newestFirst.filter((one) => version === undefined || one.version === version)
    const loading = asked.some(({ state }) => state === 'LOADING')
    const reason = asked.find((one) => one.reason !== '')?.reason ?? this.problem
    const which = version === undefined ? '' : `version ${JSON.stringify(version.slice(0, 20))} of `
    const why = loading ? ' yet' : reason === undefined ? '' : `: ${reason}`
    throw new ServeError(
      `${which}the model ${JSON.stringify(this.name)} is not served${why}`,
      loading ? 'ERR_SERVE_NOT_READY' : 'ERR_SERVE_MODEL',
    )
  }

  get index(): RepositoryEntry[] {
    const { name, problem } = this
    if (this.versions.size === 0) {
      return [{ name, version: '', state: 'UNAVAILABLE', reason: problem ?? 'no version is there' }]
    }
    return this.newestFirst.reverse().map(({ entry }) => ({ ...entry, reason: entry.reason || (problem ?? '') }))
  }
}
