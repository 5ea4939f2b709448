import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Dtype, OperatorValue, TypedArray } from '../../lib/native.js'
import { native } from '../../lib/runtime/addon.js'

type Ref = { readonly handle: number }

const call = (name: string, args: readonly OperatorValue[], named: Record<string, OperatorValue> = {}): OperatorValue =>
  native().callOperator(name, args, named)
const tensor = (data: TypedArray, shape: readonly number[], dtype: Dtype): Ref => ({
  handle: native().tensorFrom(data, shape, dtype),
})
const floats = (...values: number[]): Ref => tensor(Float32Array.from(values), [values.length], 'float32')
const ints = (...values: number[]): Ref => tensor(Int32Array.from(values), [values.length], 'int32')
const values = (result: OperatorValue): number[] => Array.from(native().tensorData((result as Ref).handle), Number)
const info = (result: OperatorValue) => native().tensorInfo((result as Ref).handle)
const failure = (run: () => unknown): { code: string; message: string } => {
  try {
    run()
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    return { code, message }
  }
  throw new Error('did not throw')
}

// Everything made here ends with this file's process; what counts handles is in native-handles.test.ts.
let grad = true
beforeAll(() => {
  grad = native().gradEnabled()
})
afterAll(() => native().setGradEnabled(grad))

describe('arguments of operators', () => {
  it('Tensor, and defaults for what is missing', () => {
    expect(values(call('aten::add.Tensor', [floats(1, 2), floats(10, 20)]))).toEqual([11, 22])
  })

  it('by name, keyword-only or not', () => {
    expect(values(call('aten::add.Tensor', [floats(1, 2), floats(10, 20)], { alpha: 2 }))).toEqual([21, 42])
    expect(values(call('aten::add.Tensor', [], { other: floats(10), self: floats(1) }))).toEqual([11])
  })

  it('undefined counts as missing', () => {
    const args = [floats(4, 2), undefined] as unknown as OperatorValue[]
    const result = call('aten::sort', args, { dim: undefined } as unknown as Record<string, OperatorValue>)
    expect(values((result as OperatorValue[])[0]!)).toEqual([2, 4])
  })

  it('Tensor?: null for none', () => {
    const [input, weight] = [
      tensor(Float32Array.of(1, 2), [1, 2], 'float32'),
      tensor(Float32Array.of(3, 4), [1, 2], 'float32'),
    ]
    expect(values(call('aten::linear', [input, weight, null]))).toEqual([11])
    expect(values(call('aten::linear', [input, weight, floats(5)]))).toEqual([16])
  })

  it('Tensor[] and Tensor?[]', () => {
    expect(values(call('aten::cat', [[floats(1), floats(2, 3)], 0]))).toEqual([1, 2, 3])
    const matrix = tensor(Float32Array.of(1, 2, 3, 4), [2, 2], 'float32')
    const last = tensor(BigInt64Array.of(1n), [1], 'int64')
    expect(values(call('aten::index.Tensor', [matrix, [null, last]]))).toEqual([2, 4])
  })

  it('Scalar: numbers without fraction are integers, as in Python', () => {
    const dtypes = [2, 2.5, -0, 2 ** 60, 3n, true].map(
      (other) => info(call('aten::add.Scalar', [ints(1), other])).dtype,
    )
    expect(dtypes).toEqual(['int32', 'float32', 'float32', 'float32', 'int32', 'int32'])
    expect(values(call('aten::mul.Scalar', [tensor(BigInt64Array.of(1n), [1], 'int64'), 2n ** 60n]))).toEqual([2 ** 60])
  })

  it('int from number and bigint, negative too', () => {
    const matrix = tensor(Float32Array.of(1, 2, 3, 4), [2, 2], 'float32')
    expect(values(call('aten::select.int', [matrix, 0, -1]))).toEqual([3, 4])
    expect(values(call('aten::select.int', [matrix, 1n, 0n]))).toEqual([1, 3])
  })

  it('float, bool and str', () => {
    expect(values(call('aten::dropout', [floats(1, 2), 0.5, false]))).toEqual([1, 2])
    expect(values(call('aten::gelu', [floats(0)], { approximate: 'tanh' }))).toEqual([0])
    expect(values(call('aten::div.Tensor_mode', [floats(7), floats(2)], { rounding_mode: 'floor' }))).toEqual([3])
    expect(values(call('aten::div.Tensor_mode', [floats(7), floats(2)], { rounding_mode: null }))).toEqual([3.5])
  })

  it('int[], int[N] from one int, int[]?', () => {
    const image = tensor(
      Float32Array.from({ length: 16 }, (_, i) => i),
      [1, 1, 4, 4],
      'float32',
    )
    expect(values(call('aten::avg_pool2d', [image, [2, 2]]))).toEqual([2.5, 4.5, 10.5, 12.5])
    expect(values(call('aten::avg_pool2d', [image, 2]))).toEqual([2.5, 4.5, 10.5, 12.5])
    expect(values(call('aten::sum.dim_IntList', [image, [2, 3]]))).toEqual([120])
    expect(values(call('aten::sum.dim_IntList', [image, null]))).toEqual([120])
  })

  it('float[]? and bool[N]', () => {
    const line = tensor(Float32Array.of(2), [1, 1, 1], 'float32')
    expect(values(call('aten::upsample_nearest1d.vec', [line, null, [2]]))).toEqual([2, 2])
    const one = tensor(Float32Array.of(3), [1, 1, 1], 'float32')
    const gradients = call('aten::convolution_backward', [
      ...[one, line, one, null, [1], [0], [1], false, [0], 1],
      [true, false, true],
    ]) as OperatorValue[]
    expect(gradients.map((gradient) => gradient && values(gradient))).toEqual([[9], null, [3]])
  })

  it('Scalar[]', () => {
    const sums = call('aten::_foreach_add.ScalarList', [
      [floats(1), floats(2)],
      [10, 0.5],
    ]) as OperatorValue[]
    expect(sums.map(values)).toEqual([[11], [2.5]])
  })

  it('ScalarType, Device, Layout and MemoryFormat by name', () => {
    const zeros = call('aten::zeros', [[2]], { dtype: 'int64', device: 'cpu', layout: 'strided', pin_memory: false })
    expect(info(zeros)).toMatchObject({ dtype: 'int64', device: 'cpu' })
    expect(info(call('aten::to.dtype', [floats(1), 'float16'])).dtype).toBe('float16')
    const image = tensor(new Float32Array(16), [1, 2, 2, 4], 'float32')
    const last = call('aten::contiguous', [image], { memory_format: 'channels_last' })
    expect(info(last).strides).toEqual([16, 1, 8, 2])
  })

  it('lengths that nothing fills take no memory', () => {
    const endless = Object.assign([] as number[], { length: 2 ** 32 - 1 })
    expect(failure(() => call('aten::zeros', [endless])).code).toBe('ERR_ARGUMENT')
    expect(failure(() => native().tensorFrom(new Float32Array(1), endless, 'float32')).code).toBe('ERR_TYPE')
  })

  it('Generator?: null', () => {
    native().manualSeed(3)
    const first = values(call('aten::bernoulli', [floats(0.5, 0.5, 0.5, 0.5)], { generator: null }))
    native().manualSeed(3)
    expect(values(call('aten::bernoulli', [floats(0.5, 0.5, 0.5, 0.5)]))).toEqual(first)
  })

  it.each([
    [
      "aten::add.Tensor: argument 'other' must be Tensor, got the number 1",
      'aten::add.Tensor',
      () => [floats(1), 1],
      {},
    ],
    ["aten::relu: argument 'self' must be Tensor, got an object", 'aten::relu', () => [{ handle: '1' }], {}],
    ["aten::relu: argument 'self' must be Tensor, got null", 'aten::relu', () => [null], {}],
    ["aten::cat: argument 'tensors' must be Tensor[], got an object", 'aten::cat', () => [floats(1)], {}],
    ["aten::cat: argument 'tensors' must be Tensor[], got the number 1", 'aten::cat', () => [[floats(1), 1]], {}],
    [
      "aten::select.int: argument 'dim' must be int, got the number 0.5",
      'aten::select.int',
      () => [floats(1), 0.5, 0],
      {},
    ],
    ["aten::select.int: argument 'dim' must be int, got true", 'aten::select.int', () => [floats(1), true, 0], {}],
    [
      "aten::select.int: argument 'index' must be int, got the bigint 9223372036854775808",
      'aten::select.int',
      () => [floats(1), 0, 2n ** 63n],
      {},
    ],
    [
      "aten::dropout: argument 'p' must be float, got the string '0.5'",
      'aten::dropout',
      () => [floats(1), '0.5', false],
      {},
    ],
    ["aten::dropout: argument 'train' must be bool, got the number 0", 'aten::dropout', () => [floats(1), 0.5, 0], {}],
    [
      "aten::gelu: argument 'approximate' must be str, got the number 1",
      'aten::gelu',
      () => [floats(1)],
      { approximate: 1 },
    ],
    [
      "aten::add.Scalar: argument 'other' must be Scalar, got the string '1'",
      'aten::add.Scalar',
      () => [floats(1), '1'],
      {},
    ],
    ["aten::add.Tensor: argument 'other' is missing, it must be Tensor", 'aten::add.Tensor', () => [floats(1)], {}],
    ["aten::relu: argument 'self' is given twice", 'aten::relu', () => [floats(1)], { self: 1 }],
    ["aten::relu: there is no argument 'inplace', only self", 'aten::relu', () => [floats(1)], { inplace: true }],
    [
      'aten::add.Tensor: takes 2 arguments by position, got 3: give the others by name (self, other, alpha)',
      'aten::add.Tensor',
      () => [floats(1), floats(1), 2],
      {},
    ],
  ] as [string, string, () => OperatorValue[], Record<string, OperatorValue>][])('%s', (message, name, args, named) => {
    expect(failure(() => call(name, args(), named))).toEqual({ code: 'ERR_ARGUMENT', message })
  })

  it('dtypes and devices that do not exist are told by name', () => {
    expect(failure(() => call('aten::zeros', [[1]], { dtype: 'float' }))).toMatchObject({
      code: 'ERR_TYPE',
      message: expect.stringContaining("aten::zeros: argument 'dtype' must be one of float32, "),
    })
    expect(failure(() => call('aten::zeros', [[1]], { device: 'tpu' }))).toEqual({
      code: 'ERR_DEVICE',
      message: "aten::zeros: argument 'device' must be 'cpu', 'cuda' or 'cuda:N', got 'tpu'",
    })
  })
})

describe('results of operators', () => {
  it('several come as a list, none as null', () => {
    const [maximum, index] = call('aten::max.dim', [floats(1, 3, 2), 0]) as OperatorValue[]
    expect([values(maximum!), values(index!)]).toEqual([[3], [1]])
    expect(call('aten::_foreach_add_.Scalar', [[floats(1)], 1])).toBeNull()
  })

  it('numbers, booleans and lists of tensors', () => {
    expect(call('aten::item', [floats(2.5)])).toBe(2.5)
    expect(call('aten::item', [ints(7)])).toBe(7)
    expect(call('aten::item', [tensor(Uint8Array.of(1), [1], 'bool')])).toBe(true)
    expect(call('aten::item', [tensor(BigInt64Array.of(2n ** 60n), [1], 'int64')])).toBe(2n ** 60n)
    expect(call('aten::equal', [floats(1), floats(1)])).toBe(true)
    expect((call('aten::split.Tensor', [floats(1, 2, 3), 2]) as OperatorValue[]).map(values)).toEqual([[1, 2], [3]])
  })

  it('in-place and out= give a new handle to the same tensor', () => {
    const target = floats(1, 2)
    const result = call('aten::add_.Scalar', [target, 1]) as Ref
    expect(result.handle).not.toBe(target.handle)
    expect(values(target)).toEqual([2, 3])
    const out = floats(0, 0)
    call('aten::mul.out', [floats(2, 3), floats(4, 5)], { out })
    expect(values(out)).toEqual([8, 15])
  })

  it('of complex dtype are refused where their values are asked for', () => {
    const complex = call('aten::fft_fft', [floats(1, 0)])
    expect(failure(() => info(complex)).code).toBe('ERR_TYPE')
    expect(failure(() => values(complex)).code).toBe('ERR_TYPE')
    expect(values(call('aten::abs', [complex]))).toEqual([1, 1])
  })
})

describe('operators by name', () => {
  it('know their schema', () => {
    expect(native().operatorSchema('aten::relu')).toBe('aten::relu(Tensor self) -> Tensor')
    expect(native().operatorSchema('spikingrx::lif')).toContain('Tensor current, Tensor decay, Tensor threshold')
  })

  it.each([
    ['aten::rellu', "there is no operator 'aten::rellu': did you mean 'aten::relu'?"],
    ['relu', "there is no operator 'relu': did you mean 'aten::relu'?"],
    [
      'aten::add',
      "there is no operator 'aten::add': there is aten::add.Scalar, aten::add.Scalar_out, aten::add.Tensor, aten::add.out",
    ],
    ['aten::quite_another_thing', "there is no operator 'aten::quite_another_thing'"],
    ['', "there is no operator ''"],
  ])('that do not exist: %s', (name, message) => {
    expect(failure(() => call(name, []))).toEqual({ code: 'ERR_OPERATOR', message })
  })
})

describe('errors of libtorch', () => {
  it.each([
    ['ERR_TORCH', () => call('aten::mm', [floats(1), floats(1)])],
    ['ERR_TORCH_INDEX', () => call('aten::select.int', [floats(1), 0, 5])],
    ['ERR_TORCH_OUT_OF_MEMORY', () => call('aten::empty.memory_format', [[2 ** 50]])],
    ['ERR_TORCH_NOT_IMPLEMENTED', () => call('aten::bitwise_and.Tensor', [floats(1), floats(1)])],
    ['ERR_TORCH_LINALG', () => call('aten::linalg_inv', [tensor(new Float32Array(4), [2, 2], 'float32')])],
  ])('%s: one line without a stack', (code, run) => {
    const error = failure(run)
    expect(error.code).toBe(code)
    expect(error.message).not.toMatch(/\n|Exception raised|0x[0-9a-f]{6}/)
    expect(error.message.length).toBeGreaterThan(10)
  })

  it('come as rejections from the executor', async () => {
    await expect(native().callOperatorAsync('aten::mm', [floats(1), floats(1)], {})).rejects.toMatchObject({
      code: 'ERR_TORCH',
    })
    expect(failure(() => native().callOperatorAsync('aten::mm', [floats(1), 1], {})).code).toBe('ERR_ARGUMENT')
  })
})

describe('gradients', () => {
  it('flow through operators called by name', () => {
    const x = floats(1, 2, 3)
    native().tensorSetRequiresGrad(x.handle, true)
    const loss = call('aten::sum', [call('aten::mul.Tensor', [x, x])]) as Ref
    expect(native().tensorGrad(x.handle)).toBe(0)
    native().tensorBackward(loss.handle, 0, false)
    expect(values({ handle: native().tensorGrad(x.handle) })).toEqual([2, 4, 6])
  })

  it('are recorded on the executor as the mode was at the call', async () => {
    const x = floats(1, 2)
    native().tensorSetRequiresGrad(x.handle, true)
    native().setGradEnabled(false)
    const without = native().callOperatorAsync('aten::relu', [x], {})
    native().setGradEnabled(true)
    const within = native().callOperatorAsync('aten::relu', [x], {})
    expect(info(await without).requiresGrad).toBe(false)
    expect(info(await within).requiresGrad).toBe(true)
    const loss = call('aten::sum', [await within]) as Ref
    await native().tensorBackwardAsync(loss.handle, 0, false)
    expect(values({ handle: native().tensorGrad(x.handle) })).toEqual([1, 1])
  })

  it('need a leaf to be switched', () => {
    const x = floats(1)
    native().tensorSetRequiresGrad(x.handle, true)
    const y = call('aten::neg', [x]) as Ref
    expect(info(y)).toMatchObject({ requiresGrad: true, isLeaf: false })
    expect(failure(() => native().tensorSetRequiresGrad(y.handle, false)).code).toBe('ERR_TORCH')
    expect(native().tensorGrad(y.handle)).toBe(0)
  })
})

describe('the executor', () => {
  it('finishes jobs in the order of their calls', async () => {
    const order: number[] = []
    const big = tensor(new Float32Array(250_000), [500, 500], 'float32')
    await Promise.all(
      [big, floats(1), big, floats(1)].map(async (one, index) => {
        await native().callOperatorAsync('aten::exp', [one], {})
        order.push(index)
      }),
    )
    expect(order).toEqual([0, 1, 2, 3])
  })

  it('keeps a tensor that is freed while a job uses it', async () => {
    const x = floats(1, 2)
    const job = native().callOperatorAsync('aten::neg', [x], {})
    native().tensorFree(x.handle)
    expect(values(await job)).toEqual([-1, -2])
  })

  it('sets the thread count here and there', async () => {
    const before = native().threads()
    await native().setThreads(1)
    expect(native().threads()).toBe(1)
    await native().setThreads(before)
    expect(native().threads()).toBe(before)
    for (const count of [0, -1, 1.5, 5000]) expect(failure(() => native().setThreads(count)).code).toBe('ERR_RANGE')
  })
})
