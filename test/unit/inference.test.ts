import { describe, expect, it } from 'vitest'
import type { Engine } from '../../lib/model/engine.js'
import { Model } from '../../lib/model/model.js'
import { snn } from '../../lib/model/spec.js'
import { noGrad, op, tensor } from '../../lib/tensor/index.js'
import { stripeNetwork, stripes } from './train-data.js'

const digits = `${import.meta.dirname}/../../models/demo/digits/1/model.safetensors`
const engines: readonly Engine[] = ['auto', 'dense', 'event']

/** Images with strokes, as digits have them: most pixels are black. */
function strokes(count: number): Uint8Array {
  const images = new Uint8Array(count * 784)
  for (let i = 0; i < count; i++) {
    for (let y = 4; y < 24; y++)
      for (let x = 0; x < 3; x++)
        images[i * 784 + y * 28 + 8 + ((i + Math.floor((y * (i % 4)) / 5)) % 12) + x] = 255 - 9 * y
  }
  return images
}

function close(actual: Float32Array, expected: Float32Array): void {
  expect(actual.length).toBe(expected.length)
  for (const [i, value] of expected.entries()) expect(Math.abs(actual[i]! - value)).toBeLessThan(1e-4)
}

describe('every engine', () => {
  it('gives the trained demo network the same scores and decisions', async () => {
    using model = await Model.load(digits, { device: 'cpu' })
    const images = strokes(40)
    const dense = await model.predict(images, { engine: 'dense', probabilities: true })
    expect(new Set(dense.classes).size).toBeGreaterThan(1)
    for (const engine of engines) {
      const { scores, classes, labels, probabilities } = await model.predict(images, {
        engine,
        probabilities: true,
        batchSize: 16,
      })
      close(scores, dense.scores)
      close(probabilities!, dense.probabilities!)
      expect(classes).toEqual(dense.classes)
      expect(labels).toEqual(dense.labels)
    }
  })

  const plain = snn({ input: [1, 6, 6], steps: 3 })
    .flatten()
    .linear(20)
    .lif({ threshold: 0.1 })
    .classifier(3)
  it.each(
    engines.flatMap((engine) => [
      { engine, network: stripeNetwork(), has: 'norms' },
      { engine, network: plain, has: 'weights alone' },
    ]),
  )('$engine sees what training has changed in a network with $has', async ({ engine, network }) => {
    using model = await Model.create(network, { device: 'cpu', seed: 5 })
    const data = stripes(64)
    const input = new Uint8Array(36 * 8).map((_, i) => (i * 37) % 256)
    const before = (await model.predict(input, { engine })).scores
    let last = before
    for await (const event of model.train(data, { epochs: 2, batchSize: 16 })) {
      if (event.type !== 'epoch') continue
      const { scores } = await model.predict(input, { engine })
      expect(scores).not.toEqual(last)
      close(scores, (await model.predict(input, { engine: 'dense' })).scores)
      last = scores
    }
    expect(last).not.toEqual(before)
  })

  it.each(engines)('%s sees a parameter changed by hand', async (engine) => {
    using model = await Model.create(
      snn({ input: [4], steps: 2 })
        .linear(5)
        .lif({ threshold: 0.1 })
        .classifier(3),
      { device: 'cpu' },
    )
    const input = Float32Array.of(1, 0.5, 0, 2)
    await model.predict(input, { engine })
    const bias = model.tensors().find(({ name }) => name.endsWith('bias') && !name.startsWith('layers.0'))!.tensor
    const before = (await model.predict(input, { engine })).scores
    noGrad(() => op('add_.Tensor', [bias, tensor([1, 2, 3])]))
    close(
      (await model.predict(input, { engine })).scores,
      before.map((score, k) => score + k + 1),
    )
  })

  it('sees parameters changed in a list', async () => {
    using model = await Model.create(plain, { device: 'cpu', seed: 5 })
    const input = new Uint8Array(36).fill(200)
    const before = (await model.predict(input, { engine: 'event' })).scores
    const bias = model.tensors().at(-1)!.tensor
    noGrad(() => op('_foreach_add_.List', [[bias], [tensor([1, 2, 3])]]))
    close(
      (await model.predict(input, { engine: 'event' })).scores,
      before.map((score, k) => score + k + 1),
    )
  })

  it.each(engines)('%s carries a stream as a sequence', async (engine) => {
    using model = await Model.load(digits, { device: 'cpu' })
    const image = strokes(1)
    const sequence = new Uint8Array(784 * 5)
    for (let t = 0; t < 5; t++) sequence.set(image, t * 784)
    const { scores } = await model.predict({ data: sequence, shape: [1, 5, 1, 28, 28] }, { engine })
    using stream = model.stream({ engine })
    let mean = new Float32Array(0)
    for (let t = 0; t < 5; t++) mean = (await stream.step(image)).mean as Float32Array<ArrayBuffer>
    close(mean, scores)
  })
})

describe('a network that is not float32', () => {
  it.each(['float64', 'bfloat16'] as const)('in %s gives the bits of dense whatever the engine', async (dtype) => {
    using model = await Model.create(stripeNetwork(), { device: 'cpu', dtype, seed: 5 })
    const input = new Uint8Array(36 * 3).fill(200)
    const { scores } = await model.predict(input, { engine: 'dense' })
    for (const engine of engines) expect((await model.predict(input, { engine })).scores).toEqual(scores)
  })
})

it('refuses an engine there is not', async () => {
  using model = await Model.create(stripeNetwork(), { device: 'cpu' })
  const engine = 'sparse' as Engine
  await expect(model.predict(new Uint8Array(36), { engine })).rejects.toMatchObject({ code: 'ERR_RANGE' })
  expect(() => model.stream({ engine })).toThrow(expect.objectContaining({ code: 'ERR_RANGE' }))
})
