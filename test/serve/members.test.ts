import { describe, expect, it } from 'vitest'
import { Members } from '../../lib/serve/members.js'

const member = (name: string) => ({ name, place: -1 })

describe('Members', () => {
  it('holds what was added and not deleted', () => {
    const members = new Members<ReturnType<typeof member>>()
    const all = Array.from({ length: 100 }, (_, i) => member(`${i}`))
    const kept = new Set(all)
    for (const one of all) members.add(one)
    // In an order that has nothing to do with that of adding: 37 and 100 have no common divisor.
    for (let i = 0; i < 100; i++) {
      const gone = all[(37 * i) % 100]!
      members.delete(gone)
      kept.delete(gone)
      expect(members.size).toBe(99 - i)
      expect(new Set(members)).toEqual(kept)
    }
  })

  it('takes no notice of what is no member', () => {
    const members = new Members<ReturnType<typeof member>>()
    const [inside, outside] = [member('inside'), member('outside')]
    members.add(inside)
    members.delete(outside)
    expect([...members]).toEqual([inside])
    members.delete(inside)
    members.delete(inside)
    expect(members.size).toBe(0)
    members.add(outside)
    members.delete(inside) // its place is another's now
    expect([...members]).toEqual([outside])
  })
})
