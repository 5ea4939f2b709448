import type { Dtype, TensorHandle, TypedArray } from '../native.js'
import { native } from '../runtime/addon.js'
import { carrier } from '../tensor/dtype.js'
import type { SafetensorsDtype, SafetensorsTensor } from './safetensors.js'

const STORED: Readonly<Record<Dtype, SafetensorsDtype>> = {
  float32: 'F32',
  float64: 'F64',
  bfloat16: 'BF16',
  float16: 'F16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
}

/** How safetensors names an element type. */
export function storedDtype(dtype: Dtype): SafetensorsDtype {
  return STORED[dtype]
}

/** A copy of a tensor's values as a safetensors entry. bfloat16 keeps its bits: the upper halves of 32-bit floats. */
export function storeTensor(handle: TensorHandle): SafetensorsTensor {
  const { dtype, shape } = native().tensorInfo(handle)
  const values = native().tensorData(handle)
  const data = dtype === 'bfloat16' ? upperHalves(bytesOf(values)) : bytesOf(values)
  return { dtype: STORED[dtype], shape, data }
}

/** A new native tensor with the values of an entry; the caller frees it. float16 is not stored by this package. */
export function restoreTensor({ dtype: stored, shape, data }: SafetensorsTensor): TensorHandle {
  const dtype = (Object.keys(STORED) as Dtype[]).find((name) => STORED[name] === stored) ?? 'float32'
  const values = carrier(
    dtype,
    shape.reduce((product, size) => product * size, 1),
  )
  if (dtype === 'bfloat16') spreadHalves(data, bytesOf(values))
  else bytesOf(values).set(data)
  return native().tensorFrom(values, shape, dtype)
}

function bytesOf({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function upperHalves(floats: Uint8Array): Uint8Array {
  const halves = new Uint8Array(floats.length / 2)
  for (let from = 2, to = 0; to < halves.length; from += 4, to += 2) halves.set(floats.subarray(from, from + 2), to)
  return halves
}

function spreadHalves(halves: Uint8Array, floats: Uint8Array): void {
  for (let from = 0, to = 2; from < halves.length; from += 2, to += 4) floats.set(halves.subarray(from, from + 2), to)
}
