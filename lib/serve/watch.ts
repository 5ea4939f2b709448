/**
 * Says when something in some folders may have changed. The system's notices come at once, but not from every file
 * system; so there is a look every few seconds too.
 */
import { type FSWatcher, watch } from 'node:fs'

export interface Watch {
  /** Also watches these; those that are gone are forgotten. */
  follow(folders: readonly string[]): void
  stop(): void
}

/** @param poll milliseconds between two looks */
export function watchFolders(poll: number, look: () => void): Watch {
  const watchers = new Map<string, FSWatcher>()
  // The look is cheap where nothing has changed: a few calls of stat.
  const timer = setInterval(look, poll)
  timer.unref()

  const forget = (folder: string): void => {
    watchers.get(folder)?.close()
    watchers.delete(folder)
  }
  return {
    follow(folders) {
      for (const folder of watchers.keys()) if (!folders.includes(folder)) forget(folder)
      for (const folder of folders) {
        if (watchers.has(folder)) continue
        try {
          const watcher = watch(folder, { persistent: false }, look)
          // Too many watches, or the folder is gone: what the interval is for.
          watcher.on('error', () => forget(folder))
          watchers.set(folder, watcher)
        } catch {
          // The same.
        }
      }
    },
    stop() {
      clearInterval(timer)
      for (const folder of [...watchers.keys()]) forget(folder)
    },
  }
}
