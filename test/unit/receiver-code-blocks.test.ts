import { describe, expect, it } from 'vitest'
import {
  codedLengths,
  codeWordLength,
  fillerBits,
  ldpcCode,
  liftingSizes,
  segmentTransportBlock,
} from '../../lib/receiver/coding.js'
import { codeOf } from './receiver-expectations.js'

describe('the codes of TS 38.212', () => {
  it('have the 51 lifting sizes of table 5.3.2-1', () => {
    expect(liftingSizes).toHaveLength(51)
    expect(liftingSizes.slice(0, 12)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
    expect(liftingSizes.slice(-9)).toEqual([192, 208, 224, 240, 256, 288, 320, 352, 384])
  })

  // 6.2.2: graph 2 up to 292 bits, up to 3824 at rates to 0.67, and at rates to 0.25.
  it.each([
    [292, 0.9, 2],
    [293, 0.9, 1],
    [3824, 0.67, 2],
    [3824, 0.68, 1],
    [3825, 0.67, 1],
    [3825, 0.25, 2],
  ])('take for %d bits at rate %d base graph %d', (informationBits, rate, baseGraph) => {
    expect(ldpcCode({ informationBits, rate }).baseGraph).toBe(baseGraph)
  })

  // 5.2.2: K_b = 22; of graph 2: 10 above 640 bits, 9 above 560, 8 above 192, else 6; the smallest Z with K_b Z >= K'.
  it.each([
    [1, 22, 2],
    [1, 8448, 384],
    [1, 7745, 384],
    [1, 7744, 352],
    [2, 192, 32],
    [2, 193, 26],
    [2, 560, 72],
    [2, 561, 64],
    [2, 640, 72],
    [2, 641, 72],
    [2, 3840, 384],
  ] as const)('of graph %d lift by %#: %d bits by %d', (baseGraph, informationBits, liftingSize) => {
    expect(ldpcCode({ informationBits, baseGraph }).liftingSize).toBe(liftingSize)
  })

  it('have the length and the filler that the graph gives them', () => {
    const code = ldpcCode({ informationBits: 64, rate: 0.5 })
    expect([codeWordLength(code), fillerBits(code)]).toEqual([52 * 11, 10 * 11 - 64])
  })

  it('refuse what there is no code for', () => {
    expect(codeOf(() => ldpcCode({ informationBits: 3841, baseGraph: 2 }))).toBe('ERR_RANGE')
    expect(() => ldpcCode({ informationBits: 3841, baseGraph: 2 })).toThrow(/at most 3840 information bits, got 3841/)
    expect(codeOf(() => ldpcCode({ informationBits: 8449, baseGraph: 1 }))).toBe('ERR_RANGE')
    expect(codeOf(() => ldpcCode({ informationBits: 0, rate: 0.5 }))).toBe('ERR_RANGE')
    expect(codeOf(() => ldpcCode({ informationBits: 100, rate: 0 }))).toBe('ERR_RANGE')
    expect(codeOf(() => ldpcCode({ informationBits: 100, rate: Number.NaN }))).toBe('ERR_RANGE')
    expect(codeOf(() => ldpcCode({ informationBits: 100 }))).toBe('ERR_ARGUMENT')
    expect(codeOf(() => ldpcCode({ informationBits: '100' as never, rate: 0.5 }))).toBe('ERR_TYPE')
  })
})

describe('segmentTransportBlock', () => {
  // By hand from 5.2.2: B = size + CRC; C; K' = B / C (+ 24); Z.
  it.each([
    [24, 0.5, { crc: 'crc16', codeBlocks: 1, graph: 2, blockBits: 40, lifting: 7 }],
    [200, 0.5, { crc: 'crc16', codeBlocks: 1, graph: 2, blockBits: 216, lifting: 28 }],
    [600, 0.5, { crc: 'crc16', codeBlocks: 1, graph: 2, blockBits: 616, lifting: 72 }],
    [3824, 0.5, { crc: 'crc16', codeBlocks: 1, graph: 2, blockBits: 3840, lifting: 384 }],
    [3840, 0.5, { crc: 'crc24a', codeBlocks: 1, graph: 1, blockBits: 3864, lifting: 176 }],
    [8424, 0.8, { crc: 'crc24a', codeBlocks: 1, graph: 1, blockBits: 8448, lifting: 384 }],
    [8448, 0.8, { crc: 'crc24a', codeBlocks: 2, graph: 1, blockBits: 4260, lifting: 208 }],
    [20496, 0.9, { crc: 'crc24a', codeBlocks: 3, graph: 1, blockBits: 6864, lifting: 320 }],
    [7600, 0.2, { crc: 'crc24a', codeBlocks: 2, graph: 2, blockBits: 3836, lifting: 384 }],
  ])('cuts %d bits at rate %d', (size, rate, expected) => {
    const { crc, codeBlocks, codeBlockCrc, code } = segmentTransportBlock(size, rate)
    expect({
      crc,
      codeBlocks,
      graph: code.baseGraph,
      blockBits: code.informationBits,
      lifting: code.liftingSize,
    }).toEqual(expected)
    expect(codeBlockCrc).toBe(codeBlocks > 1 ? 'crc24b' : undefined)
  })

  it('refuses a size that does not come out even, and names those that do', () => {
    expect(() => segmentTransportBlock(20497, 0.9)).toThrow(/3 equal code blocks: take 20496 or 20499 bits/)
    expect(codeOf(() => segmentTransportBlock(20497, 0.9))).toBe('ERR_RANGE')
    expect(codeOf(() => segmentTransportBlock(0, 0.9))).toBe('ERR_RANGE')
    expect(codeOf(() => segmentTransportBlock(100, 1.5))).toBe('ERR_RANGE')
  })
})

describe('codedLengths', () => {
  // 5.4.2.1: the first C - mod(symbols, C) blocks get the floor, the others one symbol more.
  it.each([
    [26, 3, 2, 1, [8, 8, 10]],
    [24, 3, 2, 1, [8, 8, 8]],
    [64, 3, 4, 2, [16, 24, 24]],
    [100, 1, 4, 1, [100]],
  ])('shares %d bits among %d blocks in symbols of %d bits on %d layers', (bits, blocks, symbol, layers, lengths) => {
    expect(codedLengths(bits, blocks, symbol, layers)).toEqual(lengths)
  })

  it('refuses what are no whole symbols, and too few', () => {
    expect(() => codedLengths(25, 3, 2)).toThrow(/a multiple of 2 bits.*at least 6, got 25/)
    expect(codeOf(() => codedLengths(4, 3, 2))).toBe('ERR_RANGE')
  })
})
