import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { Batch, BatchOptions } from '../../lib/data/dataset.js'
import type { IterableDataset, IterableSample } from '../../lib/data/iterable.js'
import { fromIterable } from '../../lib/data/iterable.js'

function sample(i: number): IterableSample {
  return { input: [i, -i], target: i % 3 }
}

function* count(n: number): Generator<IterableSample> {
  for (let i = 0; i < n; i++) yield sample(i)
}

async function* countSlowly(n: number): AsyncGenerator<IterableSample> {
  for (let i = 0; i < n; i++) {
    await Promise.resolve()
    yield sample(i)
  }
}

async function epoch(dataset: IterableDataset, options: BatchOptions): Promise<Batch[]> {
  const batches: Batch[] = []
  for await (const batch of dataset.batches(options)) batches.push(batch)
  return batches
}

function firsts(batches: readonly Batch[]): number[][] {
  return batches.map((batch) => Array.from({ length: batch.size }, (_, i) => batch.inputs[i * 2]!))
}

async function failureCode(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no error',
    (error: { code?: string }) => error.code,
  )
}

describe('datasets.fromIterable', () => {
  it('batches what a list, a generator, an async generator and a stream give', async () => {
    const sources = [
      [sample(0), sample(1), sample(2)],
      count(3),
      countSlowly(3),
      () => count(3),
      () => countSlowly(3),
      Readable.from(count(3)) as AsyncIterable<IterableSample>,
    ]
    for (const source of sources) {
      const batches = await epoch(fromIterable(source, { inputShape: [2] }), { batchSize: 2 })
      expect(batches).toEqual([
        {
          inputs: Float32Array.of(0, -0, 1, -1),
          shape: [2, 2],
          targets: Int32Array.of(0, 1),
          targetShape: [2],
          size: 2,
          index: 0,
        },
        {
          inputs: Float32Array.of(2, -2),
          shape: [1, 2],
          targets: Int32Array.of(2),
          targetShape: [1],
          size: 1,
          index: 1,
        },
      ])
    }
  })

  it('keeps the kinds of arrays it is given', async () => {
    const samples = [{ input: Uint8Array.of(7), target: Float64Array.of(0.5, Number.NaN) }]
    const [batch] = await epoch(fromIterable(samples, { inputShape: [1] }), { batchSize: 1 })
    expect(batch).toMatchObject({ inputs: Uint8Array.of(7), targets: Float64Array.of(0.5, Number.NaN) })
    expect(batch!.targetShape).toEqual([1, 2])
  })

  it('passes over batches before `start` and drops the last one on request', async () => {
    const dataset = fromIterable(() => count(7), { inputShape: [2] })
    expect(firsts(await epoch(dataset, { batchSize: 2, start: 2 }))).toEqual([[4, 5], [6]])
    expect(firsts(await epoch(dataset, { batchSize: 2, start: 2, lastBatch: 'drop' }))).toEqual([[4, 5]])
    expect(await epoch(dataset, { batchSize: 2, start: 4 })).toEqual([])
  })

  it('asks the function for a source in each epoch', async () => {
    const asked: number[] = []
    const dataset = fromIterable(
      (epochNumber) => {
        asked.push(epochNumber)
        return count(1)
      },
      { inputShape: [2] },
    )
    await epoch(dataset, { batchSize: 1, epoch: 0 })
    await epoch(dataset, { batchSize: 1, epoch: 1 })
    expect(asked).toEqual([0, 1])
  })

  it('reads a list again, and refuses a second epoch of what can be read once', async () => {
    const list = fromIterable([...count(2)], { inputShape: [2] })
    await epoch(list, { batchSize: 2 })
    expect(firsts(await epoch(list, { batchSize: 2, epoch: 1 }))).toEqual([[0, 1]])
    for (const once of [count(2), countSlowly(2), Readable.from(count(2)) as AsyncIterable<IterableSample>]) {
      const dataset = fromIterable(once, { inputShape: [2] })
      await epoch(dataset, { batchSize: 2 })
      expect(await failureCode(epoch(dataset, { batchSize: 2, epoch: 1 }))).toBe('ERR_DATA_EXHAUSTED')
    }
  })

  it('shuffles through a buffer, reproducibly, each sample once', async () => {
    const dataset = fromIterable(() => count(100), { inputShape: [2], shuffleBuffer: 20 })
    const options = { batchSize: 8, shuffle: true, seed: 5, epoch: 1 }
    const order = firsts(await epoch(dataset, options)).flat()
    expect(order).not.toEqual([...order].sort((a, b) => a - b))
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i))
    // A sample can't come before the buffer reaches it.
    order.forEach((value, place) => {
      expect(value).toBeLessThan(place + 20)
    })
    expect(firsts(await epoch(dataset, options)).flat()).toEqual(order)
    expect(firsts(await epoch(dataset, { ...options, epoch: 2 })).flat()).not.toEqual(order)
    expect(firsts(await epoch(dataset, { ...options, start: 3 })).flat()).toEqual(order.slice(24))
    expect(firsts(await epoch(dataset, { ...options, shuffle: false })).flat()[99]).toBe(99)
  })

  it('takes the first samples and closes the source', async () => {
    let closed = 0
    function* endless(): Generator<IterableSample> {
      try {
        for (let i = 0; ; i++) yield sample(i)
      } finally {
        closed++
      }
    }
    const dataset = fromIterable(endless, { inputShape: [2], length: 50 })
    expect(dataset.take(3).length).toBe(3)
    expect(firsts(await epoch(dataset.take(5).take(3), { batchSize: 2 }))).toEqual([[0, 1], [2]])
    expect(await epoch(dataset.take(0), { batchSize: 2 })).toEqual([])
    expect(closed).toBe(1)
  })

  it('closes the source when the reader stops', async () => {
    let closed = false
    async function* source(): AsyncGenerator<IterableSample> {
      try {
        yield* count(10)
      } finally {
        closed = true
      }
    }
    for await (const _ of fromIterable(source, { inputShape: [2] }).batches({ batchSize: 2 })) break
    expect(closed).toBe(true)
  })

  it('refuses samples that do not fit', async () => {
    const read = (...samples: IterableSample[]): Promise<unknown> =>
      failureCode(epoch(fromIterable(samples, { inputShape: [2], classes: ['a', 'b', 'c'] }), { batchSize: 1 }))
    expect(await read(sample(0), { input: [1, 2, 3], target: 0 })).toBe('ERR_SHAPE')
    expect(await read(sample(0), { input: Uint8Array.of(1, 2), target: 0 })).toBe('ERR_SHAPE')
    expect(await read(sample(0), { input: [1, 2], target: [0.5] })).toBe('ERR_SHAPE')
    expect(await read({ input: [1, 2], target: [0.5] }, { input: [1, 2], target: [0.5, 1] })).toBe('ERR_SHAPE')
    expect(await read({ input: [1, 2], target: 3 })).toBe('ERR_DATA_CLASS')
    expect(await read({ input: [1, 2], target: 0.5 })).toBe('ERR_DATA_CLASS')
    expect(await read({ input: [1, 2], target: -1 })).toBe('ERR_DATA_CLASS')
  })

  it('refuses a source with fewer samples than said, or none', async () => {
    const read = (samples: IterableSample[], length?: number): Promise<unknown> =>
      failureCode(epoch(fromIterable(samples, { inputShape: [2], length }), { batchSize: 2 }))
    expect(await read([...count(3)], 4)).toBe('ERR_DATA_LENGTH')
    expect(await read([])).toBe('ERR_DATA_LENGTH')
    expect(await epoch(fromIterable([...count(3)], { inputShape: [2], length: 3 }), { batchSize: 2 })).toHaveLength(2)
  })

  it('passes on a failure of the source', async () => {
    async function* broken(): AsyncGenerator<IterableSample> {
      yield sample(0)
      throw new RangeError('disk on fire')
    }
    await expect(epoch(fromIterable(broken, { inputShape: [2] }), { batchSize: 1 })).rejects.toThrow('disk on fire')
  })
})
