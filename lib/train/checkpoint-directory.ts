/** The directory of a run's checkpoints: `checkpoint-<step>.safetensors`, the newest few. */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CheckpointError } from '../errors.js'
import { refuse } from '../io/checkpoint.js'

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

/** @throws CheckpointError `ERR_CHECKPOINT_WRITE` */
export async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true })
  } catch (error) {
    throw refuse(directory, 'ERR_CHECKPOINT_WRITE', "can't be made a directory for checkpoints", error)
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

/** Removes all but the `keep` newest checkpoints, and what a killed process left half written. */
export async function pruneCheckpoints(directory: string, keep: number): Promise<void> {
  for (const { path } of (await listCheckpoints(directory)).slice(keep)) await rm(path, { force: true })
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
    return await readdir(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw refuse(directory, 'ERR_CHECKPOINT_READ', "can't be listed", error)
  }
}
