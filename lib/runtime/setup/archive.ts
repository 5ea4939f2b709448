/** Wheels and zips: what they hold, one small file out of them, and unpacking that trusts nothing they say. */
import { createWriteStream } from 'node:fs'
import { mkdir, realpath, stat, symlink } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { crc32 } from 'node:zlib'
import { type Entry, openPromise, type ZipFile } from 'yauzl'
import { AbortedError } from '../../errors.js'
import type { Report } from './events.js'
import { diskError, SetupError } from './setup-error.js'

/** Above what any libtorch has: 12,000 files, 5 GB, deflated to a fifth. */
const LIMITS = { entries: 200_000, bytes: 40 * 2 ** 30, ratio: 100, linkLength: 4096 }

const TYPE_MASK = 0o170000
const REGULAR = 0o100000
const DIRECTORY = 0o040000
const LINK = 0o120000

interface Item {
  readonly entry: Entry
  /** Where it goes, relative to the folder; null for what is left out. */
  readonly path: string
  readonly kind: 'file' | 'folder' | 'link'
}

export interface UnpackOptions {
  readonly report: Report
  readonly signal?: AbortSignal | undefined
  /** Another place for an entry, relative to the folder, or null to leave it out. */
  readonly place?: (name: string) => string | null
}

/**
 * Unpacks an archive into an existing folder.
 *
 * Refused before anything is written: names that leave the folder (`..`, absolute, backslashes), devices, two entries of one
 * name, encryption, more bytes than the limits or declared sizes that deflate can't reach. While writing: an entry longer
 * than it said, or of another CRC-32. Links must stay inside and are made last, so that no entry is written through one.
 *
 * @returns bytes written
 * @throws SetupError `ERR_SETUP_ARCHIVE`, `ERR_SETUP_DISK`; AbortedError
 */
export async function unpack(archive: string, folder: string, options: UnpackOptions): Promise<number> {
  const { report, signal, place = (name) => name } = options
  const zip = await open(archive)
  try {
    const items = await readItems(zip, archive, place)
    const total = items.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0)
    const name = path.basename(archive)
    let done = 0
    const progress = (bytes: number) => {
      done += bytes
      report({ type: 'progress', work: 'unpack', name, done, total })
    }
    const made = new Set<string>()
    const parent = async (file: string) => {
      const one = path.dirname(file)
      if (!made.has(one)) await mkdir(one, { recursive: true })
      made.add(one)
    }
    for (const item of items) {
      if (signal?.aborted) throw new AbortedError('setup was stopped', {}, signal.reason)
      const target = path.join(folder, item.path)
      if (item.kind === 'folder') await mkdir(target, { recursive: true })
      if (item.kind !== 'file') continue
      await parent(target)
      await writeEntry(zip, item.entry, target, archive, progress, signal)
    }
    const links = items.filter(({ kind }) => kind === 'link')
    for (const { entry, path: at } of links) {
      const target = path.join(folder, at)
      await parent(target)
      await symlink(await readLink(zip, entry, at, archive), target)
    }
    // A link may pass through another: only the file system knows where that ends.
    const inside = `${await realpath(folder)}${path.sep}`
    for (const { path: at } of links) {
      const reached = await realpath(path.join(folder, at)).catch(() => '')
      if (!reached.startsWith(inside)) throw outside(archive, at)
    }
    return total
  } catch (error) {
    if (signal?.aborted) throw new AbortedError('setup was stopped', {}, signal.reason)
    throw asArchiveError(error, archive, folder)
  } finally {
    zip.close()
  }
}

/** Bytes that unpacking takes, and the names inside. @throws SetupError `ERR_SETUP_ARCHIVE` */
export async function inspect(archive: string): Promise<{ names: readonly string[]; bytes: number }> {
  const zip = await open(archive)
  try {
    const items = await readItems(zip, archive, (name) => name)
    return {
      names: items.map((item) => item.path),
      bytes: items.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0),
    }
  } catch (error) {
    throw asArchiveError(error, archive, path.dirname(archive))
  } finally {
    zip.close()
  }
}

/** The text of the first entry whose name fits, or null. For small files. @throws SetupError `ERR_SETUP_ARCHIVE` */
export async function readEntryText(archive: string, wanted: RegExp): Promise<string | null> {
  const zip = await open(archive)
  try {
    for await (const entry of zip.eachEntry()) {
      if (!wanted.test(entry.fileName)) continue
      if (entry.uncompressedSize > 16 << 20) return null
      return (await readEntry(zip, entry, archive)).toString('utf8')
    }
    return null
  } catch (error) {
    throw asArchiveError(error, archive, path.dirname(archive))
  } finally {
    zip.close()
  }
}

async function open(archive: string): Promise<ZipFile> {
  try {
    return await openPromise(archive, { lazyEntries: true, autoClose: false, strictFileNames: true })
  } catch (error) {
    throw asArchiveError(error, archive, path.dirname(archive))
  }
}

async function readItems(zip: ZipFile, archive: string, place: (name: string) => string | null): Promise<Item[]> {
  const refuse = (why: string): never => {
    throw new SetupError(`${path.basename(archive)} is refused: ${why}`, 'ERR_SETUP_ARCHIVE', { archive })
  }
  const packed = (await stat(archive)).size
  const items: Item[] = []
  const names = new Set<string>()
  let bytes = 0
  let compressed = 0
  for await (const entry of zip.eachEntry()) {
    const { fileName } = entry
    if (items.length >= LIMITS.entries) refuse(`it holds more than ${LIMITS.entries} entries`)
    if (entry.isEncrypted()) refuse(`${fileName} is encrypted`)
    const to = place(fileName)
    if (to === null) continue
    const kind = kindOf(entry)
    if (kind === null) refuse(`${fileName} is neither file, folder nor link`)
    const key = path.posix.normalize(to).replace(/\/$/, '')
    if (leaves(key)) refuse(`${fileName} would be written outside its folder`)
    if (names.has(key) && kind !== 'folder') refuse(`${fileName} is in it twice`)
    names.add(key)
    bytes += entry.uncompressedSize
    compressed += entry.compressedSize
    if (bytes > LIMITS.bytes) refuse(`it would unpack to more than ${LIMITS.bytes / 2 ** 30} GiB`)
    items.push({ entry, path: key, kind: kind! })
  }
  // Entries that share their bytes, or pack a thousandfold, only ever serve to fill disks.
  if (compressed > packed) refuse('its entries overlap')
  if (bytes > LIMITS.ratio * packed + (1 << 20)) refuse(`it would unpack to ${LIMITS.ratio} times its size or more`)
  return items
}

/** By the Unix mode in the upper half; archives from elsewhere have none. */
function kindOf(entry: Entry): Item['kind'] | null {
  const type = (entry.externalFileAttributes >>> 16) & TYPE_MASK
  if (entry.fileName.endsWith('/')) return type === 0 || type === DIRECTORY ? 'folder' : null
  if (type === 0 || type === REGULAR) return 'file'
  return type === LINK ? 'link' : null
}

function leaves(relative: string): boolean {
  return relative === '..' || relative.startsWith('../') || path.posix.isAbsolute(relative) || /[\\\0]/.test(relative)
}

async function writeEntry(
  zip: ZipFile,
  entry: Entry,
  target: string,
  archive: string,
  progress: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const stream = await zip.openReadStreamPromise(entry)
  let sum = 0
  const check = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      sum = crc32(chunk, sum)
      progress(chunk.length)
      yield chunk
    }
  }
  const executable = (entry.externalFileAttributes >>> 16) & 0o111
  const out = createWriteStream(target, { flags: 'wx', mode: executable ? 0o755 : 0o644 })
  await pipeline(stream, check, out, signal ? { signal } : {})
  checkSum(entry, sum, archive)
}

function checkSum(entry: Entry, sum: number, archive: string): void {
  if (sum >>> 0 === entry.crc32 >>> 0) return
  throw new SetupError(
    `${path.basename(archive)} is damaged: ${entry.fileName} has another checksum`,
    'ERR_SETUP_ARCHIVE',
    {
      archive,
    },
  )
}

async function readEntry(zip: ZipFile, entry: Entry, archive: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer)
  const content = Buffer.concat(chunks)
  checkSum(entry, crc32(content), archive)
  return content
}

async function readLink(zip: ZipFile, entry: Entry, at: string, archive: string): Promise<string> {
  const target =
    entry.uncompressedSize > LIMITS.linkLength ? '/' : (await readEntry(zip, entry, archive)).toString('utf8')
  const reached = path.posix.normalize(path.posix.join(path.posix.dirname(at), target))
  if (target === '' || path.posix.isAbsolute(target) || leaves(reached)) throw outside(archive, at)
  return target
}

function outside(archive: string, link: string): SetupError {
  const message = `${path.basename(archive)} is refused: the link ${link} leads outside its folder, or nowhere`
  return new SetupError(message, 'ERR_SETUP_ARCHIVE', { archive })
}

/** yauzl's errors carry no code: those that have one are the file system's. */
function asArchiveError(error: unknown, archive: string, folder: string): unknown {
  if (error instanceof SetupError) return error
  const disk = diskError(error, folder)
  if (disk !== error) return disk
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return new SetupError(`${archive} does not exist`, 'ERR_SETUP_SOURCE', { archive }, error)
  const reason = String(message ?? error).split('\n')[0]
  return new SetupError(
    `${path.basename(archive)} is no usable archive: ${reason}`,
    'ERR_SETUP_ARCHIVE',
    { archive },
    error,
  )
}
