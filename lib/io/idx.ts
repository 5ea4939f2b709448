/**
 * The IDX format of MNIST: unsigned bytes with their shape, big endian.
 *
 *     00 00 08 rank | size of each dimension, uint32 | values, one byte each
 *
 * rank 1 is a list of labels (magic number 2049), rank 3 a stack of images `[N, H, W]` (2051). Files may be gzipped.
 */
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { DataError } from '../errors.js'

export interface IdxArray {
  readonly shape: readonly number[]
  /** Row-major values of `shape`. */
  readonly data: Uint8Array
}

const UNSIGNED_BYTE = 0x08
const LARGEST = 2 ** 31

/**
 * Reads an IDX file, plain or gzipped (told by its first bytes, not by its name).
 *
 * @throws DataError `ERR_DATA_MISSING` when there is no such file, `ERR_DATA_FORMAT` when it is damaged or of another
 *   format, `ERR_DATA_UNSUPPORTED` when its values are not unsigned bytes
 */
export async function readIdx(path: string): Promise<IdxArray> {
  const bytes = await readDataFile(path)
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return parseIdx(bytes, path)
  let unpacked: Uint8Array
  try {
    unpacked = await promisify(gunzip)(bytes, { maxOutputLength: LARGEST })
  } catch (error) {
    throw new DataError(`${path} is not a complete gzip file`, 'ERR_DATA_FORMAT', { path }, error)
  }
  return parseIdx(unpacked, path)
}

/** Reads IDX from memory; `name` stands in the errors. @throws DataError as {@link readIdx} does */
export function parseIdx(bytes: Uint8Array, name = 'data'): IdxArray {
  const damaged = (what: string): DataError => new DataError(`${name} ${what}`, 'ERR_DATA_FORMAT', { path: name })
  if (bytes.length < 4) throw damaged(`is too short for an IDX file: ${bytes.length} bytes`)
  const [zero, zeroToo, type, rank] = bytes as unknown as readonly [number, number, number, number]
  if (zero !== 0 || zeroToo !== 0 || rank === 0) throw damaged('is not an IDX file: its magic number is wrong')
  if (type !== UNSIGNED_BYTE) {
    throw new DataError(
      `${name} holds IDX values of type 0x${type.toString(16)}, but only unsigned bytes (0x8) are read`,
      'ERR_DATA_UNSUPPORTED',
      { path: name, type },
    )
  }
  const start = 4 + 4 * rank
  if (bytes.length < start) throw damaged(`ends within its header of ${start} bytes`)
  const header = new DataView(bytes.buffer, bytes.byteOffset, start)
  const shape = Array.from({ length: rank }, (_, i) => header.getUint32(4 + 4 * i))
  // The product of up to 255 sizes below 2^32 is finite or Infinity in a double: too large either way, never wrapped.
  const expected = shape.reduce((all, size) => all * size, 1)
  if (bytes.length - start !== expected) {
    throw damaged(`has ${bytes.length - start} bytes of values, but its shape [${shape.join(', ')}] needs ${expected}`)
  }
  return { shape, data: bytes.subarray(start) }
}

/** A whole file. @throws DataError `ERR_DATA_MISSING` or `ERR_DATA_READ` */
export async function readDataFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new DataError(`there is no file ${path}`, 'ERR_DATA_MISSING', { path }, error)
    }
    throw new DataError(`${path} can't be read (${code ?? 'unknown reason'})`, 'ERR_DATA_READ', { path }, error)
  }
}
