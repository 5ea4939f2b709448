/** The settings of a training run, as `config.json` in its folder holds them: all that `--resume` needs. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SpikingRxError } from '../errors.js'
import { replaceFile } from '../io/replace-file.js'
import type { SpecJson } from '../model/spec.js'
import type { OptimizerDescription } from '../train/optimizers.js'
import type { ScheduleDescription } from '../train/schedules.js'
import { MODELS, type ModelName } from './architectures.js'
import { COLLECTIONS, type CollectionName } from './collections.js'

const FORMAT = 1

export interface RunConfig {
  readonly format: typeof FORMAT
  readonly dataset: CollectionName
  readonly model: ModelName
  readonly epochs: number
  readonly batchSize: number
  readonly learningRate: number
  readonly steps: number
  readonly seed: number
  /** As asked for: `'auto'` may be another device on another machine. */
  readonly device: string
  /** The same number gives the same bits. */
  readonly threads: number
  /** Folder of the data set; null: the usual places. */
  readonly data: string | null
  /** How many of the images are used; null: all. */
  readonly limit: number | null
  readonly optimizer: OptimizerDescription
  readonly schedule: ScheduleDescription
  readonly spec: SpecJson
  /** ISO 8601. */
  readonly created: string
  readonly versions: Readonly<Record<'spikingrx' | 'libtorch' | 'node', string>>
}

export function configPath(directory: string): string {
  return join(directory, 'config.json')
}

export async function writeConfig(directory: string, config: RunConfig): Promise<void> {
  await replaceFile(configPath(directory), (file) => file.writeFile(`${JSON.stringify(config, null, 2)}\n`))
}

/**
 * Reads the settings of a run. Network, optimiser and schedule are checked by those who use them.
 *
 * @returns undefined when the folder holds no run
 * @throws SpikingRxError `ERR_RUN_CONFIG` when the file is not what `writeConfig` wrote
 */
export async function readConfig(directory: string): Promise<RunConfig | undefined> {
  const path = configPath(directory)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw damaged(path, 'it cannot be read', error)
  }
  return checkConfig(path, parse(path, text))
}

function parse(path: string, text: string): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(text)
    if (typeof json === 'object' && json !== null) return json as Record<string, unknown>
  } catch (error) {
    throw damaged(path, 'it is not JSON', error)
  }
  throw damaged(path, 'it is not an object')
}

function checkConfig(path: string, json: Readonly<Record<string, unknown>>): RunConfig {
  const fail = (name: string): never => {
    throw damaged(path, `its ${name} is not usable`)
  }
  const whole = (name: string, least: number): void => {
    const value = json[name]
    if (!Number.isSafeInteger(value) || (value as number) < least) fail(name)
  }
  if (json.format !== FORMAT) fail('format')
  if (!COLLECTIONS.some((name) => name === json.dataset)) fail('dataset')
  if (!MODELS.some((name) => name === json.model)) fail('model')
  for (const name of ['epochs', 'batchSize', 'steps', 'threads']) whole(name, 1)
  whole('seed', 0)
  if (json.limit !== null) whole('limit', 1)
  if (typeof json.learningRate !== 'number') fail('learningRate')
  for (const name of ['device', 'created']) if (typeof json[name] !== 'string') fail(name)
  if (json.data !== null && typeof json.data !== 'string') fail('data')
  for (const name of ['optimizer', 'schedule', 'spec', 'versions']) {
    if (typeof json[name] !== 'object' || json[name] === null) fail(name)
  }
  return json as unknown as RunConfig
}

function damaged(path: string, what: string, cause?: unknown): SpikingRxError {
  return new SpikingRxError(`${path} is not the settings of a run: ${what}`, 'ERR_RUN_CONFIG', { path }, cause)
}
