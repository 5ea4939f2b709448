/**
 * Reader and writer of safetensors files, the format of checkpoints. Python's `safetensors` reads what this writes and
 * the other way round.
 *
 * The format has no checksum. The writer adds one to the metadata, over the other metadata, the table of tensors and
 * their bytes; the reader verifies it where it is present, so that a flipped bit is an error and never a wrong weight.
 * Reading executes nothing, and gives either every tensor or an error.
 */

import { constants } from 'node:buffer'
import type { Hash } from 'node:crypto'
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { ArgumentError, CheckpointError, ShapeError } from '../errors.js'
import { replaceFile, writeFully } from './replace-file.js'
import type { Header, SafetensorsDtype, TensorEntry } from './safetensors-header.js'
import {
  byteLength,
  checkpointError,
  encodeHeader,
  headerLength,
  isSafetensorsDtype,
  LARGEST_HEADER,
  LENGTH_BYTES,
  layOut,
  METADATA,
  parseHeader,
} from './safetensors-header.js'

export type { SafetensorsDtype } from './safetensors-header.js'

export interface SafetensorsTensor {
  readonly dtype: SafetensorsDtype
  readonly shape: readonly number[]
  /** Row-major little-endian values. */
  readonly data: Uint8Array
}

export interface SafetensorsFile {
  /** Without the checksum. */
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>
  /** Whether the file had a checksum (and it was right: a wrong one is an error). */
  readonly verified: boolean
}

/** Says that there is a checksum, so that a damaged name of the checksum itself does not go unseen. */
const INTEGRITY_KEY = 'spikingrx.integrity'
const INTEGRITY = 'sha256'
const CHECKSUM_KEY = 'spikingrx.sha256'

/** Bytes read or written (and hashed) at a time: the event loop turns in between. */
const CHUNK = 4 * 1024 * 1024

/**
 * Reads a safetensors file.
 *
 * @throws CheckpointError `ERR_CHECKPOINT_MISSING` no such file, `ERR_CHECKPOINT_READ` it can't be read,
 *   `ERR_CHECKPOINT_TRUNCATED` it is cut short, `ERR_CHECKPOINT_FORMAT` it is damaged or of another format,
 *   `ERR_CHECKPOINT_CHECKSUM` a bit of it has changed, `ERR_CHECKPOINT_UNSUPPORTED` it holds a dtype that nothing here
 *   can hold, or is too large for this Node
 */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (error) {
    throw readFailure(path, error)
  }
  try {
    const status = await file.stat()
    if (!status.isFile()) throw checkpointError('ERR_CHECKPOINT_READ', path, 'is not a file')
    const start = await readRange(file, 0, Math.min(LENGTH_BYTES, status.size), path)
    const headerBytes = headerLength(start, status.size, path)
    const dataBytes = status.size - LENGTH_BYTES - headerBytes
    const header = parseHeader(await readRange(file, LENGTH_BYTES, headerBytes, path), dataBytes, path)
    const hash = startChecksum(header, path)
    const data = await readRange(file, LENGTH_BYTES + headerBytes, dataBytes, path, hash)
    return finish(header, data, hash, path)
  } catch (error) {
    throw error instanceof CheckpointError ? error : readFailure(path, error)
  } finally {
    await file.close()
  }
}

/**
 * Reads safetensors from memory; the tensors' bytes are views of `bytes`. `name` stands in the errors.
 *
 * @throws CheckpointError as {@link readSafetensors} does
 */
export function parseSafetensors(bytes: Uint8Array, name = 'checkpoint'): SafetensorsFile {
  const headerEnd = LENGTH_BYTES + headerLength(bytes, bytes.length, name)
  const data = bytes.subarray(headerEnd)
  const header = parseHeader(bytes.subarray(LENGTH_BYTES, headerEnd), data.length, name)
  const hash = startChecksum(header, name)
  hash?.update(data)
  return finish(header, data, hash, name)
}

/**
 * Writes a safetensors file with a checksum. The file is replaced as a whole: a failure, or a crash at any moment, leaves
 * the old one. Don't change the tensors' bytes until it is done.
 *
 * @throws CheckpointError `ERR_CHECKPOINT_WRITE`
 * @throws ShapeError `ERR_SHAPE` when a tensor's bytes don't fit its shape and dtype
 * @throws ArgumentError `ERR_TYPE` for an unknown dtype, a size that is not a whole number, the name `__metadata__`,
 *   metadata that are not strings, or text that is not valid Unicode
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const entries = layOut(checkTensors(tensors))
  const texts = checkMetadata(metadata)
  const hash = createHash(INTEGRITY).update(canonical(texts, entries))
  // Its length is known before its value: the data are written first, hashed on the way, and the header last.
  const headerWith = (checksum: string): Buffer => encodeHeader(new Map([...texts, [CHECKSUM_KEY, checksum]]), entries)
  const header = headerWith('0'.repeat(64))
  if (header.length - LENGTH_BYTES > LARGEST_HEADER) {
    throw checkpointError('ERR_CHECKPOINT_WRITE', path, `would have a header larger than ${LARGEST_HEADER} bytes`)
  }
  try {
    await replaceFile(path, async (file) => {
      let position = header.length
      for (const { name } of entries) {
        const { data } = tensors.get(name)!
        for (let at = 0; at < data.length; at += CHUNK) {
          const chunk = data.subarray(at, at + CHUNK)
          hash.update(chunk)
          await writeFully(file, chunk, position)
          position += chunk.length
        }
      }
      await writeFully(file, headerWith(hash.digest('hex')), 0)
    })
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw checkpointError('ERR_CHECKPOINT_WRITE', path, `can't be written (${reason})`, error)
  }
}

type LayoutRow = readonly [name: string, dtype: SafetensorsDtype, shape: readonly number[], bytes: number]

function checkTensors(tensors: ReadonlyMap<string, SafetensorsTensor>): LayoutRow[] {
  return Array.from(tensors, ([name, { dtype, shape, data }]) => {
    if (name === METADATA) throw new ArgumentError(`a tensor can't be named ${METADATA}`)
    requireUnicode(name)
    if (!isSafetensorsDtype(dtype)) throw new ArgumentError(`tensor ${name} has the unknown dtype ${String(dtype)}`)
    if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
      throw new ArgumentError(`tensor ${name} has the shape [${shape.join(', ')}], but sizes must be whole numbers`)
    }
    const needed = byteLength(dtype, shape)
    if (needed !== data.length) {
      throw new ShapeError(
        `tensor ${name} of ${dtype} [${shape.join(', ')}] needs ${needed ?? 'more than 2^53'} bytes, got ${data.length}`,
        { name, expected: needed, actual: data.length },
      )
    }
    return [name, dtype, shape, data.length]
  })
}

function checkMetadata(metadata: Readonly<Record<string, string>>): Map<string, string> {
  const texts = new Map<string, string>()
  for (const [key, text] of Object.entries(metadata)) {
    if (typeof text !== 'string') throw new ArgumentError(`metadata ${key} must be a string, got ${typeof text}`)
    requireUnicode(key)
    requireUnicode(text)
    if (key !== CHECKSUM_KEY) texts.set(key, text)
  }
  return texts.set(INTEGRITY_KEY, INTEGRITY)
}

function requireUnicode(text: string): void {
  if (/\p{Surrogate}/u.test(text)) throw new ArgumentError(`${JSON.stringify(text)} is not valid Unicode`)
}

/** Metadata (without the checksum) and table, sorted by name: a file that Python rewrites keeps its checksum. */
function canonical(metadata: ReadonlyMap<string, string>, entries: readonly TensorEntry[]): string {
  const texts = [...metadata].filter(([key]) => key !== CHECKSUM_KEY)
  const table = entries.map(({ name, dtype, shape, begin, end }) => [name, dtype, shape, begin, end] as const)
  return JSON.stringify([texts.sort(byName), table.sort(byName)])
}

function byName(a: readonly [string, ...unknown[]], b: readonly [string, ...unknown[]]): number {
  return a[0] < b[0] ? -1 : 1
}

/** The hash of all but the data, or undefined when the file has no checksum. */
function startChecksum({ metadata, entries }: Header, file: string): Hash | undefined {
  const announced = metadata.get(INTEGRITY_KEY)
  if (announced === undefined && !metadata.has(CHECKSUM_KEY)) return undefined
  if (announced !== INTEGRITY || !metadata.has(CHECKSUM_KEY)) throw wrongChecksum(file)
  return createHash(INTEGRITY).update(canonical(metadata, entries))
}

function wrongChecksum(file: string): CheckpointError {
  return checkpointError(
    'ERR_CHECKPOINT_CHECKSUM',
    file,
    'is damaged: its content does not fit its checksum, so restore it from a copy',
  )
}

function finish(header: Header, data: Uint8Array, hash: Hash | undefined, file: string): SafetensorsFile {
  if (hash && hash.digest('hex') !== header.metadata.get(CHECKSUM_KEY)) throw wrongChecksum(file)
  const metadata = [...header.metadata].filter(([key]) => key !== CHECKSUM_KEY && key !== INTEGRITY_KEY)
  const tensors = header.entries.map(
    ({ name, dtype, shape, begin, end }) => [name, { dtype, shape, data: data.subarray(begin, end) }] as const,
  )
  return { metadata: Object.fromEntries(metadata), tensors: new Map(tensors), verified: hash !== undefined }
}

/** Bytes `start` to `start + length - 1`, in memory of their own; hashed on the way. */
async function readRange(
  file: FileHandle,
  start: number,
  length: number,
  path: string,
  hash?: Hash,
): Promise<Uint8Array> {
  if (length > constants.MAX_LENGTH) {
    throw checkpointError('ERR_CHECKPOINT_UNSUPPORTED', path, `holds ${length} bytes, more than this Node can hold`)
  }
  const bytes = new Uint8Array(length)
  let read = 0
  while (read < length) {
    const { bytesRead } = await file.read(bytes, read, Math.min(CHUNK, length - read), start + read)
    if (bytesRead === 0) throw checkpointError('ERR_CHECKPOINT_TRUNCATED', path, 'became shorter while it was read')
    hash?.update(bytes.subarray(read, read + bytesRead))
    read += bytesRead
  }
  return bytes
}

function readFailure(path: string, error: unknown): CheckpointError {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return checkpointError('ERR_CHECKPOINT_MISSING', path, 'does not exist', error)
  }
  return checkpointError('ERR_CHECKPOINT_READ', path, `can't be read (${code ?? String(error)})`, error)
}
