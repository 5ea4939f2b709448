import { describe, expect, it } from 'vitest'
import { OpenRequests } from '../../lib/serve/open-requests.js'
import { ManualClock } from './networks.js'

interface Named {
  readonly name: string
  readonly deadline: number
  place: number
}

const named = (name: string, deadline = 1000): Named => ({ name, deadline, place: -1 })

/** Requests that leave when they expire; `expired` has their names and the time. */
function collection() {
  const clock = new ManualClock()
  const expired: [name: string, at: number][] = []
  const open = new OpenRequests<Named>(clock, (request) => {
    expired.push([request.name, clock.now()])
    open.delete(request)
  })
  return { clock, expired, open }
}

describe('OpenRequests', () => {
  it('holds what was added and not deleted', () => {
    const { open } = collection()
    const all = Array.from({ length: 100 }, (_, i) => named(`${i}`))
    const kept = new Set(all)
    for (const one of all) open.add(one)
    // In an order that has nothing to do with that of adding: 37 and 100 have no common divisor.
    for (let i = 0; i < 100; i++) {
      const gone = all[(37 * i) % 100]!
      open.delete(gone)
      kept.delete(gone)
      expect(open.size).toBe(99 - i)
      expect(new Set(open)).toEqual(kept)
    }
  })

  it('takes no notice of what is not in it', () => {
    const { open } = collection()
    const [inside, outside] = [named('inside'), named('outside')]
    open.add(inside)
    open.delete(outside)
    expect([...open]).toEqual([inside])
    open.delete(inside)
    open.delete(inside)
    expect(open.size).toBe(0)
    open.add(outside)
    open.delete(inside) // its place is another's now
    expect([...open]).toEqual([outside])
  })

  it('tells each that is still there at its deadline, whatever the order of coming', () => {
    const { clock, expired, open } = collection()
    for (const [name, deadline] of Object.entries({ late: 50, soon: 10, middle: 30, answered: 20 }))
      open.add(named(name, deadline))
    open.delete([...open].find(({ name }) => name === 'answered')!)
    for (let i = 0; i < 60; i++) clock.pass(1)
    expect(expired).toEqual([
      ['soon', 10],
      ['middle', 30],
      ['late', 50],
    ])
    expect(open.size).toBe(0)
  })

  it('has a timer only while something is in it, and one that can wait for a deadline of months', () => {
    const { clock, expired, open } = collection()
    expect(clock.timers).toEqual([])
    const month = 31 * 24 * 3600 * 1000
    const [patient, other] = [named('patient', month), named('other', month)]
    open.add(patient)
    open.add(other)
    expect(clock.timers).toEqual([2 ** 31 - 1]) // Node would call at once what is to wait for longer
    clock.pass(2 ** 31 - 1)
    expect(expired).toEqual([])
    expect(clock.timers).toEqual([month])
    open.delete(other)
    open.delete(patient)
    expect(clock.timers).toEqual([])
    clock.pass(month)
    expect(expired).toEqual([])
  })

  it('waits on when its timer rings early, as those of Node do by less than a millisecond', () => {
    const clock = new ManualClock()
    const expired: number[] = []
    const early = {
      now: () => clock.now(),
      after: (milliseconds: number, body: () => void) => clock.after(Math.floor(milliseconds), body),
    }
    const open = new OpenRequests<Named>(early, (request) => {
      expired.push(clock.now())
      open.delete(request)
    })
    open.add(named('one', 10.5))
    clock.pass(10)
    expect(expired).toEqual([])
    clock.pass(0.25)
    expect(expired).toEqual([])
    clock.pass(0.25)
    expect(expired).toEqual([10.5])
  })

  it('goes on where one that expires takes another with it, and keeps what has no deadline', () => {
    const clock = new ManualClock()
    const expired: string[] = []
    const [first, second] = [named('first', 5), named('second', 6)]
    const open = new OpenRequests<Named>(clock, (request) => {
      expired.push(request.name)
      open.delete(request)
      open.delete(second)
    })
    for (const one of [first, second, named('third', 5), named('endless', Number.POSITIVE_INFINITY)]) open.add(one)
    clock.pass(5)
    expect(expired).toEqual(['first', 'third'])
    expect([...open].map(({ name }) => name)).toEqual(['endless'])
    expect(clock.timers).toEqual([])
  })

  it('tells who waits once it is empty', async () => {
    const { open } = collection()
    await open.drained()
    const all = [named('a'), named('b')]
    for (const one of all) open.add(one)
    let drained = false
    const waits = open.drained().then(() => {
      drained = true
    })
    open.delete(all[0]!)
    await Promise.resolve()
    expect(drained).toBe(false)
    open.delete(all[1]!)
    await waits
    expect(drained).toBe(true)
  })
})
