import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Checkpoint } from '../../lib/io/checkpoint.js'
import { Model } from '../../lib/model/model.js'
import { Batcher, type BatchingOptions, type Queued } from '../../lib/serve/batcher.js'
import type { LoadedModel } from '../../lib/serve/served-model.js'
import type { InferenceResult } from '../../lib/serve/service.js'
import { settledTensors } from '../unit/settled-tensors.js'
import { checkpointOf, load, ManualClock, mixed, numbers, output, request, turn, value } from './networks.js'

let folder: string
let checkpoint: Checkpoint
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-batcher-'))
  checkpoint = await checkpointOf(join(folder, 'mixed.safetensors'), mixed)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

interface Job extends Queued {
  readonly name: string
}

/** A batcher whose batches end when the test says so. */
function batcher(options: Partial<BatchingOptions> = {}, instances = 1) {
  const clock = new ManualClock()
  const started: string[] = []
  const ends: (() => void)[] = []
  const all = new Batcher<Job>(
    { maximumSize: 4, maximumFrames: 100, maximumDelay: 0, ...options },
    instances,
    (batch, instance) => {
      started.push(`${instance}: ${batch.map(({ name }) => name).join(' ')}`)
      return new Promise((resolve) => ends.push(() => resolve(() => started.push('answered'))))
    },
    clock,
  )
  const add = (name: string, more: Partial<Job> = {}): Job => {
    const job = { name, key: 'k', samples: 1, frames: 1, arrived: clock.now(), ...more }
    all.add(job)
    return job
  }
  const end = async (): Promise<void> => {
    ends.shift()!()
    await turn()
    await turn()
  }
  return { all, clock, started, add, end }
}

describe('the batcher', () => {
  it('starts at once when idle, and batches what gathers meanwhile', async () => {
    const { add, started, end, all } = batcher()
    add('a')
    await turn()
    expect(started).toEqual(['0: a'])
    for (const name of ['b', 'c', 'd', 'e', 'f']) add(name)
    await turn()
    expect(started).toEqual(['0: a'])
    expect([all.waiting, all.computing]).toEqual([5, 1])
    await end()
    // The next batch is begun before the last one is answered.
    expect(started).toEqual(['0: a', '0: b c d e', 'answered'])
    await end()
    expect(started.slice(3)).toEqual(['0: f', 'answered'])
  })

  it('sees what comes in one turn of the event loop together', async () => {
    const { add, started } = batcher()
    add('a')
    await Promise.resolve()
    add('b')
    await turn()
    expect(started).toEqual(['0: a b'])
  })

  it('never mixes keys, and takes the oldest first', async () => {
    const { add, started, end, clock } = batcher()
    add('a')
    await turn()
    add('x', { key: 'other' })
    clock.pass(1)
    add('b')
    add('y', { key: 'other' })
    await end()
    await end()
    expect(started.filter((line) => line !== 'answered')).toEqual(['0: a', '0: x y', '0: b'])
  })

  it('counts samples and frames, and keeps the order', async () => {
    const { add, started, end } = batcher({ maximumFrames: 10 })
    add('a', { samples: 3 })
    add('b', { samples: 2 })
    add('c', { samples: 1 })
    await turn()
    await end()
    add('d', { frames: 8 })
    add('e', { frames: 8 })
    await end()
    await end()
    expect(started.filter((line) => line !== 'answered')).toEqual(['0: a', '0: b c', '0: d', '0: e'])
  })

  it('after a batch of n waits for a quarter of n, but not longer than the delay', async () => {
    const { add, started, end, clock } = batcher({ maximumSize: 12, maximumDelay: 5 })
    for (const name of 'abcdefghijkl') add(name)
    await turn()
    await end()
    add('m')
    clock.pass(4)
    add('n')
    await turn()
    expect(started).toEqual(['0: a b c d e f g h i j k l', 'answered'])
    clock.pass(1)
    expect(started.at(-1)).toBe('0: m n')
    await end()
    for (const name of 'opq') add(name)
    await turn()
    expect(started.at(-1)).toBe('0: o p q')
  })

  it('takes half of many, so that one half computes while the other is answered', async () => {
    const { add, started, end } = batcher({ maximumSize: 64 })
    const names = Array.from({ length: 20 }, (_, index) => `${index}`)
    for (const name of names) add(name)
    await turn()
    const halves = [`0: ${names.slice(0, 10).join(' ')}`, `0: ${names.slice(10).join(' ')}`]
    expect(started).toEqual(halves.slice(0, 1))
    await end()
    // 10 wait and 10 are being answered: half of these are all that wait.
    expect(started).toEqual([halves[0], halves[1], 'answered'])
    for (const name of names.slice(0, 10)) add(name)
    await end()
    expect(started.slice(3)).toEqual([halves[0], 'answered'])
  })

  it('uses every instance, and those bound to one only that', async () => {
    const { add, started, end } = batcher({ maximumSize: 1 }, 2)
    add('a', { instance: 1 })
    add('b', { instance: 1 })
    add('c')
    await turn()
    expect(started).toEqual(['0: c', '1: a'])
    await end()
    expect(started).toEqual(['0: c', '1: a', 'answered'])
    await end()
    expect(started.slice(3)).toEqual(['1: b', 'answered'])
  })

  it('gives up what is removed', async () => {
    const { add, started, all, end } = batcher()
    add('a')
    await turn()
    const gone = add('b')
    const stays = add('c')
    expect(all.remove(gone)).toBe(true)
    expect(all.remove(gone)).toBe(false)
    await end()
    expect(started).toEqual(['0: a', '0: c', 'answered'])
    expect(all.remove(stays)).toBe(false)
    expect(all.waiting).toBe(0)
  })
})

describe('a loaded model', () => {
  const images = (count: number, seed: number) => value(numbers(count * 36, seed), [count, 1, 6, 6])

  it('gives each of many requests in a batch what it gets alone', async () => {
    const before = await settledTensors()
    const served = await load(checkpoint)
    {
      using model = await Model.load(checkpoint.path, { device: 'cpu' })
      const sizes = [1, 3, 2, 1, 5]
      const outputs = ['scores', 'probabilities', 'classes', 'steps']
      const results = await Promise.all(
        sizes.map((size, seed) => served.infer(request(images(size, seed), { outputs }))),
      )
      for (const [seed, result] of results.entries()) {
        const size = sizes[seed]!
        const data = numbers(size * 36, seed)
        const direct = await model.predict({ data, shape: [size, 1, 6, 6] }, { probabilities: true })
        expect(result.batch).toEqual({ requests: 5, samples: 12 })
        expect([...result.outputs].map(([name, { shape }]) => [name, shape])).toEqual([
          ['scores', [size, 3]],
          ['probabilities', [size, 3]],
          ['classes', [size]],
          ['steps', [size, 3, 3]],
        ])
        expectClose(output(result), direct.scores)
        expectClose(output(result, 'probabilities'), direct.probabilities!)
        expect(output(result, 'classes')).toEqual(Array.from(direct.classes))
        const { output: steps } = await model.record({ data, shape: [size, 1, 6, 6] })
        expectClose(output(result, 'steps'), steps.data)
      }
      expect(new Set(results.flatMap((result) => output(result))).size).toBeGreaterThan(20)
    }
    await served.dispose()
    expect(await settledTensors()).toBe(before)
  })

  it('batches by type, shape and kind of work', async () => {
    const served = await load(checkpoint)
    const bytes = value(new Uint8Array(36).fill(9), [1, 1, 6, 6])
    const results = await Promise.all([
      served.infer(request(images(1, 1))),
      served.infer(request(bytes)),
      served.infer(request(images(1, 2))),
      served.infer(request(value(numbers(72, 3), [1, 2, 1, 6, 6]))),
      served.infer(request(images(1, 4), { record: true })),
      served.infer(request(bytes)),
    ])
    await served.dispose()
    expect(results.map(({ batch }) => batch.requests)).toEqual([2, 2, 2, 1, 1, 2])
  })

  it('gives the spikes of every layer to those who ask', async () => {
    const served = await load(checkpoint)
    const [one, two] = await Promise.all(
      [1, 2].map((seed) => served.infer(request(images(seed, seed), { record: true }))),
    )
    await served.dispose()
    using model = await Model.load(checkpoint.path, { device: 'cpu' })
    const { layers } = await model.record({ data: numbers(72, 2), shape: [2, 1, 6, 6] })
    expect(one!.records.map(({ layer, shape }) => [layer, shape])).toEqual([
      ['layers.2', [1, 3, 4, 6, 6]],
      ['layers.3.stages.0.lif', [1, 3, 4, 6, 6]],
      ['layers.3.stages.1.lif', [1, 3, 4, 6, 6]],
      ['layers.6', [1, 3, 8]],
    ])
    const [first] = two!.records
    expect(Array.from(first!.values)).toEqual(Array.from(layers['layers.2']!.spikes!.data))
    expect(first!.values.includes(1)).toBe(true)
  })

  it('refuses what does not fit, saying why', async () => {
    const served = await load(checkpoint, { batching: { maximumSize: 8, maximumDelay: 0 } })
    const message = (input: unknown, outputs: string[] = []) =>
      served.infer({ inputs: new Map(Object.entries(input as object)), outputs }).then(
        () => 'accepted',
        (error) => `${error.code} ${error.status} ${error.message}`,
      )
    const good = images(1, 1)
    expect(await message({})).toBe('ERR_SERVE_INPUT 400 the input "input" is missing')
    expect(await message({ input: good, more: good })).toMatch('there is no input "more"')
    expect(await message({ input: good }, ['top'])).toMatch('there is no output "top"; the model gives scores, prob')
    expect(await message({ input: { ...good, shape: [1, 36] } })).toMatch('must be [B, 1, 6, 6] or [B, T, 1, 6, 6]')
    expect(await message({ input: { ...good, shape: [-1, 1, 6, 6] } })).toMatch('must be [B, 1, 6, 6]')
    expect(await message({ input: { ...good, shape: [2, 1, 6, 6] } })).toMatch('needs 72 values, the data has 36')
    expect(await message({ input: { ...good, shape: [0, 1, 6, 6] } })).toMatch('must hold a sample and a time step')
    expect(await message({ input: { ...good, datatype: 'FP8' } })).toMatch('there is no datatype "FP8"')
    expect(await message({ input: { ...good, datatype: 'INT8' } })).toMatch('come as Int8Array')
    expect(await message({ input: images(9, 1) })).toMatch('may hold 8 samples, got 9')
    expect(await message({ input: value(new Float32Array(36 * 513), [1, 513, 1, 6, 6]) })).toMatch(
      'may hold 512 samples times steps, got 513',
    )
    const nan = value(numbers(36, 1).fill(Number.NaN, 7, 8), [1, 1, 6, 6])
    expect(await message({ input: nan })).toMatch('not a finite number')
    expect(await message({ input: good }, ['classes'])).toBe('accepted')
    expect(served.statistics()).toMatchObject({ success: { count: 1 }, fail: { count: 12 } })
    await served.dispose()
  })

  it('refuses requests beyond the queue at once', async () => {
    const served = await load(checkpoint, { queue: 3, batching: { maximumSize: 1, maximumDelay: 0 } })
    const answers = Array.from({ length: 5 }, (_, seed) => served.infer(request(images(1, seed))))
    const settled = await Promise.allSettled(answers)
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'])
    expect(settled[4]).toMatchObject({ reason: { code: 'ERR_SERVE_QUEUE_FULL', status: 503, retryAfter: 1 } })
    expect((await served.infer(request(images(1, 9)))).batch.samples).toBe(1)
    await served.dispose()
  })

  it('answers with a timeout what waits or computes for too long, and goes on', async () => {
    const clock = new ManualClock()
    const served = await load(checkpoint, { timeout: 50, batching: { maximumSize: 1, maximumDelay: 0 } }, clock)
    const computing = served.infer(request(images(1, 1)))
    const waiting = served.infer(request(images(1, 2)))
    const patient = served.infer(request(images(1, 3), { timeout: 51 }))
    await turn()
    expect(served.statistics()).toMatchObject({ computing: 1, waiting: 2 })
    clock.pass(50)
    const late = { code: 'ERR_SERVE_TIMEOUT', status: 504, message: 'the request was not answered within 50 ms' }
    await expect(computing).rejects.toMatchObject(late)
    await expect(waiting).rejects.toMatchObject(late)
    expect(served.statistics().waiting).toBe(1)
    expect((await patient).batch.requests).toBe(1)
    expect(served.statistics()).toMatchObject({ success: { count: 1 }, fail: { count: 2 }, executionCount: 2 })
    await served.dispose()
  })

  it.each([Number.NaN, -1, Number.NEGATIVE_INFINITY])('refuses a timeout of %d', async (timeout) => {
    const served = await load(checkpoint)
    const problem = { code: 'ERR_SERVE_INPUT', message: `timeout must be milliseconds, 0 or more, got ${timeout}` }
    await expect(served.infer(request(images(1, 1), { timeout }))).rejects.toMatchObject(problem)
    const endless = { timeout: Number.POSITIVE_INFINITY }
    expect((await served.infer(request(images(1, 1), endless))).batch.requests).toBe(1)
    await served.dispose()
  })

  it('drops a cancelled request from the queue; a batch under way is finished', async () => {
    const served = await load(checkpoint, { batching: { maximumSize: 1, maximumDelay: 0 } })
    const controllers = [0, 1, 2].map(() => new AbortController())
    const answers = controllers.map(({ signal }, seed) => served.infer(request(images(1, seed), { signal })))
    await turn()
    controllers[0]!.abort()
    controllers[1]!.abort()
    const settled = await Promise.allSettled(answers)
    expect(settled.map((one) => (one.status === 'rejected' ? one.reason.code : 'answered'))).toEqual([
      'ERR_ABORTED',
      'ERR_ABORTED',
      'answered',
    ])
    const gone = served.infer(request(images(1, 1), { signal: AbortSignal.abort() }))
    await expect(gone).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    await served.dispose()
    expect(served.statistics()).toMatchObject({ executionCount: 2, success: { count: 1 }, fail: { count: 0 } })
  })

  it('counts as Triton does', async () => {
    const served = await load(checkpoint)
    const results: InferenceResult[] = await Promise.all([
      served.infer(request(images(1, 1))),
      served.infer(request(images(3, 2))),
    ])
    const { success, queue, computeInfer, batches, lastInference, ...counts } = served.statistics()
    await served.dispose()
    expect(results[0]!.batch).toEqual({ requests: 2, samples: 4 })
    expect(counts).toMatchObject({ inferenceCount: 4, executionCount: 1, waiting: 0, computing: 0, sequences: 0 })
    expect([success.count, queue.count, computeInfer.count]).toEqual([2, 2, 2])
    expect(batches).toEqual([{ batchSize: 4, computeInfer: { count: 1, nanoseconds: computeInfer.nanoseconds / 2 } }])
    expect(lastInference).toBeGreaterThan(1.7e12)
  })

  it('answers everything when it is drained, and nothing after it is disposed of', async () => {
    const served: LoadedModel = await load(checkpoint, { batching: { maximumSize: 2, maximumDelay: 0 } })
    let answered = 0
    for (let seed = 0; seed < 9; seed++) void served.infer(request(images(1, seed))).then(() => answered++)
    await served.drained()
    await turn()
    expect(answered).toBe(9)
    const late = [1, 2, 3, 4].map((seed) => served.infer(request(images(1, seed))))
    await turn()
    const settled = Promise.allSettled(late)
    await served.dispose()
    const ends = (await settled).map((one) => (one.status === 'rejected' ? one.reason.code : 'answered'))
    expect(ends.slice(2)).toEqual(['ERR_SERVE_NOT_READY', 'ERR_SERVE_NOT_READY'])
  })
})

/** Equal to rounding: other batch sizes may add up in another order. */
function expectClose(found: ArrayLike<number>, wanted: ArrayLike<number>): void {
  expect(found.length).toBe(wanted.length)
  for (let i = 0; i < wanted.length; i++) expect(found[i]).toBeCloseTo(wanted[i]!, 5)
}
