import { describe, expect, it } from 'vitest'
import type { TensorHandle } from '../../lib/native.js'
import { native } from '../../lib/runtime/addon.js'

const codeOf = (call: () => unknown): string => {
  try {
    call()
  } catch (error) {
    return (error as { code: string }).code
  }
  return 'none'
}
const vector = (...values: number[]): TensorHandle =>
  native().tensorFrom(Float32Array.from(values), [values.length], 'float32')

describe('tensor handles', () => {
  it('count what is alive, and go back to the start', () => {
    const start = native().memory()
    const handles = [vector(1), vector(1, 2), vector(...new Array(1000).fill(0))]
    expect(native().memory()).toEqual({ tensors: start.tensors + 3, bytes: start.bytes + 4 + 8 + 4000 })
    for (const handle of handles) native().tensorFree(handle)
    expect(native().memory()).toEqual(start)
  })

  it('count storage shared by views once', () => {
    const start = native().memory()
    const whole = vector(1, 2, 3, 4)
    const view = native().callOperator('aten::slice.Tensor', [{ handle: whole }, 0, 1, 3], {}) as { handle: number }
    expect(native().memory()).toEqual({ tensors: start.tensors + 2, bytes: start.bytes + 16 })
    native().tensorFree(whole)
    expect(native().memory()).toEqual({ tensors: start.tensors + 1, bytes: start.bytes + 16 })
    expect([...native().tensorData(view.handle)]).toEqual([2, 3])
    native().tensorFree(view.handle)
    expect(native().memory()).toEqual(start)
  })

  it('never reach another tensor once freed, though their place is used again', () => {
    const stale: TensorHandle[] = []
    for (let i = 0; i < 100; i++) {
      const handle = vector(i)
      native().tensorFree(handle)
      stale.push(handle)
    }
    const alive = vector(42)
    expect(new Set([...stale, alive]).size).toBe(101)
    for (const handle of stale) expect(codeOf(() => native().tensorData(handle))).toBe('ERR_DISPOSED')
    expect([...native().tensorData(alive)]).toEqual([42])
    native().tensorFree(alive)
  })

  it('are refused as ERR_DISPOSED by everything that takes a tensor', () => {
    const handle = vector(1)
    const alive = vector(1)
    native().tensorFree(handle)
    const calls: (() => unknown)[] = [
      () => native().tensorInfo(handle),
      () => native().tensorGrad(handle),
      () => native().tensorSetRequiresGrad(handle, true),
      () => native().tensorBackward(handle, 0, false),
      () => native().tensorBackward(alive, handle, false),
      () => native().tensorAdopt({}, handle),
      () => native().callOperator('aten::relu', [{ handle }], {}),
      () => native().callOperator('aten::cat', [[{ handle: alive }, { handle }]], {}),
      () => native().clipGradientNorm([alive, handle], 1),
    ]
    for (const call of calls) expect(codeOf(call)).toBe('ERR_DISPOSED')
    native().tensorFree(handle) // twice is once
    native().tensorFree(alive)
  })

  it.each([0, -1, 1.5, Number.NaN, 2 ** 60, '1', null, undefined, {}])(
    'are positive integers: %s is refused',
    (handle) => {
      expect(codeOf(() => native().tensorInfo(handle as number))).toBe('ERR_TYPE')
    },
  )

  it('that were never given are ERR_DISPOSED', () => {
    expect(codeOf(() => native().tensorInfo(2 ** 52))).toBe('ERR_DISPOSED')
    expect(codeOf(() => native().networkSpikingLayers(12345))).toBe('ERR_DISPOSED')
  })

  it('have one owner at most', () => {
    const handle = vector(1)
    const owner = {}
    native().tensorAdopt(owner, handle)
    expect(codeOf(() => native().tensorAdopt({}, handle))).toBe('ERR_ARGUMENT')
    native().tensorFree(handle)
    expect(owner).toEqual({})
  })
})

describe('rows of typed arrays', () => {
  const table = Float32Array.of(-1, 0, 1, 2, 3, 4, 5, 6).subarray(2) // [[1, 2], [3, 4], [5, 6]]
  const rowsOf = (rows: number[], shape: number[], dtype: 'float32' | 'bfloat16' = 'float32'): number[] => {
    const handle = native().tensorFromRows(table, Uint32Array.from(rows), shape, dtype)
    const values = [...native().tensorData(handle)].map(Number)
    native().tensorFree(handle)
    return values
  }

  it('are copied in the order asked for, from the view on', () => {
    expect(rowsOf([2, 0, 2], [3, 2])).toEqual([5, 6, 1, 2, 5, 6])
    expect(rowsOf([1], [1, 1, 2])).toEqual([3, 4])
    expect(rowsOf([4, 0], [2])).toEqual([5, 1]) // rows of one element
    expect(rowsOf([1, 0], [2, 2], 'bfloat16')).toEqual([3, 4, 1, 2])
    expect(rowsOf([], [0, 2])).toEqual([])
    expect(rowsOf([9, 9], [2, 0])).toEqual([])
  })

  it('are refused outside the table, and where sizes or kinds do not fit', () => {
    const start = native().memory()
    expect(codeOf(() => rowsOf([0, 3], [2, 2]))).toBe('ERR_RANGE')
    expect(codeOf(() => rowsOf([2 ** 32 - 1], [1, 2]))).toBe('ERR_RANGE')
    expect(codeOf(() => rowsOf([1], [1, 4]))).toBe('ERR_RANGE')
    expect(codeOf(() => rowsOf([0], [1, 8]))).toBe('ERR_RANGE')
    expect(codeOf(() => rowsOf([0, 1], [3, 2]))).toBe('ERR_SHAPE')
    expect(codeOf(() => rowsOf([0], []))).toBe('ERR_SHAPE')
    const call = native().tensorFromRows as (...args: unknown[]) => unknown
    expect(codeOf(() => call(table, [0], [1, 2], 'float32'))).toBe('ERR_TYPE')
    expect(codeOf(() => call(table, Int32Array.of(0), [1, 2], 'float32'))).toBe('ERR_TYPE')
    expect(codeOf(() => call(table, Uint32Array.of(0), [1, 2], 'int32'))).toBe('ERR_TYPE')
    expect(native().memory()).toEqual(start)
  })
})

describe('typed arrays', () => {
  it.each([
    ['float32', Float32Array.of(1.5, -2)],
    ['float64', Float64Array.of(1 / 3, -2)],
    ['bfloat16', Float32Array.of(1.5, -2)],
    ['float16', Float32Array.of(1.5, -2)],
    ['int64', BigInt64Array.of(2n ** 62n, -1n)],
    ['int32', Int32Array.of(2 ** 30, -1)],
    ['int16', Int16Array.of(32767, -1)],
    ['int8', Int8Array.of(127, -1)],
    ['uint8', Uint8Array.of(255, 0)],
    ['bool', Uint8Array.of(1, 0)],
  ] as const)('go in and come back: %s', (dtype, data) => {
    const handle = native().tensorFrom(data, [2], dtype)
    expect(native().tensorData(handle)).toEqual(data)
    expect(native().tensorInfo(handle)).toEqual({
      shape: [2],
      strides: [1],
      dtype,
      device: 'cpu',
      requiresGrad: false,
      isLeaf: true,
    })
    native().tensorFree(handle)
  })

  it('are copied from where a view begins', () => {
    const view = new Float32Array(Float32Array.of(1, 2, 3, 4).buffer, 4, 2)
    const handle = native().tensorFrom(view, [2], 'float32')
    view[0] = 9
    expect([...native().tensorData(handle)]).toEqual([2, 3])
    native().tensorFree(handle)
  })

  it('take what is not zero as true, and round to bfloat16', () => {
    const flags = native().tensorFrom(Uint8Array.of(0, 1, 2, 255), [4], 'bool')
    expect([...native().tensorData(flags)]).toEqual([0, 1, 1, 1])
    const rounded = native().tensorFrom(Float32Array.of(1.001), [1], 'bfloat16')
    expect([...native().tensorData(rounded)]).toEqual([1])
    for (const handle of [flags, rounded]) native().tensorFree(handle)
  })

  it('come in row-major order from a transposed tensor', () => {
    const matrix = native().tensorFrom(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3], 'float32')
    const { handle } = native().callOperator('aten::t', [{ handle: matrix }], {}) as { handle: number }
    expect(native().tensorInfo(handle).strides).toEqual([1, 3])
    expect([...native().tensorData(handle)]).toEqual([1, 4, 2, 5, 3, 6])
    for (const one of [matrix, handle]) native().tensorFree(one)
  })

  it('are refused where no typed array is long enough', () => {
    const byte = native().tensorFrom(Uint8Array.of(1), [1], 'uint8')
    const wide = native().callOperator('aten::expand', [{ handle: byte }, [2 ** 32 + 1]], {}) as { handle: number }
    expect(codeOf(() => native().tensorData(wide.handle))).toBe('ERR_RANGE')
    for (const handle of [byte, wide.handle]) native().tensorFree(handle)
  })

  it('may be empty, or hold one value without axes', () => {
    const empty = native().tensorFrom(new Float32Array(0), [0, 3], 'float32')
    const scalar = native().tensorFrom(Float64Array.of(7), [], 'float64')
    expect(native().tensorData(empty)).toEqual(new Float32Array(0))
    expect(native().tensorInfo(empty).shape).toEqual([0, 3])
    expect(native().tensorData(scalar)).toEqual(Float64Array.of(7))
    for (const handle of [empty, scalar]) native().tensorFree(handle)
  })

  it.each([
    ['ERR_SHAPE', new Float32Array(3), [2, 2], 'float32'],
    ['ERR_SHAPE', new Float32Array(0), [1], 'float32'],
    ['ERR_TYPE', new Float64Array(4), [4], 'float32'],
    ['ERR_TYPE', new Uint8Array(4), [4], 'int8'],
    ['ERR_TYPE', [1, 2], [2], 'float32'],
    ['ERR_TYPE', null, [2], 'float32'],
    ['ERR_TYPE', new DataView(new ArrayBuffer(8)), [2], 'float32'],
    ['ERR_TYPE', new Float32Array(2), 2, 'float32'],
    ['ERR_TYPE', new Float32Array(2), ['2'], 'float32'],
    ['ERR_TYPE', new Float32Array(2), [2], 'float'],
    ['ERR_TYPE', new Float32Array(2), [2], 32],
    ['ERR_RANGE', new Float32Array(2), [1.5], 'float32'],
    ['ERR_RANGE', new Float32Array(2), [-2], 'float32'],
    ['ERR_RANGE', new Float32Array(2), [Number.NaN], 'float32'],
    ['ERR_RANGE', new Float32Array(2), [2 ** 53], 'float32'],
    ['ERR_RANGE', new Float32Array(0), [2 ** 40, 2 ** 40], 'float32'],
  ])('that do not fit are %s', (code, data, shape, dtype) => {
    const call = native().tensorFrom as (...args: unknown[]) => unknown
    const before = native().memory()
    expect(codeOf(() => call(data, shape, dtype))).toBe(code)
    expect(native().memory()).toEqual(before)
  })
})
