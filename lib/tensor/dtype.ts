/** Element types: their names, and the typed array that carries the values of each across. */
import { ArgumentError } from '../errors.js'
import type { Dtype, TypedArray } from '../native.js'

interface DtypeFacts {
  /** Typed array that carries the values between JavaScript and libtorch. */
  readonly carrier: (length: number) => TypedArray
  readonly floating: boolean
  /** Smallest and largest integer, for the integer types. */
  readonly range?: readonly [number, number]
}

const FACTS: Readonly<Record<Dtype, DtypeFacts>> = {
  uint8: { carrier: (n) => new Uint8Array(n), floating: false, range: [0, 255] },
  int8: { carrier: (n) => new Int8Array(n), floating: false, range: [-128, 127] },
  int16: { carrier: (n) => new Int16Array(n), floating: false, range: [-32768, 32767] },
  int32: { carrier: (n) => new Int32Array(n), floating: false, range: [-(2 ** 31), 2 ** 31 - 1] },
  int64: { carrier: (n) => new BigInt64Array(n), floating: false },
  float16: { carrier: (n) => new Float32Array(n), floating: true },
  float32: { carrier: (n) => new Float32Array(n), floating: true },
  float64: { carrier: (n) => new Float64Array(n), floating: true },
  bool: { carrier: (n) => new Uint8Array(n), floating: false },
  bfloat16: { carrier: (n) => new Float32Array(n), floating: true },
}

/** Names of every element type. */
export const dtypes: readonly Dtype[] = Object.keys(FACTS) as Dtype[]

export function isDtype(name: unknown): name is Dtype {
  return typeof name === 'string' && Object.hasOwn(FACTS, name)
}

function facts(dtype: Dtype): DtypeFacts {
  if (!isDtype(dtype)) {
    throw new ArgumentError(`Unknown dtype ${JSON.stringify(dtype)}: use one of ${dtypes.join(', ')}`, 'ERR_TYPE', {
      dtype,
    })
  }
  return FACTS[dtype]
}

/**
 * The name, checked before it goes to an operator.
 *
 * @throws ArgumentError `ERR_TYPE` for a name that is none
 */
export function checkedDtype(dtype: Dtype): Dtype {
  facts(dtype)
  return dtype
}

export function isFloating(dtype: Dtype): boolean {
  return facts(dtype).floating
}

/** Range of the integer types that fit a JavaScript number, else undefined. */
export function integerRange(dtype: Dtype): readonly [number, number] | undefined {
  return facts(dtype).range
}

/** An empty typed array of the kind that carries `dtype`. */
export function carrier(dtype: Dtype, length: number): TypedArray {
  return facts(dtype).carrier(length)
}

/** The element type a typed array stands for when none is named. */
export function naturalDtype(data: TypedArray): Dtype {
  if (data instanceof Float32Array) return 'float32'
  if (data instanceof Float64Array) return 'float64'
  if (data instanceof Int32Array) return 'int32'
  if (data instanceof BigInt64Array) return 'int64'
  if (data instanceof Int16Array) return 'int16'
  if (data instanceof Int8Array) return 'int8'
  return 'uint8'
}
