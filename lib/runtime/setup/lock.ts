/**
 * One setup or build at a time: a file that holds its owner's process id, as scripts/lock.mjs has it. A lock whose owner is
 * gone is taken over.
 */
import { readFileSync } from 'node:fs'
import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AbortedError } from '../../errors.js'
import { diskError } from './setup-error.js'

export interface LockOptions {
  readonly note: (text: string) => void
  readonly signal?: AbortSignal | undefined
  /** Milliseconds between two looks. */
  readonly pause?: number
}

/** Runs `work` while holding `file`; waits for whoever holds it and says so, to `work` as well. @throws AbortedError, SetupError `ERR_SETUP_DISK` */
export async function withLock<Result>(
  file: string,
  work: (waited: boolean) => Promise<Result>,
  options: LockOptions,
): Promise<Result> {
  const waited = await acquire(file, options)
  try {
    return await work(waited)
  } finally {
    await rm(file, { force: true })
  }
}

async function acquire(file: string, { note, signal, pause = 500 }: LockOptions): Promise<boolean> {
  let told = false
  try {
    await mkdir(path.dirname(file), { recursive: true })
    while (!(await tryCreate(file))) {
      if (signal?.aborted) throw new AbortedError('setup was stopped', {}, signal.reason)
      const owner = await ownerOf(file)
      if (owner.gone) {
        await removeStale(file, owner.text)
        continue
      }
      if (!told) note(`waiting for process ${owner.text}, which holds ${file}`)
      told = true
      await sleep(pause, undefined, signal ? { signal } : {}).catch(() => undefined)
    }
    return told
  } catch (error) {
    throw diskError(error, path.dirname(file))
  }
}

/** The file appears with its content at once: linked, or created and written where there are no links. */
async function tryCreate(file: string): Promise<boolean> {
  const own = `${file}.${process.pid}-${Math.random().toString(36).slice(2)}`
  try {
    await writeFile(own, String(process.pid), { flag: 'wx' })
    await link(own, file)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error
    return await writeFile(file, String(process.pid), { flag: 'wx' }).then(
      () => true,
      (failed: NodeJS.ErrnoException) => (failed.code === 'EEXIST' ? false : Promise.reject(failed)),
    )
  } finally {
    await rm(own, { force: true })
  }
}

interface Owner {
  readonly text: string
  readonly gone: boolean
}

async function ownerOf(file: string): Promise<Owner> {
  try {
    const text = await readFile(file, 'utf8')
    const { mtimeMs } = await stat(file)
    // One that creates and then writes (scripts/lock.mjs) may be in between.
    if (text === '') return { text, gone: Date.now() - mtimeMs > 2000 }
    return { text, gone: !holds(Number(text), mtimeMs) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { text: '', gone: true }
    throw error
  }
}

/** Whether the process that wrote the lock lives: one that began after the lock was written has only got the same number. */
function holds(pid: number, written: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const state = stateOf(pid)
  return state === null || (!state.ended && state.began < written + 2000)
}

export interface ProcessState {
  /** Ended, and only waiting for its parent to notice. */
  readonly ended: boolean
  /** Milliseconds since 1970. */
  readonly began: number
}

/** What Linux says of a process (it counts hundredths of a second since it booted); null where nothing tells. */
export function stateOf(pid: number): ProcessState | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const booted = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1])
    const began = booted * 1000 + Number(fields[19]) * 10
    return Number.isFinite(began) ? { ended: fields[0] === 'Z' || fields[0] === 'X', began } : null
  } catch {
    return null
  }
}

/** Moved away first: what another process has put there meanwhile goes back. */
async function removeStale(file: string, stale: string): Promise<void> {
  const away = `${file}.${process.pid}-stale`
  try {
    await rename(file, away)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if ((await readFile(away, 'utf8').catch(() => stale)) !== stale) await link(away, file).catch(() => undefined)
  await rm(away, { force: true })
}
