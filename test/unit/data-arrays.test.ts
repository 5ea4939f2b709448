import { describe, expect, it } from 'vitest'
import type { ArraySource } from '../../lib/data/arrays.js'
import { batchRows, fromArrays } from '../../lib/data/arrays.js'
import type { Batch, BatchOptions } from '../../lib/data/dataset.js'
import { batchCount } from '../../lib/data/dataset.js'
import { permutation } from '../../lib/data/permutation.js'

/** n samples [2, 3]; sample i holds 6 i .. 6 i + 5 and is of class i % 4. */
function numbered(n: number): ArraySource {
  return {
    inputs: Float32Array.from({ length: n * 6 }, (_, i) => i),
    shape: [n, 2, 3],
    targets: Int32Array.from({ length: n }, (_, i) => i % 4),
  }
}

/** Which samples a batch of `numbered` holds. */
function samplesOf(batch: Batch): number[] {
  return Array.from({ length: batch.size }, (_, i) => batch.inputs[i * 6]! / 6)
}

function epoch(dataset: ReturnType<typeof fromArrays>, options: BatchOptions): Batch[] {
  return [...dataset.batches(options)]
}

function failure(act: () => unknown): { code?: string; message?: string } {
  try {
    act()
  } catch (error) {
    return error as { code: string; message: string }
  }
  return {}
}

describe('datasets.fromArrays', () => {
  it('says which rows of which arrays a batch is made of', () => {
    const source = numbered(6)
    const [first] = epoch(fromArrays(source).subset([5, 3, 1]), { batchSize: 2 })
    expect(batchRows(first!)).toEqual({ inputs: source.inputs, targets: source.targets, rows: Uint32Array.of(5, 3) })
    expect(samplesOf(first!)).toEqual([5, 3])
    expect([...first!.targets]).toEqual([1, 3])
    expect(first!.inputs).toBe(first!.inputs) // gathered once
    expect(batchRows({ ...first! })).toBeUndefined()
  })

  it('cuts samples into batches in order', () => {
    const batches = epoch(fromArrays(numbered(5)), { batchSize: 2 })
    expect(batches.map(samplesOf)).toEqual([[0, 1], [2, 3], [4]])
    expect(batches[1]).toEqual({
      inputs: Float32Array.from({ length: 12 }, (_, i) => 12 + i),
      shape: [2, 2, 3],
      targets: Int32Array.of(2, 3),
      targetShape: [2],
      size: 2,
      index: 1,
    })
    expect(batches[2]).toMatchObject({ size: 1, shape: [1, 2, 3], targetShape: [1], index: 2 })
  })

  it('drops a last batch of fewer samples on request', () => {
    const dataset = fromArrays(numbered(5))
    expect(epoch(dataset, { batchSize: 2, lastBatch: 'drop' }).map(samplesOf)).toEqual([
      [0, 1],
      [2, 3],
    ])
    expect(epoch(dataset, { batchSize: 6, lastBatch: 'drop' })).toEqual([])
    expect([batchCount(5, 2), batchCount(5, 2, 'drop'), batchCount(0, 2), batchCount(6, 2)]).toEqual([3, 2, 0, 3])
  })

  it('shuffles by seed and epoch, covers each sample once, and keeps inputs and targets together', () => {
    const dataset = fromArrays(numbered(23))
    const batches = epoch(dataset, { batchSize: 4, shuffle: true, seed: 3, epoch: 5 })
    expect(batches.flatMap(samplesOf)).toEqual([...permutation(23, 3, 5)])
    expect(batches.flatMap((batch) => [...batch.targets])).toEqual([...permutation(23, 3, 5)].map((i) => i % 4))
    const again = epoch(dataset, { batchSize: 4, shuffle: true, seed: 3, epoch: 5 })
    expect(again).toEqual(batches)
    const other = epoch(dataset, { batchSize: 4, shuffle: true, seed: 3, epoch: 6 })
    expect(other.flatMap(samplesOf)).not.toEqual(batches.flatMap(samplesOf))
  })

  it('begins at a later batch with what an uninterrupted epoch gives', () => {
    const dataset = fromArrays(numbered(23))
    for (const lastBatch of ['keep', 'drop'] as const) {
      const options = { batchSize: 4, shuffle: true, seed: 1, epoch: 2, lastBatch }
      const whole = epoch(dataset, options)
      for (const start of [0, 1, 4, whole.length, 99]) {
        expect(epoch(dataset, { ...options, start })).toEqual(whole.slice(start))
      }
    }
  })

  it('gives batches that own their memory', () => {
    const source = numbered(3)
    const [batch] = epoch(fromArrays(source), { batchSize: 2 })
    batch!.inputs.fill(-1)
    batch!.targets.fill(-1)
    expect(source.inputs[0]).toBe(0)
    expect(source.targets[1]).toBe(1)
  })

  it('takes classes as bytes and as 64-bit integers, and keeps images as bytes', () => {
    const inputs = Uint8Array.of(1, 2, 3, 4)
    for (const targets of [Uint8Array.of(0, 200), BigInt64Array.of(0n, 200n)]) {
      const [batch] = epoch(fromArrays({ inputs, shape: [2, 2], targets }), { batchSize: 2 })
      expect(batch).toMatchObject({ inputs: Uint8Array.of(1, 2, 3, 4), targets: Int32Array.of(0, 200) })
    }
  })

  it('takes floating-point targets of any shape, NaN included', () => {
    const inputs = new Float64Array(2)
    const targets = Float32Array.of(1, 2, Number.NaN, 4)
    const options = { batchSize: 2, shuffle: false }
    const [flat] = epoch(fromArrays({ inputs, shape: [2, 1], targets }), options)
    expect(flat).toMatchObject({ inputs: new Float64Array(2), targets, targetShape: [2, 2] })
    const [square] = epoch(fromArrays({ inputs, shape: [2, 1], targets, targetShape: [1, 2] }), options)
    expect(square!.targetShape).toEqual([2, 1, 2])
    const [single] = epoch(fromArrays({ inputs, shape: [2, 1], targets: Float64Array.of(5, 6) }), options)
    expect(single!.targetShape).toEqual([2, 1])
  })

  it('gives single samples and parts that share the values', () => {
    const dataset = fromArrays({ ...numbered(10), classes: ['a', 'b', 'c', 'd'] })
    expect(dataset.sample(6)).toEqual({ input: Float32Array.of(36, 37, 38, 39, 40, 41), shape: [2, 3], target: 2 })
    const part = dataset.slice(2, 9).subset([5, 0, 0])
    expect(part).toMatchObject({ length: 3, inputShape: [2, 3], classes: ['a', 'b', 'c', 'd'] })
    expect(epoch(part, { batchSize: 9 }).map(samplesOf)).toEqual([[7, 2, 2]])
    expect(epoch(dataset.slice(-2), { batchSize: 9 }).map(samplesOf)).toEqual([[8, 9]])
    expect(dataset.take(3).length).toBe(3)
    expect(dataset.take(99).length).toBe(10)
    const targets = Float32Array.of(1, 2, 3, 4)
    expect(fromArrays({ inputs: new Float32Array(2), shape: [2, 1], targets }).sample(1).target).toEqual(
      Float32Array.of(3, 4),
    )
  })

  it('shuffles a part over itself', () => {
    const part = fromArrays(numbered(10)).slice(5)
    const order = epoch(part, { batchSize: 5, shuffle: true, seed: 4 }).flatMap(samplesOf)
    expect(order).toEqual([...permutation(5, 4, 0)].map((i) => i + 5))
  })

  it('has no batch when there is no sample', () => {
    const empty = fromArrays({ inputs: new Float32Array(0), shape: [0, 3], targets: new Int32Array(0) })
    expect(epoch(empty, { batchSize: 4, shuffle: true })).toEqual([])
  })

  it('refuses arrays that do not fit together', () => {
    const good = numbered(4)
    const cases: readonly [Partial<ArraySource>, string, string][] = [
      [{ inputs: new Float32Array(23) }, 'ERR_SHAPE', 'inputs of shape [4, 2, 3] need 24 values, got 23'],
      [{ shape: [] }, 'ERR_SHAPE', 'shape must be [N, ...inputShape], got []'],
      [{ shape: [4, -6] }, 'ERR_RANGE', 'each size of shape must be a whole number of at least 0, got -6'],
      [{ targets: new Int32Array(3) }, 'ERR_SHAPE', 'targets must hold one class for each of 4 samples, got 3'],
      [{ targets: new Float32Array(6) }, 'ERR_SHAPE', 'targets must hold a whole number of values for each of 4'],
      [{ targets: new Float32Array(8), targetShape: [3] }, 'ERR_SHAPE', 'samples of shape [3], got 8 values'],
      [{ targets: Int32Array.of(0, 1, -1, 0) }, 'ERR_DATA_CLASS', 'target 2 is class -1'],
      [{ targets: BigInt64Array.of(0n, 1n, 2n ** 40n, 0n) }, 'ERR_DATA_CLASS', 'target 2 is class 1099511627776'],
      [{ classes: ['a', 'b', 'c'] }, 'ERR_DATA_CLASS', 'target 3 is class 3, but classes must be from 0 to 2'],
    ]
    for (const [change, code, message] of cases) {
      const error = failure(() => fromArrays({ ...good, ...change }))
      expect(error.code).toBe(code)
      expect(error.message).toContain(message)
    }
  })

  it('refuses wrong options when batches are asked for, not at the first of them', () => {
    const dataset = fromArrays(numbered(4))
    const wrong: readonly BatchOptions[] = [
      { batchSize: 0 },
      { batchSize: 1.5 },
      { batchSize: 2, seed: -1 },
      { batchSize: 2, epoch: Number.NaN },
      { batchSize: 2, start: 2 ** 53 },
      { batchSize: 2, lastBatch: 'cut' as 'drop' },
    ]
    for (const options of wrong) expect(failure(() => dataset.batches(options)).code).toBe('ERR_RANGE')
    expect(failure(() => dataset.sample(4)).code).toBe('ERR_RANGE')
    expect(failure(() => dataset.subset([0, 4])).code).toBe('ERR_RANGE')
    expect(failure(() => dataset.take(-1)).code).toBe('ERR_RANGE')
  })
})
