import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Report } from './events.js'
import { type Http, PassingError, passingStatus, type Reply, retryAfter, shown } from './http.js'
import { diskError, SetupError } from './setup-error.js'

/** A file somewhere, with what is known of it before it is fetched. */
export interface RemoteFile {
  readonly name: string
  readonly url: URL
  /** Hexadecimal. */
  readonly sha256: string | null
  readonly size: number | null
}

/** What is known of a .part file, kept beside it: without it nobody could say what the rest belongs to. */
interface PartOrigin {
  readonly url: string
  /** A strong ETag or a Last-Modified. */
  readonly validator: string | null
}

/** Progress that counts as such when tries are counted. */
const STEP = 1 << 20

/**
 * Fetches a file into a folder of its own in `downloads` and returns its path. What came before the connection broke stays in `<name>.part` and is
 * gone on with, in this run or a later one. Length and hash are checked before the file gets its name.
 *
 * @throws SetupError `ERR_SETUP_NETWORK`, `ERR_SETUP_CHECKSUM` (the file is removed), `ERR_SETUP_DISK`; AbortedError
 */
export async function download(http: Http, file: RemoteFile, downloads: string, report: Report): Promise<string> {
  const key = createHash('sha256')
    .update(file.sha256 ?? shown(file.url))
    .digest('hex')
    .slice(0, 12)
  const folder = path.join(downloads, key)
  const target = path.join(folder, safeName(file.name))
  try {
    await mkdir(folder, { recursive: true })
    // One that was left by a run that ended later on; without a hash nobody knows whether it is still the same.
    if (file.sha256 !== null && (await sizeOf(target)) !== null) {
      await checkHash(target, file, report)
      return target
    }
    const part = `${target}.part`
    const note = (text: string) => report({ type: 'note', text })
    // A server that lets every try start anew and breaks off again never gets further than it was.
    let furthest = 0
    const gotTo = (done: number): boolean => {
      if (done - furthest < STEP) return false
      furthest = done
      return true
    }
    await http.persist(
      `The download of ${file.name}`,
      (progressed) => fetchRest(http, file, part, report, (done) => void (gotTo(done) && progressed())),
      note,
    )
    await checkHash(part, file, report)
    await rename(part, target)
    await rm(`${part}.json`, { force: true })
    return target
  } catch (error) {
    throw diskError(error, folder)
  }
}

async function fetchRest(
  http: Http,
  file: RemoteFile,
  part: string,
  report: Report,
  gotTo: (done: number) => void,
): Promise<void> {
  const origin = await readOrigin(part)
  let have = (await sizeOf(part)) ?? 0
  // The rest fits what is there when the server says that the file is the same, or when a hash tells in the end.
  const known = origin?.url === shown(file.url) && (origin.validator !== null || file.sha256 !== null)
  if (have > 0 && !known) have = 0
  if (file.size !== null && have === file.size) return
  if (file.size !== null && have > file.size) have = 0

  const condition = have > 0 && origin?.validator ? { 'if-range': origin.validator } : {}
  const reply = await http.get(file.url, have > 0 ? { range: `bytes=${have}-`, ...condition } : {})
  const { start, total } = await readAnswer(reply, file, have, part)
  await writeFile(`${part}.json`, JSON.stringify({ url: shown(file.url), validator: validatorOf(reply) }))

  let done = start
  const count = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      done += chunk.length
      if (total !== null && done > total)
        throw new SetupError(
          `${shown(file.url)} sends more than the ${total} bytes it should have`,
          'ERR_SETUP_CHECKSUM',
        )
      report({ type: 'progress', work: 'download', name: file.name, done, total })
      gotTo(done)
      yield chunk
    }
  }
  try {
    await pipeline(reply.body, count, createWriteStream(part, start > 0 ? { flags: 'r+', start } : { flags: 'w' }))
  } catch (error) {
    if (error instanceof SetupError) await forget(part)
    const disk = diskError(error, path.dirname(part))
    throw disk === error ? http.failure(error, reply.url) : disk
  }
  if (total !== null && done < total) throw new PassingError(`${shown(file.url)} ended after ${done} of ${total} bytes`)
}

/** Where the body goes to in the file, and how long the file will be. */
async function readAnswer(
  reply: Reply,
  file: RemoteFile,
  have: number,
  part: string,
): Promise<{ start: number; total: number | null }> {
  const { status, headers } = reply
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '')
  if (status === 206 && range && Number(range[1]) === have) {
    const total = range[2] === '*' ? file.size : Number(range[2])
    await refuseOtherSize(reply, file, total)
    return { start: have, total }
  }
  if (status === 200) {
    const length = headers['content-length']
    const total = length === undefined ? file.size : Number(length)
    await refuseOtherSize(reply, file, total)
    return { start: 0, total }
  }
  await reply.body.dump()
  if (status === 416 || status === 206) {
    await forget(part)
    throw new PassingError(`${shown(file.url)} can't be gone on with, it starts anew`)
  }
  const what = `${shown(reply.url)} answers ${status}`
  if (passingStatus(reply)) throw new PassingError(what, retryAfter(reply))
  throw new SetupError(`${what} for ${file.name}; name another source with --mirror or --from`, 'ERR_SETUP_NETWORK', {
    status,
  })
}

async function refuseOtherSize(reply: Reply, file: RemoteFile, total: number | null): Promise<void> {
  if (file.size === null || total === file.size) return
  reply.body.destroy()
  const message = `${shown(reply.url)} is ${total} bytes long, its index says ${file.size}`
  throw new SetupError(message, 'ERR_SETUP_CHECKSUM', { expected: file.size, actual: total })
}

/** A weak ETag says alike, not the same. */
function validatorOf({ headers }: Reply): string | null {
  const { etag } = headers
  return etag !== undefined && !etag.startsWith('W/') ? etag : (headers['last-modified'] ?? null)
}

async function readOrigin(part: string): Promise<PartOrigin | null> {
  try {
    return JSON.parse(await readFile(`${part}.json`, 'utf8'))
  } catch {
    return null
  }
}

async function forget(part: string): Promise<void> {
  await rm(part, { force: true })
  await rm(`${part}.json`, { force: true })
}

async function sizeOf(file: string): Promise<number | null> {
  return stat(file).then(
    ({ size }) => size,
    () => null,
  )
}

async function checkHash(file: string, { name, sha256 }: RemoteFile, report: Report): Promise<void> {
  if (sha256 === null) return
  const actual = await hashFile(file, (done, total) => report({ type: 'progress', work: 'check', name, done, total }))
  if (actual === sha256.toLowerCase()) return
  await forget(file)
  throw new SetupError(
    `${name} has sha256 ${actual}, expected ${sha256}: it was removed. Run the same command again, or name another source`,
    'ERR_SETUP_CHECKSUM',
    { name, expected: sha256, actual },
  )
}

/** sha256 in hexadecimal. */
export async function hashFile(file: string, progress: (done: number, total: number) => void): Promise<string> {
  const { size } = await stat(file)
  const hash = createHash('sha256')
  let done = 0
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    hash.update(chunk)
    done += chunk.length
    progress(done, size)
  }
  return hash.digest('hex')
}

/** Reads a small text such as an index page. @throws SetupError `ERR_SETUP_NETWORK`, AbortedError */
export async function fetchText(
  http: Http,
  url: URL,
  headers: Readonly<Record<string, string>>,
  report: Report,
): Promise<{ text: string; url: URL; type: string }> {
  const note = (text: string) => report({ type: 'note', text })
  return http.persist(
    `Reading ${shown(url)}`,
    async () => {
      const reply = await http.get(url, headers)
      if (reply.status === 200) {
        const text = await reply.body.text().catch((error: unknown) => Promise.reject(http.failure(error, url)))
        return { text, url: reply.url, type: reply.headers['content-type'] ?? '' }
      }
      await reply.body.dump()
      const what = `${shown(reply.url)} answers ${reply.status}`
      if (passingStatus(reply)) throw new PassingError(what, retryAfter(reply))
      throw new SetupError(`${what}; name another source with --mirror or --from`, 'ERR_SETUP_NETWORK', {
        status: reply.status,
      })
    },
    note,
  )
}

/** A file name without anything that a path could be made of. */
function safeName(name: string): string {
  return name.replace(/[^\w.+-]/g, '_').replace(/^\.+/, '_')
}
