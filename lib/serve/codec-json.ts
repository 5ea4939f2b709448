/**
 * Tensor data in JSON: an array of numbers in row-major order, or arrays nested as the shape says. Read by a loop of our
 * own: a schema validator would look at every number through several closures.
 */
import type { TypedArray } from '../native.js'
import { type DatatypeInfo, datatypeInfo, roundedToDatatype } from './datatypes.js'
import { ServeError } from './errors.js'
import type { Datatype, TensorValue } from './service.js'

/**
 * Elements out of `data`, as many as the shape has.
 *
 * @throws ServeError `ERR_SERVE_INPUT` (400) for arrays that are ragged or of another shape, and for numbers that the
 * datatype can't hold exactly enough: 300 or 1.5 as UINT8, 1e39 as FP32, whole numbers beyond 2^53 that are not strings
 */
export function elementsFromJson(
  data: readonly unknown[],
  datatype: Datatype,
  shape: readonly number[],
  count: number,
  tensor: string,
): TypedArray {
  const info = datatypeInfo(datatype)
  const reader: Reader = { info, datatype, tensor, elements: info.make(count), at: 0 }
  if (Array.isArray(data[0])) readNested(reader, data, shape, 0)
  else readRow(reader, data, count)
  return roundedToDatatype(reader.elements, datatype)
}

/** The text of an array that holds the elements in row-major order. @throws ServeError `ERR_SERVE_OUTPUT` (400) */
export function jsonFromElements(tensor: string, { data, datatype }: TensorValue): string {
  if (datatype === 'BOOL') return `[${Array.from(data as Uint8Array, (flag) => flag !== 0).join(',')}]`
  if (data instanceof Float32Array || data instanceof Float64Array) {
    for (const value of data) {
      if (!Number.isFinite(value)) {
        throw new ServeError(
          `output "${tensor}" holds ${value}, which JSON can't carry: ask for it with the parameter "binary_data": true`,
          'ERR_SERVE_OUTPUT',
          { output: tensor },
        )
      }
    }
  }
  return `[${data.join(',')}]`
}

interface Reader {
  readonly info: DatatypeInfo
  readonly datatype: Datatype
  readonly tensor: string
  readonly elements: TypedArray
  at: number
}

function refuse(reader: Reader, problem: string): ServeError {
  return new ServeError(`input "${reader.tensor}": ${problem}`, 'ERR_SERVE_INPUT', { input: reader.tensor })
}

function readNested(reader: Reader, data: readonly unknown[], shape: readonly number[], depth: number): void {
  const size = shape[depth]
  if (data.length !== size) {
    throw refuse(
      reader,
      size === undefined
        ? `data is nested deeper than shape [${shape.join(', ')}]`
        : `an array of data holds ${data.length} items where shape [${shape.join(', ')}] says ${size}`,
    )
  }
  if (depth === shape.length - 1) {
    readRow(reader, data, size)
    return
  }
  for (const item of data) {
    if (!Array.isArray(item)) throw refuse(reader, `data is not nested as shape [${shape.join(', ')}] says`)
    readNested(reader, item, shape, depth + 1)
  }
}

function readRow(reader: Reader, row: readonly unknown[], count: number): void {
  if (row.length !== count) throw refuse(reader, `data holds ${row.length} elements where shape says ${count}`)
  const { elements, info } = reader
  if (elements instanceof BigInt64Array) readLongs(reader, row, elements)
  else if (reader.datatype === 'BOOL') readFlags(reader, row)
  else if (info.range !== undefined) readIntegers(reader, row, Number(info.range[0]), Number(info.range[1]))
  else readFloats(reader, row, info.largest ?? Number.MAX_VALUE)
}

function readFloats(reader: Reader, row: readonly unknown[], largest: number): void {
  const elements = reader.elements as Float32Array
  let at = reader.at
  for (const value of row) {
    // Not larger than the largest: neither is NaN nor, as 1e999 is read, infinity.
    if (typeof value !== 'number' || !(Math.abs(value) <= largest)) throw notANumber(reader, value)
    elements[at++] = value
  }
  reader.at = at
}

function readIntegers(reader: Reader, row: readonly unknown[], smallest: number, largest: number): void {
  const elements = reader.elements as Int32Array
  let at = reader.at
  for (const value of row) {
    if (!Number.isInteger(value) || (value as number) < smallest || (value as number) > largest)
      throw notANumber(reader, value)
    elements[at++] = value as number
  }
  reader.at = at
}

function readFlags(reader: Reader, row: readonly unknown[]): void {
  const elements = reader.elements as Uint8Array
  for (const value of row) {
    if (value !== true && value !== false && value !== 0 && value !== 1) throw notANumber(reader, value)
    elements[reader.at++] = Number(value)
  }
}

/** Whole numbers, or strings of digits where a JSON number can't be exact. */
function readLongs(reader: Reader, row: readonly unknown[], elements: BigInt64Array): void {
  const [smallest, largest] = reader.info.range!
  for (const value of row) {
    const digits = typeof value === 'string' && /^-?\d{1,19}$/.test(value)
    if (!Number.isSafeInteger(value) && !digits) {
      if (Number.isInteger(value))
        throw refuse(
          reader,
          `${value} may not be what was sent: write numbers beyond 2^53 as strings, or send binary data`,
        )
      throw notANumber(reader, value)
    }
    const long = BigInt(value as number | string)
    if (long < smallest || long > largest) throw notANumber(reader, value)
    elements[reader.at++] = long
  }
}

function notANumber(reader: Reader, value: unknown): ServeError {
  return refuse(reader, `data holds ${shown(value)} where ${reader.datatype} is wanted`)
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY)
    return 'a number too large for any datatype'
  return typeof value === 'object' && value !== null ? 'an object' : JSON.stringify(value).slice(0, 40)
}
