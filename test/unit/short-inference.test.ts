import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Model } from '../../lib/model/model.js'
import { Network } from '../../lib/model/network.js'
import { snn } from '../../lib/model/spec.js'

/** Computed in some microseconds: after a few calls by the event loop's own thread. */
const small = snn({ input: [4], steps: 2 })
  .linear(3)
  .lif({ threshold: 0.1 })
  .classifier(2)

function made(): Promise<Model> {
  return Model.create(small, { device: 'cpu', seed: 3 })
}

const input = Float32Array.of(0.5, -1, 2, 0.25)

describe('inference that is shorter than the way to another thread is worth', () => {
  it('gives the same at every call', async () => {
    using model = await made()
    const first = await model.predict(input)
    for (let i = 0; i < 20; i++) expect(await model.predict(input)).toEqual(first)
  })

  it('gives every other turn of the event loop to what else there is', async () => {
    using model = await made()
    for (let i = 0; i < 20; i++) await model.predict(input)
    let turns = 0
    let over = false
    const count = (): void => {
      turns += 1
      if (!over) setImmediate(count)
    }
    setImmediate(count)
    for (let i = 0; i < 500; i++) await model.predict(input)
    over = true
    expect(turns).toBeGreaterThan(400)
  })

  it('lets timers fire in a loop that waits for nothing else', async () => {
    using model = await made()
    let over = false
    const timer = sleep(20).then(() => {
      over = true
    })
    let calls = 0
    for (; !over && calls < 1_000_000; calls++) await model.predict(input)
    await timer
    expect(calls).toBeLessThan(1_000_000)
  })

  it('is told of in a later turn, not in the call', async () => {
    using model = await made()
    for (let i = 0; i < 20; i++) await model.predict(input)
    let told = false
    const call = model.predict(input).then(() => {
      told = true
    })
    for (let i = 0; i < 100; i++) await Promise.resolve()
    expect(told).toBe(false)
    await call
    expect(told).toBe(true)
  })

  it('keeps the order of calls of every size', async () => {
    using model = await made()
    for (let i = 0; i < 20; i++) await model.predict(input)
    const many = new Float32Array(4 * 256).fill(0.5)
    const order: number[] = []
    const calls = [input, many, input, input].map((values, place) =>
      model.predict(values).then(() => order.push(place)),
    )
    await Promise.all(calls)
    expect(order).toEqual([0, 1, 2, 3])
  })

  it('fails with the error of the core and goes on', async () => {
    const network = await Network.create(small, { device: 'cpu', dtype: 'float32', seed: 3 })
    const sample = { values: input, shape: [1, 4], dtype: 'float32' as const }
    const first = await network.infer(sample, { engine: 'event' })
    for (let i = 0; i < 20; i++) await network.infer(sample, { engine: 'event' })
    const wrong = network.infer({ ...sample, shape: [2, 2] }, { engine: 'event' })
    await expect(wrong).rejects.toMatchObject({ code: 'ERR_SHAPE' })
    expect((await network.infer(sample, { engine: 'event' })).scores).toEqual(first.scores)
    network.dispose()
  })

  it('survives a model that is disposed before it is told', async () => {
    const model = await made()
    const first = await model.predict(input)
    for (let i = 0; i < 20; i++) await model.predict(input)
    const call = model.predict(input)
    model.dispose()
    expect(await call).toEqual(first)
  })
})
