import { describe, expect, it } from 'vitest'
import { Model } from '../../lib/model/model.js'
import { snn } from '../../lib/model/spec.js'
import { ConvBlock, Lif, Linear, type Module, SEWBlock, Sequential, SpikeNorm } from '../../lib/nn/index.js'
import * as t from '../../lib/tensor/index.js'
import { type Tensor, tensor } from '../../lib/tensor/index.js'
import { codeOf, expectValues } from './tensor-expectations.js'

const names = (module: Module) => module.namedTensors().map(({ name, tensor: { shape } }) => `${name} [${shape}]`)
const named = (module: Module, name: string) => module.namedTensors().find((one) => one.name === name)!.tensor

describe('ConvBlock', () => {
  it('keeps the scale of standard-normal input: mean 0, std 0.866 for 3 to 8 channels', () => {
    // sqrt(2 * 3 / 8) = 0.866 inside; borders take off about 6 % at 32 by 32. Averaged over seeds.
    t.manualSeed(1)
    const input = t.randn([8, 3, 32, 32])
    const figures = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) =>
      t.scope(() => {
        using block = new ConvBlock(3, 8, { seed })
        const output = t.slice(t.slice(block.forward(input), 2, { start: 1, end: 31 }), 3, { start: 1, end: 31 })
        return [t.mean(output).item(), t.variance(output).item()] as const
      }),
    )
    const mean = figures.reduce((sum, [m]) => sum + m, 0) / 8
    const variance = figures.reduce((sum, [, v]) => sum + v, 0) / 8
    expect(Math.abs(mean)).toBeLessThan(0.02)
    expect(Math.abs(Math.sqrt(variance) - Math.sqrt(6 / 8))).toBeLessThan(0.04)
  })

  it('has Kaiming-normal weights and no bias at first', () => {
    using block = new ConvBlock(16, 64, { seed: 1 })
    expect(names(block)).toEqual(['weight [64,16,3,3]', 'bias [64]'])
    const deviation = Math.sqrt(t.variance(named(block, 'weight')).item())
    expect(Math.abs(deviation / Math.sqrt(2 / (64 * 9)) - 1)).toBeLessThan(0.03)
    expect(t.max(t.abs(named(block, 'bias'))).item()).toBe(0)
    expect(names(new ConvBlock(1, 2, { kernel: [1, 3], bias: false }))).toEqual(['weight [2,1,1,3]'])
    expect(new ConvBlock(1, 2, { kernel: 5, padding: 0, stride: 2 }).forward(t.ones([1, 3, 1, 9, 9])).shape).toEqual([
      1, 3, 2, 3, 3,
    ])
  })
})

describe('weights by seed', () => {
  it('are the same for the same seed, and follow manualSeed without one', () => {
    const weight = (options: { seed?: number }) => {
      using layer = new Linear(4, 3, options)
      return named(layer, 'weight').toArray()
    }
    expect(weight({ seed: 7 })).toEqual(weight({ seed: 7 }))
    expect(weight({ seed: 7 })).not.toEqual(weight({ seed: 8 }))
    t.manualSeed(4)
    const first = weight({})
    expect(weight({})).not.toEqual(first)
    t.manualSeed(4)
    expect(weight({})).toEqual(first)
  })

  it('can be float64', () => {
    using layer = new Linear(2, 2, { dtype: 'float64' })
    expect(layer.forward(t.ones([1, 2], { dtype: 'float64' })).dtype).toBe('float64')
  })
})

describe('Linear', () => {
  it('computes x W + b over the last axis', () => {
    using layer = new Linear(3, 2, { seed: 1 })
    layer.load([
      {
        name: 'weight',
        tensor: tensor([
          [1, 0, 0],
          [0, 1, 1],
        ]),
      },
      { name: 'bias', tensor: tensor([0.5, -1]) },
    ])
    expectValues(layer.forward(tensor([[[1, 2, 3]]])), [[[1.5, 4]]])
    expect(names(new Linear(3, 2, { bias: false }))).toEqual(['weight [2,3]'])
  })
})

describe('SpikeNorm', () => {
  it('uses the batch in training and the running statistics in evaluation', () => {
    using norm = new SpikeNorm(2)
    expect(names(norm)).toEqual(['gamma [2]', 'beta [2]', 'runningMean [2]', 'runningVariance [2]'])
    expect(norm.parameters()).toHaveLength(2)
    t.manualSeed(1)
    const input = t.add(t.mul(t.randn([16, 4, 2, 6, 6]), 3), 5)
    const output = norm.forward(input)
    expectValues(t.mean(output, { dim: [0, 3, 4] }), Array(4).fill([0, 0]), 1e-5)
    expectValues(t.variance(output, { dim: [0, 3, 4], unbiased: false }), Array(4).fill([1, 1]), 1e-4)
    expect(t.mean(named(norm, 'runningMean')).item()).toBeGreaterThan(1)
    norm.eval()
    const alone = norm.forward(t.slice(input, 0, { end: 1 }))
    const together = t.slice(norm.forward(input), 0, { end: 1 })
    expect(t.equal(alone, together)).toBe(true)
  })

  it('keeps statistics of each step where asked', () => {
    using norm = new SpikeNorm(2, { statistics: 'perStep', steps: 3 })
    expect(names(norm)[2]).toBe('runningMean [3,2]')
    norm.forward(t.randn([4, 3, 2, 5, 5]))
    expect(codeOf(() => norm.forward(t.randn([4, 2, 2, 5, 5])))).toBe('ERR_SHAPE ShapeError')
  })
})

describe('Lif', () => {
  it('fires at steps 7 and 14, carries its membrane only when stateful', () => {
    const current = t.ones([1, 10, 1])
    const times = (module: Lif) =>
      [0, 1].flatMap((half) =>
        Array.from(module.forward(current).toTypedArray(), Number).flatMap((s, i) => (s ? [10 * half + i + 1] : [])),
      )
    using resting = new Lif({ beta: 0.9, theta: 0.5 })
    expect(times(resting)).toEqual([7, 17])
    using carrying = new Lif({ decay: 0.9, threshold: 0.5, stateful: true })
    expect(times(carrying)).toEqual([7, 14])
    carrying.resetState()
    expect(times(carrying)).toEqual([7, 14])
    expect(resting.parameters()).toEqual([])
  })

  it('trains decay and threshold where they are learnable', () => {
    using neuron = new Lif({ learnable: ['decay', 'threshold'], perChannel: true, channels: 3, threshold: 0.5 })
    expect(names(neuron)).toEqual(['decay [3]', 'threshold [3]'])
    expectValues(named(neuron, 'decay'), [0.9, 0.9, 0.9])
    t.sum(neuron.forward(t.ones([2, 12, 3]))).backward()
    for (const parameter of neuron.parameters()) expect(t.max(t.abs(parameter.grad!)).item()).toBeGreaterThan(0)
    const { trace, membrane } = neuron.run(t.ones([2, 12, 3]), { trace: true })
    expect([trace!.shape, membrane.shape]).toEqual([
      [2, 12, 3],
      [2, 3],
    ])
  })
})

describe('SEWBlock', () => {
  it('of ReLU is what a network of the same spec and seed computes, and has no state', async () => {
    using model = await Model.create(
      snn({ input: [2, 6, 6], steps: 3 }).sewBlock(4, { stride: 2, activation: 'relu' }),
      {
        device: 'cpu',
        seed: 11,
      },
    )
    const input = Float32Array.from({ length: 2 * 3 * 72 }, (_, i) => Math.sin(i))
    const { scores } = await model.predict({ data: input, shape: [2, 3, 2, 6, 6] })
    using block = new SEWBlock(2, 4, { stride: 2, activation: 'relu', seed: 11, stateful: true })
    block.eval()
    const output = t.scope(() => t.mean(block.forward(tensor(input, { shape: [2, 3, 2, 6, 6] })), { dim: 1 }))
    expectValues(t.flatten(output), [...scores], 1e-5)
  })

  it('names its tensors as checkpoints do', () => {
    using block = new SEWBlock(2, 4, { stride: 2, learnable: ['decay'] })
    const stage = (prefix: string, into: number, kernel: number) => [
      `${prefix}.conv.weight [4,${into},${kernel},${kernel}]`,
      `${prefix}.conv.bias [4]`,
      ...['gamma', 'beta', 'runningMean', 'runningVariance'].map((name) => `${prefix}.norm.${name} [4]`),
      `${prefix}.lif.decay []`,
    ]
    expect(names(block)).toEqual([...stage('stages.0', 2, 3), ...stage('stages.1', 4, 3), ...stage('shortcut', 2, 1)])
    expect(names(new SEWBlock(4, 4, { stages: 1 })).every((name) => name.startsWith('stages.0'))).toBe(true)
  })

  it('gives in two halves what the whole gives, in evaluation', () => {
    t.manualSeed(6)
    const input = t.bernoulli(t.full([2, 12, 3, 8, 8], 0.4))
    using whole = new SEWBlock(3, 6, { stride: 2, threshold: 0.3, seed: 5 }).eval()
    using halves = new SEWBlock(3, 6, { stride: 2, threshold: 0.3, seed: 5, stateful: true }).eval()
    const parts = [halves.forward(t.slice(input, 1, { end: 5 })), halves.forward(t.slice(input, 1, { start: 5 }))]
    const output = whole.forward(input)
    expect(output.shape).toEqual([2, 12, 6, 4, 4])
    expect(t.sum(output).item()).toBeGreaterThan(50)
    expect(t.equal(t.cat(parts, 1), output)).toBe(true)
  })

  it('adds the identity where channels and stride stay: it never silences its input', () => {
    using block = new SEWBlock(3, 3, { seed: 1 })
    const input = t.bernoulli(t.full([2, 4, 3, 5, 5], 0.5))
    expect(t.min(t.sub(block.forward(input), input)).item()).toBeGreaterThanOrEqual(0)
  })

  it('is what a model of the same spec and seed computes', async () => {
    const spec = snn({ input: [2, 6, 6], steps: 5 }).sewBlock(4, { threshold: 0.4 })
    using model = await Model.create(spec, { seed: 9, device: 'cpu' })
    using block = new SEWBlock(2, 4, { threshold: 0.4, seed: 9 })
    const weights = new Map(model.tensors().map(({ name, tensor: value }) => [name, value]))
    expect(t.equal(named(block, 'stages.1.conv.weight'), weights.get('layers.0.stages.1.conv.weight')!)).toBe(true)
    const input = t.bernoulli(t.full([3, 5, 2, 6, 6], 0.5))
    const [one, other] = [block.forward(input), model.forward(input, { training: true })]
    expect(t.equal(one, other)).toBe(true)
    t.sum(one).backward()
    t.sum(other).backward()
    const gradients = model.parameters().map((parameter) => parameter.grad!)
    block.parameters().forEach((parameter, i) => {
      expectValues(t.max(t.abs(t.sub(parameter.grad!, gradients[i]!))), 0, 1e-4)
    })
  })
})

describe('Sequential', () => {
  const make = () =>
    new Sequential(
      new ConvBlock(1, 4, { seed: 1 }),
      new SpikeNorm(4),
      new Lif({ threshold: 0.5 }),
      (x: Tensor) => t.flatten(x, 2),
      new Linear(4 * 36, 3, { seed: 2 }),
    )

  it('runs its layers in order and names tensors by place', () => {
    using model = make()
    expect(names(model)).toEqual([
      '0.weight [4,1,3,3]',
      '0.bias [4]',
      '1.gamma [4]',
      '1.beta [4]',
      '1.runningMean [4]',
      '1.runningVariance [4]',
      '4.weight [3,144]',
      '4.bias [3]',
    ])
    expect(model.forward(t.rand([2, 5, 1, 6, 6])).shape).toEqual([2, 5, 3])
  })

  it('hands training and evaluation on', () => {
    using model = make()
    model.eval()
    const input = t.rand([2, 5, 1, 6, 6])
    const before = named(model, '1.runningMean').toArray()
    model.forward(input)
    expect(named(model, '1.runningMean').toArray()).toEqual(before)
    model.train().forward(input)
    expect(named(model, '1.runningMean').toArray()).not.toEqual(before)
  })

  it('loads what another of its kind holds, all or nothing', () => {
    using model = make()
    using other = new Sequential(
      new ConvBlock(1, 4),
      new SpikeNorm(4),
      new Lif({ threshold: 0.5 }),
      (x: Tensor) => t.flatten(x, 2),
      new Linear(4 * 36, 3),
    )
    other.load(model.namedTensors())
    const input = t.rand([2, 5, 1, 6, 6])
    expect(t.equal(model.forward(input), other.forward(input))).toBe(true)
    const weight = named(other, '0.weight').toArray()
    const wrong = model
      .namedTensors()
      .map(({ name, tensor: value }) => ({ name, tensor: name === '4.bias' ? t.ones([4]) : t.zerosLike(value) }))
    expect(codeOf(() => other.load(wrong))).toBe('ERR_SHAPE SpecError')
    expect(codeOf(() => other.load(wrong.slice(1)))).toBe('ERR_NAMES SpecError')
    expect(codeOf(() => other.load([...model.namedTensors(), { name: 'x', tensor: input }]))).toBe(
      'ERR_NAMES SpecError',
    )
    expect(named(other, '0.weight').toArray()).toEqual(weight)
  })
})

describe('memory of modules', () => {
  it('holds only their own tensors, in and out of scopes', () => {
    const before = t.memory().tensors
    const model = t.scope(
      () =>
        new Sequential(
          new ConvBlock(1, 2),
          new SpikeNorm(2),
          new Lif({ stateful: true }),
          new SEWBlock(2, 2, { stateful: true }),
        ),
    )
    const own = model.namedTensors().length
    expect(t.memory().tensors).toBe(before + own)
    for (let i = 0; i < 3; i++) {
      t.scope(() => {
        t.sum(model.forward(t.rand([1, 4, 1, 6, 6]))).backward()
      })
    }
    expect(t.memory().tensors).toBe(before + own + 3)
    model.resetState()
    expect(t.memory().tensors).toBe(before + own)
    model.dispose()
    expect(t.memory().tensors).toBe(before)
    expect(codeOf(() => model.forward(t.ones([1, 4, 1, 6, 6])))).toBe('ERR_DISPOSED StateError')
    expect(codeOf(() => model.namedTensors())).toBe('ERR_DISPOSED StateError')
  })

  it('refuses sizes and options that make no sense', () => {
    expect(codeOf(() => new ConvBlock(0, 4))).toMatch(/^ERR_RANGE SpecError/)
    expect(codeOf(() => new ConvBlock(1, 4, { kernal: 3 } as object))).toBe('ERR_UNKNOWN SpecError')
    expect(codeOf(() => new Lif({ decay: 2 }))).toBe('ERR_RANGE SpecError')
    expect(codeOf(() => new SEWBlock(2, 2, { stages: 3 as 2 }))).toBe('ERR_RANGE SpecError')
    expect(codeOf(() => new Linear(2, 2, { device: 'tpu' }))).toBe('ERR_RANGE ArgumentError')
  })
})
