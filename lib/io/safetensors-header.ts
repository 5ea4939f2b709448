/**
 * The header of a safetensors file: which tensors there are and where their bytes lie.
 *
 *     8 bytes   N, length of the header, unsigned little endian
 *     N bytes   {"__metadata__": {name: text}, name: {"dtype": .., "shape": [..], "data_offsets": [begin, end]}, ..}
 *     the rest  the tensors' bytes, row-major, little endian, without gap or overlap from 0 to the end of the file
 *
 * Source: https://huggingface.co/docs/safetensors. Every rule of the format is checked before a byte of data is read.
 */
import { CheckpointError } from '../errors.js'
import type { StrictObject, StrictValue } from './strict-json.js'
import { parseStrictJson } from './strict-json.js'

/** Element types that are read and written, with the bytes each takes; wide ones first, as they lie in the file. */
const BYTES = { I64: 8, F64: 8, F32: 4, I32: 4, BF16: 2, F16: 2, I16: 2, I8: 1, U8: 1, BOOL: 1 } as const

export type SafetensorsDtype = keyof typeof BYTES

const ORDER = Object.keys(BYTES) as readonly SafetensorsDtype[]
/** Types of the format that nothing here can hold. */
const FOREIGN = /^(U16|U32|U64|C64|F[468]_[A-Z0-9]+)$/

export const METADATA = '__metadata__'
export const LENGTH_BYTES = 8
/** The format's own limit. */
export const LARGEST_HEADER = 100_000_000

export interface TensorEntry {
  readonly name: string
  readonly dtype: SafetensorsDtype
  readonly shape: readonly number[]
  /** First byte and the byte after the last, counted from the start of the data. */
  readonly begin: number
  readonly end: number
}

export interface Header {
  readonly metadata: ReadonlyMap<string, string>
  /** In the order of their bytes. */
  readonly entries: readonly TensorEntry[]
  /** Bytes of all tensors together. */
  readonly dataBytes: number
}

export type CheckpointCode =
  | 'ERR_CHECKPOINT_MISSING'
  | 'ERR_CHECKPOINT_READ'
  | 'ERR_CHECKPOINT_FORMAT'
  | 'ERR_CHECKPOINT_TRUNCATED'
  | 'ERR_CHECKPOINT_UNSUPPORTED'
  | 'ERR_CHECKPOINT_CHECKSUM'
  | 'ERR_CHECKPOINT_WRITE'

export function checkpointError(code: CheckpointCode, file: string, what: string, cause?: unknown): CheckpointError {
  return new CheckpointError(`${file} ${what}`, code, { file }, cause)
}

/** Bytes of a tensor, or undefined when they are too many to count exactly. */
export function byteLength(dtype: SafetensorsDtype, shape: readonly number[]): number | undefined {
  if (shape.includes(0)) return 0
  let bytes: number = BYTES[dtype]
  for (const size of shape) {
    if (bytes > Number.MAX_SAFE_INTEGER / size) return undefined
    bytes *= size
  }
  return bytes
}

export function isSafetensorsDtype(name: unknown): name is SafetensorsDtype {
  return typeof name === 'string' && Object.hasOwn(BYTES, name)
}

/**
 * Length of the header from the first eight bytes of a file of `fileBytes` bytes.
 *
 * @throws CheckpointError `ERR_CHECKPOINT_TRUNCATED`, `ERR_CHECKPOINT_FORMAT`
 */
export function headerLength(start: Uint8Array, fileBytes: number, file: string): number {
  if (fileBytes < LENGTH_BYTES) {
    throw checkpointError('ERR_CHECKPOINT_TRUNCATED', file, `is too short for a safetensors file: ${fileBytes} bytes`)
  }
  const length = new DataView(start.buffer, start.byteOffset, LENGTH_BYTES).getBigUint64(0, true)
  if (length < 2n || length > BigInt(LARGEST_HEADER)) {
    throw checkpointError(
      'ERR_CHECKPOINT_FORMAT',
      file,
      `is not a safetensors file: its header would have ${length} bytes, and 2 to ${LARGEST_HEADER} are allowed`,
    )
  }
  if (length > BigInt(fileBytes - LENGTH_BYTES)) {
    throw checkpointError('ERR_CHECKPOINT_TRUNCATED', file, `ends within its header of ${length} bytes`)
  }
  return Number(length)
}

/**
 * Reads and checks a header whose file holds `dataBytes` bytes after it.
 *
 * @throws CheckpointError `ERR_CHECKPOINT_FORMAT`, `ERR_CHECKPOINT_TRUNCATED`, `ERR_CHECKPOINT_UNSUPPORTED`
 */
export function parseHeader(bytes: Uint8Array, dataBytes: number, file: string): Header {
  const damaged = (what: string, cause?: unknown): CheckpointError =>
    checkpointError('ERR_CHECKPOINT_FORMAT', file, `has a damaged header: ${what}`, cause)
  if (bytes[0] !== 0x7b) throw damaged("it does not begin with '{'")

  let root: StrictValue
  try {
    root = parseStrictJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch (error) {
    throw damaged(error instanceof Error ? error.message : String(error), error)
  }
  if (!isObject(root)) throw damaged('it is not an object')

  const metadata = new Map<string, string>()
  const entries: TensorEntry[] = []
  for (const [name, value] of root) {
    if (!isObject(value)) throw damaged(`${quoted(name)} is not an object`)
    if (name !== METADATA) {
      entries.push(parseEntry(name, value, file, damaged))
      continue
    }
    for (const [key, text] of value) {
      if (typeof text !== 'string') throw damaged(`metadata ${quoted(key)} is not a string`)
      metadata.set(key, text)
    }
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end)

  let position = 0
  for (const { name, begin, end } of entries) {
    if (begin !== position) {
      throw damaged(`the bytes of ${quoted(name)} begin at ${begin}, but the tensor before it ends at ${position}`)
    }
    position = end
  }
  if (position > dataBytes) {
    throw checkpointError(
      'ERR_CHECKPOINT_TRUNCATED',
      file,
      `is cut short: its tensors need ${position} bytes and ${dataBytes} are there`,
    )
  }
  if (position < dataBytes) throw damaged(`${dataBytes - position} bytes follow the last tensor`)
  return { metadata, entries, dataBytes }
}

function parseEntry(
  name: string,
  entry: StrictObject,
  file: string,
  damaged: (what: string) => CheckpointError,
): TensorEntry {
  const dtype = entry.get('dtype')
  const shape = entry.get('shape')
  const offsets = entry.get('data_offsets')
  if (entry.size !== 3 || typeof dtype !== 'string' || !isNumbers(shape) || !isNumbers(offsets)) {
    throw damaged(`${quoted(name)} must have exactly dtype, shape and data_offsets`)
  }
  if (!isSafetensorsDtype(dtype)) {
    if (!FOREIGN.test(dtype)) throw damaged(`${quoted(name)} has the unknown dtype ${quoted(dtype)}`)
    throw checkpointError(
      'ERR_CHECKPOINT_UNSUPPORTED',
      file,
      `holds ${quoted(name)} of dtype ${dtype}, which is not supported: convert it to one of ${ORDER.join(', ')}`,
    )
  }
  const [begin, end] = offsets
  if (offsets.length !== 2 || begin === undefined || end === undefined || begin > end) {
    throw damaged(`${quoted(name)} has wrong data_offsets`)
  }
  const needed = byteLength(dtype, shape)
  if (needed !== end - begin) {
    throw damaged(
      `${quoted(name)} of ${dtype} [${shape.slice(0, 16).join(', ')}] needs ${needed ?? 'more than 2^53'} bytes, ` +
        `but its offsets span ${end - begin}`,
    )
  }
  return { name, dtype, shape, begin, end }
}

/** Lays tensors out as the Python writer does: wide types first, then by name, so that each is aligned to its type. */
export function layOut(
  tensors: Iterable<readonly [name: string, dtype: SafetensorsDtype, shape: readonly number[], bytes: number]>,
): TensorEntry[] {
  const sorted = [...tensors].sort(
    ([nameA, dtypeA], [nameB, dtypeB]) =>
      ORDER.indexOf(dtypeA) - ORDER.indexOf(dtypeB) || (nameA < nameB ? -1 : nameA > nameB ? 1 : 0),
  )
  let position = 0
  return sorted.map(([name, dtype, shape, bytes]) => {
    const begin = position
    position += bytes
    return { name, dtype, shape, begin, end: position }
  })
}

/** The length and the header itself, padded with spaces so that the data begin at a multiple of 8. */
export function encodeHeader(metadata: ReadonlyMap<string, string>, entries: readonly TensorEntry[]): Buffer {
  const parts: string[] = []
  if (metadata.size > 0) {
    const pairs = [...metadata].map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`)
    parts.push(`"${METADATA}":{${pairs.join(',')}}`)
  }
  for (const { name, dtype, shape, begin, end } of entries) {
    parts.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`)
  }
  const json = Buffer.from(`{${parts.join(',')}}`)
  const length = Math.ceil(json.length / 8) * 8
  const header = Buffer.alloc(LENGTH_BYTES + length, ' ')
  header.writeBigUInt64LE(BigInt(length))
  json.copy(header, LENGTH_BYTES)
  return header
}

function isObject(value: StrictValue): value is StrictObject {
  return value instanceof Map
}

function isNumbers(value: StrictValue | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number')
}

/** A name for a sentence: in quotes, without control characters, not longer than a line. */
function quoted(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name)
}
