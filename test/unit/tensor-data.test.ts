import { describe, expect, it } from 'vitest'
import {
  cast,
  type Dtype,
  dtypes,
  permute,
  select,
  slice,
  type Tensor,
  type TensorData,
  type TypedArray,
  tensor,
  transpose,
  zeros,
} from '../../lib/tensor/index.js'
import { codeOf } from './tensor-expectations.js'

describe('tensor from nested arrays and numbers', () => {
  it('infers shape and dtype', () => {
    const cases: [TensorData, number[], Dtype][] = [
      [3, [], 'float32'],
      [[1, 2, 3], [3], 'float32'],
      [[[1], [2]], [2, 1], 'float32'],
      [true, [], 'bool'],
      [[true, false], [2], 'bool'],
      [[1n, 2n], [2], 'int64'],
      [[], [0], 'float32'],
      [[[], []], [2, 0], 'float32'],
      [[new Float32Array([1, 2]), new Float32Array([3, 4])], [2, 2], 'float32'],
    ]
    for (const [data, shape, dtype] of cases) {
      using made = tensor(data)
      expect([made.shape, made.dtype, made.device]).toEqual([shape, dtype, 'cpu'])
    }
  })

  it('gives nested arrays back', () => {
    using matrix = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ])
    expect(matrix.toArray()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ])
    expect(matrix.numel).toBe(6)
    expect(matrix.rank).toBe(2)
    expect(matrix.toString()).toBe('Tensor([2, 3], float32)')
    expect(tensor([true, false]).toArray()).toEqual([true, false])
    expect(tensor([7n, -1n]).toArray()).toEqual([7, -1])
    expect(tensor(2.5).toArray()).toBe(2.5)
    expect(tensor([[], []]).toArray()).toEqual([[], []])
  })

  it('refuses rows of several lengths, wrong counts and wrong elements', () => {
    expect(codeOf(() => tensor([[1, 2], [3]]))).toBe('ERR_SHAPE ShapeError')
    expect(codeOf(() => tensor([1, [2]]))).toBe('ERR_SHAPE ShapeError')
    expect(codeOf(() => tensor([1, 2, 3], { shape: [2, 2] }))).toBe('ERR_SHAPE ShapeError')
    expect(codeOf(() => tensor([1], { shape: [-1] }))).toBe('ERR_SHAPE ShapeError')
    expect(codeOf(() => tensor(['1'] as unknown as number[]))).toBe('ERR_TYPE ArgumentError')
    expect(codeOf(() => tensor(null as unknown as number))).toBe('ERR_TYPE ArgumentError')
    expect(codeOf(() => tensor(new Uint16Array(2) as unknown as number[]))).toBe('ERR_TYPE ArgumentError')
    expect(codeOf(() => tensor([1], { dtype: 'float' as Dtype }))).toBe('ERR_TYPE ArgumentError')
    expect(codeOf(() => tensor([1.5], { dtype: 'int32' }))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => tensor([1.5], { dtype: 'int64' }))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => tensor([256], { dtype: 'uint8' }))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => tensor([1], { device: 'tpu' }))).toBe('ERR_RANGE ArgumentError')
  })
})

describe('typed arrays in and out', () => {
  const natural: [TypedArray, Dtype][] = [
    [new Float32Array([1.5, -2, Number.NaN, Number.POSITIVE_INFINITY]), 'float32'],
    [new Float64Array([1e300, -0.1, Number.NaN, Number.NEGATIVE_INFINITY]), 'float64'],
    [new Int32Array([1, -2, 2 ** 31 - 1, -(2 ** 31)]), 'int32'],
    [new BigInt64Array([1n, -2n, 2n ** 63n - 1n, -(2n ** 63n)]), 'int64'],
    [new Uint8Array([0, 1, 128, 255]), 'uint8'],
    [new Int16Array([0, -1, 32767, -32768]), 'int16'],
    [new Int8Array([0, -1, 127, -128]), 'int8'],
  ]
  it.each(natural)('brings every value of %s back', (data, dtype) => {
    using made = tensor(data, { shape: [2, 2] })
    expect([made.dtype, made.shape]).toEqual([dtype, [2, 2]])
    expect(made.toTypedArray()).toEqual(data)
  })

  it('reads bool as 0 and 1', () => {
    using made = tensor(new Uint8Array([0, 1, 7]), { dtype: 'bool' })
    expect(made.toTypedArray()).toEqual(new Uint8Array([0, 1, 1]))
  })

  it('rounds to bfloat16 and float16 and gives float32', () => {
    // 1 + 2^-7 is the number after 1 in bfloat16, 1 + 2^-10 in float16; 65504 is float16's largest.
    using brain = tensor([1, 1 + 2 ** -7, 1 + 2 ** -10, Number.NaN], { dtype: 'bfloat16' })
    expect(brain.toTypedArray()).toEqual(new Float32Array([1, 1 + 2 ** -7, 1, Number.NaN]))
    using half = tensor([1, 1 + 2 ** -10, 1 + 2 ** -12, 65504], { dtype: 'float16' })
    expect(half.toTypedArray()).toEqual(new Float32Array([1, 1 + 2 ** -10, 1, 65504]))
    expect([brain.dtype, half.dtype]).toEqual(['bfloat16', 'float16'])
  })

  it('copies: the tensor does not follow the array', () => {
    const data = new Float32Array([1, 2])
    using made = tensor(data)
    data[0] = 9
    expect(made.toArray()).toEqual([1, 2])
    made.toTypedArray()[1] = 9
    expect(made.toArray()).toEqual([1, 2])
  })

  it('takes views of a buffer, with their offset', () => {
    const data = new Float32Array([0, 1, 2, 3, 4, 5])
    expect(tensor(data.subarray(2, 5)).toArray()).toEqual([2, 3, 4])
    expect(tensor(new Uint8ClampedArray([0, 300]).subarray(1)).toArray()).toEqual([255])
    expect(tensor(Buffer.from([7, 8, 9]).subarray(1)).toArray()).toEqual([8, 9])
  })

  it('converts where another dtype is named', () => {
    expect(tensor(new Uint8Array([1, 2]), { dtype: 'float32' }).toTypedArray()).toEqual(new Float32Array([1, 2]))
    expect(tensor(new Int32Array([3]), { dtype: 'int64' }).toTypedArray()).toEqual(new BigInt64Array([3n]))
    expect(tensor(new BigInt64Array([3n]), { dtype: 'float64' }).toTypedArray()).toEqual(new Float64Array([3]))
    expect(tensor(new Float32Array([0, 0.5]), { dtype: 'bool' }).toArray()).toEqual([false, true])
  })

  it.each(dtypes)('holds scalars, empty tensors and strided views of %s', (dtype) => {
    const scalar = tensor(1, { dtype })
    expect([scalar.shape, scalar.item(), scalar.dtype]).toEqual([[], 1, dtype])
    const empty = zeros([2, 0, 3], { dtype })
    expect([empty.numel, empty.toTypedArray().length, empty.toArray()]).toEqual([0, 0, [[], []]])
    const values = dtype === 'bool' ? [1, 0, 0, 1, 1, 0] : [1, 2, 3, 4, 5, 6]
    const matrix = tensor(values, { shape: [2, 3], dtype })
    const turned = transpose(matrix, 0, 1)
    expect([turned.shape, turned.strides]).toEqual([
      [3, 2],
      [1, 3],
    ])
    const read = (x: Tensor) => Array.from(x.toTypedArray(), Number)
    const at = (...places: number[]) => places.map((place) => values[place]!)
    expect(read(turned)).toEqual(at(0, 3, 1, 4, 2, 5))
    expect(read(select(matrix, 1, 1))).toEqual(at(1, 4))
    expect(read(slice(matrix, 1, { step: 2 }))).toEqual(at(0, 2, 3, 5))
    expect(read(permute(slice(matrix, 1, { start: 1 }), [1, 0]))).toEqual(at(1, 4, 2, 5))
  })
})

describe('item', () => {
  it('gives the one value as a number', () => {
    expect(tensor([[4]]).item()).toBe(4)
    expect(tensor(true).item()).toBe(1)
    expect(tensor(-3n).item()).toBe(-3)
  })

  it('refuses several elements and integers beyond a number', () => {
    expect(codeOf(() => tensor([1, 2]).item())).toBe('ERR_SHAPE ShapeError')
    expect(codeOf(() => tensor([]).item())).toBe('ERR_SHAPE ShapeError')
    expect(codeOf(() => tensor(2n ** 60n).item())).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => tensor([2n ** 60n]).toArray())).toBe('ERR_RANGE ArgumentError')
  })
})

describe('cast', () => {
  it('rounds towards zero to integers and says true for all but zero', () => {
    using x = tensor([-1.7, 0, 1.7])
    expect(cast(x, 'int64').toTypedArray()).toEqual(new BigInt64Array([-1n, 0n, 1n]))
    expect(cast(x, 'bool').toArray()).toEqual([true, false, true])
    expect(cast(x, 'float64').toArray()).toEqual(Array.from(Float32Array.of(-1.7, 0, 1.7)))
  })

  it.each(dtypes)('goes from float32 to %s and back', (dtype) => {
    using there = cast(tensor([0, 1]), dtype)
    expect(there.dtype).toBe(dtype)
    expect(cast(there, 'float32').toArray()).toEqual([0, 1])
  })
})
