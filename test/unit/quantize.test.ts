import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SpikingRxError } from '../../lib/errors.js'
import { Model, quantizeWeights, snn, tensor } from '../../lib/index.js'
import { readSafetensors, type SafetensorsTensor, writeSafetensors } from '../../lib/io/safetensors.js'
import type { NetworkDtype } from '../../lib/model/network.js'
import { decodeWeights, encodeWeights } from '../../lib/model/weight-codes.js'
import { receiverNetwork } from '../../lib/receiver/index.js'
import { assign, full, type Tensor } from '../../lib/tensor/index.js'
import { settledTensors } from './settled-tensors.js'
import { numbers } from './tensor-expectations.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-quantize-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const spec = () => receiverNetwork({ symbols: 6, subcarriers: 8, bitsPerSymbol: 2 }, { channels: 5, blocks: 1 })
const create = (dtype: NetworkDtype = 'float32') => Model.create(spec(), { device: 'cpu', seed: 3, dtype })
const valuesOf = (x: Tensor): number[] => Array.from(x.toTypedArray(), Number)
const coded = (values: readonly number[], shape: readonly number[], bits = 8) =>
  encodeWeights('w', tensor(values, { shape }), bits)
const weightsOf = (model: Model): Record<string, number[]> =>
  Object.fromEntries(model.tensors().map(({ name, tensor: one }) => [name, valuesOf(one)]))

async function failure(work: Promise<unknown>): Promise<SpikingRxError> {
  return work.then(
    () => expect.fail('nothing thrown'),
    (error: SpikingRxError) => error,
  )
}

describe('the code of a weight', () => {
  it('is its nearest multiple of the largest one / 127, channel by channel', () => {
    // Channel 0: s = 1/8 exactly; channel 1: s = 2.
    const { codes, scale } = coded([127 / 8, -1, 0.19, 0.18, -254, 2, 3.1, -0.9], [2, 4])
    expect(valuesOf(scale)).toEqual([0.125, 2])
    expect(valuesOf(codes)).toEqual([127, -8, 2, 1, -127, 1, 2, 0])
    expect(codes.dtype).toBe('int8')
    expect(valuesOf(decodeWeights({ codes, scale }, 'float32'))).toEqual([127 / 8, -1, 0.25, 0.125, -254, 2, 4, 0])
  })

  it.each([2, 4, 8])('of %i bits is off by half a scale at most, and the largest weight by next to nothing', (bits) => {
    const levels = 2 ** (bits - 1) - 1
    const weights = Float32Array.from(numbers(7 * 36), (x, i) => x * 10 ** (Math.floor(i / 36) - 3))
    const { codes, scale } = coded([...weights], [7, 4, 3, 3], bits)
    const scales = valuesOf(scale)
    const decoded = valuesOf(decodeWeights({ codes, scale }, 'float32'))
    expect(Math.max(...valuesOf(codes).map(Math.abs))).toBe(levels)
    for (let channel = 0; channel < 7; channel++) {
      const own = weights.slice(36 * channel, 36 * (channel + 1))
      const largest = Math.max(...own.map(Math.abs))
      expect(Math.abs(scales[channel]! / (largest / levels) - 1)).toBeLessThan(2 ** -17)
      for (const [i, weight] of own.entries()) {
        const error = Math.abs(decoded[36 * channel + i]! - weight)
        expect(error).toBeLessThanOrEqual((scales[channel]! / 2) * (1 + 1e-5))
        if (Math.abs(weight) === largest) expect(error / largest).toBeLessThan(2 ** -16)
      }
    }
  })

  it('decodes exactly, so that a weight on the grid keeps its value, its code and its scale', () => {
    for (const dtype of ['float32', 'float64'] as const) {
      const first = encodeWeights('w', tensor(numbers(64 * 9), { shape: [64, 9], dtype }), 8)
      const decoded = decodeWeights(first, dtype)
      const scales = valuesOf(first.scale)
      // In double precision the product is exact anyway.
      expect(valuesOf(decoded)).toEqual(valuesOf(first.codes).map((q, i) => q * scales[Math.floor(i / 9)]!))
      const second = encodeWeights('w', decoded, 8)
      expect(valuesOf(second.codes)).toEqual(valuesOf(first.codes))
      expect(valuesOf(second.scale)).toEqual(scales)
    }
  })

  it('of a channel of zeros is zero, and of numbers below the normal ones as well', () => {
    const { codes, scale } = coded([0, -0, 1e-44, -1e-45, 127, 1], [3, 2])
    expect(valuesOf(codes)).toEqual([0, 0, 0, 0, 127, 1])
    expect(valuesOf(scale)).toEqual([2 ** -126, 2 ** -126, 1])
    expect(valuesOf(decodeWeights({ codes, scale }, 'float32')).map(Math.abs)).toEqual([0, 0, 0, 0, 127, 1])
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3.4028234e38])(
    'of %d there is none',
    (value) => {
      expect(() => coded([1, 2, value, 4], [2, 2])).toThrow(
        expect.objectContaining({ code: 'ERR_NOT_FINITE', details: { name: 'w' } }),
      )
    },
  )
})

describe('quantizeWeights', () => {
  it('rounds weights of convolutions, and leaves biases and norms as they are', async () => {
    await using model = await create()
    const before = weightsOf(model)
    await using small = await quantizeWeights(model)
    const after = weightsOf(small)
    expect(weightsOf(model)).toEqual(before)
    const changed = Object.keys(before).filter((name) => before[name]!.join() !== after[name]!.join())
    expect(changed).toEqual(Object.keys(before).filter((name) => name.endsWith('weight')))
    expect(changed).toHaveLength(4)
    for (const name of changed) {
      // One input of the stem's channels is 4 x 3 x 3 weights.
      const per = before[name]!.length / (name === 'layers.5.weight' ? 2 : 5)
      before[name]!.forEach((weight, i) => {
        const channel = before[name]!.slice(i - (i % per), i - (i % per) + per)
        const half = Math.max(...channel.map(Math.abs)) / 127 / 2
        expect(Math.abs(after[name]![i]! - weight)).toBeLessThanOrEqual(half * 1.00001)
      })
    }
  })

  it('of a quantised model changes nothing, and of fewer bits more', async () => {
    await using model = await create()
    await using small = await quantizeWeights(model)
    await using again = await quantizeWeights(small)
    await using coarse = await quantizeWeights(model, { bits: 3 })
    expect(weightsOf(again)).toEqual(weightsOf(small))
    const levels = new Set(
      weightsOf(coarse)
        ['layers.0.weight']!.slice(0, 36)
        .map((x) => Math.abs(x)),
    )
    expect(levels.size).toBeLessThanOrEqual(4)
  })

  it('refuses bits, element types and weights that it can not code, and leaves no tensor behind', async () => {
    await using model = await create()
    await using half = await create('bfloat16')
    expect((await failure(quantizeWeights(model, { bits: 9 }))).code).toBe('ERR_RANGE')
    expect((await failure(quantizeWeights(half))).code).toBe('ERR_ARGUMENT')
    expect((await failure(half.save(join(folder, 'half'), { weightBits: 8 }))).code).toBe('ERR_ARGUMENT')
    const [weight] = model.parameters()
    assign(weight!, full(weight!.shape, Number.NaN))
    const before = await settledTensors()
    for (const work of [() => quantizeWeights(model), () => model.save(join(folder, 'nan'), { weightBits: 8 })]) {
      const { code, message } = await failure(work())
      expect(code).toBe('ERR_NOT_FINITE')
      expect(message).toContain('layers.0.weight')
    }
    expect(await settledTensors()).toBe(before)
  })
})

describe('a file of coded weights', () => {
  it('loads as the quantised model, bit for bit, and is the same when that one is stored', async () => {
    for (const dtype of ['float32', 'float64'] as const) {
      await using model = await create(dtype)
      await using small = await quantizeWeights(model)
      const [path, again] = [join(folder, `${dtype}-a`), join(folder, `${dtype}-b`)]
      await model.save(path, { weightBits: 8 })
      await using loaded = await Model.load(path, { device: 'cpu' })
      expect(weightsOf(loaded)).toEqual(weightsOf(small))
      expect([loaded.dtype, loaded.seed]).toEqual([dtype, 3])
      await loaded.save(again, { weightBits: 8 })
      expect(await readFile(again)).toEqual(await readFile(path))
    }
  })

  it('takes a byte a weight and four a channel', async () => {
    const network = snn({ input: [64], steps: 1 })
      .linear(256)
      .lif()
      .linear(128)
    await using model = await Model.create(network, { device: 'cpu' })
    const [whole, small] = [join(folder, 'whole'), join(folder, 'small')]
    await model.save(whole)
    await model.save(small, { weightBits: 8 })
    const { tensors } = await readSafetensors(small)
    expect(tensors.get('layers.0.weight')).toMatchObject({ dtype: 'I8', shape: [256, 64] })
    expect(tensors.get('layers.0.weight.scale')).toMatchObject({ dtype: 'F32', shape: [256] })
    expect(tensors.get('layers.0.bias')).toMatchObject({ dtype: 'F32', shape: [256] })
    const saved = (await stat(whole)).size - (await stat(small)).size
    // The header is longer by two names.
    expect(Math.abs(saved - (3 * (64 * 256 + 256 * 128) - 4 * (256 + 128)))).toBeLessThan(300)
  })

  const change = async (edit: (tensors: Map<string, SafetensorsTensor>) => void): Promise<string> => {
    await using model = await create()
    const [path, damaged] = [join(folder, 'good'), join(folder, 'damaged')]
    await model.save(path, { weightBits: 8 })
    const { metadata, tensors } = await readSafetensors(path)
    const changed = new Map(tensors)
    edit(changed)
    await writeSafetensors(damaged, changed, metadata)
    const before = await settledTensors()
    const { code, message, name } = await failure(Model.load(damaged, { device: 'cpu' }))
    expect(await settledTensors()).toBe(before)
    expect([code, name]).toEqual(['ERR_CHECKPOINT_TENSORS', 'CheckpointError'])
    return message
  }
  const scales = (...values: number[]): SafetensorsTensor => ({
    dtype: 'F32',
    shape: [values.length],
    data: new Uint8Array(Float32Array.from(values).buffer),
  })

  it.each([
    ['without its scales', undefined, 'lacks its scales layers.0.weight.scale'],
    ['with scales of other channels', scales(1, 1, 1), 'as F32 [3], but layers.0.weight wants F32 [5]'],
    ['with a scale of 0', scales(1, 1, 0, 1, 1), 'not all above 0 and finite'],
    ['with a negative scale', scales(1, -1, 1, 1, 1), 'not all above 0 and finite'],
    ['with a scale that is no number', scales(1, 1, 1, 1, Number.NaN), 'not all above 0 and finite'],
    ['with an infinite scale', scales(1, 1, 1, Number.POSITIVE_INFINITY, 1), 'not all above 0 and finite'],
    ['with scales in double precision', { dtype: 'F64', shape: [5], data: new Uint8Array(40) } as const, 'as F64 [5]'],
  ])('%s is refused', async (_, scale, message) => {
    const edit = (tensors: Map<string, SafetensorsTensor>) =>
      scale === undefined ? tensors.delete('layers.0.weight.scale') : tensors.set('layers.0.weight.scale', scale)
    expect(await change(edit)).toContain(message)
  })

  it('with codes of another shape, of what is not coded, or scales of what is not there, is refused', async () => {
    const codes = (...shape: number[]): SafetensorsTensor => {
      return { dtype: 'I8', shape, data: new Uint8Array(shape.reduce((a, b) => a * b)) }
    }
    expect(await change((tensors) => tensors.set('layers.0.weight', codes(5, 4, 3, 2)))).toContain('as I8 [5, 4, 3, 2]')
    expect(await change((tensors) => tensors.set('layers.0.bias', codes(5)))).toContain('layers.0.bias as I8 [5]')
    expect(await change((tensors) => tensors.set('layers.9.weight.scale', scales(1)))).toContain(
      'layers.9.weight.scale',
    )
    const whole = { dtype: 'F32', shape: [5, 4, 3, 3], data: new Uint8Array(4 * 180) } as const
    expect(await change((tensors) => tensors.set('layers.0.weight', whole))).toContain('layers.0.weight.scale')
  })
})
