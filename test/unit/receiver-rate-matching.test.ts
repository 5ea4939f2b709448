import { describe, expect, it } from 'vitest'
import {
  attachCrc,
  type CrcName,
  checkCrc,
  codeWordLength,
  goldSequence,
  ldpcCode,
  ldpcEncode,
  rateMatch,
  rateRecover,
  scramble,
  scramblingState,
} from '../../lib/receiver/coding.js'
import { cast, clone, manualSeed, randint, randn, tensor, transpose, zeros } from '../../lib/tensor/index.js'
import { codeOf, numbers, rejectionOf } from './receiver-expectations.js'

const ascii = (text: string): number[] =>
  Array.from(text).flatMap((letter) => Array.from({ length: 8 }, (_, i) => (letter.charCodeAt(0) >> (7 - i)) & 1))

describe('CRC', () => {
  // "123456789" in the catalogue of parametrised CRC algorithms: CRC-24/LTE-A, CRC-24/LTE-B, CRC-16/XMODEM.
  it.each<[CrcName, number]>([
    ['crc24a', 0xcde703],
    ['crc24b', 0x23ef52],
    ['crc16', 0x31c3],
  ])('%s of "123456789" is the published %i', (crc, check) => {
    const bits = ascii('123456789')
    const parity = numbers(attachCrc(tensor([bits], { dtype: 'uint8' }), crc)).slice(bits.length)
    expect(parity.reduce((value, bit) => value * 2 + bit, 0)).toBe(check)
  })

  it.each<CrcName>(['crc24a', 'crc24b', 'crc24c', 'crc16', 'crc11', 'crc6'])('%s finds every single error', (crc) => {
    const word = numbers(attachCrc(tensor([1, 0, 1, 1, 0, 0, 1]), crc))
    const broken = word.map((_, at) => word.map((bit, i) => (i === at ? 1 - bit : bit)))
    expect(numbers(checkCrc(tensor([word, ...broken]), crc))).toEqual([1, ...word.map(() => 0)])
  })

  it('works along the last axis of any shape, also without a word or a bit', () => {
    expect(attachCrc(zeros([2, 3, 5]), 'crc6').shape).toEqual([2, 3, 11])
    expect(attachCrc(zeros([0, 5]), 'crc6').shape).toEqual([0, 11])
    expect(numbers(attachCrc(zeros([0]), 'crc6'))).toEqual([0, 0, 0, 0, 0, 0])
    expect(checkCrc(zeros([2, 3, 11]), 'crc6').shape).toEqual([2, 3])
    expect(checkCrc(zeros([0, 11]), 'crc6').shape).toEqual([0])
  })

  it('takes bits only', () => {
    for (const value of [0.5, 2, -1, 256, Number.NaN]) {
      expect(codeOf(() => attachCrc(tensor([0, value, 1]), 'crc16'))).toBe('ERR_RANGE')
    }
    expect(codeOf(() => attachCrc(tensor([0, 2], { dtype: 'uint8' }), 'crc16'))).toBe('ERR_RANGE')
    expect(codeOf(() => attachCrc(tensor(1), 'crc16'))).toBe('ERR_SHAPE')
    expect(codeOf(() => checkCrc(zeros([3, 15]), 'crc16'))).toBe('ERR_SHAPE')
    expect(codeOf(() => attachCrc(zeros([3]), 'crc32' as never))).toBe('ERR_RANGE')
  })
})

describe('scrambling', () => {
  it('turns bits and LLRs alike, and back', () => {
    const state = scramblingState({ rnti: 3, identity: 7, codeWord: 1 })
    expect(state).toBe(3 * 32768 + 16384 + 7)
    const sequence = numbers(goldSequence(50, state))
    expect(numbers(scramble(tensor([sequence, sequence], { dtype: 'uint8' }), state))).toEqual(Array(100).fill(0))
    const llr = randn([2, 50])
    const turned = numbers(scramble(llr, state))
    expect(turned).toEqual(numbers(llr).map((value, i) => (sequence[i % 50] ? -value : value)))
    expect(numbers(scramble(scramble(llr, state), state))).toEqual(numbers(llr))
  })

  it('refuses what is out of range', () => {
    expect(codeOf(() => scramblingState({ rnti: 65536 }))).toBe('ERR_RANGE')
    expect(codeOf(() => scramblingState({ identity: 1024 }))).toBe('ERR_RANGE')
    expect(codeOf(() => scramblingState({ codeWord: 2 }))).toBe('ERR_RANGE')
    expect(codeOf(() => goldSequence(-1, 0))).toBe('ERR_RANGE')
    expect(codeOf(() => goldSequence(5, 2 ** 31))).toBe('ERR_RANGE')
    expect(goldSequence(0, 1).shape).toEqual([0])
  })
})

describe('rate matching', () => {
  /** Places in the code word that the bits sent come from. */
  async function places(code: ReturnType<typeof ldpcCode>, length: number, options = {}): Promise<number[]> {
    const at: number[] = []
    const each = Array.from({ length }, (_, row) => Array.from({ length }, (_, i) => (i === row ? 1 : 0)))
    const words = numbers(await rateRecover(tensor(each), code, options))
    const wide = codeWordLength(code)
    for (let row = 0; row < length; row++) at.push(words.slice(row * wide, (row + 1) * wide).indexOf(1))
    return at
  }

  // Table 5.4.2.1-2 with N_cb = 66 Z and 50 Z: k0 = 0, 17 Z, 33 Z, 56 Z and 0, 13 Z, 25 Z, 43 Z; 2 Z bits lie before the buffer.
  it.each([
    [1, [0, 17, 33, 56]],
    [2, [0, 13, 25, 43]],
  ] as const)('of base graph %d begins where the redundancy version says', async (baseGraph, starts) => {
    const code = ldpcCode({ informationBits: baseGraph === 1 ? 22 * 16 : 10 * 72, baseGraph })
    for (const [redundancyVersion, start] of starts.entries()) {
      const first = (await places(code, 2, { redundancyVersion }))[0]
      expect(first).toBe((2 + start) * code.liftingSize)
    }
  })

  it('begins earlier in a shorter buffer, and goes round its end', async () => {
    const code = ldpcCode({ informationBits: 22 * 16, baseGraph: 1 })
    // N_cb = 25 Z: floor(33 x 25 / 66) = 12, from where 13 Z bits are left.
    const at = await places(code, 13 * 16 + 3, { redundancyVersion: 2, bufferBits: 25 * 16 })
    expect(at[0]).toBe(14 * 16)
    expect(at.slice(-4)).toEqual([27 * 16 - 1, 32, 33, 34])
  })

  it('sends each bit but the punctured and the filler once, in order', async () => {
    const code = ldpcCode({ informationBits: 40, rate: 0.5 })
    expect(code.liftingSize).toBe(7)
    const sendable = [
      ...Array.from({ length: 26 }, (_, i) => 14 + i),
      ...Array.from({ length: 42 * 7 }, (_, i) => 70 + i),
    ]
    expect(await places(code, sendable.length)).toEqual(sendable)
  })

  it('interleaves e[i E/Q + j] to f[i + j Q]', async () => {
    const code = ldpcCode({ informationBits: 40, rate: 0.5 })
    expect(await places(code, 6, { bitsPerSymbol: 2 })).toEqual([14, 17, 15, 18, 16, 19])
    expect(await places(code, 6, { bitsPerSymbol: 3 })).toEqual([14, 16, 18, 15, 17, 19])
  })

  it('adds up what is sent several times, and earlier versions', async () => {
    const code = ldpcCode({ informationBits: 40, rate: 0.5 })
    const sendable = 26 + 42 * 7
    const twice = await rateRecover(tensor(Array(2 * sendable + 1).fill(0.5)), code)
    const counts = numbers(twice)
    expect(counts.slice(0, 14)).toEqual(Array(14).fill(0))
    expect(counts[14]).toBe(1.5)
    expect(counts.slice(15, 40)).toEqual(Array(25).fill(1))
    expect(counts.slice(40, 70)).toEqual(Array(30).fill(0))
    expect(counts.slice(70)).toEqual(Array(294).fill(1))
    const more = numbers(await rateRecover(tensor([2, 3]), code, { redundancyVersion: 1 }, twice))
    expect(more.map((value, i) => value - counts[i]!).filter((value) => value !== 0)).toEqual([2, 3])
    expect(numbers(twice)).toEqual(counts)
  })

  it.each([0, 1, 2, 3])('sends in version %d the bits of the code word that recovery puts back', async (version) => {
    manualSeed(5)
    for (const [informationBits, bitsPerSymbol] of [
      [40, 4],
      [64, 2],
      [720, 6],
    ] as const) {
      const code = ldpcCode({ informationBits, rate: 0.4 })
      const words = await ldpcEncode(randint(0, 2, [3, informationBits]), code)
      const options = { redundancyVersion: version, bitsPerSymbol }
      const sent = numbers(await rateMatch(words, code, { ...options, length: 2400 }))
      const llr = tensor(
        sent.map((bit) => (bit ? 4 : -4)),
        { shape: [3, 2400] },
      )
      const back = numbers(await rateRecover(llr, code, options))
      const known = back.flatMap((value, i) => (value === 0 ? [] : [i]))
      expect(known.length).toBeGreaterThan(900)
      const all = numbers(words)
      expect(known.map((i) => (back[i]! > 0 ? 1 : 0))).toEqual(known.map((i) => all[i]))
    }
  })

  it('takes any floating dtype, views, no word at all', async () => {
    const code = ldpcCode({ informationBits: 40, rate: 0.5 })
    const llr = randn([80, 3])
    const turned = transpose(llr, 0, 1)
    const expected = numbers(await rateRecover(clone(turned), code))
    expect(expected.filter((value) => value !== 0)).toHaveLength(240)
    expect(numbers(await rateRecover(turned, code))).toEqual(expected)
    expect(numbers(await rateRecover(cast(turned, 'float64'), code))).toEqual(expected)
    expect((await rateRecover(zeros([0, 80], { dtype: 'float64' }), code)).shape).toEqual([0, 52 * 7])
    expect((await rateMatch(zeros([0, 52 * 7]), code, { length: 80 })).shape).toEqual([0, 80])
  })

  it('refuses what does not fit, with the range that does', async () => {
    const code = ldpcCode({ informationBits: 40, rate: 0.5 })
    const words = zeros([1, 364])
    expect(await rejectionOf(rateMatch(words, code, { length: 81, bitsPerSymbol: 2 }))).toBe('ERR_RANGE')
    await expect(rateMatch(words, code, { length: 81, bitsPerSymbol: 2 })).rejects.toThrow(
      /81 bits are no multiple of 2/,
    )
    expect(await rejectionOf(rateMatch(words, code, { length: 0 }))).toBe('ERR_RANGE')
    expect(await rejectionOf(rateMatch(words, code, { length: 80, redundancyVersion: 4 }))).toBe('ERR_RANGE')
    expect(await rejectionOf(rateMatch(words, code, { length: 80, bufferBits: 351 }))).toBe('ERR_RANGE')
    expect(await rejectionOf(rateMatch(zeros([1, 363]), code, { length: 80 }))).toBe('ERR_SHAPE')
    expect(await rejectionOf(rateMatch(words, { ...code, liftingSize: 17 }, { length: 80 }))).toBe('ERR_RANGE')
    expect(await rejectionOf(rateMatch(words, { ...code, informationBits: 71 }, { length: 80 }))).toBe('ERR_RANGE')
    expect(await rejectionOf(rateRecover(zeros([1, 80], { dtype: 'int32' }), code))).toBe('ERR_TYPE')
    expect(await rejectionOf(rateRecover(tensor([1, Number.NaN]), code))).toBe('ERR_RANGE')
    expect(await rejectionOf(rateRecover(zeros([2, 80]), code, {}, zeros([1, 364])))).toBe('ERR_SHAPE')
    expect(await rejectionOf(ldpcEncode(zeros([1, 41]), code))).toBe('ERR_SHAPE')
  })
})
