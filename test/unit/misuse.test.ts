/** What plain JavaScript, or a slip, hands in against the types: always a typed error that says what was wanted. */
import { describe, expect, it } from 'vitest'
import { type ErrorCode, SpikingRxError } from '../../lib/errors.js'
import { createOptimizer, datasets, Model, square, sum, tensor } from '../../lib/index.js'
import { adam } from '../../lib/train/optimizers.js'
import { collect, stripeNetwork, stripes } from './train-data.js'

/** A value that the types would refuse. */
const wrong = (value: unknown): never => value as never

async function refusal(call: () => unknown): Promise<{ code: ErrorCode; message: string }> {
  try {
    await call()
  } catch (error) {
    expect(error).toBeInstanceOf(SpikingRxError)
    return error as SpikingRxError
  }
  throw new Error('nothing was refused')
}

async function train(data: unknown, options: unknown = {}) {
  using model = await Model.create(stripeNetwork(), { device: 'cpu' })
  return await collect(model.train(wrong(data), wrong(options)))
}

const values = new Float32Array(12)
const classes = Int32Array.of(0, 1)
const iterable = (samples: unknown) => datasets.fromIterable(wrong(samples), { inputShape: [1, 6, 6] })

describe('data', () => {
  it.each<[string, () => unknown, string]>([
    ['no source', () => datasets.fromArrays(wrong(undefined)), 'inputs must be a Uint8Array'],
    [
      'a list of inputs',
      () => datasets.fromArrays({ inputs: wrong([1, 2]), shape: [2, 1], targets: classes }),
      'got [1, 2]',
    ],
    [
      'no shape',
      () => datasets.fromArrays({ inputs: values, shape: wrong(undefined), targets: classes }),
      'shape must',
    ],
    [
      'a list of targets',
      () => datasets.fromArrays({ inputs: values, shape: [2, 6], targets: wrong([0.5, 1]) }),
      'targets must be an Int32Array',
    ],
    ['a number to iterate', () => iterable(5), 'wants an iterable'],
    ['a function that gives none', () => train(iterable(() => 5)), 'must return an iterable'],
    ['a sample that is null', () => train(iterable([null])), 'sample 0 must be { input, target }'],
    ['a sample without target', () => train(iterable([{ input: values }])), 'sample 0 must have a class'],
    ['integers as input', () => train(iterable([{ input: classes, target: 0 }])), 'got input a Int32Array'],
    ['a dataset without shape', () => train({ batches: () => [] }), 'must have inputShape'],
  ])('%s', async (_, call, message) => {
    const error = await refusal(call)
    expect(error.code).toBe('ERR_TYPE')
    expect(error.message).toContain(message)
  })
})

describe('a run', () => {
  it.each([
    ['optimizer', null, 'optimizer must be made by'],
    ['loss', null, 'loss must be one of'],
    ['schedule', null, 'schedule must be made by'],
    ['regularizer', null, 'regularizer must be made by'],
    ['signal', new AbortController(), 'such as controller.signal, got a AbortController'],
  ])('with a wrong %s', async (name, value, message) => {
    expect((await refusal(() => train(stripes(10), { [name]: value }))).message).toContain(message)
  })

  it.each([
    ['no sample', 0, 'keep'],
    ['fewer samples than a batch, which it drops', 5, 'drop'],
  ])('over %s', async (_, samples, lastBatch) => {
    const error = await refusal(() => train(stripes(samples), { batchSize: 10, lastBatch }))
    expect(error.code).toBe('ERR_RANGE')
    expect(error.message).toContain(`train needs data for at least one batch, got ${samples} samples`)
  })
})

describe('a model and tensors', () => {
  it.each<[string, () => unknown, string]>([
    ['a network of nothing', () => Model.create(wrong(undefined)), 'ERR_TYPE'],
    ['a network of something else', () => Model.create(wrong({ summary: [] })), 'ERR_TYPE'],
    ['an optimiser of a module', () => createOptimizer(adam(), wrong({})), 'ERR_TYPE'],
    ['an optimiser of numbers', () => createOptimizer(adam(), wrong([1])), 'ERR_TYPE'],
    [
      'a gradient that is a number',
      () => tensor([1], { requiresGrad: true }).backward({ gradient: wrong(1) }),
      'ERR_TYPE',
    ],
    ['an integer that requires a gradient', () => tensor([1], { dtype: 'int32', requiresGrad: true }), 'ERR_TYPE'],
    ['an int64 out of range', () => tensor([2n ** 63n]), 'ERR_RANGE'],
  ])('%s', async (_, call, code) => {
    expect((await refusal(call)).code).toBe(code)
  })

  it('a second backward through the same graph', async () => {
    const x = tensor([1, 2], { requiresGrad: true })
    const y = sum(square(x))
    y.backward()
    const error = await refusal(() => y.backward())
    expect(error.code).toBe('ERR_GRAPH_FREED')
    expect(error.message).toContain('retainGraph: true')
    expect((await refusal(() => y.backwardAsync())).code).toBe('ERR_GRAPH_FREED')
  })
})
