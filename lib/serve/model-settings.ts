/** How a model is served: what the service was told, and over that what the model's own `config.json` says. */
import { readFile } from 'node:fs/promises'
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
 * What a model's `config.json` may say; all of it can be left out.
 *
 *     { "versions": "all", "batching": { "maximumSize": 32, "maximumDelayMilliseconds": 2 }, "labels": ["cat", "dog"] }
 */
export interface ModelConfig extends Serving {
  /** Versions to serve: the newest (default), the newest n, all, or these. */
  readonly versions?: 'latest' | 'all' | { readonly latest: number } | readonly number[]
  /** Networks that take batches in turn. Default 1. */
  readonly instances?: number
  readonly batching?: {
    /** Samples computed at once. Default 64. */
    readonly maximumSize?: number
    /** How long a request waits for company under load. Default 1. */
    readonly maximumDelayMilliseconds?: number
  }
  /** Requests that may wait; more are refused. Default 1024. */
  readonly queue?: number
  /** From a request's arrival to its answer. Default 30,000. */
  readonly timeoutMilliseconds?: number
  readonly sequences?: {
    /** Sequences at a time; more are refused. Default 256. */
    readonly maximum?: number
    /** Without a request for this long, a sequence is forgotten. Default 60. */
    readonly idleSeconds?: number
  }
}

/**
 * Reads a {@link ModelConfig}.
 *
 * @param wrong makes the error out of what is wrong: "it has no option ..."
 * @param classes K of the network; undefined where it is not known yet
 * @throws what `wrong` makes
 */
export function readSettings(
  json: unknown,
  defaults: ModelSettings,
  wrong: (message: string) => Error,
  classes?: number | null,
): ModelSettings {
  const reader = (owner: string, value: unknown): OptionReader => optionReader(owner, value, wrong)
  const read = reader('it', json)
  const batching = reader('batching', read.raw('batching') ?? {})
  const sequences = reader('sequences', read.raw('sequences') ?? {})
  const serving = readServing(read, 'its', classes, wrong)
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
    serving: { ...defaults.serving, ...serving },
  }
  for (const part of [batching, sequences, read]) part.end()
  return settings
}

/** How a model is served, once it is known how many classes it has. */
export type SettingsFor = (classes: number | null | undefined) => ModelSettings

/**
 * Reads `config.json`, if there is one.
 *
 * @throws ServeError `ERR_SERVE_CONFIG`
 */
export async function readModelConfig(path: string | undefined, defaults: ModelSettings): Promise<SettingsFor> {
  if (path === undefined) return () => defaults
  const wrong = (what: string): ServeError => new ServeError(`${path} is not usable: ${what}`, 'ERR_SERVE_CONFIG')
  let json: unknown
  try {
    json = JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw wrong(error instanceof SyntaxError ? 'it is not JSON' : (error as Error).message)
  }
  const settings: SettingsFor = (classes) => readSettings(json, defaults, wrong, classes)
  settings(undefined)
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
