import { describe, expect, it } from 'vitest'
import { convBlock, leakyIntegrate, lif, sewBlock, sewConnect, spikeNorm, surrogate } from '../../lib/nn/index.js'
import * as t from '../../lib/tensor/index.js'
import { type Tensor, tensor } from '../../lib/tensor/index.js'
import { codeOf, expectGradients, expectValues, numbers } from './tensor-expectations.js'

/** Places of the spikes of the first neuron, from 1. */
function spikeTimes(spikes: Tensor): number[] {
  return Array.from(t.select(t.flatten(spikes, 2), 2, 0).toTypedArray(), Number).flatMap((s, i) => (s ? [i + 1] : []))
}

describe('surrogate', () => {
  const at = [-1.5, -0.3, 0, 0.3, 1.5]
  const logistic = (z: number) => 1 / (1 + Math.exp(-z))
  const cases = [
    ['triangular', 'triangular', (x: number) => Math.max(0, 1 - Math.abs(x))],
    ['triangular of width 2', { kind: 'triangular', width: 2 }, (x: number) => Math.max(0, 1 - Math.abs(x) / 2) / 2],
    ['sigmoid', 'sigmoid', (x: number) => 4 * logistic(4 * x) * (1 - logistic(4 * x))],
    ['atan', { kind: 'atan', alpha: 3 }, (x: number) => 1.5 / (1 + ((Math.PI * 3 * x) / 2) ** 2)],
    ['fastSigmoid', 'fastSigmoid', (x: number) => 1 / (1 + 25 * Math.abs(x)) ** 2],
    ['boxcar', { kind: 'boxcar', halfWidth: 0.4 }, (x: number) => (Math.abs(x) < 0.4 ? 1.25 : 0)],
  ] as const
  it.each(cases)('%s: steps forward, passes g backward', (_, kind, g) => {
    const x = tensor(at, { dtype: 'float64', requiresGrad: true })
    const spikes = surrogate(x, kind)
    expectValues(spikes, [0, 0, 1, 1, 1])
    t.sum(spikes).backward()
    expectValues(x.grad!, at.map(g), 1e-12)
  })

  it('refuses unknown names and parameters', () => {
    expect(codeOf(() => surrogate(tensor([1]), 'relu' as 'atan'))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => surrogate(tensor([1]), { kind: 'atan', alpha: -1 }))).toBe('ERR_RANGE ArgumentError')
  })
})

describe('lif', () => {
  const options = { decay: 0.9, threshold: 0.5 } as const

  it('fires at steps 7 and 14 of 20 under a constant current of 1', () => {
    expect(spikeTimes(lif(t.ones([1, 20, 1]), options).spikes)).toEqual([7, 14])
    expect(spikeTimes(lif(t.ones([1, 1, 1]), { ...options, steps: 20 }).spikes)).toEqual([7, 14])
  })

  it('is silent without input and below the threshold', () => {
    expect(t.sum(lif(t.zeros([2, 50, 3]), options).spikes).item()).toBe(0)
    expect(t.sum(lif(t.full([2, 200, 3], 0.499), options).spikes).item()).toBe(0)
  })

  it('follows the equations step by step', () => {
    const [decay, threshold] = [0.8, 0.6]
    const current = numbers(12).map((x) => x + 0.7)
    for (const decayInput of [true, false]) {
      for (const reset of ['subtract', 'zero', 'none'] as const) {
        for (const resetDelay of [false, true]) {
          let [u, last] = [0, 0]
          const [before, after, spikes]: [number[], number[], number[]] = [[], [], []]
          for (const i of current) {
            if (resetDelay && reset === 'zero') u *= 1 - last
            u = decay * u + (decayInput ? 1 - decay : 1) * i
            if (resetDelay && reset === 'subtract') u -= threshold * last
            before.push(u)
            last = u >= threshold ? 1 : 0
            spikes.push(last)
            if (!resetDelay && reset === 'subtract') u -= threshold * last
            if (!resetDelay && reset === 'zero') u *= 1 - last
            after.push(u)
          }
          const result = lif(tensor(current, { shape: [1, 12, 1], dtype: 'float64' }), {
            decay,
            threshold,
            decayInput,
            reset,
            resetDelay,
            trace: true,
            traceAfterReset: true,
          })
          const column = (values: number[]) => [values.map((value) => [value])]
          expectValues(result.spikes, column(spikes))
          expectValues(result.trace!, column(before), 1e-12)
          expectValues(result.traceAfterReset!, column(after), 1e-12)
          expectValues(result.membrane, [[u]], 1e-12)
        }
      }
    }
  })

  it('gives the same spikes in two halves as in one run', () => {
    t.manualSeed(3)
    const current = t.mul(t.rand([2, 30, 4, 3, 3]), 2)
    for (const resetDelay of [false, true]) {
      const whole = lif(current, { ...options, resetDelay, trace: true })
      const first = lif(t.slice(current, 1, { end: 13 }), { ...options, resetDelay, trace: true })
      const second = lif(t.slice(current, 1, { start: 13 }), {
        ...options,
        resetDelay,
        trace: true,
        membrane: first.membrane,
      })
      expect(t.equal(t.cat([first.spikes, second.spikes], 1), whole.spikes)).toBe(true)
      expect(t.equal(t.cat([first.trace!, second.trace!], 1), whole.trace!)).toBe(true)
      expect(t.equal(second.membrane, whole.membrane)).toBe(true)
      expect(t.sum(whole.spikes).item()).toBeGreaterThan(10)
    }
  })

  it('takes decay and threshold as tensors, one value per channel', () => {
    const current = t.ones([1, 20, 2, 2, 2])
    const threshold = tensor([0.5, 10])
    const { spikes, trace, traceAfterReset } = lif(current, {
      threshold,
      decay: tensor(0.9),
      trace: true,
      traceAfterReset: true,
    })
    expectValues(t.sum(spikes, { dim: [0, 1] }), [
      [
        [2, 2],
        [2, 2],
      ],
      [
        [0, 0],
        [0, 0],
      ],
    ])
    const drop = t.sub(trace!, traceAfterReset!)
    expectValues(t.sum(drop, { dim: [0, 1, 3, 4] }), [4, 0], 1e-5)
  })

  it('computes what the unrolled graph of small operators computes, with gradients', () => {
    const values = numbers(24, 2).map((x) => x + 0.6)
    const unrolled = (current: Tensor, decay: Tensor, threshold: Tensor, detach: boolean): Tensor => {
      let u = t.zeros([2, 3], { dtype: 'float64' })
      const out: Tensor[] = []
      for (let step = 0; step < 4; step++) {
        u = t.add(t.mul(decay, u), t.mul(t.sub(1, decay), t.select(current, 1, step)))
        const spikes = surrogate(t.sub(u, threshold), 'atan')
        u = t.sub(u, t.mul(threshold, detach ? spikes.detach() : spikes))
        out.push(spikes)
      }
      return t.stack(out, 1)
    }
    for (const detachReset of [false, true]) {
      const make = () => [
        tensor(values, { shape: [2, 4, 3], dtype: 'float64', requiresGrad: true }),
        tensor(0.7, { dtype: 'float64', requiresGrad: true }),
        tensor(0.3, { dtype: 'float64', requiresGrad: true }),
      ]
      const weights = tensor(numbers(24, 5), { shape: [2, 4, 3], dtype: 'float64' })
      const [one, two] = [make(), make()]
      const fused = lif(one[0]!, { decay: one[1]!, threshold: one[2]!, surrogate: 'atan', detachReset }).spikes
      const plain = unrolled(two[0]!, two[1]!, two[2]!, detachReset)
      expect(t.equal(fused, plain)).toBe(true)
      t.sum(t.mul(fused, weights)).backward()
      t.sum(t.mul(plain, weights)).backward()
      one.forEach((leaf, i) => {
        expectValues(leaf.grad!, two[i]!.grad!.toArray() as number[], 1e-12)
      })
    }
  })

  it('carries gradients through the trace after reset', () => {
    // Far below the threshold nothing fires: U is linear in I, and so differentiable by differences.
    expectGradients(
      (current) =>
        t.square(lif(t.reshape(current!, [1, 4, 2]), { threshold: 100, traceAfterReset: true }).traceAfterReset!),
      [{ shape: [8], values: numbers(8) }],
    )
  })

  it('refuses options and shapes that do not fit, with codes', () => {
    const current = t.ones([2, 3, 4])
    expect(codeOf(() => lif(current, { decay: 1.1 }))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => lif(current, { threshold: 0 }))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => lif(current, { reset: 'soft' as 'zero' }))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => lif(current, { tresholt: 1 } as object))).toBe('ERR_TYPE ArgumentError')
    expect(codeOf(() => lif(t.ones([2, 3])))).toBe('ERR_SHAPE ShapeError')
    expect(codeOf(() => lif(current, { membrane: t.ones([4, 2]) }))).toBe('ERR_SHAPE ShapeError')
    expect(codeOf(() => lif(t.ones([2, 3, 4], { dtype: 'int64' })))).toBe('ERR_TYPE ArgumentError')
    expect(codeOf(() => lif([1] as unknown as Tensor))).toBe('ERR_TYPE ArgumentError')
  })
})

describe('the membranes that backward needs', () => {
  it('may be saved or recomputed: the same gradient', () => {
    const gradients = (['auto', 'recompute', 'save'] as const).map((membranes) => {
      const current = tensor(numbers(400), { shape: [2, 40, 5], requiresGrad: true })
      t.sum(t.mul(lif(current, { threshold: 0.05, membranes }).spikes, current.detach())).backward()
      return (current.grad!.toArray() as number[][][]).flat(2)
    })
    expect(gradients[0]!.some((value) => value !== 0)).toBe(true)
    expect(gradients[1]).toEqual(gradients[0])
    expect(gradients[2]).toEqual(gradients[0])
  })

  it('are not kept in any other way', () => {
    const run = () => lif(tensor(numbers(6), { shape: [1, 2, 3] }), { membranes: 'bits' as 'save' })
    expect(codeOf(run)).toBe('ERR_RANGE ArgumentError')
    expect(run).toThrow("lif membranes must be auto, recompute or save, got 'bits'")
  })
})

describe('leakyIntegrate', () => {
  it('approaches the input and carries its membrane', () => {
    const whole = leakyIntegrate(t.ones([1, 6, 1]), { decay: 0.5 })
    expectValues(whole.trace, [[0.5, 0.75, 0.875, 0.9375, 0.96875, 0.984375].map((u) => [u])])
    const first = leakyIntegrate(t.ones([1, 1, 1]), { decay: 0.5, steps: 2 })
    const second = leakyIntegrate(t.ones([1, 4, 1]), { decay: 0.5, membrane: first.membrane })
    expect(t.equal(second.membrane, whole.membrane)).toBe(true)
    expectValues(leakyIntegrate(t.ones([1, 2, 1]), { decayInput: false }).trace, [[[1], [1.9]]])
    expect(codeOf(() => leakyIntegrate(t.ones([1, 2, 1]), { decay: -1 }))).toBe('ERR_RANGE ArgumentError')
  })
})

describe('convBlock', () => {
  it('is one convolution over batch and time', () => {
    const input = t.randn([2, 3, 2, 5, 5])
    const [weight, bias] = [t.randn([4, 2, 3, 3]), t.randn([4])]
    const each = t.stack(
      [0, 1, 2].map((step) => t.conv2d(t.select(input, 1, step), weight, { bias, padding: 1, stride: 2 })),
      1,
    )
    const block = convBlock(input, weight, { bias, stride: 2 })
    expect(block.shape).toEqual([2, 3, 4, 3, 3])
    expectValues(t.max(t.abs(t.sub(block, each))), 0, 1e-5)
    expect(convBlock(t.select(input, 1, 0), weight).shape).toEqual([2, 4, 5, 5])
    expect(codeOf(() => convBlock(input, t.randn([4, 3, 3, 3])))).toBe('ERR_SHAPE ShapeError')
    expect(codeOf(() => convBlock(input, weight, { stride: 0 }))).toBe('ERR_RANGE ArgumentError')
  })
})

describe('spikeNorm', () => {
  const tensors = () => ({
    gamma: tensor([2]),
    beta: tensor([1]),
    runningMean: tensor([0]),
    runningVariance: tensor([1]),
  })
  it('normalises each step by its own statistics', () => {
    // Step 1 holds ±1 around 10, step 2 ±3 around -5.
    const input = tensor([11, -2, 9, -8], { shape: [2, 2, 1, 1, 1] })
    const state = tensors()
    const output = spikeNorm(input, state, { training: true, epsilon: 1e-12 })
    expectValues(t.flatten(output), [3, 3, -1, -1], 1e-5)
    // One update a step, in order, with the unbiased variance (2, then 18).
    expectValues(state.runningMean, [0.9 * (0.1 * 10) + 0.1 * -5], 1e-5)
    expectValues(state.runningVariance, [0.9 * (0.9 + 0.1 * 2) + 0.1 * 18], 1e-5)
  })

  it('uses the running statistics in evaluation, which stay', () => {
    const state = { ...tensors(), runningMean: tensor([4]), runningVariance: tensor([9]) }
    expectValues(t.flatten(spikeNorm(tensor([7, 1], { shape: [2, 1, 1, 1] }), state, { epsilon: 1e-12 })), [3, -1])
    expectValues(state.runningMean, [4])
  })

  it('refuses what does not fit', () => {
    expect(codeOf(() => spikeNorm(t.ones([1, 2, 3, 3]), tensors()))).toBe('ERR_SHAPE ShapeError')
    expect(codeOf(() => spikeNorm(t.ones([1, 1, 3, 3]), tensors(), { epsilon: 0 }))).toBe('ERR_RANGE ArgumentError')
  })
})

describe('sewConnect', () => {
  it('joins by the four functions', () => {
    const main = tensor([0, 0, 1, 1])
    const shortcut = tensor([0, 1, 0, 1])
    expectValues(sewConnect(main, shortcut), [0, 1, 1, 2])
    expectValues(sewConnect(main, shortcut, 'and'), [0, 0, 0, 1])
    expectValues(sewConnect(main, shortcut, 'iand'), [0, 1, 0, 0])
    expectValues(sewConnect(main, shortcut, 'mean'), [0, 0.5, 0.5, 1])
    expect(codeOf(() => sewConnect(main, shortcut, 'or' as 'and'))).toMatch(/^ERR_RANGE/)
  })
})

describe('sewBlock', () => {
  it('is its stages joined with the shortcut', () => {
    t.manualSeed(2)
    const stage = (into: number, out: number, kernel: number) => ({
      weight: t.mul(t.randn([out, into, kernel, kernel]), 0.5),
      norm: { gamma: t.ones([out]), beta: t.ones([out]), runningMean: t.zeros([out]), runningVariance: t.ones([out]) },
    })
    const tensors = { stages: [stage(2, 4, 3), stage(4, 4, 3)], shortcut: stage(2, 4, 1) }
    const input = t.bernoulli(t.full([2, 5, 2, 6, 6], 0.5))
    const { output, state } = sewBlock(input, tensors, { stride: 2, decay: 0.5, threshold: 0.4 })
    const run = (x: Tensor, { weight, norm }: (typeof tensors)['shortcut'], stride: number, padding: number) =>
      lif(spikeNorm(convBlock(x, weight, { stride, padding }), norm), { decay: 0.5, threshold: 0.4 }).spikes
    const main = run(run(input, tensors.stages[0]!, 2, 1), tensors.stages[1]!, 1, 1)
    const side = run(input, tensors.shortcut, 2, 0)
    expect(output.shape).toEqual([2, 5, 4, 3, 3])
    expect(t.equal(output, t.add(main, side))).toBe(true)
    expect(t.max(output).item()).toBe(2)
    expect(state.map(({ shape }) => shape)).toEqual(Array(3).fill([2, 4, 3, 3]))
    expect(codeOf(() => sewBlock(input, tensors, { state: [] }))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => sewBlock(input, tensors, { connect: 'xor' as 'and' }))).toBe('ERR_RANGE ArgumentError')
  })
})
