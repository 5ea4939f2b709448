import { describe, expect, it } from 'vitest'
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '../../lib/io/half-precision.js'
import { tensorFromValues, valuesFromTensor } from '../../lib/io/tensor-values.js'

describe('float16', () => {
  it('has the bits of IEEE 754 binary16', () => {
    // Known encodings: one, largest, smallest normal and subnormal, zeros, infinities.
    const values = [1, -2, 65504, 2 ** -14, 2 ** -24, 0, -0, Infinity, -Infinity, 1 / 3]
    const bits = [0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x0000, 0x8000, 0x7c00, 0xfc00, 0x3555]
    expect([...toFloat16(Float32Array.from(values))]).toEqual(bits)
  })

  it('rounds to nearest, ties to even', () => {
    const values = [2049, 2051, 65519, 65520, 2 ** -25, 2 ** -25 * 1.5, 2 ** -14 - 2 ** -26]
    expect([...fromFloat16(toFloat16(Float32Array.from(values)))]).toEqual([
      2048,
      2052,
      65504,
      Infinity,
      0,
      2 ** -24,
      2 ** -14,
    ])
  })

  it('brings every one of its numbers back', () => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i)
    const numbers = all.filter((bits) => (bits & 0x7c00) !== 0x7c00 || (bits & 0x3ff) === 0)
    expect(toFloat16(fromFloat16(numbers))).toEqual(numbers)
    expect(fromFloat16(toFloat16(Float32Array.of(Number.NaN)))[0]).toBeNaN()
  })
})

describe('bfloat16', () => {
  it('is the upper half of a float32, rounded to nearest, ties to even', () => {
    const values = [1, -2, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20, 3.4e38, Infinity, 2 ** -133]
    expect([...toBfloat16(Float32Array.from(values))]).toEqual([
      0x3f80, 0xc000, 0x3f80, 0x3f82, 0x3f81, 0x7f80, 0x7f80, 0x0001,
    ])
  })

  it('brings every one of its numbers back, and NaN stays NaN', () => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i)
    const numbers = all.filter((bits) => (bits & 0x7f80) !== 0x7f80 || (bits & 0x7f) === 0)
    expect(toBfloat16(fromBfloat16(numbers))).toEqual(numbers)
    const quietest = new Float32Array(Uint32Array.of(0x7f800001, 0xffffffff).buffer)
    expect([...fromBfloat16(toBfloat16(quietest))]).toEqual([Number.NaN, Number.NaN])
  })
})

describe('tensor values', () => {
  it('come back as they were, for every dtype', () => {
    const cases = [
      { dtype: 'float64', data: Float64Array.of(0.1, -0) },
      { dtype: 'float32', data: Float32Array.of(0.1, -0) },
      { dtype: 'float16', data: Float32Array.of(0.5, -3) },
      { dtype: 'bfloat16', data: Float32Array.of(0.5, -3) },
      { dtype: 'int64', data: BigInt64Array.of(-1n, 2n ** 62n) },
      { dtype: 'int32', data: Int32Array.of(-1, 5) },
      { dtype: 'int16', data: Int16Array.of(-1, 5) },
      { dtype: 'int8', data: Int8Array.of(-1, 5) },
      { dtype: 'uint8', data: Uint8Array.of(255, 5) },
      { dtype: 'bool', data: Uint8Array.of(1, 0) },
    ] as const
    for (const { dtype, data } of cases) {
      expect(valuesFromTensor(tensorFromValues({ data, shape: [2], dtype }))).toEqual({ data, shape: [2], dtype })
    }
  })

  it('are refused in an array that does not carry the dtype', () => {
    const data = Int32Array.of(1)
    for (const dtype of ['float32', 'bfloat16', 'int64', 'bool'] as const) {
      expect(() => tensorFromValues({ data, shape: [1], dtype })).toThrow(expect.objectContaining({ code: 'ERR_TYPE' }))
    }
  })
})
