import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ArgumentError, CheckpointError, ShapeError, SpecError, StateError } from '../../lib/errors.js'
import { Model } from '../../lib/model/model.js'
import { type NetworkSpec, snn } from '../../lib/model/spec.js'
import { native } from '../../lib/runtime/addon.js'
import { mean, noGrad, scope, Tensor, tensor } from '../../lib/tensor/index.js'
import { settledTensors } from './settled-tensors.js'
import { stripeNetwork, stripes } from './train-data.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-model-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Values of every tensor of a model, by name. */
function weights(model: Model): Record<string, ArrayLike<number | bigint>> {
  return Object.fromEntries(
    model.tensors().map(({ name, tensor: value }) => {
      using owned = value
      return [name, owned.toTypedArray()]
    }),
  )
}

const everyLayer = snn({ input: [2, 8, 8], steps: 4 })
  .normalize([0.1, 0.2], [1, 2])
  .convBlock(4, { bias: false })
  .spikeNorm({ statistics: 'perStep' })
  .lif({ learnable: ['decay', 'threshold'], perChannel: true })
  .sewBlock(8, { stride: 2, learnable: ['threshold'] })
  .sewBlock(8, { stages: 1, connect: 'mean' })
  .maxPool()
  .relu()
  .averagePool()
  .flatten()
  .linear(6, { bias: false })
  .leakyReadout({ learnable: ['decay'] })
  .classifier(3)

describe('a new model', () => {
  it('has exactly the tensors that its spec foretells', async () => {
    using model = await Model.create(everyLayer, { device: 'cpu' })
    const foretold = everyLayer.summary.flatMap(({ tensors }) => tensors)
    const there = model.tensors().map(({ name, tensor: { shape }, trainable }) => ({ name, shape, trainable }))
    expect(there).toEqual(foretold)
    expect(model.parameters().reduce((sum, { numel }) => sum + numel, 0)).toBe(everyLayer.parameters)
  })

  it('has the weights of its seed', async () => {
    using first = await Model.create(stripeNetwork(), { seed: 3 })
    using same = await Model.create(stripeNetwork(), { seed: 3 })
    using other = await Model.create(stripeNetwork(), { seed: 4 })
    expect(weights(same)).toEqual(weights(first))
    expect(weights(other)).not.toEqual(weights(first))
  })

  it.each(['float32', 'float64', 'bfloat16'] as const)('computes in %s', async (dtype) => {
    using model = await Model.create(stripeNetwork(), { dtype })
    expect(model.tensors().every(({ tensor: value }) => value.dtype === dtype)).toBe(true)
    const { scores, shape } = await model.predict(new Uint8Array(72))
    expect(shape).toEqual([2, 3])
    expect(scores.every(Number.isFinite)).toBe(true)
  })

  it('takes a spec as plain JSON', async () => {
    using model = await Model.create(JSON.parse(JSON.stringify(stripeNetwork())))
    expect(model.spec).toEqual(stripeNetwork())
  })

  it.each([
    [{ seed: -1 }, ArgumentError, 'Model.create needs seed to be a whole number of at least 0, got -1'],
    [{ dtype: 'int8' }, ArgumentError, 'Model.create needs dtype to be one of float32, float64, bfloat16, got "int8"'],
    [{ device: 'tpu' }, ArgumentError, "device must be 'cpu', 'cuda', 'cuda:N' or 'auto', got 'tpu'"],
    [{ sed: 1 }, ArgumentError, 'Model.create has no option "sed"; it has seed, dtype, device, threads'],
  ])('refuses the options %o', async (options, type, message) => {
    const refused = Model.create(stripeNetwork(), options as object)
    await expect(refused).rejects.toThrow(type)
    await expect(refused).rejects.toThrow(message)
  })

  it('refuses a network that has no layer', async () => {
    await expect(Model.create(snn({ input: [4], steps: 2 }))).rejects.toThrow(SpecError)
  })

  it('shows itself as a table', async () => {
    using model = await Model.create(stripeNetwork())
    expect(model.summary()).toContain('4 flatten')
    expect(model.summary()).toContain('network, 3 time steps')
  })
})

describe('predict', () => {
  it('gives the mean over time of the output, its largest place and its softmax', async () => {
    using model = await Model.create(stripeNetwork(), { seed: 5 })
    const images = stripes(7).slice(0, 7)
    const pixels = Uint8Array.from({ length: 7 * 36 }, (_, i) => images.sample(Math.floor(i / 36)).input[i % 36] ?? 0)
    const { scores, shape, classes, labels, probabilities } = await model.predict(pixels, { probabilities: true })

    using input = tensor(pixels, { shape: [7, 1, 6, 6] })
    using output = noGrad(() => model.forward(input))
    using expected = mean(output, { dim: 1 })
    expect(output.shape).toEqual([7, 3, 3])
    expect(shape).toEqual([7, 3])
    expect(scores).toEqual(expected.toTypedArray())
    for (let i = 0; i < 7; i++) {
      const row = [...scores.subarray(i * 3, i * 3 + 3)]
      expect(classes[i]).toBe(row.indexOf(Math.max(...row)))
      expect(labels?.[i]).toBe(['top', 'middle', 'bottom'][classes[i] ?? 9])
      const total = row.reduce((sum, value) => sum + Math.exp(value), 0)
      row.forEach((value, k) => {
        expect(probabilities?.[i * 3 + k]).toBeCloseTo(Math.exp(value) / total, 5)
      })
    }
  })

  it('gives the same whatever the batch size and the form of the input', async () => {
    using model = await Model.create(stripeNetwork())
    const pixels = Uint8Array.from({ length: 5 * 36 }, (_, i) => (i * 37) % 256)
    const { scores } = await model.predict(pixels)
    const close = (other: Float32Array): void => {
      expect(other).toHaveLength(scores.length)
      other.forEach((value, i) => {
        expect(value).toBeCloseTo(scores[i] ?? Number.NaN, 5)
      })
    }
    close((await model.predict(pixels, { batchSize: 2 })).scores)
    close((await model.predict({ data: pixels, shape: [5, 1, 6, 6] })).scores)
    using asTensor = tensor(pixels, { shape: [5, 1, 6, 6] })
    close((await model.predict(asTensor, { batchSize: 3 })).scores)
    close((await model.predict(Float32Array.from(pixels, (value) => value / 255))).scores)
    close((await model.predict(Float64Array.from(pixels, (value) => value / 255))).scores)
    expect(asTensor.disposed).toBe(false)
  })

  it('takes one sample, sequences, and nothing at all', async () => {
    using model = await Model.create(stripeNetwork())
    const frame = Float32Array.from({ length: 36 }, (_, i) => i / 36)
    const single = await model.predict({ data: frame, shape: [1, 6, 6] })
    expect(single.shape).toEqual([1, 3])
    const sequence = new Float32Array(36 * 3)
    for (let t = 0; t < 3; t++) sequence.set(frame, t * 36)
    const { scores, shape } = await model.predict({ data: sequence, shape: [1, 3, 1, 6, 6] })
    expect(shape).toEqual([1, 3])
    scores.forEach((value, i) => {
      expect(value).toBeCloseTo(single.scores[i] ?? Number.NaN, 5)
    })
    expect(await model.predict(new Uint8Array(0))).toMatchObject({ shape: [0, 3], classes: new Int32Array(0) })
  })

  it('gives no classes for a network that ends in maps', async () => {
    using model = await Model.create(
      snn({ input: [1, 6, 6], steps: 2 })
        .convBlock(2)
        .lif(),
    )
    const { shape, classes } = await model.predict(new Uint8Array(36))
    expect([shape, classes]).toEqual([[1, 2, 6, 6], new Int32Array(0)])
  })

  it.each([
    [new Uint8Array(35), 'the input must hold whole samples of 36 values [1, 6, 6], got 35 values'],
    [
      { data: new Uint8Array(36), shape: [6, 6] },
      'the input must be [1, 6, 6], [B, 1, 6, 6] or [B, T, 1, 6, 6], got [6, 6]',
    ],
    [{ data: new Uint8Array(36), shape: [2, 1, 6, 6] }, 'an input of shape [2, 1, 6, 6] needs 72 values, got 36'],
  ])('refuses an input that does not fit: %#', async (input, message) => {
    using model = await Model.create(stripeNetwork())
    const refused = model.predict(input)
    await expect(refused).rejects.toThrow(ShapeError)
    await expect(refused).rejects.toThrow(message)
  })

  it('stops by its signal', async () => {
    using model = await Model.create(stripeNetwork())
    const predicted = model.predict(new Uint8Array(36), { signal: AbortSignal.abort() })
    await expect(predicted).rejects.toMatchObject({ code: 'ERR_ABORTED' })
  })
})

describe('evaluate', () => {
  it('counts what predict decides', async () => {
    using model = await Model.create(stripeNetwork(), { seed: 2 })
    const data = stripes(50)
    const { accuracy, samples, confusion, loss, firingRates } = await model.evaluate(data, { batchSize: 16 })
    const expected = [0, 1, 2].map(() => [0, 0, 0])
    for (let i = 0; i < 50; i++) {
      const { input, target } = data.sample(i)
      const decided = (await model.predict(input)).classes[0] ?? 9
      const row = expected[Number(target)] ?? []
      row[decided] = (row[decided] ?? 0) + 1
    }
    expect(confusion).toEqual(expected)
    expect(samples).toBe(50)
    expect(accuracy).toBeCloseTo(expected.reduce((sum, row, i) => sum + (row[i] ?? 0), 0) / 50)
    expect(loss).toBeGreaterThan(0)
    expect(Object.keys(firingRates)).toEqual(['layers.2'])
  })

  it('refuses data of another shape', async () => {
    using model = await Model.create(snn({ input: [4], steps: 2 }).classifier(3))
    await expect(model.evaluate(stripes(4))).rejects.toThrow(
      'the data has samples of shape [1, 6, 6], but the network takes [4]',
    )
  })
})

describe('stream', () => {
  it('gives, frame by frame, what the whole sequence gives', async () => {
    const restless = snn({ input: [1, 6, 6], steps: 3 })
      .convBlock(4)
      .lif({ threshold: 0.1 })
      .classifier(3)
    using model = await Model.create(restless, { seed: 1 })
    const sequence = Float32Array.from({ length: 2 * 5 * 36 }, (_, i) => ((i * 7919) % 100) / 100)
    using whole = noGrad(() => {
      using input = tensor(sequence, { shape: [2, 5, 1, 6, 6] })
      return model.forward(input)
    })
    const expected = whole.toTypedArray() as Float32Array
    expect(new Set(expected).size, 'no two steps give the same').toBe(30)
    using stream = model.stream()
    for (let run = 0; run < 2; run++) {
      const means = new Float64Array(6)
      for (let t = 0; t < 5; t++) {
        const frame = new Float32Array(72)
        for (let b = 0; b < 2; b++) frame.set(sequence.subarray((b * 5 + t) * 36, (b * 5 + t + 1) * 36), b * 36)
        const { scores, mean: average, steps, shape } = await stream.step(frame)
        expect([steps, shape]).toEqual([t + 1, [2, 3]])
        for (let b = 0; b < 2; b++) {
          for (let k = 0; k < 3; k++) {
            const value = expected[(b * 5 + t) * 3 + k] ?? Number.NaN
            means[b * 3 + k] = (means[b * 3 + k] ?? 0) + value
            expect(scores[b * 3 + k]).toBeCloseTo(value, 5)
            expect(average[b * 3 + k]).toBeCloseTo((means[b * 3 + k] ?? 0) / (t + 1), 5)
          }
        }
      }
      await stream.reset()
    }
  })

  it('runs steps that are not awaited in their order', async () => {
    using model = await Model.create(stripeNetwork())
    using stream = model.stream()
    const all = await Promise.all([0, 1, 2].map(() => stream.step(new Uint8Array(36).fill(200))))
    expect(all.map(({ steps }) => steps)).toEqual([1, 2, 3])
  })

  it('outlives the scope that a step was made in', async () => {
    using model = await Model.create(stripeNetwork())
    using stream = model.stream()
    const frame = new Uint8Array(36).fill(200)
    await scope(() => stream.step(frame))
    expect((await stream.step(frame)).steps).toBe(2)
  })

  it('refuses another number of samples until it is reset', async () => {
    using model = await Model.create(stripeNetwork())
    using stream = model.stream()
    await stream.step(new Uint8Array(36))
    await expect(stream.step(new Uint8Array(72))).rejects.toThrow('the stream carries 1 samples, got 2')
    await stream.reset()
    expect((await stream.step(new Uint8Array(72))).shape).toEqual([2, 3])
    await expect(stream.step({ data: new Uint8Array(72), shape: [1, 2, 1, 6, 6] })).rejects.toThrow(
      'one frame at a time',
    )
    stream.dispose()
    await expect(stream.step(new Uint8Array(36))).rejects.toThrow(StateError)
  })
})

describe('record', () => {
  it('shows membranes that explain the spikes', async () => {
    using model = await Model.create(snn({ input: [2], steps: 20 }).lif({ decay: 0.9, threshold: 0.5 }))
    const { layers, output } = await model.record(Float32Array.of(1, 0.2))
    const { spikes, membrane } = layers['layers.0'] ?? {}
    expect([spikes?.shape, membrane?.shape, output.shape]).toEqual([
      [1, 20, 2],
      [1, 20, 2],
      [1, 20, 2],
    ])
    // SEMANTICS.md: a constant current of 1 fires at the 7th and 14th step; 0.2 stays below the threshold.
    const fired = Array.from({ length: 20 }, (_, t) => t + 1).filter((t) => spikes?.data[(t - 1) * 2] === 1)
    expect(fired).toEqual([7, 14])
    spikes?.data.forEach((spike, i) => {
      expect(spike).toBe((membrane?.data[i] ?? 0) >= 0.5 ? 1 : 0)
    })
    expect(output.data).toEqual(spikes?.data)
  })
})

describe('save and load', () => {
  it.each([
    ['every layer', everyLayer, 'float32'],
    ['float64', stripeNetwork(), 'float64'],
    ['bfloat16', stripeNetwork(), 'bfloat16'],
  ] as [string, NetworkSpec, 'float32'][])('gives the same model back: %s', async (name, spec, dtype) => {
    using model = await Model.create(spec, { seed: 9, dtype })
    const path = join(folder, `${name}.safetensors`)
    await model.save(path)
    using again = await Model.load(path, { device: 'cpu' })
    expect(again.spec).toEqual(model.spec)
    expect([again.dtype, again.seed]).toEqual([dtype, 9])
    expect(weights(again)).toEqual(weights(model))
  })

  it('says so when there is no such file', async () => {
    const loaded = Model.load(join(folder, 'nowhere.safetensors'))
    await expect(loaded).rejects.toThrow(CheckpointError)
    await expect(loaded).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_MISSING' })
  })

  it('says so when it cannot write', async () => {
    using model = await Model.create(stripeNetwork())
    const saved = model.save(join(folder, 'no', 'such', 'folder', 'model.safetensors'))
    await expect(saved).rejects.toMatchObject({ name: 'CheckpointError', code: 'ERR_CHECKPOINT_WRITE' })
  })
})

describe('dispose', () => {
  it('ends every use, and can be repeated', async () => {
    const model = await Model.create(stripeNetwork())
    model.dispose()
    model.dispose()
    await expect(model.predict(new Uint8Array(36))).rejects.toMatchObject({ name: 'StateError', code: 'ERR_DISPOSED' })
    await expect(model.evaluate(stripes(2))).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
    await expect(model.train(stripes(2)).next()).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
    await expect(model.save(join(folder, 'gone.safetensors'))).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
    expect(() => model.parameters()).toThrow(StateError)
  })

  it('waits for what is under way with await using', async () => {
    let predicted: Promise<unknown>
    {
      await using model = await Model.create(stripeNetwork())
      predicted = model.predict(new Uint8Array(36))
    }
    await expect(predicted).resolves.toMatchObject({ shape: [1, 3] })
  })

  it('refuses to touch weights while a call is under way', async () => {
    using model = await Model.create(stripeNetwork())
    const predicted = model.predict(new Uint8Array(36))
    expect(() => model.parameters()).toThrow(expect.objectContaining({ code: 'ERR_BUSY' }))
    using input = new Tensor(native().tensorFrom(new Uint8Array(36), [1, 1, 6, 6], 'uint8'))
    expect(() => model.forward(input)).toThrow(expect.objectContaining({ code: 'ERR_BUSY' }))
    await predicted
    expect(model.parameters().length).toBeGreaterThan(0)
  })

  it('leaves no tensor behind', async () => {
    const before = await settledTensors()
    for (let i = 0; i < 3; i++) {
      await using model = await Model.create(stripeNetwork())
      await model.predict(new Uint8Array(72))
      await model.record(new Uint8Array(36))
      await model.evaluate(stripes(10))
      using stream = model.stream()
      await stream.step(new Uint8Array(36))
      await stream.step(new Uint8Array(36))
      await model.save(join(folder, 'left.safetensors'))
      using loaded = await Model.load(join(folder, 'left.safetensors'))
      expect(loaded.device).toBe('cpu')
      for await (const _ of model.train(stripes(20), { epochs: 2, batchSize: 10 }));
    }
    expect(native().memory().tensors).toBe(before)
  })
})
