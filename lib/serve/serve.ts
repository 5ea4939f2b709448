/** The whole service in one call, and the repository alone for those who have a server. */
import { ArgumentError } from '../errors.js'
import { argumentReader } from '../model/arguments.js'
import { describe, type OptionReader } from '../model/options.js'
import { native } from '../runtime/addon.js'
import { type Device, resolveDevice } from '../runtime/device.js'
import { defaultSettings, type ModelConfig, type ModelSettings, readSettings } from './model-settings.js'
import { FolderRepository, type RepositoryLog } from './repository.js'
import { createServer, type Server, type ServerOptions } from './server.js'
import type { ModelRepository } from './service.js'

export interface ModelsOptions {
  /** Default `'auto'`: the first GPU where there is one, else the CPU. */
  readonly device?: Device
  /** Threads libtorch computes with, in the whole process. Default: left as it is. */
  readonly threads?: number
  /** How models are served that do not say otherwise in their own `config.json`; the same names as there. */
  readonly defaults?: ModelConfig
  /** Seconds between two looks for changed models; notices of the system are heard at once. 0: never. Default 2. */
  readonly poll?: number
  /** Told what is loaded, replaced, unloaded, and what can't be. */
  readonly log?: RepositoryLog
}

export interface ServeOptions extends Omit<ServerOptions, 'repository'>, Omit<ModelsOptions, 'log'> {
  /** Folder of models, or the file of one. */
  readonly models: string
}

export interface Service extends Server, AsyncDisposable {
  /** http://127.0.0.1:8000 */
  readonly address: string
  readonly repository: ModelRepository
}

/**
 * Loads every model of a folder (`<name>/<version>/model.safetensors`, `<name>.safetensors`), and watches it.
 *
 *     const repository = await openRepository('models')
 *     app.register(spikingrxPlugin, { prefix: '/snn', repository })
 *
 * A model that can't be loaded is told in `index()` and keeps `ready` false. `close` frees everything.
 *
 * @throws ServeError `ERR_SERVE_REPOSITORY` when the folder can't be read, ArgumentError, DeviceError
 */
export async function openRepository(models: string, options: ModelsOptions = {}): Promise<ModelRepository> {
  const read = argumentReader('openRepository', options)
  const { settings, poll, threads } = readModelsOptions(read)
  const log = readLog(read)
  read.end()
  if (threads !== undefined) await native().setThreads(threads)
  const repository = new FolderRepository(models, { settings, poll, ...(log === undefined ? {} : { log }) })
  await repository.start()
  return repository
}

/**
 * Serves the models of a folder by the Open Inference Protocol v2. It listens at once and is ready when every model is
 * loaded, which is when the promise settles.
 *
 *     await using service = await serve({ models: 'models', port: 8000 })
 *
 * @throws as {@link openRepository} and {@link createServer}; the error of `listen` when the port is taken
 */
export async function serve(options: ServeOptions): Promise<Service> {
  const read = argumentReader('serve', options)
  const { settings, poll, threads } = readModelsOptions(read)
  const models = read.raw('models')
  if (typeof models !== 'string') return read.fail(`needs models to be a path, got ${describe(models)}`, 'ERR_TYPE')
  const { models: _, device: __, threads: ___, defaults: ____, poll: _____, ...http } = options
  if (threads !== undefined) await native().setThreads(threads)

  let server: Server | undefined
  const repository = new FolderRepository(models, {
    settings,
    poll,
    log: (level, message, details) => server?.app.log[level](details, message),
  })
  const close = async (deadline = 10_000): Promise<void> => {
    const end = performance.now() + deadline
    await server?.close(deadline)
    await repository.close(Math.max(0, end - performance.now()))
  }
  try {
    await repository.check()
    server = await createServer({ ...http, repository })
    const address = await server.listen()
    await repository.start()
    return { ...server, address, repository, close, [Symbol.asyncDispose]: () => close() }
  } catch (error) {
    await close(0)
    throw error
  }
}

function readModelsOptions(read: OptionReader): { settings: ModelSettings; poll: number; threads: number | undefined } {
  const device = read.raw('device') ?? 'auto'
  if (typeof device !== 'string') return read.fail('needs device to be a string', 'ERR_TYPE')
  const threads = read.has('threads') ? read.integer('threads', { min: 1, max: 1024 }) : void read.raw('threads')
  const poll = 1000 * read.number('poll', { min: 0, max: 86_400 }, 2)
  const wrong = (message: string): Error => new ArgumentError(`defaults are not usable: ${message}`, 'ERR_ARGUMENT')
  const defaults = readSettings(read.raw('defaults') ?? {}, defaultSettings, wrong)
  return { settings: { ...defaults, device: resolveDevice(device).device }, poll, threads }
}

function readLog(read: OptionReader): RepositoryLog | undefined {
  const log = read.raw('log')
  if (log === undefined || typeof log === 'function') return log as RepositoryLog | undefined
  return read.fail(`needs log to be a function, got ${describe(log)}`, 'ERR_TYPE')
}
