import { describe, expect, it } from 'vitest'
import { clipGradientNorm, createOptimizer } from '../../lib/nn/index.js'
import * as t from '../../lib/tensor/index.js'
import { type Tensor, tensor } from '../../lib/tensor/index.js'
import { adam, adamW, type OptimizerDescription, sgd } from '../../lib/train/optimizers.js'
import { constant, cosine, learningRateAt, oneCycle, stepDecay } from '../../lib/train/schedules.js'
import { codeOf, expectValues } from './tensor-expectations.js'

const GRADIENTS = [0.5, -2, 1, 3, -0.25]

/** Where one weight, 1 at first, is after each step with the gradients above. */
function run(description: OptimizerDescription): number[] {
  const w = tensor([1], { dtype: 'float64', requiresGrad: true })
  using optimizer = createOptimizer(description, [w])
  return GRADIENTS.map((g) => {
    optimizer.zeroGrad()
    t.sum(t.mul(w, g)).backward()
    optimizer.step()
    return w.item()
  })
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length)
  expected.forEach((value, i) => {
    expect(Math.abs(actual[i]! - value), `step ${i}`).toBeLessThan(1e-9)
  })
}

describe('optimizers', () => {
  it('sgd follows its equation', () => {
    let [w, v] = [1, 0]
    for (const nesterov of [false, true]) {
      const expected = GRADIENTS.map((gradient, i) => {
        if (i === 0) [w, v] = [1, 0]
        const g = gradient + 0.1 * w
        v = 0.9 * v + g
        w -= 0.05 * (nesterov ? g + 0.9 * v : v)
        return w
      })
      expectClose(run(sgd({ lr: 0.05, momentum: 0.9, weightDecay: 0.1, nesterov })), expected)
    }
    w = 1
    expectClose(
      run(sgd({ lr: 0.1 })),
      GRADIENTS.map((g) => (w -= 0.1 * g)),
    )
  })

  it('adam and adamW follow theirs', () => {
    for (const decoupled of [false, true]) {
      let [w, m, v] = [1, 0, 0]
      const expected = GRADIENTS.map((gradient, i) => {
        if (decoupled) w *= 1 - 0.05 * 0.1
        const g = decoupled ? gradient : gradient + 0.1 * w
        m = 0.9 * m + 0.1 * g
        v = 0.99 * v + 0.01 * g * g
        w -= (0.05 * (m / (1 - 0.9 ** (i + 1)))) / (Math.sqrt(v / (1 - 0.99 ** (i + 1))) + 1e-8)
        return w
      })
      expectClose(run((decoupled ? adamW : adam)({ lr: 0.05, beta2: 0.99, weightDecay: 0.1 })), expected)
    }
  })

  it('uses the learning rate that is set', () => {
    const w = tensor([1], { requiresGrad: true })
    using optimizer = createOptimizer(sgd({ lr: 0.5 }), [w])
    expect(optimizer.learningRate).toBe(0.5)
    optimizer.learningRate = 0.25
    t.sum(w).backward()
    optimizer.step()
    expectValues(w, [0.75])
    optimizer.learningRate = 0
    optimizer.step()
    expectValues(w, [0.75])
    expect(codeOf(() => (optimizer.learningRate = -1))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => (optimizer.learningRate = Number.NaN))).toBe('ERR_RANGE ArgumentError')
    optimizer.zeroGrad()
    expect(w.grad).toBeUndefined()
  })

  it('goes on from a saved state as if it had not stopped', () => {
    const step = (w: Tensor, optimizer: ReturnType<typeof createOptimizer>, g: number) => {
      optimizer.zeroGrad()
      t.sum(t.mul(t.square(w), g)).backward()
      optimizer.step()
    }
    for (const description of [adamW({ lr: 0.1 }), sgd({ lr: 0.01, momentum: 0.9 })]) {
      const w = tensor([1, -2], { requiresGrad: true })
      using straight = createOptimizer(description, [w])
      for (const g of GRADIENTS.slice(0, 3)) step(w, straight, g)
      const copy = t.clone(w.detach()).requireGrad()
      using resumed = createOptimizer(description, [copy])
      resumed.load(straight.state().map(({ name, tensor: value }) => ({ name, tensor: t.clone(value) })))
      for (const g of GRADIENTS.slice(3)) {
        step(w, straight, g)
        step(copy, resumed, g)
      }
      expect(t.equal(w, copy)).toBe(true)
      expect(codeOf(() => resumed.load([]))).toMatch(/^ERR_/)
    }
  })

  it('refuses parameters and descriptions that can not be', () => {
    const w = tensor([1], { requiresGrad: true })
    expect(codeOf(() => createOptimizer(sgd(), []))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => createOptimizer(sgd(), [tensor([1])]))).toBe('ERR_TYPE ArgumentError')
    expect(codeOf(() => createOptimizer(sgd(), [t.mul(w, 2)]))).toBe('ERR_TYPE ArgumentError')
    expect(codeOf(() => createOptimizer({ kind: 'lion' } as unknown as OptimizerDescription, [w]))).toBe(
      'ERR_RANGE ArgumentError',
    )
    expect(codeOf(() => sgd({ lr: -1 }))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => sgd({ lr: 1, learningRate: 1 }))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => sgd({ nesterov: true }))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => adam({ beta1: 1 }))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => adamW({ decay: 1 } as object))).toBe('ERR_TYPE ArgumentError')
    const optimizer = createOptimizer(sgd(), [w])
    optimizer.dispose()
    optimizer.dispose()
    expect(codeOf(() => optimizer.step())).toBe('ERR_DISPOSED StateError')
  })

  it('describes itself with every default filled in', () => {
    expect(adamW({ lr: 1e-3 })).toEqual({
      kind: 'adamW',
      learningRate: 1e-3,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0.01,
    })
    expect(sgd({ learningRate: 0.1 })).toEqual({
      kind: 'sgd',
      learningRate: 0.1,
      momentum: 0,
      dampening: 0,
      weightDecay: 0,
      nesterov: false,
    })
  })
})

describe('clipGradientNorm', () => {
  it('scales all gradients together and returns the norm before', () => {
    const [a, b] = [tensor([0], { requiresGrad: true }), tensor([0, 0], { requiresGrad: true })]
    t.add(t.sum(t.mul(a, 3)), t.sum(t.mul(b, tensor([4, 0])))).backward()
    expect(clipGradientNorm([a, b], 10)).toBeCloseTo(5, 6)
    expectValues(a.grad!, [3])
    expect(clipGradientNorm([a, b], 1)).toBeCloseTo(5, 6)
    expectValues(a.grad!, [0.6], 1e-5)
    expectValues(b.grad!, [0.8, 0], 1e-5)
    expect(codeOf(() => clipGradientNorm([a], 0))).toBe('ERR_RANGE ArgumentError')
  })
})

describe('schedules', () => {
  const rates = (schedule: Parameters<typeof learningRateAt>[0], steps: readonly number[], total = 100) =>
    steps.map((step) => learningRateAt(schedule, 0.8, step, total))

  it('follow their equations', () => {
    expectClose(rates(constant(), [0, 50, 99]), [0.8, 0.8, 0.8])
    expectClose(rates(stepDecay({ everySteps: 10, factor: 0.5 }), [0, 9, 10, 25]), [0.8, 0.8, 0.4, 0.2])
    expectClose(rates(cosine({ minimum: 0.2 }), [0, 25, 50, 100]), [0.8, 0.2 + 0.3 * (1 + Math.SQRT1_2), 0.5, 0.2])
    expectClose(rates(constant({ warmup: 4, warmupFactor: 0.5 }), [0, 2, 4, 5]), [0.4, 0.6, 0.8, 0.8])
    expectClose(rates(cosine({ warmup: 20 }), [0, 10, 20, 60]), [0, 0.4, 0.8, 0.4])
    const cycle = rates(oneCycle({ warmFraction: 0.3, divide: 10, finalDivide: 100 }), [0, 29, 99])
    expectClose(cycle, [0.08, 0.8, 0.0008])
  })

  it('refuse options out of range', () => {
    expect(codeOf(() => stepDecay({ everySteps: 0 }))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => cosine({ warmup: 1.5 }))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => oneCycle({ warmFraction: 1 }))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => constant({ warmup: 1, warmupSteps: 1 }))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => constant({ steps: 1 } as object))).toBe('ERR_TYPE ArgumentError')
  })
})
