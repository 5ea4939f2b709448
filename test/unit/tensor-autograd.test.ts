import { describe, expect, it } from 'vitest'
import * as t from '../../lib/tensor/index.js'
import { type Tensor, tensor } from '../../lib/tensor/index.js'
import { codeOf, expectGradients, expectValues, numbers } from './tensor-expectations.js'

describe('backward', () => {
  it('fills the gradients of the leaves', () => {
    const x = tensor([1, 2, 3], { requiresGrad: true })
    expect(x.grad).toBeUndefined()
    t.sum(t.mul(t.square(x), 2)).backward()
    expectValues(x.grad!, [4, 8, 12])
    t.sum(x).backward()
    expectValues(x.grad!, [5, 9, 13])
  })

  it('starts from a gradient where one is given', () => {
    const x = tensor([1, 2], { requiresGrad: true })
    t.mul(x, 3).backward({ gradient: tensor([1, 10]) })
    expectValues(x.grad!, [3, 30])
  })

  it('runs twice through a graph that was kept, once through one that was not', () => {
    const x = tensor(2, { requiresGrad: true })
    const y = t.square(x)
    y.backward({ retainGraph: true })
    y.backward()
    expectValues(x.grad!, 8)
    expect(codeOf(() => y.backward())).toMatch(/^ERR_GRAPH_FREED/)
  })

  it('computes the same on the executor thread', async () => {
    const x = tensor([1, 2, 3], { requiresGrad: true })
    const loss = t.sum(t.exp(x))
    const done = loss.backwardAsync()
    await done
    expectValues(x.grad!, [1, 2, 3].map(Math.exp))
    await expect(tensor(1).backwardAsync()).rejects.toMatchObject({ code: 'ERR_NO_GRADIENT' })
  })

  it('refuses what has no graph, several elements or a gradient of another shape', () => {
    const x = tensor([1, 2], { requiresGrad: true })
    expect(codeOf(() => tensor(1).backward())).toBe('ERR_NO_GRADIENT StateError')
    expect(codeOf(() => t.mul(x, 2).backward())).toBe('ERR_SHAPE ShapeError')
    expect(codeOf(() => t.mul(x, 2).backward({ gradient: tensor(1) }))).toBe('ERR_SHAPE ShapeError')
  })

  it('works through detach, noGrad and requireGrad as PyTorch does', () => {
    const x = tensor([3], { requiresGrad: true })
    expect([x.isLeaf, t.mul(x, 2).isLeaf, t.mul(x, 2).requiresGrad]).toEqual([true, false, true])
    expect(x.detach().requiresGrad).toBe(false)
    t.sum(t.mul(x, x.detach())).backward()
    expectValues(x.grad!, [3])
    expect(t.noGrad(() => t.mul(x, 2)).requiresGrad).toBe(false)
    expect(t.noGrad(() => t.enableGrad(() => t.mul(x, 2))).requiresGrad).toBe(true)
    expect(t.mul(x.requireGrad(false), 2).requiresGrad).toBe(false)
    expect(codeOf(() => tensor([1n]).requireGrad())).toMatch(/^ERR_/)
  })
})

describe('noGrad', () => {
  it('restores the mode after an error and refuses promises', () => {
    expect(() =>
      t.noGrad(() => {
        throw new Error('inside')
      }),
    ).toThrow('inside')
    expect(t.gradEnabled()).toBe(true)
    expect(codeOf(() => t.noGrad(async () => 1))).toBe('ERR_TYPE ArgumentError')
    expect(t.gradEnabled()).toBe(true)
  })

  it('holds for an asynchronous operator called inside', async () => {
    const x = tensor([1], { requiresGrad: true })
    const inside = t.noGrad(() => [t.opAsync('neg', [x])])
    const outside = t.opAsync('neg', [x])
    expect([((await inside[0]!) as Tensor).requiresGrad, ((await outside) as Tensor).requiresGrad]).toEqual([
      false,
      true,
    ])
  })
})

describe('gradients against finite differences', () => {
  const matrix = (rows: number, columns: number, seed: number) => ({
    shape: [rows, columns],
    values: numbers(rows * columns, seed),
  })
  const positive = { shape: [4], values: [0.3, 1.2, 2.5, 0.7] }
  const classes = () => tensor([2, 0], { dtype: 'int64' })
  const cases: [string, (...x: Tensor[]) => Tensor, Parameters<typeof expectGradients>[1]][] = [
    [
      'a small network',
      (x, w, b) => t.logSoftmax(t.tanh(t.linear(x!, w!, b!))),
      [matrix(3, 4, 1), matrix(2, 4, 2), { shape: [2], values: [0.1, -0.2] }],
    ],
    [
      'quotients and powers',
      (x, y) => t.div(t.pow(x!, 1.5), t.add(t.exp(y!), 1)),
      [positive, { shape: [4], values: numbers(4, 3) }],
    ],
    ['logarithm, root and reciprocal', (x) => t.add(t.log(x!), t.sub(1, t.div(2, t.sqrt(x!)))), [positive]],
    [
      'broadcast products',
      (x, y) => t.mul(t.unsqueeze(x!, 1), y!),
      [{ shape: [3], values: numbers(3, 4) }, matrix(1, 2, 5)],
    ],
    ['a choice', (x, y) => t.where(t.gt(x!, 0), t.square(x!), t.mul(y!, x!)), [matrix(2, 3, 6), matrix(2, 3, 7)]],
    ['bounds', (x) => t.square(t.add(t.clamp(x!, { min: -0.5, max: 0.5 }), t.maximum(x!, 0.2))), [matrix(2, 3, 6)]],
    ['variance and mean', (x) => t.mul(t.variance(x!, { dim: 1 }), t.mean(x!, { dim: 1 })), [matrix(2, 4, 8)]],
    ['extremes', (x) => t.mul(t.max(x!, { dim: 1 }), t.min(x!)), [matrix(2, 4, 9)]],
    ['softmax of a product', (x, y) => t.square(t.softmax(t.matmul(x!, y!), 0)), [matrix(2, 3, 1), matrix(3, 2, 2)]],
    [
      'views',
      (x) => t.square(t.cat([t.slice(t.transpose(x!, 0, 1), 0, { step: 2 }), t.unsqueeze(t.select(x!, 1, 1), 0)])),
      [matrix(2, 4, 3)],
    ],
    ['gathered rows', (x) => t.square(t.stack([t.indexSelect(x!, 0, [1, 1]), x!])), [matrix(2, 3, 4)]],
    [
      'a convolution with pooling',
      (x, w) =>
        t.square(
          t.avgPool2d(
            t.relu(t.conv2d(t.reshape(x!, [1, 1, 4, 4]), t.reshape(w!, [2, 1, 2, 2]), { padding: 1, stride: 2 })),
            2,
            { stride: 1 },
          ),
        ),
      [matrix(4, 4, 5), matrix(2, 4, 6)],
    ],
    ['max pooling', (x) => t.square(t.maxPool2d(t.reshape(x!, [1, 4, 4]), 2)), [matrix(4, 4, 7)]],
    ['cross-entropy', (x) => t.crossEntropy(x!, classes(), { labelSmoothing: 0.1 }), [matrix(2, 3, 8)]],
    ['squared error', (x, y) => t.mse(t.sigmoid(x!), y!), [matrix(2, 3, 9), matrix(2, 3, 1)]],
    [
      'binary cross-entropy',
      (x) => t.binaryCrossEntropyWithLogits(x!, tensor([[1, 0, 0.5]], { dtype: 'float64' })),
      [matrix(1, 3, 2)],
    ],
    ['a cast there and back', (x) => t.square(t.cast(t.clone(x!), 'float64')), [matrix(2, 2, 3)]],
  ]
  it.each(cases)('%s', (_, compute, inputs) => {
    expectGradients(compute, inputs)
  })
})
