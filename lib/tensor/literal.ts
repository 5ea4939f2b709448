/** From JavaScript values to one flat typed array and a shape, and back to nested arrays. */
import { ArgumentError, ShapeError } from '../errors.js'
import type { Dtype, TypedArray } from '../native.js'
import { carrier, integerRange, naturalDtype } from './dtype.js'

/** What a tensor can be made of: a number, nested arrays (rows may be typed arrays), or one typed array. */
export type TensorData = number | bigint | boolean | TypedArray | Uint8ClampedArray | readonly TensorData[]

/** Nested arrays as {@link Tensor.toArray} gives them. */
export type NestedArray = number | boolean | readonly NestedArray[]

type Element = number | bigint | boolean

export interface Literal {
  readonly data: TypedArray
  readonly shape: readonly number[]
  readonly dtype: Dtype
}

/**
 * Flattens `data` in row-major order into the typed array that carries `dtype`.
 *
 * @throws ShapeError when rows differ in length or `shape` has another number of elements
 * @throws ArgumentError when an element is not a number, or not an integer of the dtype's range
 */
export function literal(data: TensorData, dtype?: Dtype, shape?: readonly number[]): Literal {
  if (shape !== undefined) checkShape(shape, 'tensor')
  const typed = asTypedArray(data)
  if (typed !== undefined) {
    const target = dtype ?? naturalDtype(typed)
    return fitted(convert(typed, target), shape ?? [typed.length], target)
  }
  const elements: Element[] = []
  const found = flatten(data, elements)
  const target = dtype ?? elementDtype(elements)
  return fitted(convert(elements, target), shape ?? found, target)
}

/** Number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

/** @throws ShapeError unless every size is an integer of at least 0. */
export function checkShape(shape: readonly number[], where: string): void {
  if (!Array.isArray(shape) || !shape.every((size) => Number.isInteger(size) && size >= 0)) {
    throw new ShapeError(`${where} wants a shape of integers of at least 0, got ${JSON.stringify(shape)}`, { shape })
  }
}

/** Nested arrays of the values in row-major order; bool as booleans, int64 as numbers. */
export function nested(data: TypedArray, shape: readonly number[], dtype: Dtype): NestedArray {
  let next = 0
  const read = (): number | boolean => {
    const value = data[next++]!
    return dtype === 'bool' ? value !== 0 : safeNumber(value)
  }
  const level = (dim: number): NestedArray =>
    dim === shape.length ? read() : Array.from({ length: shape[dim]! }, () => level(dim + 1))
  return level(0)
}

/** @throws ArgumentError when an int64 does not fit a JavaScript number. */
export function safeNumber(value: number | bigint): number {
  if (typeof value === 'number') return value
  const number = Number(value)
  if (!Number.isSafeInteger(number)) {
    throw new ArgumentError(`${value} does not fit a JavaScript number: read it with toTypedArray()`, 'ERR_RANGE', {
      value,
    })
  }
  return number
}

function asTypedArray(data: TensorData): TypedArray | undefined {
  if (data instanceof Uint8ClampedArray) return new Uint8Array(data.buffer, data.byteOffset, data.length)
  if (
    data instanceof Float32Array ||
    data instanceof Float64Array ||
    data instanceof Int32Array ||
    data instanceof BigInt64Array ||
    data instanceof Uint8Array ||
    data instanceof Int16Array ||
    data instanceof Int8Array
  ) {
    return data
  }
  if (ArrayBuffer.isView(data)) {
    const name = (data as object).constructor.name
    throw new ArgumentError(`tensor does not take a ${name}: copy it into a Float32Array, Int32Array or BigInt64Array`)
  }
  return undefined
}

/** Appends the elements of `data` in order and returns its shape. */
function flatten(data: TensorData, elements: Element[]): number[] {
  if (typeof data === 'number' || typeof data === 'bigint' || typeof data === 'boolean') {
    elements.push(data)
    return []
  }
  const row = asTypedArray(data)
  if (row !== undefined) {
    for (const value of row) elements.push(value)
    return [row.length]
  }
  if (!Array.isArray(data)) {
    throw new ArgumentError(`tensor wants numbers, nested arrays or a typed array, got ${describe(data)}`)
  }
  let inner: number[] | undefined
  for (const item of data as readonly TensorData[]) {
    const shape = flatten(item, elements)
    if (inner !== undefined && !sameShape(shape, inner)) {
      throw new ShapeError(
        `tensor wants rows of one shape, got [${inner.join(', ')}] and [${shape.join(', ')}] side by side`,
        { expected: inner, actual: shape },
      )
    }
    inner = shape
  }
  return [data.length, ...(inner ?? [])]
}

function sameShape(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((size, i) => size === right[i])
}

function describe(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
}

/** Numbers are float32, booleans bool and bigints int64, unless a dtype is named. */
function elementDtype(elements: readonly Element[]): Dtype {
  if (elements.length === 0) return 'float32'
  if (elements.every((value) => typeof value === 'boolean')) return 'bool'
  if (elements.every((value) => typeof value === 'bigint')) return 'int64'
  return 'float32'
}

function convert(values: TypedArray | readonly Element[], dtype: Dtype): TypedArray {
  const out = carrier(dtype, values.length)
  if (dtype !== 'bool' && out.constructor === values.constructor) return values as TypedArray
  if (out instanceof BigInt64Array) {
    for (let i = 0; i < values.length; i++) out[i] = toBigInt(values[i]!)
    return out
  }
  const range = integerRange(dtype)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (dtype === 'bool') out[i] = value ? 1 : 0
    else out[i] = range === undefined ? Number(value) : integer(Number(value), range, dtype)
  }
  return out
}

function toBigInt(value: Element): bigint {
  if (typeof value === 'number' && !Number.isInteger(value)) throw notAnInteger(value, 'int64')
  const integer = BigInt(value)
  if (BigInt.asIntN(64, integer) !== integer) throw notAnInteger(value, 'int64')
  return integer
}

function integer(value: number, [smallest, largest]: readonly [number, number], dtype: Dtype): number {
  if (Number.isInteger(value) && value >= smallest && value <= largest) return value
  throw notAnInteger(value, dtype)
}

function notAnInteger(value: Element, dtype: Dtype): ArgumentError {
  return new ArgumentError(
    `${value} is not an integer of ${dtype}: make the tensor as float32 and use cast() to round towards zero`,
    'ERR_RANGE',
    { value, dtype },
  )
}

function fitted(data: TypedArray, shape: readonly number[], dtype: Dtype): Literal {
  const wanted = elementCount(shape)
  if (wanted !== data.length) {
    throw new ShapeError(`Shape [${shape.join(', ')}] has ${wanted} elements, the data have ${data.length}`, {
      expected: wanted,
      actual: data.length,
    })
  }
  return { data, shape, dtype }
}
