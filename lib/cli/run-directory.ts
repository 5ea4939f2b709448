/** Folders of training runs: `runs/<data set>-<model>-<date>-<time>`, or the one that `--out` names. */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { SpikingRxError } from '../errors.js'
import type { ModelName } from './architectures.js'
import { type CollectionName, networkName } from './collections.js'
import { type RunConfig, readConfig } from './run-config.js'

const RUNS = 'runs'

export interface StoredRun {
  readonly directory: string
  readonly config: RunConfig
}

/** Where the training checkpoints of a run lie. */
export function checkpointFolder(directory: string): string {
  return join(directory, 'checkpoints')
}

/**
 * Makes the folder of a new run.
 *
 * @throws SpikingRxError `ERR_RUN_EXISTS` when `out` holds a run already, `ERR_RUN_WRITE` when it can't be made
 */
export async function makeRunDirectory(
  out: string | undefined,
  collection: CollectionName,
  model: ModelName,
  now: Date,
): Promise<string> {
  if (out !== undefined) await refuseExistingRun(out)
  try {
    if (out === undefined) return await makeUnique(join(RUNS, `${networkName(collection, model)}-${stamp(now)}`))
    await mkdir(out, { recursive: true })
    return out
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const message = `the folder of the run can't be made: ${reason}`
    throw new SpikingRxError(message, 'ERR_RUN_WRITE', { directory: out ?? RUNS }, error)
  }
}

/** @throws SpikingRxError `ERR_RUN_EXISTS` */
export async function refuseExistingRun(directory: string): Promise<void> {
  if ((await readConfig(directory)) === undefined) return
  const message = `${directory} holds a run already: add --resume to go on with it, or name another folder`
  throw new SpikingRxError(message, 'ERR_RUN_EXISTS', { directory })
}

/**
 * The run to go on with: that in `out`, or the newest one of this data set and model.
 *
 * @throws SpikingRxError `ERR_RUN_MISSING` when there is none, `ERR_RUN_CONFIG` when that in `out` is damaged
 */
export async function findRun(
  out: string | undefined,
  collection: CollectionName,
  model: ModelName,
): Promise<StoredRun> {
  const found = out === undefined ? await newestRun(collection, model) : await storedRun(out)
  if (found !== undefined) return found
  const where = out === undefined ? `no run of ${model} on ${collection} lies in ${RUNS}/` : `${out} holds no run`
  throw new SpikingRxError(`${where}: start one without --resume`, 'ERR_RUN_MISSING', { directory: out ?? RUNS })
}

async function newestRun(collection: CollectionName, model: ModelName): Promise<StoredRun | undefined> {
  const runs: StoredRun[] = []
  for (const name of await names(RUNS)) {
    // One damaged folder must not hide the others.
    const run = await storedRun(join(RUNS, name)).catch(() => undefined)
    if (run?.config.dataset === collection && run.config.model === model) runs.push(run)
  }
  return runs.sort((a, b) => (a.config.created < b.config.created ? -1 : 1)).at(-1)
}

async function storedRun(directory: string): Promise<StoredRun | undefined> {
  const config = await readConfig(directory)
  return config && { directory, config }
}

async function names(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch {
    return []
  }
}

/** Makes `path`, or `path-2`, `path-3` where that is taken. */
async function makeUnique(path: string): Promise<string> {
  await mkdir(RUNS, { recursive: true })
  for (let attempt = 1; ; attempt++) {
    const candidate = attempt === 1 ? path : `${path}-${attempt}`
    try {
      await mkdir(candidate)
      return candidate
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt >= 100) throw error
    }
  }
}

/** Local time: 20261122-005512 */
function stamp(now: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`
  return `${date}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`
}
