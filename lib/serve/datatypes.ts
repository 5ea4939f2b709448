/**
 * The protocol's element types: their size and order of bytes on the wire, and the typed arrays that hold them here.
 * FP16 and BF16 travel as two bytes and are Float32Arrays here; BOOL travels as one byte, 0 or 1.
 */
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '../io/half-precision.js'
import type { TypedArray } from '../native.js'
import { ServeError } from './errors.js'
import type { Datatype } from './service.js'

type ArrayType = new (buffer: ArrayBufferLike, offset: number, length: number) => TypedArray

export interface DatatypeInfo {
  /** Bytes an element takes on the wire. */
  readonly size: number
  /** Array of the elements here. */
  readonly make: (length: number) => TypedArray
  /** The same bytes on the wire and here, or undefined: they are converted. */
  readonly view?: ArrayType
  /** Smallest and largest whole number; undefined for floating point. */
  readonly range?: readonly [bigint, bigint]
  /** Largest finite value as written: whatever rounds beyond it is refused. Floating point only. */
  readonly largest?: number
}

const whole = (bits: number, signed: boolean): readonly [bigint, bigint] =>
  signed ? [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n] : [0n, 2n ** BigInt(bits) - 1n]

const DATATYPES: Readonly<Record<Datatype, DatatypeInfo>> = {
  BOOL: { size: 1, make: (length) => new Uint8Array(length), view: Uint8Array, range: [0n, 1n] },
  UINT8: { size: 1, make: (length) => new Uint8Array(length), view: Uint8Array, range: whole(8, false) },
  INT8: { size: 1, make: (length) => new Int8Array(length), view: Int8Array, range: whole(8, true) },
  INT16: { size: 2, make: (length) => new Int16Array(length), view: Int16Array, range: whole(16, true) },
  INT32: { size: 4, make: (length) => new Int32Array(length), view: Int32Array, range: whole(32, true) },
  INT64: { size: 8, make: (length) => new BigInt64Array(length), view: BigInt64Array, range: whole(64, true) },
  // Half of the spacing above the largest: 2^4 above 65504, 2^119 above the largest bfloat16, 2^103 above float32's.
  FP16: { size: 2, make: (length) => new Float32Array(length), largest: 65519.99 },
  BF16: { size: 2, make: (length) => new Float32Array(length), largest: 3.3961775e38 },
  FP32: { size: 4, make: (length) => new Float32Array(length), view: Float32Array, largest: 3.4028235677973362e38 },
  FP64: { size: 8, make: (length) => new Float64Array(length), view: Float64Array, largest: Number.MAX_VALUE },
}

/** Names of the datatypes that a tensor may have. */
export const datatypeNames = Object.keys(DATATYPES) as readonly Datatype[]

/** Types of the protocol that no network takes: refused by name. */
const NOT_TAKEN = new Set(['UINT16', 'UINT32', 'UINT64', 'BYTES'])

export function datatypeInfo(datatype: Datatype): DatatypeInfo {
  return DATATYPES[datatype]
}

/** @throws ServeError `ERR_SERVE_INPUT` (400) */
export function parseDatatype(name: string, tensor: string): Datatype {
  if (Object.hasOwn(DATATYPES, name)) return name as Datatype
  const problem = NOT_TAKEN.has(name) ? 'is not taken here' : 'is not a datatype'
  throw new ServeError(
    `input "${tensor}": ${JSON.stringify(name.slice(0, 40))} ${problem}; one of ${datatypeNames.join(', ')} is`,
    'ERR_SERVE_INPUT',
    { input: tensor, datatype: name },
  )
}

/**
 * Elements of a tensor out of its bytes: a view of them where they are aligned, else of a copy.
 *
 * @param bytes exactly as many as the elements take
 * @throws ServeError `ERR_SERVE_INPUT` (400) for a BOOL that is neither 0 nor 1
 */
export function elementsFromBytes(bytes: Uint8Array, datatype: Datatype, tensor: string): TypedArray {
  const { size, view: View } = DATATYPES[datatype]
  const length = bytes.byteLength / size
  if (datatype === 'BOOL') checkFlags(bytes, tensor)
  const aligned = bytes.byteOffset % size === 0 ? bytes : Uint8Array.from(bytes)
  if (View !== undefined) return new View(aligned.buffer, aligned.byteOffset, length)
  return widened(new Uint16Array(aligned.buffer, aligned.byteOffset, length), datatype)
}

/** The bytes of a tensor's elements; views of them where nothing needs converting. */
export function bytesFromElements(data: TypedArray, datatype: Datatype): Uint8Array {
  const array =
    datatype === 'FP16' ? toFloat16(halfSource(data)) : datatype === 'BF16' ? toBfloat16(halfSource(data)) : data
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

/** FP16 and BF16 as they would be after two bytes each: a tensor means the same in JSON and in binary. */
export function roundedToDatatype(data: TypedArray, datatype: Datatype): TypedArray {
  if (datatype === 'FP16') return widened(toFloat16(halfSource(data)), datatype)
  return datatype === 'BF16' ? widened(toBfloat16(halfSource(data)), datatype) : data
}

function halfSource(data: TypedArray): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<number>, Number)
}

function checkFlags(bytes: Uint8Array, tensor: string): void {
  const wrong = bytes.find((value) => value > 1)
  if (wrong === undefined) return
  throw new ServeError(`input "${tensor}": a BOOL is 0 or 1, got ${wrong}`, 'ERR_SERVE_INPUT', { input: tensor })
}

/** Value of each of the 65,536 numbers of two bytes; made once, as converting one by one takes 20 times as long. */
const everyHalf = new Map<Datatype, Float32Array>()

function widened(bits: Uint16Array, datatype: Datatype): Float32Array {
  const values = everyHalf.get(datatype) ?? makeEveryHalf(datatype)
  const wide = new Float32Array(bits.length)
  for (let i = 0; i < bits.length; i++) wide[i] = values[bits[i]!]!
  return wide
}

function makeEveryHalf(datatype: Datatype): Float32Array {
  const all = Uint16Array.from({ length: 65_536 }, (_, bits) => bits)
  const values = datatype === 'FP16' ? fromFloat16(all) : fromBfloat16(all)
  everyHalf.set(datatype, values)
  return values
}
