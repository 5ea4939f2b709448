import { describe, expect, it } from 'vitest'
import {
  attachCrc,
  codeWordLength,
  type LdpcCode,
  type LdpcDecoderOptions,
  ldpcCode,
  ldpcDecode,
  ldpcEncode,
  liftingSizes,
  rateMatch,
  rateRecover,
} from '../../lib/receiver/coding.js'
import {
  cast,
  clone,
  full,
  manualSeed,
  mul,
  randint,
  randn,
  sub,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from '../../lib/tensor/index.js'
import { blockErrorRate } from './receiver-block-errors.js'
import { numbers, rejectionOf } from './receiver-expectations.js'

const code = ldpcCode({ informationBits: 64, rate: 0.5 })
const length = codeWordLength(code)

/** LLRs ±`size` of the bits. */
function certain(bits: Tensor, size: number): Tensor {
  return mul(sub(mul(cast(bits, 'float32'), 2), 1), size)
}

/** A word of the code and what is received of it at `snr` dB (Eb/N0), BPSK in Gaussian noise. */
async function noisy(code: LdpcCode, words: number, sent: number, snr: number): Promise<{ bits: Tensor; llr: Tensor }> {
  const bits = randint(0, 2, [words, code.informationBits])
  const word = await rateMatch(await ldpcEncode(bits, code), code, { length: sent })
  const variance = sent / (2 * code.informationBits * 10 ** (snr / 10))
  const y = sub(certain(word, 1), mul(randn([words, sent]), Math.sqrt(variance)))
  return { bits, llr: await rateRecover(mul(y, 2 / variance), code) }
}

describe('ldpcDecode', () => {
  it.each([1, 2] as const)('finds every code of base graph %d to be what the encoder makes', async (baseGraph) => {
    manualSeed(1)
    for (const liftingSize of liftingSizes) {
      const informationBits = (baseGraph === 1 ? 22 : 10) * liftingSize - (liftingSize % 3)
      const lifted = { baseGraph, liftingSize, informationBits }
      const bits = randint(0, 2, [2, informationBits])
      const words = await ldpcEncode(bits, lifted)
      const decoded = await ldpcDecode(certain(words, 5), lifted, { iterations: 1 })
      expect(numbers(decoded.valid), `lifting size ${liftingSize}`).toEqual([1, 1])
      expect(numbers(decoded.bits)).toEqual(numbers(bits))
      // A wrong bit is in some check.
      const wrong = mul(certain(words, 5), certain(tensor([1, ...Array(codeWordLength(lifted) - 1).fill(0)]), -1))
      const found = await ldpcDecode(mul(wrong, 1e-3), lifted, { iterations: 1 })
      expect(numbers(found.valid)).toEqual([0, 0])
    }
  })

  it.each<[string, LdpcDecoderOptions]>([
    ['sum-product, layered', {}],
    ['sum-product, flooding', { schedule: 'flooding' }],
    ['min-sum, layered', { update: 'min-sum' }],
    ['min-sum, flooding', { update: 'min-sum', schedule: 'flooding' }],
    ['offset min-sum', { update: 'min-sum', scale: 1, offset: 0.5 }],
  ])('corrects what noise did: %s', async (_, options) => {
    manualSeed(2)
    for (const informationBits of [30, 64, 320, 1000]) {
      const some = ldpcCode({ informationBits, rate: 0.5 })
      const { bits, llr } = await noisy(some, 20, 2 * informationBits, 6)
      const decoded = await ldpcDecode(llr, some, options)
      expect(numbers(decoded.bits)).toEqual(numbers(bits))
      expect(numbers(decoded.valid)).toEqual(Array(20).fill(1))
      expect(Math.max(...numbers(decoded.iterations))).toBeLessThan(12)
    }
  })

  it('stops each word when it is valid, with the result it then has', async () => {
    manualSeed(3)
    const { llr } = await noisy(code, 33, 128, 2)
    const stopped = await ldpcDecode(llr, code, { posterior: true })
    const used = numbers(stopped.iterations)
    expect(new Set(used).size).toBeGreaterThan(3)
    for (const iterations of [1, 2, 4]) {
      const word = used.indexOf(iterations)
      const exactly = await ldpcDecode(llr, code, { iterations, stopEarly: false, posterior: true })
      const row = (x: Tensor): number[] => numbers(x).slice(word * length, (word + 1) * length)
      expect(row(exactly.posterior!)).toEqual(row(stopped.posterior!))
      expect(numbers(exactly.iterations)).toEqual(Array(33).fill(iterations))
    }
    expect(numbers(stopped.valid).filter((_, i) => used[i]! < 20)).toEqual(used.filter((n) => n < 20).map(() => 1))
  })

  it('asks for the CRC too, where one is named', async () => {
    const right = attachCrc(randint(0, 2, [1, 48]), 'crc16')
    const other = tensor(
      numbers(right).map((bit, i) => (i === 3 ? 1 - bit : bit)),
      { shape: [1, 64] },
    )
    for (const [bits, valid] of [
      [right, 1],
      [other, 0],
    ] as const) {
      const llr = certain(await ldpcEncode(bits, code), 10)
      expect(numbers((await ldpcDecode(llr, code)).valid)).toEqual([1])
      const decoded = await ldpcDecode(llr, code, { crc: 'crc16', iterations: 7 })
      expect(numbers(decoded.valid)).toEqual([valid])
      expect(numbers(decoded.iterations)).toEqual([valid ? 1 : 7])
    }
  })

  it('does not take silence for a word', async () => {
    for (const update of ['sum-product', 'min-sum'] as const) {
      const decoded = await ldpcDecode(zeros([2, length]), code, { update, posterior: true })
      expect(numbers(decoded.valid)).toEqual([0, 0])
      expect(numbers(decoded.iterations)).toEqual([20, 20])
      expect(numbers(decoded.bits)).toEqual(Array(128).fill(0))
      const filler = numbers(decoded.posterior!).slice(64, 110)
      expect(filler).toEqual(Array(46).fill(-20))
    }
  })

  it('takes infinite and enormous LLRs for certain ones', async () => {
    manualSeed(4)
    const bits = randint(0, 2, [3, 64])
    const words = await ldpcEncode(bits, code)
    const clipped = await ldpcDecode(certain(words, 20), code, { posterior: true, iterations: 3, stopEarly: false })
    for (const size of [Number.POSITIVE_INFINITY, 3e38]) {
      const options = { posterior: true, iterations: 3, stopEarly: false }
      const decoded = await ldpcDecode(certain(words, size), code, options)
      expect(numbers(decoded.bits)).toEqual(numbers(bits))
      expect(numbers(decoded.posterior!)).toEqual(numbers(clipped.posterior!))
    }
    // Two certain ones that contradict each other say nothing.
    const first = await rateRecover(full([1, 10], Number.POSITIVE_INFINITY), code)
    const both = await rateRecover(full([1, 10], Number.NEGATIVE_INFINITY), code, {}, first)
    expect(numbers(both)).toEqual(Array(length).fill(0))
  })

  it('takes any floating dtype, views, leading axes, one word, no word', async () => {
    manualSeed(5)
    const { llr } = await noisy(code, 6, 128, 3)
    const expected = numbers((await ldpcDecode(llr, code)).bits)
    expect(numbers((await ldpcDecode(transpose(clone(transpose(llr, 0, 1)), 0, 1), code)).bits)).toEqual(expected)
    expect(numbers((await ldpcDecode(cast(llr, 'float64'), code)).bits)).toEqual(expected)
    const { bits, valid, iterations } = await ldpcDecode(zeros([2, 3, length]), code, { iterations: 1 })
    expect([bits.shape, valid.shape, iterations.shape]).toEqual([
      [2, 3, 64],
      [2, 3],
      [2, 3],
    ])
    const one = await ldpcDecode(zeros([length]), code, { iterations: 1 })
    expect([one.bits.shape, one.valid.shape, one.bits.dtype, one.valid.dtype]).toEqual([[64], [], 'uint8', 'bool'])
    const none = await ldpcDecode(zeros([0, length]), code, { posterior: true })
    expect([none.bits.shape, none.valid.shape, none.posterior!.shape]).toEqual([[0, 64], [0], [0, length]])
  })

  it('refuses what it cannot decode, in one line with the range', async () => {
    const llr = zeros([2, length])
    const refused = (options: object, of = llr, by = code) => rejectionOf(ldpcDecode(of, by, options))
    expect(await refused({ iterations: 0 })).toBe('ERR_RANGE')
    expect(await refused({ iterations: 1001 })).toBe('ERR_RANGE')
    expect(await refused({ iterations: '5' })).toBe('ERR_TYPE')
    expect(await refused({ update: 'boxplus' })).toBe('ERR_RANGE')
    expect(await refused({ schedule: 'row' })).toBe('ERR_RANGE')
    expect(await refused({ scale: 0 })).toBe('ERR_RANGE')
    expect(await refused({ offset: -1 })).toBe('ERR_RANGE')
    expect(await refused({ clip: 81 })).toBe('ERR_RANGE')
    expect(await refused({ clip: Number.NaN })).toBe('ERR_RANGE')
    expect(await refused({ crc: 'crc8' })).toBe('ERR_RANGE')
    expect(await refused({ iteration: 5 })).not.toBe('nothing thrown')
    expect(await refused({}, zeros([2, length - 1]))).toBe('ERR_SHAPE')
    expect(await refused({}, zeros([2, length], { dtype: 'int64' }))).toBe('ERR_TYPE')
    expect(await refused({}, tensor(1))).toBe('ERR_SHAPE')
    expect(await refused({}, llr, { ...code, liftingSize: 25 })).toBe('ERR_RANGE')
    expect(await refused({}, llr, { ...code, informationBits: 111 })).toBe('ERR_RANGE')
    const values = new Float32Array(2 * length)
    values[length + 17] = Number.NaN
    const broken = tensor(values, { shape: [2, length] })
    expect(await refused({}, broken)).toBe('ERR_RANGE')
    await expect(ldpcDecode(broken, code)).rejects.toThrow(/NaN in word 1 at place 17/)
  })
})

describe('the published block error rates, BPSK in Gaussian noise, sum-product, flooding, 20 iterations', () => {
  // Sionna's default decoder, boxplus-phi with 20 iterations. Tolerance: 3 sigma of two samples of so many words.
  it.each([
    [64, 128, 1, 0.503, 8000],
    [64, 128, 2, 0.155, 8000],
    [64, 128, 3, 0.0225, 20000],
    [1024, 2048, 1, 0.4645, 2000],
    [1024, 2048, 1.571, 0.0135, 4000],
  ])('k = %d, n = %d at %d dB: %d', async (k, n, snr, published, words) => {
    manualSeed(6)
    const rate = await blockErrorRate(k, n, snr, words, { schedule: 'flooding' })
    expect(Math.abs(rate - published)).toBeLessThan(3 * Math.sqrt((2 * published * (1 - published)) / words))
  })
})
