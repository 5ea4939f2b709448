/** Options of the service's HTTP side, read and completed. */
import { ArgumentError } from '../errors.js'
import { argumentReader } from '../model/arguments.js'
import { describe, type OptionReader } from '../model/options.js'
import type { ModelRepository } from './service.js'

/** Bounds of WebSocket streams. */
export interface StreamLimits {
  /** Connections at once; more are refused with 503. Default 256. */
  readonly maximum?: number
  /** Frames of one connection that may wait; then it is not read until they have been computed. Default 16. */
  readonly pending?: number
  /** Bytes of one message. Default 16 MiB. */
  readonly messageBytes?: number
  /** Seconds without a sign of life after which a connection is closed. Default 60. */
  readonly idleSeconds?: number
}

export interface ProtocolOptions {
  /** What is served. */
  readonly repository: ModelRepository
  /** Offer the model repository extension: whoever may call it can load and unload models. Default false. */
  readonly control?: boolean
  /** Offer `/metrics`. Default true. */
  readonly metrics?: boolean
  /** Offer `/openapi.json` and `/docs`. Default true. */
  readonly documents?: boolean
  /** Offer the landing page at `/`. Default true. */
  readonly page?: boolean
  /** Bearer tokens, one of which every request must carry. Default none: everyone may ask. */
  readonly tokens?: readonly string[]
  /** Answer health requests without a token. Default true. */
  readonly publicHealth?: boolean
  /** Origins whose pages may call the service from a browser, or `['*']`. Default none. */
  readonly origins?: readonly string[]
  /** Bytes of a request's body, before and after decompression. Default 64 MiB. */
  readonly bodyBytes?: number
  readonly streams?: StreamLimits
  /** Whether the server takes work: false while it shuts down. Default: always. */
  readonly accepting?: () => boolean
}

/** The same with every default filled in. */
export interface ProtocolSettings {
  readonly repository: ModelRepository
  readonly control: boolean
  readonly metrics: boolean
  readonly documents: boolean
  readonly page: boolean
  readonly tokens: readonly string[]
  readonly publicHealth: boolean
  readonly origins: readonly string[]
  readonly bodyBytes: number
  readonly streams: Required<StreamLimits>
  readonly accepting: () => boolean
}

const MiB = 1024 * 1024

/**
 * Reads the options that plugin and server share; the reader's `end` is left to the caller.
 *
 * @throws ArgumentError `ERR_TYPE` or `ERR_RANGE`
 */
export function readProtocolOptions(read: OptionReader): ProtocolSettings {
  const accepting = read.raw('accepting') ?? (() => true)
  if (typeof accepting !== 'function') read.fail('needs accepting to be a function', 'ERR_TYPE')
  return {
    repository: readRepository(read),
    control: read.flag('control', false),
    metrics: read.flag('metrics', true),
    documents: read.flag('documents', true),
    page: read.flag('page', true),
    tokens: readTokens(read),
    publicHealth: read.flag('publicHealth', true),
    origins: readTexts(read, 'origins'),
    bodyBytes: read.integer('bodyBytes', { min: 1024, max: 2 ** 31 - 1 }, 64 * MiB),
    streams: readStreams(read.raw('streams') ?? {}),
    accepting: accepting as () => boolean,
  }
}

/** Options of the plugin. @throws ArgumentError `ERR_TYPE` or `ERR_RANGE` */
export function pluginSettings(options: ProtocolOptions & { readonly prefix?: string }): ProtocolSettings {
  const read = argumentReader('spikingrxPlugin', options)
  const settings = readProtocolOptions(read)
  for (const name of ['prefix', 'logLevel', 'logSerializers']) read.raw(name) // Fastify's own
  read.end()
  return settings
}

function readRepository(read: OptionReader): ModelRepository {
  const value = read.raw('repository') as ModelRepository | undefined
  if (typeof value?.model === 'function' && typeof value.index === 'function') return value
  return read.fail(`needs repository to be a model repository, got ${describe(value)}`, 'ERR_TYPE')
}

function readTexts(read: OptionReader, name: string): readonly string[] {
  const values: unknown = read.raw(name) ?? []
  if (Array.isArray(values) && values.every((value) => typeof value === 'string' && value !== '')) return values
  return read.fail(`needs ${name} to be an array of texts, got ${describe(values)}`, 'ERR_TYPE')
}

/** What fits an Authorization header (RFC 6750). */
function readTokens(read: OptionReader): readonly string[] {
  const tokens = readTexts(read, 'tokens')
  if (tokens.every((token) => /^[A-Za-z0-9._~+/-]+=*$/.test(token))) return tokens
  throw new ArgumentError('a token may be made of letters, digits and ._~+/- with = at its end', 'ERR_RANGE')
}

function readStreams(options: unknown): Required<StreamLimits> {
  const read = argumentReader('streams', options)
  const limits = {
    maximum: read.integer('maximum', { min: 0 }, 256),
    pending: read.integer('pending', { min: 1 }, 16),
    messageBytes: read.integer('messageBytes', { min: 1024, max: 2 ** 31 - 1 }, 16 * MiB),
    idleSeconds: read.number('idleSeconds', { above: 0 }, 60),
  }
  read.end()
  return limits
}
