/** How a transport block is cut into code blocks, and how many coded bits each gets (TS 38.212, 5.2.2, 5.4.2.1, 6.2, 7.2). */
import { ArgumentError } from '../errors.js'
import { argumentReader } from '../model/arguments.js'
import type { CrcName } from './crc.js'
import { crcLengths } from './crc.js'
import { type BaseGraph, baseGraphFor, type LdpcCode, largestBlock, liftingSizeFor } from './ldpc-code.js'

export interface Segmentation {
  /** CRC of the transport block: `crc24a` above 3824 bits, else `crc16`. */
  readonly crc: CrcName
  /** C: code blocks. */
  readonly codeBlocks: number
  /** CRC of each code block, where there are several. */
  readonly codeBlockCrc?: 'crc24b'
  /** The code of every block; its `informationBits` are K', with the CRCs. */
  readonly code: LdpcCode
}

/** Largest transport block with the short CRC. */
const longestWithShortCrc = 3824

/**
 * Code blocks of a transport block of `size` bits:
 *
 *     B = size + CRC,  C = 1 where B ≤ K_cb, else ⌈B / (K_cb − 24)⌉ with 24 bits of CRC each,  K' = (B + 24 C) / C
 *
 * K_cb is 8448 with base graph 1 and 3840 with 2.
 *
 * @param rate code rate that the block is meant for, which chooses the base graph where none is given
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE`; `ERR_RANGE` also for a size that does not cut into equal blocks, as those of TS 38.214 do
 */
export function segmentTransportBlock(size: number, rate: number, baseGraph?: BaseGraph): Segmentation {
  const read = argumentReader('segmentTransportBlock', { size, rate, baseGraph })
  const bits = read.integer('size', { min: 1, max: 2_000_000 })
  const graph = read.integer(
    'baseGraph',
    { min: 1, max: 2 },
    baseGraphFor(bits, read.number('rate', { above: 0, max: 1 })),
  ) as BaseGraph
  const crc = bits > longestWithShortCrc ? 'crc24a' : 'crc16'
  const all = bits + crcLengths[crc]
  const largest = largestBlock[graph]
  if (all <= largest) return { crc, codeBlocks: 1, code: codeOf(graph, all, all) }
  const codeBlocks = Math.ceil(all / (largest - crcLengths.crc24b))
  if (all % codeBlocks !== 0) {
    const down = bits - (all % codeBlocks)
    const sizes = `${down} or ${down + codeBlocks}`
    throw new ArgumentError(
      `segmentTransportBlock: ${bits} bits do not cut into ${codeBlocks} equal code blocks: take ${sizes} bits`,
      'ERR_RANGE',
      { size: bits, codeBlocks },
    )
  }
  const blockBits = all / codeBlocks + crcLengths.crc24b
  return { crc, codeBlocks, codeBlockCrc: 'crc24b', code: codeOf(graph, blockBits, all) }
}

/**
 * E_r, the coded bits of each code block when `codedBits` are sent: whole symbols on every layer, the later blocks one more where they do
 * not come out even.
 *
 * @throws ArgumentError `ERR_RANGE` unless `codedBits` are whole symbols on every layer, at least one for each block
 */
export function codedLengths(
  codedBits: number,
  codeBlocks: number,
  bitsPerSymbol: number,
  layers = 1,
): readonly number[] {
  const read = argumentReader('codedLengths', { codedBits, codeBlocks, bitsPerSymbol, layers })
  const unit = read.integer('bitsPerSymbol', { min: 1, max: 16 }) * read.integer('layers', { min: 1, max: 8 })
  const blocks = read.integer('codeBlocks', { min: 1 })
  const total = read.integer('codedBits', { min: 1 })
  if (total % unit !== 0 || total < unit * blocks) {
    const wanted = `a multiple of ${unit} bits (a symbol on every layer) and at least ${unit * blocks}`
    return read.fail(`needs codedBits to be ${wanted}, got ${total}`, 'ERR_RANGE', { codedBits: total, unit, blocks })
  }
  const symbols = total / unit
  const short = blocks - (symbols % blocks)
  return Array.from({ length: blocks }, (_, r) => unit * (Math.floor(symbols / blocks) + (r < short ? 0 : 1)))
}

function codeOf(baseGraph: BaseGraph, blockBits: number, allBits: number): LdpcCode {
  return { baseGraph, liftingSize: liftingSizeFor(baseGraph, blockBits, allBits), informationBits: blockBits }
}
