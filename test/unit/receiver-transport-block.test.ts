import { describe, expect, it } from 'vitest'
import {
  decodeTransportBlock,
  encodeTransportBlock,
  type TransportBlock,
  transportBlock,
} from '../../lib/receiver/coding.js'
import { add, cast, manualSeed, mul, randint, randn, sub, type Tensor, tensor, zeros } from '../../lib/tensor/index.js'
import { codeOf, numbers, rejectionOf } from './receiver-expectations.js'

/** LLRs of bits sent with BPSK in Gaussian noise of a deviation. */
function received(sent: Tensor, deviation: number): Tensor {
  const symbols = sub(mul(cast(sent, 'float32'), 2), 1)
  return mul(add(symbols, mul(randn(sent.shape), deviation)), 2 / deviation ** 2)
}

const small = transportBlock({ size: 400, codedBits: 1000, bitsPerSymbol: 4, scrambling: { rnti: 9, identity: 3 } })
// 20496 + 24 bits in 3 blocks with 24 more each; 7601 symbols of 4 bits, which 3 does not divide.
const large = transportBlock({ size: 20496, codedBits: 30404, bitsPerSymbol: 4 })

describe('a transport block', () => {
  it.each<[string, TransportBlock]>([
    ['of one code block', small],
    ['of three code blocks of two lengths', large],
  ])('%s comes back through noise', async (_, block) => {
    manualSeed(1)
    const bits = randint(0, 2, [2, 3, block.size])
    const sent = await encodeTransportBlock(bits, block)
    expect([sent.shape, sent.dtype]).toEqual([[2, 3, block.codedBits], 'uint8'])
    using found = await decodeTransportBlock(received(sent, 0.5), block)
    expect(numbers(found.bits)).toEqual(numbers(bits))
    expect([found.bits.shape, numbers(found.valid)]).toEqual([[2, 3, block.size], Array(6).fill(1)])
    expect(found.iterations.shape).toEqual([2, 3, block.codeBlocks])
  })

  it('is planned as TS 38.212 says', () => {
    expect([small.crc, small.codeBlocks, small.lengths]).toEqual(['crc16', 1, [1000]])
    expect([large.crc, large.codeBlocks, large.codeBlockCrc]).toEqual(['crc24a', 3, 'crc24b'])
    expect(large.lengths).toEqual([10132, 10136, 10136])
    expect(large.code).toEqual({ baseGraph: 1, liftingSize: 320, informationBits: 6864 })
  })

  it('is not valid when one of its code blocks is lost', async () => {
    manualSeed(2)
    const bits = randint(0, 2, [4, large.size])
    const llr = received(await encodeTransportBlock(bits, large), 0.5)
    // The second code block of the third word is silent.
    const kept = Float32Array.from({ length: 4 * large.codedBits }, (_, i) => {
      const [word, place] = [Math.floor(i / large.codedBits), i % large.codedBits]
      return word === 2 && place >= 10132 && place < 20268 ? 0 : 1
    })
    using found = await decodeTransportBlock(mul(llr, tensor(kept, { shape: llr.shape })), large, { iterations: 8 })
    expect(numbers(found.valid)).toEqual([1, 1, 0, 1])
    expect(
      numbers(found.iterations)
        .slice(6, 9)
        .map((used) => used === 8),
    ).toEqual([false, true, false])
  })

  it('is not valid when it was scrambled for another', async () => {
    manualSeed(3)
    const sent = await encodeTransportBlock(randint(0, 2, [5, 400]), small)
    const other = transportBlock({ size: 400, codedBits: 1000, bitsPerSymbol: 4, scrambling: { rnti: 9, identity: 4 } })
    using found = await decodeTransportBlock(received(sent, 0.3), other)
    expect(numbers(found.valid)).toEqual([0, 0, 0, 0, 0])
  })

  it('comes through in two transmissions that fail alone', async () => {
    manualSeed(4)
    const block = transportBlock({ size: 1000, codedBits: 1280, bitsPerSymbol: 2 })
    const bits = randint(0, 2, [10, 1000])
    const [first, second] = [await encodeTransportBlock(bits, block), await encodeTransportBlock(bits, block, 2)]
    expect(numbers(first)).not.toEqual(numbers(second))
    const [llr, again] = [received(first, 0.85), received(second, 0.85)]
    using alone = await decodeTransportBlock(llr, block)
    using repeated = await decodeTransportBlock(again, block, { redundancyVersion: 2 })
    expect([...numbers(alone.valid), ...numbers(repeated.valid)]).toEqual(Array(20).fill(0))
    using both = await decodeTransportBlock(again, block, { redundancyVersion: 2, earlier: alone.softBits })
    expect(numbers(both.valid)).toEqual(Array(10).fill(1))
    expect(numbers(both.bits)).toEqual(numbers(bits))
  })

  it('may be one, or none', async () => {
    const one = await encodeTransportBlock(zeros([400]), small)
    expect(one.shape).toEqual([1000])
    using found = await decodeTransportBlock(received(one, 0.1), small)
    expect([found.bits.shape, found.valid.shape, numbers(found.valid)]).toEqual([[400], [], [1]])
    expect((await encodeTransportBlock(zeros([0, 400]), small)).shape).toEqual([0, 1000])
    using none = await decodeTransportBlock(zeros([0, 1000]), small)
    expect([none.bits.shape, none.valid.shape, none.iterations.shape]).toEqual([[0, 400], [0], [0, 1]])
  })

  it('is refused where there is none', async () => {
    const options = { size: 400, codedBits: 1000, bitsPerSymbol: 4 }
    expect(codeOf(() => transportBlock({ ...options, size: 0 }))).toBe('ERR_RANGE')
    expect(codeOf(() => transportBlock({ ...options, codedBits: 1001 }))).toBe('ERR_RANGE')
    expect(codeOf(() => transportBlock({ ...options, bitsPerSymbol: 2.5 }))).toBe('ERR_RANGE')
    expect(codeOf(() => transportBlock({ ...options, rate: Number.NaN }))).toBe('ERR_RANGE')
    expect(codeOf(() => transportBlock({ ...options, scrambling: { rnti: -1 } }))).toBe('ERR_RANGE')
    expect(codeOf(() => transportBlock({ ...options, size: 8447, rate: 0.9 }))).toBe('ERR_RANGE')
    expect(await rejectionOf(encodeTransportBlock(zeros([1, 401]), small))).toBe('ERR_SHAPE')
    expect(await rejectionOf(encodeTransportBlock(mul(zeros([1, 400]), Number.NaN), small))).toBe('ERR_RANGE')
    expect(await rejectionOf(encodeTransportBlock(zeros([1, 400]), small, 4))).toBe('ERR_RANGE')
    expect(await rejectionOf(decodeTransportBlock(zeros([1, 999]), small))).toBe('ERR_SHAPE')
    expect(await rejectionOf(decodeTransportBlock(mul(zeros([1, 1000]), Number.NaN), small))).toBe('ERR_RANGE')
    expect(await rejectionOf(decodeTransportBlock(zeros([1, 1000]), small, { earlier: zeros([1, 1, 5]) }))).toBe(
      'ERR_SHAPE',
    )
  })
})
