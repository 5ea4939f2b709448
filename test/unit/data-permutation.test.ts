import { describe, expect, it } from 'vitest'
import { epochRandom, permutation, splitmix64, xoshiro128 } from '../../lib/data/permutation.js'

describe('random numbers', () => {
  it('gives the published values of splitmix64', () => {
    // Rosetta Code, "Pseudo-random numbers/Splitmix64", seed 1234567.
    const next = splitmix64(1234567n)
    expect([next(), next(), next(), next(), next()]).toEqual([
      6457827717110365317n,
      3203168211198807973n,
      9817491932198370423n,
      4593380528125082431n,
      16408922859458223821n,
    ])
  })

  it('gives the values of the C reference implementation of xoshiro128**', () => {
    // github.com/edorfaus/xoshiro-6502, test-rom/testdata.asm, column "starstar".
    const random = xoshiro128([0x964d4a0c, 0xd40ab895, 0xad7fdecb, 0x3006f0f0])
    expect([random.next(), random.next(), random.next(), random.next()]).toEqual([
      0xf1391922, 0x6fe53806, 0xa5be2840, 0xf510ee70,
    ])
  })

  it('draws below a bound without favouring small values', () => {
    const random = epochRandom(1, 0)
    // 3 * 2^30 does not divide 2^32: taken modulo without rejection, the first third would come twice as often.
    const bound = 3 * 2 ** 30
    let small = 0
    for (let i = 0; i < 30_000; i++) if (random.below(bound) < 2 ** 30) small++
    // Expected 10,000 with a standard deviation of 82; the biased way gives 15,000.
    expect(Math.abs(small - 10_000)).toBeLessThan(500)
  })
})

describe('permutation', () => {
  it('is the same on every machine and in every release', () => {
    // Computed by an independent program in Python. Changing these breaks the resuming of every run that was started before.
    expect([...permutation(10, 0, 0)]).toEqual([8, 0, 1, 6, 2, 3, 5, 7, 4, 9])
    expect([...permutation(10, 7, 3)]).toEqual([9, 4, 2, 7, 6, 0, 1, 3, 8, 5])
    expect([...permutation(60_000, 2 ** 53 - 1, 100).subarray(0, 4)]).toEqual([29053, 33830, 53867, 13821])
  })

  it('holds every index once', () => {
    expect([...permutation(1000, 5, 2)].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    expect(permutation(0, 1, 1).length).toBe(0)
    expect([...permutation(1, 1, 1)]).toEqual([0])
  })

  it('differs between epochs, between seeds, and between (seed, epoch) with the same sum', () => {
    const orders = [permutation(50, 1, 0), permutation(50, 1, 1), permutation(50, 2, 0), permutation(50, 0, 1)]
    expect(new Set(orders.map((order) => order.join())).size).toBe(4)
  })

  it('puts every value at every place equally often', () => {
    const counts = new Array<number>(16).fill(0)
    const draws = 4000
    for (let epoch = 0; epoch < draws; epoch++) {
      permutation(4, 9, epoch).forEach((value, place) => {
        counts[place * 4 + value]!++
      })
    }
    // Expected 1000 with a standard deviation of 27.
    for (const count of counts) expect(Math.abs(count - draws / 4)).toBeLessThan(140)
  })
})
