import { basename } from 'node:path'

/** How to call this program again, as it would work in the shell it was called from. */
export function programName(): string {
  const called = basename(process.argv[1] ?? '')
  // Under npm and npx (`npm start`), or as a file of the package, nothing says that it is on the path.
  return called === 'spikingrx' && process.env.npm_lifecycle_event === undefined ? 'spikingrx' : 'npx spikingrx'
}

/** A path as it can be pasted into a shell. */
export function quoted(path: string): string {
  return /^[\w./@+=:-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
