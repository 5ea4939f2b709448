import { constants } from 'node:fs'
import { copyFile, mkdir, readdir, readlink, stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import { AbortedError } from '../../errors.js'
import type { Report } from './events.js'
import { diskError, SetupError } from './setup-error.js'

/** @throws SetupError `ERR_SETUP_DISK` when fewer than `bytes` are free where `folder` is or would be */
export async function requireSpace(folder: string, bytes: number, what: string): Promise<void> {
  const free = await freeBytes(folder)
  if (free === null || free >= bytes) return
  throw new SetupError(
    `${what} needs ${gigabytes(bytes)} in ${folder}, ${gigabytes(free)} are free. Free space or set XDG_CACHE_HOME to a folder on another disk`,
    'ERR_SETUP_DISK',
    { folder, needed: bytes, free },
  )
}

async function freeBytes(folder: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  } catch {
    const above = path.dirname(folder)
    return above === folder ? null : freeBytes(above)
  }
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(bytes < 1e10 ? 2 : 0)} GB`

interface Copied {
  readonly from: string
  readonly to: string
  readonly size: number
}

/** Every file below `from`, links followed: what is copied needs nothing that stays behind. */
async function filesBelow(from: string, to: string): Promise<Copied[]> {
  const found = await stat(from)
  if (found.isFile()) return [{ from, to, size: found.size }]
  const lists = (await readdir(from)).map(async (name) => {
    const one = path.join(from, name)
    // A link to a folder could lead round in circles, one to nothing is of no use.
    const link = await readlink(one).catch(() => null)
    if (
      link !== null &&
      !(await stat(one).then(
        (target) => target.isFile(),
        () => false,
      ))
    )
      return []
    return filesBelow(one, path.join(to, name))
  })
  return (await Promise.all(lists)).flat()
}

/**
 * Copies files and folders, sharing blocks where the file system can. Returns the bytes.
 *
 * @throws SetupError `ERR_SETUP_DISK`, AbortedError
 */
export async function copyTree(
  parts: readonly { readonly from: string; readonly to: string }[],
  name: string,
  report: Report,
  signal?: AbortSignal,
): Promise<number> {
  const files = (await Promise.all(parts.map(({ from, to }) => filesBelow(from, to)))).flat()
  const total = files.reduce((sum, { size }) => sum + size, 0)
  let done = 0
  for (const { from, to, size } of files) {
    if (signal?.aborted) throw new AbortedError('setup was stopped', {}, signal.reason)
    try {
      await mkdir(path.dirname(to), { recursive: true })
      await copyFile(from, to, constants.COPYFILE_FICLONE)
    } catch (error) {
      throw diskError(error, to)
    }
    done += size
    report({ type: 'progress', work: 'copy', name, done, total })
  }
  return total
}
