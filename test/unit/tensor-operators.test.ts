import { describe, expect, it } from 'vitest'
import * as t from '../../lib/tensor/index.js'
import { type Tensor, tensor } from '../../lib/tensor/index.js'
import { codeOf, expectValues } from './tensor-expectations.js'

const x = () =>
  tensor([
    [1, -2],
    [3, -4],
  ])
const inf = Number.POSITIVE_INFINITY

describe('arithmetic', () => {
  it('takes tensors and numbers on either side', () => {
    const y = tensor([10, 100])
    expectValues(t.add(x(), y), [
      [11, 98],
      [13, 96],
    ])
    expectValues(t.add(x(), 1), [
      [2, -1],
      [4, -3],
    ])
    expectValues(t.add(1, y), [11, 101])
    expectValues(t.sub(x(), y), [
      [-9, -102],
      [-7, -104],
    ])
    expectValues(t.sub(y, 0.5), [9.5, 99.5])
    expectValues(t.sub(1, y), [-9, -99])
    expectValues(t.mul(x(), y), [
      [10, -200],
      [30, -400],
    ])
    expectValues(t.mul(2, y), [20, 200])
    expectValues(t.div(y, 4), [2.5, 25])
    expectValues(t.div(1, y), [0.1, 0.01])
    expectValues(t.div(y, tensor([2, 0])), [5, inf])
    expectValues(t.pow(tensor([2, 3]), 2), [4, 9])
    expectValues(t.pow(2, tensor([2, 3])), [4, 8])
    expectValues(t.pow(tensor([2, 3]), tensor([0.5, 2])), [Math.SQRT2, 9])
    expect(codeOf(() => t.add(1, 2))).toBe('ERR_TYPE ArgumentError')
    expect(codeOf(() => t.div(1, 2))).toBe('ERR_TYPE ArgumentError')
  })

  it('keeps integer dtypes beside integer numbers, as PyTorch does', () => {
    const integers = tensor([1n, 2n])
    expect(t.add(integers, 1).dtype).toBe('int64')
    expect(t.mul(2, integers).dtype).toBe('int64')
    expect(t.add(integers, 0.5).dtype).toBe('float32')
    expect(t.div(integers, 2).dtype).toBe('float32')
    expect(t.maximum(integers, 2).toTypedArray()).toEqual(new BigInt64Array([2n, 2n]))
    expect(t.add(tensor([1], { dtype: 'float64' }), 0.1).toArray()).toEqual([1.1])
    expect(t.add(tensor([1], { dtype: 'bfloat16' }), 0.5).dtype).toBe('bfloat16')
  })

  it('computes element by element', () => {
    const v = tensor([0, 1, 4])
    expectValues(t.neg(v), [0, -1, -4])
    expectValues(t.abs(x()), [
      [1, 2],
      [3, 4],
    ])
    expectValues(t.square(v), [0, 1, 16])
    expectValues(t.sqrt(tensor([0, 4, -1])), [0, 2, Number.NaN])
    expectValues(t.exp(v), [1, Math.E, Math.E ** 4])
    expectValues(t.log(v), [-inf, 0, Math.log(4)])
    expectValues(t.sign(x()), [
      [1, -1],
      [1, -1],
    ])
    expectValues(t.floor(tensor([-1.5, 1.5])), [-2, 1])
    expectValues(t.round(tensor([0.5, 1.5, -0.6])), [0, 2, -1])
  })

  it('bounds and chooses', () => {
    expectValues(t.clamp(tensor([-2, 0.5, 2]), { min: -1, max: 1 }), [-1, 0.5, 1])
    expectValues(t.clamp(tensor([-2, 2]), { min: 0 }), [0, 2])
    expectValues(t.clamp(tensor([-2, 2]), { max: 0 }), [-2, 0])
    expect(codeOf(() => t.clamp(x(), {}))).toBe('ERR_TYPE ArgumentError')
    expectValues(t.minimum(tensor([1, 5, Number.NaN]), tensor([2, 3, 0])), [1, 3, Number.NaN])
    expectValues(t.maximum(tensor([1, 5]), 3), [3, 5])
    expectValues(t.minimum(3, tensor([1, 5])), [1, 3])
    const condition = tensor([true, false])
    expectValues(t.where(condition, tensor([1, 2]), tensor([3, 4])), [1, 4])
    expectValues(t.where(condition, 7, tensor([3, 4])), [7, 4])
    expectValues(t.where(condition, tensor([1, 2]), 0.5), [1, 0.5])
  })
})

describe('comparison', () => {
  it('gives bool', () => {
    const v = tensor([1, 2, Number.NaN])
    expect(t.eq(v, 2).toArray()).toEqual([false, true, false])
    expect(t.ne(v, 2).toArray()).toEqual([true, false, true])
    expect(t.lt(v, 2).toArray()).toEqual([true, false, false])
    expect(t.le(v, 2).toArray()).toEqual([true, true, false])
    expect(t.gt(v, tensor([0, 3, 0])).toArray()).toEqual([true, false, false])
    expect(t.ge(v, 2).toArray()).toEqual([false, true, false])
    expect(t.lt(1, v).toArray()).toEqual([false, true, false])
    expect(t.le(1, v).toArray()).toEqual([true, true, false])
    expect(t.gt(2, v).toArray()).toEqual([true, false, false])
    expect(t.ge(1, v).toArray()).toEqual([true, false, false])
    expect(t.eq(1, v).toArray()).toEqual([true, false, false])
    expect(t.ne(1, v).toArray()).toEqual([false, true, true])
  })

  it('joins truth and compares whole tensors', () => {
    const a = tensor([true, true, false])
    const b = tensor([true, false, false])
    expect(t.logicalAnd(a, b).toArray()).toEqual([true, false, false])
    expect(t.logicalOr(a, b).toArray()).toEqual([true, true, false])
    expect(t.logicalNot(b).toArray()).toEqual([false, true, true])
    expect([t.equal(x(), x()), t.equal(x(), t.neg(x())), t.equal(tensor([1]), tensor([[1]]))]).toEqual([
      true,
      false,
      false,
    ])
  })
})

describe('reduction', () => {
  const cube = () => t.reshape(t.arange(0, 12), [2, 2, 3])
  it('reduces all, one or several axes', () => {
    expectValues(t.sum(x()), -2)
    expectValues(t.sum(x(), { dim: 0 }), [4, -6])
    expectValues(t.sum(cube(), { dim: [0, 2] }), [24, 42])
    expectValues(t.sum(x(), { dim: -1, keepdim: true }), [[-1], [-1]])
    expectValues(t.mean(x()), -0.5)
    expectValues(t.mean(cube(), { dim: 1 }), [
      [1.5, 2.5, 3.5],
      [7.5, 8.5, 9.5],
    ])
    expect(t.sum(tensor([true, true])).dtype).toBe('int64')
    expectValues(t.sum(t.zeros([2, 0]), { dim: 1 }), [0, 0])
    expectValues(t.mean(t.zeros([0])), Number.NaN)
  })

  it('computes the variance with and without correction', () => {
    const v = tensor([1, 2, 3, 4])
    expectValues(t.variance(v), 5 / 3)
    expectValues(t.variance(v, { unbiased: false }), 1.25)
    expectValues(t.variance(x(), { dim: 0, keepdim: true }), [[2, 2]])
  })

  it('finds extremes and their places', () => {
    expectValues(t.max(x()), 3)
    expectValues(t.min(x()), -4)
    expectValues(t.max(x(), { dim: 0 }), [3, -2])
    expectValues(t.min(x(), { dim: 1, keepdim: true }), [[-2], [-4]])
    expectValues(t.max(tensor([1, Number.NaN])), Number.NaN)
    expect(t.argmax(x()).item()).toBe(2)
    expect(t.argmin(x()).item()).toBe(3)
    expect(t.argmax(x(), { dim: 1 }).toTypedArray()).toEqual(new BigInt64Array([0n, 0n]))
    expect(t.argmax(x(), { dim: 1, keepdim: true }).shape).toEqual([2, 1])
  })
})

describe('shape', () => {
  const m = () => t.reshape(t.arange(0, 6), [2, 3])
  it('reorders and reshapes', () => {
    expectValues(t.reshape(m(), [3, -1]), [
      [0, 1],
      [2, 3],
      [4, 5],
    ])
    expectValues(t.transpose(m(), 0, 1), [
      [0, 3],
      [1, 4],
      [2, 5],
    ])
    expect(t.permute(t.zeros([2, 3, 4]), [2, 0, 1]).shape).toEqual([4, 2, 3])
    expect(t.flatten(t.zeros([2, 3, 4])).shape).toEqual([24])
    expect(t.flatten(t.zeros([2, 3, 4]), 1).shape).toEqual([2, 12])
    expect(t.squeeze(t.zeros([1, 3, 1])).shape).toEqual([3])
    expect(t.squeeze(t.zeros([1, 3, 1]), 0).shape).toEqual([3, 1])
    expect(t.unsqueeze(m(), 1).shape).toEqual([2, 1, 3])
    expectValues(t.expand(tensor([[1], [2]]), [-1, 2]), [
      [1, 1],
      [2, 2],
    ])
    expect(t.expand(tensor([1]), [3]).strides).toEqual([0])
    const straight = t.contiguous(t.transpose(m(), 0, 1))
    expect(straight.strides).toEqual([2, 1])
    expectValues(straight, [
      [0, 3],
      [1, 4],
      [2, 5],
    ])
  })

  it('takes parts', () => {
    expectValues(t.slice(m(), 1, { start: 1 }), [
      [1, 2],
      [4, 5],
    ])
    expectValues(t.slice(m(), 1, { end: -1, step: 2 }), [[0], [3]])
    expect(t.slice(m(), 0, { start: 5 }).shape).toEqual([0, 3])
    expectValues(t.select(m(), 0, -1), [3, 4, 5])
    expectValues(t.indexSelect(m(), 1, [2, 0]), [
      [2, 0],
      [5, 3],
    ])
    expectValues(t.indexSelect(m(), 0, tensor([1], { dtype: 'int64' })), [[3, 4, 5]])
    expect(codeOf(() => t.slice(m(), 0, { step: 0 }))).toBe('ERR_RANGE ArgumentError')
  })

  it('joins', () => {
    expectValues(t.cat([tensor([1]), tensor([2, 3])]), [1, 2, 3])
    expect(t.cat([m(), m()], 1).shape).toEqual([2, 6])
    expectValues(t.stack([tensor([1, 2]), tensor([3, 4])], 1), [
      [1, 3],
      [2, 4],
    ])
    expect(codeOf(() => t.cat([]))).toBe('ERR_RANGE ArgumentError')
  })

  it('shares memory between views and not with copies', () => {
    const base = m()
    const view = t.select(base, 0, 0)
    const copy = t.clone(view)
    t.assign(view, tensor([7, 8, 9]))
    expectValues(base, [
      [7, 8, 9],
      [3, 4, 5],
    ])
    expectValues(copy, [0, 1, 2])
    expect(codeOf(() => t.assign(view, tensor([1])))).toBe('ERR_SHAPE ShapeError')
  })
})

describe('products and pooling', () => {
  it('multiplies matrices and maps linearly', () => {
    const a = tensor([
      [1, 2],
      [3, 4],
    ])
    expectValues(t.matmul(a, a), [
      [7, 10],
      [15, 22],
    ])
    expectValues(t.matmul(tensor([1, 1]), a), [4, 6])
    expect(t.matmul(t.ones([5, 2, 3]), t.ones([3, 4])).shape).toEqual([5, 2, 4])
    const weight = tensor([[1, -1]])
    expectValues(t.linear(a, weight), [[-1], [-1]])
    expectValues(t.linear(a, weight, tensor([10])), [[9], [9]])
  })

  it('convolves', () => {
    const image = t.reshape(t.arange(0, 9), [1, 1, 3, 3])
    const kernel = tensor([
      [
        [
          [1, 0],
          [0, -1],
        ],
      ],
    ])
    expectValues(t.conv2d(image, kernel), [
      [
        [
          [-4, -4],
          [-4, -4],
        ],
      ],
    ])
    expectValues(t.conv2d(image, kernel, { stride: 2, padding: 1, bias: tensor([100]) }), [
      [
        [
          [100, 98],
          [94, 96],
        ],
      ],
    ])
    expect(t.conv2d(t.ones([1, 4, 5, 5]), t.ones([8, 2, 3, 3]), { groups: 2, padding: [1, 0] }).shape).toEqual([
      1, 8, 5, 3,
    ])
    expect(t.conv2d(t.ones([1, 1, 5, 5]), t.ones([1, 1, 2, 2]), { dilation: 4 }).shape).toEqual([1, 1, 1, 1])
  })

  it('pools', () => {
    const image = t.reshape(t.arange(0, 16), [1, 1, 4, 4])
    expectValues(t.avgPool2d(image, 2), [
      [
        [
          [2.5, 4.5],
          [10.5, 12.5],
        ],
      ],
    ])
    expectValues(t.maxPool2d(image, 2), [
      [
        [
          [5, 7],
          [13, 15],
        ],
      ],
    ])
    expect(t.maxPool2d(image, [3, 2], { stride: 1, padding: [1, 0] }).shape).toEqual([1, 1, 4, 3])
    expectValues(t.avgPool2d(t.ones([1, 2, 2]), 2, { stride: 2, padding: 1 }), [
      [
        [0.25, 0.25],
        [0.25, 0.25],
      ],
    ])
  })
})

describe('activation', () => {
  it('follows the closed forms', () => {
    const v = [-2, 0, 3]
    expectValues(t.relu(tensor(v)), [0, 0, 3])
    expectValues(
      t.sigmoid(tensor(v)),
      v.map((z) => 1 / (1 + Math.exp(-z))),
    )
    expectValues(t.tanh(tensor(v)), v.map(Math.tanh))
    const total = v.reduce((sum, z) => sum + Math.exp(z), 0)
    expectValues(
      t.softmax(tensor(v)),
      v.map((z) => Math.exp(z) / total),
    )
    expectValues(
      t.logSoftmax(tensor(v)),
      v.map((z) => z - Math.log(total)),
    )
    expectValues(t.softmax(tensor([[1000], [1000]]), 0), [[0.5], [0.5]])
  })
})

describe('loss', () => {
  const logits = () =>
    tensor([
      [1, 2, 3],
      [0, 0, 0],
    ])
  const first = Math.log(Math.E + Math.E ** 2 + Math.E ** 3) - 1
  it('computes the cross-entropy of classes and probabilities', () => {
    for (const dtype of ['int64', 'int32', 'uint8'] as const) {
      expectValues(t.crossEntropy(logits(), tensor([0, 2], { dtype })), (first + Math.log(3)) / 2)
    }
    const classes = tensor([0, 2], { dtype: 'int64' })
    expectValues(t.crossEntropy(logits(), classes, { reduction: 'none' }), [first, Math.log(3)])
    expectValues(t.crossEntropy(logits(), classes, { reduction: 'sum' }), first + Math.log(3))
    expectValues(t.crossEntropy(logits(), classes, { ignoreIndex: 0 }), Math.log(3))
    expectValues(t.crossEntropy(logits(), classes, { weight: tensor([3, 1, 1]) }), (3 * first + Math.log(3)) / 4)
    // Smoothing s: (1 - s) of the target's loss and s of the mean over the classes.
    expectValues(t.crossEntropy(logits(), classes, { labelSmoothing: 0.3, reduction: 'none' }), [
      0.7 * first + 0.3 * (first - 1),
      Math.log(3),
    ])
    const certain = tensor([
      [1, 0, 0],
      [0, 0.5, 0.5],
    ])
    expectValues(t.crossEntropy(logits(), certain), (first + Math.log(3)) / 2)
    expect(codeOf(() => t.crossEntropy(logits(), classes, { labelSmoothing: 2 }))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => t.crossEntropy(logits(), classes, { reduction: 'max' as 'sum' }))).toBe(
      'ERR_TYPE ArgumentError',
    )
  })

  it('computes squared and binary errors', () => {
    expectValues(t.mse(tensor([1, 2]), tensor([3, 5])), 6.5)
    expectValues(t.mse(tensor([1, 2]), tensor([3, 5]), { reduction: 'none' }), [4, 9])
    const score = tensor([0, 100])
    const truth = tensor([1, 0])
    expectValues(t.binaryCrossEntropyWithLogits(score, truth, { reduction: 'none' }), [Math.LN2, 100])
    expectValues(t.binaryCrossEntropyWithLogits(score, truth), (Math.LN2 + 100) / 2)
    expectValues(
      t.binaryCrossEntropyWithLogits(score, truth, { reduction: 'sum', positiveWeight: tensor([3, 1]) }),
      3 * Math.LN2 + 100,
    )
    expectValues(t.binaryCrossEntropyWithLogits(score, truth, { reduction: 'none', weight: tensor([2, 0]) }), [
      2 * Math.LN2,
      0,
    ])
  })
})

describe('creation', () => {
  it('makes constants, ranges and identities', () => {
    expectValues(t.zeros([2, 1]), [[0], [0]])
    expectValues(t.ones([2]), [1, 1])
    expectValues(t.full([2], -3.5), [-3.5, -3.5])
    expectValues(t.full([], 2), 2)
    expectValues(t.arange(0, 3), [0, 1, 2])
    expectValues(t.arange(1, 2, 0.25), [1, 1.25, 1.5, 1.75])
    expectValues(t.arange(3, 0, -2), [3, 1])
    expectValues(t.eye(2), [
      [1, 0],
      [0, 1],
    ])
    expect(t.zeros([1], { dtype: 'int64' }).toTypedArray()).toEqual(new BigInt64Array(1))
    expect(t.zerosLike(tensor([[1n]])).toTypedArray()).toEqual(new BigInt64Array(1))
    expect(t.onesLike(x()).shape).toEqual([2, 2])
    expect(t.ones([1], { requiresGrad: true }).requiresGrad).toBe(true)
    expect(t.zeros([2]).dtype).toBe('float32')
  })

  it('refuses shapes and steps that make no sense', () => {
    expect(codeOf(() => t.zeros([-1]))).toBe('ERR_SHAPE ShapeError')
    expect(codeOf(() => t.ones([1.5]))).toBe('ERR_SHAPE ShapeError')
    expect(codeOf(() => t.full(3 as unknown as number[], 1))).toBe('ERR_SHAPE ShapeError')
    expect(codeOf(() => t.arange(0, 1, 0))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => t.arange(0, 1, -1))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => t.randint(3, 3, [1]))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => t.manualSeed(-1))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => t.zeros([1], { dtype: 'complex64' as 'float32' }))).toBe('ERR_TYPE ArgumentError')
  })
})

describe('random', () => {
  const draw = () => [t.rand([4]), t.randn([4]), t.randint(0, 1000, [4]), t.bernoulli(t.full([8], 0.5))]
  it('repeats with the same seed', () => {
    t.manualSeed(5)
    const once = draw().map((r) => r.toArray())
    const other = draw().map((r) => r.toArray())
    t.manualSeed(5)
    expect(draw().map((r) => r.toArray())).toEqual(once)
    expect(other).not.toEqual(once)
  })

  it('has the moments of its distributions', () => {
    t.manualSeed(1)
    const n = 40_000
    const moments = (r: Tensor) => [t.mean(r).item(), t.variance(r).item()]
    // Five standard errors of mean and variance.
    const [uniform, normal] = [moments(t.rand([n])), moments(t.randn([n]))]
    expect(Math.abs(uniform[0]! - 0.5)).toBeLessThan(5 / Math.sqrt(12 * n))
    expect(Math.abs(uniform[1]! - 1 / 12)).toBeLessThan(0.002)
    expect(Math.abs(normal[0]!)).toBeLessThan(5 / Math.sqrt(n))
    expect(Math.abs(normal[1]! - 1)).toBeLessThan(5 * Math.sqrt(2 / n))
    const dice = t.randint(1, 7, [n])
    expect([dice.dtype, t.min(dice).item(), t.max(dice).item()]).toEqual(['int64', 1, 6])
    const coins = t.bernoulli(t.full([n], 0.3))
    expect(Math.abs(t.mean(coins).item() - 0.3)).toBeLessThan(5 * Math.sqrt(0.21 / n))
    expect(t.bernoulli(tensor([0, 1])).toArray()).toEqual([0, 1])
  })
})

describe('the generic door', () => {
  it('calls operators by their schema', () => {
    expectValues(t.tensorOp('aten::add.Tensor', [x(), x()], { alpha: 2 }), [
      [3, -6],
      [9, -12],
    ])
    expectValues(t.tensorOp('cumsum', [tensor([1, 2, 3]), 0]), [1, 3, 6])
    const [values, places] = t.tensorsOp('sort', [tensor([3, 1, 2])])
    expectValues(values!, [1, 2, 3])
    expect(places!.toArray()).toEqual([1, 2, 0])
    expect(t.op('equal', [x(), x()])).toBe(true)
    expect(t.tensorsOp('split.Tensor', [t.arange(0, 5), 2]).map(({ shape }) => shape)).toEqual([[2], [2], [1]])
    expect(t.operatorSchema('add.Tensor')).toMatch(
      /add\.Tensor\(Tensor self, Tensor other, \*, Scalar alpha=1\) -> Tensor/,
    )
  })

  it('computes asynchronously what it computes at once', async () => {
    const result = await t.opAsync('matmul', [x(), x()])
    expectValues(result as Tensor, [
      [-5, 6],
      [-9, 10],
    ])
  })

  it('sees the new shape after an operator in place', () => {
    const v = tensor([1, 2])
    expect(v.shape).toEqual([2])
    t.op('unsqueeze_', [v, 0])
    expect(v.shape).toEqual([1, 2])
  })

  it('throws typed errors', async () => {
    expect(codeOf(() => t.op('aten::no_such_operator', []))).toMatch(/^ERR_/)
    expect(codeOf(() => t.matmul(tensor([[1, 2]]), tensor([[1, 2]])))).toMatch(/^ERR_TORCH/)
    expect(codeOf(() => t.tensorOp('equal', [x(), x()]))).toBe('ERR_TYPE ArgumentError')
    expect(codeOf(() => t.op('neg', [{} as unknown as number]))).toBe('ERR_TYPE ArgumentError')
    await expect(t.opAsync('matmul', [tensor([[1, 2]]), tensor([[1, 2]])])).rejects.toThrow(
      /shapes cannot be multiplied/,
    )
  })
})
