/** Between the bytes in a safetensors file and the typed arrays that carry tensors to and from libtorch. */
import { ArgumentError } from '../errors.js'
import type { Dtype, TypedArray } from '../native.js'
import { native } from '../runtime/addon.js'
import { carrier } from '../tensor/dtype.js'
import { Tensor } from '../tensor/tensor.js'
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './half-precision.js'
import type { SafetensorsTensor } from './safetensors.js'
import type { SafetensorsDtype } from './safetensors-header.js'

const NAMES: Readonly<Record<Dtype, SafetensorsDtype>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
}

export interface TensorValues {
  /** bool as Uint8Array, int64 as BigInt64Array, float16 and bfloat16 as Float32Array. */
  readonly data: TypedArray
  readonly shape: readonly number[]
  readonly dtype: Dtype
}

/**
 * The tensor to write for values of `dtype`. Shares the memory of `data` except for float16 and bfloat16.
 *
 * @throws ArgumentError `ERR_TYPE` when `data` is not the kind of array that carries `dtype`
 */
export function tensorFromValues({ data, shape, dtype }: TensorValues): SafetensorsTensor {
  const expected = carrier(dtype, 0).constructor
  if (!(data instanceof expected)) {
    throw new ArgumentError(`values of ${dtype} must be a ${expected.name}, got ${data.constructor.name}`, 'ERR_TYPE')
  }
  const carried = dtype === 'float16' || dtype === 'bfloat16' ? toHalves(data, dtype) : data
  return { dtype: NAMES[dtype], shape, data: new Uint8Array(carried.buffer, carried.byteOffset, carried.byteLength) }
}

/** The values of a tensor that was read. Shares its memory where that is aligned, except for float16 and bfloat16. */
export function valuesFromTensor({ dtype, shape, data }: SafetensorsTensor): TensorValues {
  switch (dtype) {
    case 'F64':
      return { data: new Float64Array(...aligned(data, 8)), shape, dtype: 'float64' }
    case 'F32':
      return { data: new Float32Array(...aligned(data, 4)), shape, dtype: 'float32' }
    case 'I64':
      return { data: new BigInt64Array(...aligned(data, 8)), shape, dtype: 'int64' }
    case 'I32':
      return { data: new Int32Array(...aligned(data, 4)), shape, dtype: 'int32' }
    case 'I16':
      return { data: new Int16Array(...aligned(data, 2)), shape, dtype: 'int16' }
    case 'I8':
      return { data: new Int8Array(...aligned(data, 1)), shape, dtype: 'int8' }
    case 'F16':
      return { data: fromFloat16(new Uint16Array(...aligned(data, 2))), shape, dtype: 'float16' }
    case 'BF16':
      return { data: fromBfloat16(new Uint16Array(...aligned(data, 2))), shape, dtype: 'bfloat16' }
    case 'U8':
      return { data, shape, dtype: 'uint8' }
    case 'BOOL':
      // C++ knows no third truth value.
      return { data: data.map((value) => (value === 0 ? 0 : 1)), shape, dtype: 'bool' }
  }
}

/** A copy of a tensor's values, to write. */
export function storedTensor(tensor: Tensor): SafetensorsTensor {
  const { dtype, shape } = tensor
  return tensorFromValues({ data: tensor.toTypedArray(), shape, dtype })
}

/** The stored values in libtorch, on the CPU. The caller frees them. */
export function tensorOf(stored: SafetensorsTensor): Tensor {
  const { data, shape, dtype } = valuesFromTensor(stored)
  return new Tensor(native().tensorFrom(data, shape, dtype))
}

function toHalves(data: TypedArray, dtype: 'float16' | 'bfloat16'): Uint16Array {
  const values = data instanceof Float32Array ? data : new Float32Array(0)
  return dtype === 'float16' ? toFloat16(values) : toBfloat16(values)
}

/** Where a typed array of `size`-byte elements may be laid over the bytes: over themselves, or over an aligned copy. */
function aligned(data: Uint8Array, size: number): [ArrayBufferLike, number, number] {
  const bytes = data.byteOffset % size === 0 ? data : data.slice()
  return [bytes.buffer, bytes.byteOffset, bytes.length / size]
}
