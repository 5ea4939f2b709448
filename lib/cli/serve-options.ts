/** The options of `spikingrx serve`, and what they mean for repository and server. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SpikingRxError } from '../errors.js'
import { packageFolder } from '../runtime/files.js'
import { defaultSettings, type ModelSettings } from '../serve/model-settings.js'
import type { ServerOptions } from '../serve/server.js'
import { UsageError } from './failure.js'
import * as options from './options.js'

const { batching, queue, timeout, instances } = defaultSettings

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

export const definitions = {
  demo: { kind: 'flag', help: 'serve the digit network that comes with the package' },
  host: {
    kind: 'text',
    value: 'ADDRESS',
    help: 'where to listen (default 127.0.0.1: this machine alone; 0.0.0.0: every network)',
  },
  port: { kind: 'integer', min: 0, max: 65_535, help: 'port to listen at (default 8000; 0: any that is free)' },
  device: options.device,
  threads: {
    ...options.threads,
    help: 'threads to compute with (default: one less than there are processor cores, at least one)',
  },
  instances: {
    kind: 'integer',
    min: 1,
    max: 64,
    help: `networks of each model that take batches in turn (default ${instances})`,
  },
  'max-batch': {
    kind: 'integer',
    min: 1,
    max: 65_536,
    help: `samples computed at once (default ${batching.maximumSize})`,
  },
  'max-delay': {
    kind: 'number',
    min: 0,
    max: 60_000,
    value: 'MS',
    help: `milliseconds that a request waits for others under load (default ${batching.maximumDelay})`,
  },
  queue: { kind: 'integer', min: 1, max: 1_000_000, help: `requests of a model that may wait (default ${queue})` },
  timeout: {
    kind: 'integer',
    min: 1,
    max: 86_400_000,
    value: 'MS',
    help: `milliseconds after which a request is given up (default ${timeout})`,
  },
  'model-control': { kind: 'flag', help: 'let clients load and unload models' },
  poll: {
    kind: 'number',
    min: 0,
    max: 86_400,
    value: 'SECONDS',
    help: 'how often to look for changed models (default 2; 0: never)',
  },
  'token-file': {
    kind: 'text',
    value: 'FILE',
    help: 'bearer tokens, one a line, one of which each request must carry (default: everyone may ask)',
  },
  'tls-key': { kind: 'text', value: 'FILE', help: 'private key in PEM: serve HTTPS' },
  'tls-cert': { kind: 'text', value: 'FILE', help: 'its certificates in PEM' },
  cors: {
    kind: 'text',
    value: 'ORIGINS',
    help: 'origins, separated by commas, whose pages may call the service (default: none)',
  },
  'log-level': {
    kind: 'choice',
    choices: LEVELS,
    help: 'what to log, as JSON lines on stderr (default: info; warn at a terminal)',
  },
  drain: {
    kind: 'number',
    min: 0,
    max: 86_400,
    value: 'SECONDS',
    help: 'time to answer what was accepted, when asked to stop (default 20)',
  },
} as const satisfies options.Options

export type ServeValues = options.Values<typeof definitions>

/** The folder or file to serve. @throws UsageError */
export function repositoryPath(given: string | undefined, demo: boolean): string {
  if (demo && given !== undefined) throw new UsageError('takes a folder or --demo, not both')
  if (demo) return join(packageFolder, 'models', 'demo')
  if (given === undefined) throw new UsageError('needs a folder of models, or --demo')
  return given
}

/** How models are served that do not say otherwise. */
export function modelSettings(values: ServeValues, device: string): ModelSettings {
  return {
    ...defaultSettings,
    device,
    instances: values.instances ?? instances,
    batching: {
      maximumSize: values['max-batch'] ?? batching.maximumSize,
      maximumDelay: values['max-delay'] ?? batching.maximumDelay,
    },
    queue: values.queue ?? queue,
    timeout: values.timeout ?? timeout,
  }
}

/** @throws UsageError, SpikingRxError `ERR_SERVE_CONFIG` for a file that can't be read */
export async function serverOptions(values: ServeValues): Promise<Omit<ServerOptions, 'repository'>> {
  const { 'tls-key': key, 'tls-cert': cert, 'token-file': tokens, cors, host, port } = values
  if ((key === undefined) !== (cert === undefined)) throw new UsageError('--tls-key and --tls-cert go together')
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    control: values['model-control'],
    logger: { level: values['log-level'] ?? (process.stderr.isTTY ? 'warn' : 'info'), stream: process.stderr },
    ...(tokens === undefined ? {} : { tokens: await readTokens(tokens) }),
    ...(cors === undefined ? {} : { origins: cors.split(',').map((origin) => origin.trim()) }),
    ...(key === undefined || cert === undefined
      ? {}
      : { tls: { key: await readOption('tls-key', key), cert: await readOption('tls-cert', cert) } }),
  }
}

async function readTokens(path: string): Promise<string[]> {
  const lines = (await readOption('token-file', path)).split('\n').map((line) => line.trim())
  const tokens = lines.filter((line) => line !== '' && !line.startsWith('#'))
  if (tokens.length === 0) throw new SpikingRxError(`--token-file: ${path} holds no token`, 'ERR_SERVE_CONFIG')
  return tokens
}

async function readOption(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new SpikingRxError(`--${option}: ${path} can't be read (${code})`, 'ERR_SERVE_CONFIG', { path }, error)
  }
}
