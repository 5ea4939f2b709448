import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Checkpoint } from '../../lib/io/checkpoint.js'
import type { NetworkSpec } from '../../lib/model/spec.js'
import type { LoadedModel } from '../../lib/serve/served-model.js'
import type { InferenceRequest, InferenceResult } from '../../lib/serve/service.js'
import { settledTensors } from '../unit/settled-tensors.js'
import {
  ageless,
  checkpointOf,
  load,
  ManualClock,
  mixed,
  numbers,
  output,
  position,
  request,
  turn,
  value,
} from './networks.js'

let folder: string
let mixedFile: Checkpoint
let agelessFile: Checkpoint
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-sequences-'))
  mixedFile = await checkpointOf(join(folder, 'mixed.safetensors'), mixed, 3)
  agelessFile = await checkpointOf(join(folder, 'ageless.safetensors'), ageless, 4)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const everything = { outputs: ['scores', 'steps', 'classes'] }

const atOnce = { batching: { maximumSize: 64, maximumDelay: 0 } }

/** Frames `first` to `last − 1` of a long random sequence, as one request. */
function part(spec: NetworkSpec, seed: number, first: number, last: number, more: Partial<InferenceRequest> = {}) {
  const size = spec.input.reduce((a, b) => a * b, 1)
  const frames = numbers(40 * size, seed).slice(first * size, last * size)
  return request(value(frames, [1, last - first, ...spec.input]), { ...everything, ...more })
}

/** A whole sequence as requests that end where `cuts` say. */
function fed(spec: NetworkSpec, seed: number, id: string, cuts: readonly number[]): InferenceRequest[] {
  return cuts.map((cut, index) => {
    const flags = { start: index === 0, end: index === cuts.length - 1 }
    return part(spec, seed, cuts[index - 1] ?? 0, cut, { sequence: position(id, flags) })
  })
}

const steps = (results: readonly InferenceResult[]): number[] => results.flatMap((result) => output(result, 'steps'))

describe('a sequence', () => {
  // Convolutions of one step and of many may add up in another order: to rounding. What is dense adds up alike.
  it.each([
    ['convolutions, residual blocks and statistics for each step', mixed],
    ['neurons that reset to zero', ageless],
  ])('fed in parts gives what the whole gives: %s', async (_what, spec) => {
    const served = await load(spec === mixed ? mixedFile : agelessFile)
    const whole = await served.infer(part(spec, 1, 0, 12))
    const single = Array.from({ length: 12 }, (_, step) => step + 1)
    for (const cuts of [single, [1, 2, 7, 12], [5, 12], [12]]) {
      const results: InferenceResult[] = []
      for (const one of fed(spec, 1, 'a', cuts)) results.push(await served.infer(one))
      expect(steps(results).length).toBe(36)
      for (const [i, step] of steps(results).entries()) expect(step).toBeCloseTo(output(whole, 'steps')[i]!, 5)
      // The scores of the last part are those of the whole: the mean since the start.
      for (const [i, score] of output(results.at(-1)!).entries()) expect(score).toBeCloseTo(output(whole)[i]!, 5)
      expect(output(results.at(-1)!, 'classes')).toEqual(output(whole, 'classes'))
      expect(served.statistics().sequences).toBe(0)
    }
    expect(new Set(output(whole, 'steps')).size).toBeGreaterThan(4)
    await served.dispose()
  })

  it('takes a frame without time as one step', async () => {
    const served = await load(agelessFile)
    const frame = (more: Partial<InferenceRequest>) =>
      request(value(numbers(12, 7), [1, 12]), { ...everything, ...more })
    const first = await served.infer(frame({ sequence: position('a', { start: true }) }))
    const second = await served.infer(frame({ sequence: position('a') }))
    const shown = await served.infer(frame({}))
    expect(first.outputs.get('steps')!.shape).toEqual([1, 1, 3])
    expect(shown.outputs.get('steps')!.shape).toEqual([1, 4, 3])
    expect(steps([first, second])).toEqual(output(shown, 'steps').slice(0, 6))
    await served.dispose()
  })

  it('keeps the order of requests made at once, and shares batches with others', async () => {
    const served = await load(mixedFile)
    const ids = Array.from({ length: 12 }, (_, seed) => seed)
    const cuts = [1, 3, 4, 5, 6, 7]
    const wholes = []
    for (const seed of ids) wholes.push(await served.infer(part(mixed, seed, 0, 7)))
    const before = served.statistics().executionCount
    const results = await Promise.all(
      ids.map((seed) => Promise.all(fed(mixed, seed, `s${seed}`, cuts).map((one) => served.infer(one)))),
    )
    for (const seed of ids) {
      for (const [i, step] of steps(results[seed]!).entries()) {
        expect(step).toBeCloseTo(output(wholes[seed]!, 'steps')[i]!, 5)
      }
    }
    // Twelve sequences of six requests each, twelve to a batch.
    expect(served.statistics().executionCount - before).toBe(6)
    await served.dispose()
  })

  it('mixes sequences of different ages where no layer depends on them, and only there', async () => {
    for (const [spec, file, together] of [
      [ageless, agelessFile, 2],
      [mixed, mixedFile, 1],
    ] as const) {
      const served = await load(file)
      await served.infer(part(spec, 1, 0, 1, { sequence: position('old', { start: true }) }))
      const [young, old] = await Promise.all([
        served.infer(part(spec, 2, 0, 1, { sequence: position('young', { start: true }) })),
        served.infer(part(spec, 1, 1, 2, { sequence: position('old') })),
      ])
      expect([young.batch.requests, old.batch.requests]).toEqual([together, together])
      const whole = await served.infer(part(spec, 1, 0, 2))
      for (const [i, step] of output(old, 'steps').entries()) {
        expect(step).toBeCloseTo(output(whole, 'steps').slice(3)[i]!, 5)
      }
      await served.dispose()
    }
  })

  it('carries several samples, and only as many as it began with', async () => {
    const served = await load(agelessFile)
    const two = (first: number, more: Partial<InferenceRequest>) =>
      request(value(numbers(48, first), [2, 2, 12]), { outputs: ['steps'], ...more })
    await served.infer(two(1, { sequence: position('pair', { start: true }) }))
    const fitting = served.infer(two(2, { sequence: position('pair') }))
    await expect(served.infer(part(ageless, 1, 0, 1, { sequence: position('pair') }))).rejects.toMatchObject({
      code: 'ERR_SERVE_SEQUENCE',
      message: 'the sequence "pair" carries 2 samples, the request has 1',
    })
    expect((await fitting).outputs.get('steps')!.shape).toEqual([2, 2, 3])
    await served.dispose()
  })

  it('starts anew when asked to', async () => {
    const served = await load(agelessFile)
    const first = await served.infer(part(ageless, 1, 0, 3, { sequence: position('a', { start: true }) }))
    await served.infer(part(ageless, 2, 0, 3, { sequence: position('a') }))
    const again = await served.infer(part(ageless, 1, 0, 3, { sequence: position('a', { start: true }) }))
    expect(output(again, 'steps')).toEqual(output(first, 'steps'))
    expect(output(again)).toEqual(output(first))
    expect(served.statistics().sequences).toBe(1)
    await served.dispose()
  })

  it('is not known before its start, after its end, and once idle for too long', async () => {
    const clock = new ManualClock()
    const served = await load(agelessFile, { ...atOnce, sequences: { maximum: 8, idle: 1000 } }, clock)
    const go = (id: string, flags = {}) => served.infer(part(ageless, 1, 0, 1, { sequence: position(id, flags) }))
    const unknown = { code: 'ERR_SERVE_SEQUENCE', status: 400 }
    await expect(go('a')).rejects.toMatchObject({
      ...unknown,
      message: 'the sequence "a" is not known: it was never started, has ended, or was idle for too long',
    })
    await go('a', { start: true, end: true })
    await expect(go('a')).rejects.toMatchObject(unknown)

    await go('b', { start: true })
    clock.pass(999)
    served.expireSequences()
    await go('b')
    clock.pass(999)
    served.expireSequences()
    expect(served.statistics().sequences).toBe(1)
    clock.pass(1)
    served.expireSequences()
    expect(served.statistics().sequences).toBe(0)
    await expect(go('b')).rejects.toMatchObject(unknown)
    await served.dispose()
  })

  it('is refused when there are too many, until one ends or has been idle', async () => {
    const clock = new ManualClock()
    const served = await load(agelessFile, { ...atOnce, sequences: { maximum: 2, idle: 1000 } }, clock)
    const go = (id: string, flags = {}) => served.infer(part(ageless, 1, 0, 1, { sequence: position(id, flags) }))
    await Promise.all([go('a', { start: true }), go('b', { start: true })])
    await expect(go('c', { start: true })).rejects.toMatchObject({
      code: 'ERR_SERVE_SEQUENCE_FULL',
      status: 503,
      retryAfter: 1,
    })
    await go('a', { end: true })
    await go('c', { start: true })
    clock.pass(1000)
    await go('d', { start: true })
    expect(served.statistics().sequences).toBe(1)
    await served.dispose()
  })

  it('goes on after a request of it was cancelled or was too slow', async () => {
    const clock = new ManualClock()
    const served = await load(agelessFile, { ...atOnce, timeout: 50 }, clock)
    const controller = new AbortController()
    const [start, cancelled, last] = [
      served.infer(part(ageless, 1, 0, 1, { sequence: position('a', { start: true }) })),
      served.infer(part(ageless, 1, 5, 6, { sequence: position('a'), signal: controller.signal })),
      served.infer(part(ageless, 1, 1, 2, { sequence: position('a') })),
    ]
    controller.abort()
    await expect(cancelled).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    const whole = await served.infer(part(ageless, 1, 0, 2))
    expect(steps([await start, await last])).toEqual(output(whole, 'steps'))

    const queued = served.infer(part(ageless, 1, 2, 3, { sequence: position('a') }))
    clock.pass(50)
    await expect(queued).rejects.toMatchObject({ code: 'ERR_SERVE_TIMEOUT' })
    await served.infer(part(ageless, 1, 2, 3, { sequence: position('a', { end: true }) }))
    expect(served.statistics()).toMatchObject({ sequences: 0, waiting: 0, computing: 0 })
    await served.dispose()
  })

  it('that never began leaves nothing behind', async () => {
    const served = await load(agelessFile)
    const controller = new AbortController()
    const start = served.infer(
      part(ageless, 1, 0, 1, { sequence: position('a', { start: true }), signal: controller.signal }),
    )
    const next = served.infer(part(ageless, 1, 1, 2, { sequence: position('a') }))
    controller.abort()
    await expect(start).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    await expect(next).rejects.toMatchObject({ code: 'ERR_SERVE_SEQUENCE' })
    expect(served.statistics()).toMatchObject({ sequences: 0, waiting: 0 })
    await served.dispose()
  })

  it('counts against the queue while it waits for its turn', async () => {
    const served = await load(agelessFile, { queue: 3 })
    const answers = Array.from({ length: 6 }, (_, step) =>
      served.infer(part(ageless, 1, step, step + 1, { sequence: position('a', { start: step === 0 }) })),
    )
    const settled = await Promise.allSettled(answers)
    expect(settled.map((one) => (one.status === 'rejected' ? one.reason.code : 'answered'))).toEqual([
      ...new Array(3).fill('answered'),
      ...new Array(3).fill('ERR_SERVE_QUEUE_FULL'),
    ])
    await served.dispose()
  })
})

describe('many sequences', () => {
  it('interleaved at random over two instances give what each gives alone, and leak nothing', async () => {
    const before = await settledTensors()
    const count = 50
    const served: LoadedModel = await load(agelessFile, {
      instances: 2,
      batching: { maximumSize: 16, maximumDelay: 0 },
    })
    const wholes = await Promise.all(
      Array.from({ length: count }, (_, seed) => served.infer(part(ageless, seed, 0, 20))),
    )
    const found = Array.from({ length: count }, () => [] as number[])
    const random = numbers(count * 20, 99)
    // Each client waits for its own answers, and pauses now and then, so that batches mix ever others.
    await Promise.all(
      found.map(async (collected, seed) => {
        for (let step = 0; step < 20; step++) {
          const flags = { start: step === 0, end: step === 19 }
          const one = part(ageless, seed, step, step + 1, { sequence: position(String(seed), flags) })
          collected.push(...output(await served.infer(one), 'steps'))
          if (random[seed * 20 + step]! < 0.3) await turn()
        }
      }),
    )
    for (const [seed, collected] of found.entries()) {
      for (const [i, step] of output(wholes[seed]!, 'steps').entries()) expect(collected[i]).toBeCloseTo(step, 5)
    }
    expect(served.statistics()).toMatchObject({ sequences: 0, success: { count: count * 21 } })
    expect(served.statistics().executionCount).toBeLessThan(count * 10)
    await served.dispose()
    expect(await settledTensors()).toBe(before)
  })
})
