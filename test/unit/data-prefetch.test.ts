import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { prefetch } from '../../lib/data/prefetch.js'

const same = <T>(item: T): T => item

/** A source that writes down when it is asked and when it is closed. */
function* noted(log: string[], n: number): Generator<number> {
  try {
    for (let i = 0; i < n; i++) {
      log.push(`pull ${i}`)
      yield i
    }
    log.push('end')
  } finally {
    log.push('closed')
  }
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}

async function turns(n: number): Promise<void> {
  for (let i = 0; i < n; i++) await turn()
}

describe('prefetch', () => {
  it('gives every item in order, for any depth, from synchronous and asynchronous sources', async () => {
    async function* slow(): AsyncGenerator<number> {
      for (let i = 0; i < 7; i++) {
        await turn()
        yield i
      }
    }
    for (const depth of [1, 2, 10]) {
      expect(await all(prefetch(noted([], 7), same, { depth }))).toEqual([0, 1, 2, 3, 4, 5, 6])
      expect(await all(prefetch(slow(), same, { depth }))).toEqual([0, 1, 2, 3, 4, 5, 6])
      expect(await all(prefetch([], same, { depth }))).toEqual([])
    }
  })

  it('pulls the next item while the consumer works, after its work has begun', async () => {
    const log: string[] = []
    for await (const item of prefetch(noted(log, 3), same)) {
      log.push(`begin ${item}`)
      await turns(3)
      log.push(`end ${item}`)
    }
    expect(log).toEqual([
      'pull 0',
      'begin 0',
      'pull 1',
      'end 0',
      'begin 1',
      'pull 2',
      'end 1',
      'begin 2',
      'end',
      'closed',
      'end 2',
    ])
  })

  it('never pulls further ahead than its depth', async () => {
    for (const depth of [1, 3]) {
      const log: string[] = []
      const ahead: number[] = []
      let pulled = 0
      for await (const item of prefetch(noted(log, 20), same, { depth })) {
        await turns(20)
        pulled = log.filter((line) => line.startsWith('pull')).length
        ahead.push(pulled - item - 1)
      }
      expect(Math.max(...ahead)).toBe(depth)
    }
  })

  it('asks a source for one item at a time', async () => {
    let asking = 0
    let most = 0
    let given = 0
    const source: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        async next() {
          most = Math.max(most, ++asking)
          await turns(2)
          asking--
          return given < 6 ? { done: false, value: given++ } : { done: true, value: undefined }
        },
      }),
    }
    expect(await all(prefetch(source, same, { depth: 3 }))).toEqual([0, 1, 2, 3, 4, 5])
    expect(most).toBe(1)
  })

  it('throws a failure where its item would have come', async () => {
    function* broken(): Generator<number> {
      yield 1
      yield 2
      throw new RangeError('no third item')
    }
    const seen: number[] = []
    const read = async (): Promise<void> => {
      for await (const item of prefetch(broken(), same, { depth: 2 })) {
        seen.push(item)
        await turns(5) // the failure waits here, unhandled by nobody
      }
    }
    await expect(read()).rejects.toThrow('no third item')
    expect(seen).toEqual([1, 2])
  })

  it('closes the source when the consumer stops, also with an item waiting', async () => {
    const log: string[] = []
    for await (const item of prefetch(noted(log, 10), same, { depth: 2 })) {
      await turns(5)
      if (item === 1) break
    }
    expect(log.at(-1)).toBe('closed')
    expect(log).not.toContain('pull 9')
  })

  it('closes the source when the consumer stops at once', async () => {
    const log: string[] = []
    for await (const _ of prefetch(noted(log, 10), same)) break
    expect(log.at(-1)).toBe('closed')
  })

  it('discards what was pulled and not taken, and nothing else', async () => {
    const discarded: number[] = []
    const discard = (item: number): void => void discarded.push(item)
    for await (const item of prefetch(noted([], 10), same, { depth: 3, discard })) {
      await turns(8)
      if (item === 1) break
    }
    expect(discarded).toEqual([2, 3, 4])
    discarded.length = 0
    await all(prefetch(noted([], 4), same, { depth: 2, discard }))
    expect(discarded).toEqual([])
  })

  it('prepares items ahead; a failure of that closes the source and is thrown in its place', async () => {
    const log: string[] = []
    const prepare = (item: number): string => {
      if (item === 2) throw new RangeError('no third item')
      return `item ${item}`
    }
    const seen: string[] = []
    const read = async (): Promise<void> => {
      for await (const item of prefetch(noted(log, 10), prepare)) seen.push(item)
    }
    await expect(read()).rejects.toThrow('no third item')
    expect(seen).toEqual(['item 0', 'item 1'])
    expect(log.at(-1)).toBe('closed')
  })

  it('forgets a failure that comes after the consumer has left', async () => {
    const rejections: unknown[] = []
    const note = (reason: unknown): void => void rejections.push(reason)
    process.on('unhandledRejection', note)
    async function* broken(): AsyncGenerator<number> {
      yield 1
      await turns(2)
      throw new RangeError('late')
    }
    for await (const _ of prefetch(broken(), same)) {
      await turns(1)
      break
    }
    await turns(10)
    process.off('unhandledRejection', note)
    expect(rejections).toEqual([])
  })

  it('passes on what closing the source throws', async () => {
    function* stubborn(): Generator<number> {
      try {
        yield 1
        yield 2
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: this is the failure the test is about
        throw new RangeError('cannot close')
      }
    }
    const read = async (): Promise<void> => {
      for await (const _ of prefetch(stubborn(), same)) break
    }
    await expect(read()).rejects.toThrow('cannot close')
  })

  it('refuses a depth below one', () => {
    expect(() => prefetch([1], same, { depth: 0 })).toThrow(expect.objectContaining({ code: 'ERR_RANGE' }))
  })
})
