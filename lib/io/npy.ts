/**
 * NumPy's .npy format, versions 1 to 3: one array of numbers.
 *
 *     93 "NUMPY" major minor | length of the header, uint16 (version 1) or uint32 | {'descr': .., 'fortran_order': ..,
 *     'shape': (..), } and spaces | values
 *
 * Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. Python objects (pickles) are refused.
 */
import { ArgumentError, DataError, ShapeError } from '../errors.js'
import type { Dtype, TypedArray } from '../native.js'
import { readDataFile } from './idx.js'
import { replaceFile, writeFully } from './replace-file.js'

export type NpyDtype = Exclude<Dtype, 'float16' | 'bfloat16'>

export interface NpyArray {
  /** Without the last dimension of two that complex numbers have in `data`. */
  readonly shape: readonly number[]
  readonly dtype: NpyDtype
  /** Whether `data` are pairs of real and imaginary part. */
  readonly complex: boolean
  /** Row-major; bool as Uint8Array of 0 and 1, int64 as BigInt64Array. */
  readonly data: TypedArray
}

interface Kind {
  readonly dtype: NpyDtype
  readonly complex: boolean
  /** Bytes of one number of `data`. */
  readonly bytes: number
  readonly over: (memory: ArrayBuffer) => TypedArray
}

const real = (dtype: NpyDtype, bytes: number, over: Kind['over']): Kind => ({ dtype, complex: false, bytes, over })
const float32 = real('float32', 4, (memory) => new Float32Array(memory))
const float64 = real('float64', 8, (memory) => new Float64Array(memory))

const KINDS: ReadonlyMap<string, Kind> = new Map([
  ['<f4', float32],
  ['<f8', float64],
  ['<i8', real('int64', 8, (memory) => new BigInt64Array(memory))],
  ['<i4', real('int32', 4, (memory) => new Int32Array(memory))],
  ['<i2', real('int16', 2, (memory) => new Int16Array(memory))],
  ['|i1', real('int8', 1, (memory) => new Int8Array(memory))],
  ['|u1', real('uint8', 1, (memory) => new Uint8Array(memory))],
  ['|b1', real('bool', 1, (memory) => new Uint8Array(memory).map((value) => (value === 0 ? 0 : 1)))],
  ['<c8', { ...float32, complex: true }],
  ['<c16', { ...float64, complex: true }],
])

const MAGIC = Buffer.from('\x93NUMPY', 'latin1')
const ITEM = String.raw`'descr'\s*:\s*'(?<descr>[^']*)'|'fortran_order'\s*:\s*(?<fortran>True|False)|'shape'\s*:\s*\((?<shape>[\d\s,]*)\)`

/**
 * Reads a .npy file. Arrays in Fortran order are transposed to row-major.
 *
 * @throws DataError `ERR_DATA_MISSING`, `ERR_DATA_READ`, `ERR_DATA_FORMAT` when it is damaged, `ERR_DATA_UNSUPPORTED`
 *   for element types other than `<f4 <f8 <i8 <i4 <i2 |i1 |u1 |b1 <c8 <c16`
 */
export async function readNpy(path: string): Promise<NpyArray> {
  return parseNpy(await readDataFile(path), path)
}

/** Reads .npy from memory; `name` stands in the errors. @throws DataError as {@link readNpy} does */
export function parseNpy(bytes: Uint8Array, name = 'data'): NpyArray {
  const damaged = (what: string): DataError => new DataError(`${name} ${what}`, 'ERR_DATA_FORMAT', { path: name })
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!buffer.subarray(0, 6).equals(MAGIC)) throw damaged('is not a .npy file: its first bytes are wrong')
  const major = buffer[6]
  if (major !== 1 && major !== 2 && major !== 3) throw damaged(`is of the unknown .npy version ${major}`)
  const start = major === 1 ? 10 : 12
  if (buffer.length < start) throw damaged('ends within its header')
  const end = start + (major === 1 ? buffer.readUInt16LE(8) : buffer.readUInt32LE(8))
  if (buffer.length < end) throw damaged(`ends within its header of ${end} bytes`)

  const header = parseHeader(buffer.toString(major === 3 ? 'utf8' : 'latin1', start, end))
  if (!header) throw damaged('has a header that is not descr, fortran_order and shape')
  const { descr, fortran, shape } = header
  const kind = KINDS.get(descr)
  if (!kind) {
    throw new DataError(
      `${name} holds elements of type ${JSON.stringify(descr)}, but only ${[...KINDS.keys()].join(' ')} are read`,
      'ERR_DATA_UNSUPPORTED',
      { path: name, descr },
    )
  }
  const numbers = shape.reduce((all, size) => all * size, 1) * (kind.complex ? 2 : 1)
  const dataBytes = numbers * kind.bytes
  if (buffer.length - end !== dataBytes) {
    throw damaged(`has ${buffer.length - end} bytes of values, but ${descr} [${shape.join(', ')}] needs ${dataBytes}`)
  }
  // A copy of its own: aligned, and not a view of a file that may be much larger.
  const data = kind.over(new Uint8Array(buffer.subarray(end)).buffer)
  const { dtype, complex } = kind
  return { shape, dtype, complex, data: fortran ? toRowMajor(data, shape, complex ? 2 : 1) : data }
}

/** The three items of the header, which is a Python dictionary, or undefined when it is anything else. */
function parseHeader(
  text: string,
): { readonly descr: string; readonly fortran: boolean; readonly shape: number[] } | undefined {
  const match = /^\{\s*(.*?),?\s*\}\s*$/s.exec(text)
  if (!match) return undefined
  const found = new Map<string, string>()
  let rest = match[1]!
  while (rest !== '') {
    const item = new RegExp(String.raw`^(?:${ITEM})\s*(?:,\s*|$)`).exec(rest)
    if (!item) return undefined
    for (const [key, value] of Object.entries(item.groups!)) {
      if (value === undefined) continue
      if (found.has(key)) return undefined
      found.set(key, value)
    }
    rest = rest.slice(item[0].length)
  }
  const descr = found.get('descr')
  const tuple = found.get('shape')
  if (descr === undefined || tuple === undefined || !found.has('fortran')) return undefined
  // (), (3,), (3, 4), (3, 4,); not (3), (,) or (3,,4).
  if (!/^\s*(?:\d+\s*,\s*(?:\d+\s*,\s*)*(?:\d+\s*)?)?$/.test(tuple)) return undefined
  const shape = (tuple.match(/\d+/g) ?? []).map(Number)
  if (!shape.every(Number.isSafeInteger)) return undefined
  return { descr, fortran: found.get('fortran') === 'True', shape }
}

/** From first index fastest to last index fastest; `width` numbers an element. */
function toRowMajor(data: TypedArray, shape: readonly number[], width: number): TypedArray {
  const result = data.slice()
  const strides: number[] = []
  let stride = 1
  for (const size of shape) {
    strides.push(stride)
    stride *= size
  }
  const index = shape.map(() => 0)
  let from = 0
  for (let to = 0; to < data.length; to += width) {
    for (let part = 0; part < width; part++) result[to + part] = data[from * width + part]!
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++
      from += strides[axis]!
      if (index[axis]! < shape[axis]!) break
      from -= strides[axis]! * shape[axis]!
      index[axis] = 0
    }
  }
  return result
}

/**
 * Writes a .npy file (version 1, row-major), replacing an old one as a whole. Complex numbers: pairs in `data`, `complex:
 * true`.
 *
 * @throws ShapeError `ERR_SHAPE` when `data` does not fit `shape`; ArgumentError `ERR_TYPE` for a dtype that `data` does
 *   not carry; DataError `ERR_DATA_WRITE`
 */
export async function writeNpy(path: string, array: NpyArray): Promise<void> {
  const bytes = encodeNpy(array)
  try {
    await replaceFile(path, (file) => writeFully(file, bytes, 0))
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new DataError(`${path} can't be written (${reason})`, 'ERR_DATA_WRITE', { path }, error)
  }
}

/** The bytes of a .npy file. @throws ShapeError, ArgumentError as {@link writeNpy} does */
export function encodeNpy({ shape, dtype, complex, data }: NpyArray): Uint8Array {
  const found = [...KINDS].find(([, kind]) => kind.dtype === dtype && kind.complex === complex)
  const [descr, kind] = found ?? []
  if (!descr || !kind || !(data instanceof kind.over(new ArrayBuffer(0)).constructor)) {
    throw new ArgumentError(`${data.constructor.name} can't be written as ${complex ? 'complex ' : ''}${dtype}`)
  }
  const numbers = shape.reduce((all, size) => all * size, 1) * (complex ? 2 : 1)
  if (data.length !== numbers) {
    throw new ShapeError(`an array of shape [${shape.join(', ')}] has ${numbers} numbers, got ${data.length}`, {
      expected: numbers,
      actual: data.length,
    })
  }
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`
  const start = Math.ceil((MAGIC.length + 4 + text.length + 1) / 64) * 64
  const bytes = Buffer.alloc(start + data.byteLength, ' ')
  MAGIC.copy(bytes)
  bytes.writeUInt8(1, 6)
  bytes.writeUInt8(0, 7)
  bytes.writeUInt16LE(start - 10, 8)
  bytes.write(text, 10, 'latin1')
  bytes.write('\n', start - 1)
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start)
  return bytes
}
