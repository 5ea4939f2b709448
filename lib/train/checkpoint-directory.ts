/** The directory of a run's checkpoints: `checkpoint-<step>.safetensors`, the newest few. */
import { access, constants, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CheckpointError } from '../errors.js'
import { refuse } from '../io/refusal.js'

const FILE = /^checkpoint-(\d{1,15})\.safetensors$/
const UNFINISHED = /^\.checkpoint-\d{1,15}\.safetensors\..*\.tmp$/

interface CheckpointFile {
  readonly path: string
  readonly step: number
}

/** A checkpoint that could not be used. */
export interface SkippedCheckpoint {
  readonly path: string
  readonly code: string
  readonly message: string
}

/** Makes sure that checkpoints can be written. @throws CheckpointError `ERR_CHECKPOINT_WRITE` */
export async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true })
    await access(directory, constants.W_OK)
  } catch (error) {
    throw refuse(directory, 'ERR_CHECKPOINT_WRITE', "can't be used as a directory for checkpoints; name another", error)
  }
}

export function checkpointPath(directory: string, step: number): string {
  return join(directory, `checkpoint-${String(step).padStart(8, '0')}.safetensors`)
}

/** Checkpoints of a directory, newest first; none where there is no directory. */
export async function listCheckpoints(directory: string): Promise<CheckpointFile[]> {
  const names = await readNames(directory)
  return names
    .flatMap((name) => {
      const step = FILE.exec(name)?.[1]
      return step === undefined ? [] : [{ path: join(directory, name), step: Number(step) }]
    })
    .sort((a, b) => b.step - a.step)
}

/**
 * Removes all but the `keep` newest checkpoints up to `step`, and what a killed process left half written. Those beyond
 * `step`, the newest of this run, are damaged or of a run begun anew: a later resume must not take them for this run's.
 */
export async function pruneCheckpoints(directory: string, step: number, keep: number): Promise<void> {
  const all = await listCheckpoints(directory)
  const current = all.filter((file) => file.step <= step).slice(0, keep)
  for (const file of all) if (!current.includes(file)) await rm(file.path, { force: true })
  for (const name of await readNames(directory)) {
    if (UNFINISHED.test(name)) await rm(join(directory, name), { force: true })
  }
}

/**
 * Hands the checkpoints to `use`, newest first, until one is usable.
 *
 * @returns what `use` gave with the checkpoints passed over, or undefined when there are no checkpoints
 * @throws CheckpointError `ERR_CHECKPOINT_RUN` as it comes, because every older one belongs to that run too;
 * the newest one's error when there are checkpoints and none is usable
 */
export async function newestUsable<T>(
  directory: string,
  use: (path: string) => Promise<T>,
): Promise<{ readonly found: T; readonly path: string; readonly skipped: readonly SkippedCheckpoint[] } | undefined> {
  const skipped: SkippedCheckpoint[] = []
  let newest: CheckpointError | undefined
  for (const { path } of await listCheckpoints(directory)) {
    try {
      return { found: await use(path), path, skipped }
    } catch (error) {
      if (!(error instanceof CheckpointError) || error.code === 'ERR_CHECKPOINT_RUN') throw error
      newest ??= error
      skipped.push({ path, code: error.code, message: error.message })
    }
  }
  if (newest === undefined) return undefined
  const message = `none of the ${skipped.length} checkpoints in ${directory} is usable; the newest: ${newest.message}`
  throw new CheckpointError(message, newest.code, { directory, skipped }, newest)
}

async function readNames(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true })
    return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw refuse(directory, 'ERR_CHECKPOINT_READ', "can't be listed", error)
  }
}
