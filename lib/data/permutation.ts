/**
 * Reproducible shuffling: the order of an epoch is a pure function of (length, seed, epoch), the same on every machine
 * and in every release, so that a run resumes from an epoch and a batch index alone.
 *
 *     s        = splitmix64 seeded with `seed`;   m = s.next() XOR epoch
 *     words    = splitmix64 seeded with m: two outputs, each cut into (low, high) 32 bits
 *     random   = xoshiro128** with these four words
 *     shuffle  = Fisher-Yates from the end, indices drawn without bias by rejection
 *
 * Sources: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014);
 * Blackman, Vigna, "Scrambled linear pseudorandom number generators" (2021); Durstenfeld, CACM algorithm 235 (1964).
 */

const MASK_64 = (1n << 64n) - 1n
const TWO_TO_32 = 2 ** 32

/** A source of uniform 32-bit integers. */
export interface RandomSource {
  /** Uniform in [0, 2^32). */
  next(): number
  /** Uniform in [0, bound), `bound` in [1, 2^32]. */
  below(bound: number): number
}

/** splitmix64: the generator of 64-bit integers that seeds others. */
export function splitmix64(seed: bigint): () => bigint {
  let state = seed & MASK_64
  return () => {
    state = (state + 0x9e3779b97f4a7c15n) & MASK_64
    let z = state
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK_64
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK_64
    return z ^ (z >> 31n)
  }
}

/** xoshiro128**: 128 bits of state, period 2^128 - 1. */
export function xoshiro128(words: readonly [number, number, number, number]): RandomSource {
  let [a, b, c, d] = words
  const next = (): number => {
    const scaled = Math.imul(b, 5)
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
    return result
  }
  const below = (bound: number): number => {
    // Values at or above the largest multiple of `bound` would favour small results: draw again.
    const limit = TWO_TO_32 - (TWO_TO_32 % bound)
    let value = next()
    while (value >= limit) value = next()
    return value % bound
  }
  return { next, below }
}

/** The random source of one epoch. */
export function epochRandom(seed: number, epoch: number): RandomSource {
  const stream = splitmix64(splitmix64(BigInt(seed))() ^ BigInt(epoch))
  const first = stream()
  const second = stream()
  const low = (value: bigint): number => Number(value & 0xffffffffn)
  const high = (value: bigint): number => Number(value >> 32n)
  return xoshiro128([low(first), high(first), low(second), high(second)])
}

/** The numbers 0 .. length - 1 in the order of this seed and epoch. */
export function permutation(length: number, seed: number, epoch: number): Uint32Array {
  const random = epochRandom(seed, epoch)
  const order = new Uint32Array(length)
  for (let i = 0; i < length; i++) order[i] = i
  for (let i = length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
  return order
}
