/** How a model is served: what the service was told, and over that what the model's own `config.json` says. */
import { readServing, type Serving } from '../io/serving.js'
import { type OptionReader, optionReader } from '../model/options.js'
import { ServeError } from './errors.js'

/** Which versions in a model's folder are served: the newest n, all, or these. */
export type VersionPolicy = { readonly latest: number } | 'all' | readonly number[]

export interface ModelSettings {
  /** As the native core names it. */
  readonly device: string
  /** Networks that compute batches at the same time. */
  readonly instances: number
  readonly batching: {
    /** Samples in a batch. */
    readonly maximumSize: number
    /** Milliseconds that a request waits for company. */
    readonly maximumDelay: number
  }
  /** Requests that may wait. */
  readonly queue: number
  /** Milliseconds from a request's arrival to its answer. */
  readonly timeout: number
  readonly sequences: {
    readonly maximum: number
    /** Milliseconds. */
    readonly idle: number
  }
  readonly versions: VersionPolicy
  /** In place of what the checkpoint says. */
  readonly serving: Serving
}

export const defaultSettings: ModelSettings = {
  device: 'cpu',
  instances: 1,
  batching: { maximumSize: 64, maximumDelay: 1 },
  queue: 1024,
  timeout: 30_000,
  sequences: { maximum: 256, idle: 60_000 },
  versions: { latest: 1 },
  serving: {},
}

/**
 * Reads `config.json`:
 *
 *     { "versions": "all", "instances": 2, "batching": { "maximumSize": 32, "maximumDelayMilliseconds": 2 },
 *       "queue": 256, "timeoutMilliseconds": 1000, "sequences": { "maximum": 64, "idleSeconds": 30 },
 *       "input": { "name": "image", "datatype": "UINT8" }, "outputs": { "scores": "digits" }, "labels": ["0", "1"] }
 *
 * @param classes K of the network; undefined where it is not known yet
 * @throws ServeError `ERR_SERVE_CONFIG`
 */
export function readSettings(
  path: string,
  json: unknown,
  defaults: ModelSettings,
  classes?: number | null,
): ModelSettings {
  const failure = (message: string): ServeError => new ServeError(`${path} ${message}`, 'ERR_SERVE_CONFIG', { path })
  const reader = (name: string, value: unknown): OptionReader =>
    optionReader(name, value, (message) => failure(message))
  const read = reader('is not usable: it', json)
  const batching = reader('is not usable: batching', read.raw('batching') ?? {})
  const sequences = reader('is not usable: sequences', read.raw('sequences') ?? {})
  const settings: ModelSettings = {
    device: defaults.device,
    instances: read.integer('instances', { min: 1, max: 64 }, defaults.instances),
    batching: {
      maximumSize: batching.integer('maximumSize', { min: 1, max: 65_536 }, defaults.batching.maximumSize),
      maximumDelay: batching.number(
        'maximumDelayMilliseconds',
        { min: 0, max: 60_000 },
        defaults.batching.maximumDelay,
      ),
    },
    queue: read.integer('queue', { min: 1, max: 1_000_000 }, defaults.queue),
    timeout: read.integer('timeoutMilliseconds', { min: 1, max: 86_400_000 }, defaults.timeout),
    sequences: {
      maximum: sequences.integer('maximum', { min: 0, max: 1_000_000 }, defaults.sequences.maximum),
      idle: 1000 * sequences.number('idleSeconds', { above: 0, max: 86_400 }, defaults.sequences.idle / 1000),
    },
    versions: readVersions(read, defaults.versions),
    serving: { ...defaults.serving, ...readServing(read, 'is not usable', classes, (message) => failure(message)) },
  }
  for (const part of [batching, sequences, read]) part.end()
  return settings
}

function readVersions(read: OptionReader, otherwise: VersionPolicy): VersionPolicy {
  const value = read.raw('versions')
  if (value === undefined) return otherwise
  if (value === 'latest') return { latest: 1 }
  if (value === 'all') return 'all'
  const number = (one: unknown): boolean => typeof one === 'number' && Number.isSafeInteger(one) && one > 0
  if (Array.isArray(value) && value.length > 0 && value.every(number)) return value as number[]
  if (typeof value === 'object' && value !== null && number(Reflect.get(value, 'latest'))) {
    return { latest: Number(Reflect.get(value, 'latest')) }
  }
  return read.fail('needs versions to be "latest", { "latest": 2 }, "all" or a list such as [1, 3]', 'ERR_TYPE')
}
