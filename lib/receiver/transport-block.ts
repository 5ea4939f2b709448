/**
 * The whole chain of a shared channel's transport block (TS 38.212, 6.2 and 7.2; TS 38.211, 6.3.1.1 and 7.3.1.1):
 *
 *     bits → CRC → code blocks → CRC → LDPC → rate matching, interleaving → one behind the other → scrambling
 *
 * and back from LLRs.
 */
import { ShapeError } from '../errors.js'
import { argumentReader } from '../model/arguments.js'
import { logicalAnd } from '../tensor/comparison.js'
import { tensorOp } from '../tensor/operator.js'
import { scope } from '../tensor/scope.js'
import { cat, reshape, slice } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { codedLengths, type Segmentation, segmentTransportBlock } from './code-blocks.js'
import { attachCrc, checkCrc, crcLengths } from './crc.js'
import { type LdpcDecoderOptions, ldpcDecode, ldpcEncode } from './ldpc.js'
import type { BaseGraph } from './ldpc-code.js'
import { rateMatch, rateRecover } from './rate-matching.js'
import { type ScramblingIdentity, scramble, scramblingState } from './scrambling.js'

export interface TransportBlockOptions {
  /** A: bits of the block, without CRC. */
  readonly size: number
  /** G: coded bits sent, a multiple of `bitsPerSymbol × layers`. */
  readonly codedBits: number
  /** Q: 2 for QPSK, 4 for 16-QAM, 6 for 64-QAM. */
  readonly bitsPerSymbol: number
  /** Layers that the bits are sent on, 1 to 8. Default 1. */
  readonly layers?: number
  /** Code rate that chooses the base graph. Default: size / codedBits. */
  readonly rate?: number
  /** Instead of the rate's choice. */
  readonly baseGraph?: BaseGraph
  /** N_cb, bits of the circular buffer of each code block. Default: all. */
  readonly bufferBits?: number
  /** Default: no scrambling. */
  readonly scrambling?: ScramblingIdentity
}

/** What {@link transportBlock} worked out. */
export interface TransportBlock extends Segmentation {
  readonly size: number
  readonly codedBits: number
  readonly bitsPerSymbol: number
  readonly bufferBits?: number
  /** E_r, coded bits of each code block. */
  readonly lengths: readonly number[]
  /** Initial state of the scrambling sequence. */
  readonly scramblingState?: number
}

/**
 * Plans a transport block.
 *
 *     const block = transportBlock({ size: 1024, codedBits: 2048, bitsPerSymbol: 4 })
 *     const sent = await encodeTransportBlock(randint(0, 2, [8, 1024]), block)      // [8, 2048]
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE`: a size or a number of coded bits that there is no block for
 */
export function transportBlock(options: TransportBlockOptions): TransportBlock {
  const read = argumentReader('transportBlock', options)
  const size = read.integer('size', { min: 1, max: 2_000_000 })
  const codedBits = read.integer('codedBits', { min: 1 })
  const bitsPerSymbol = read.integer('bitsPerSymbol', { min: 1, max: 16 })
  const layers = read.integer('layers', { min: 1, max: 8 }, 1)
  const rate = read.number('rate', { above: 0, max: 1 }, Math.min(size / codedBits, 1))
  const baseGraph = read.has('baseGraph') ? (read.integer('baseGraph', { min: 1, max: 2 }) as BaseGraph) : undefined
  const bufferBits = read.has('bufferBits') ? read.integer('bufferBits', { min: 1 }) : undefined
  const scrambling = read.raw('scrambling') as ScramblingIdentity | undefined
  read.end()
  const segmentation = segmentTransportBlock(size, rate, baseGraph)
  return {
    ...segmentation,
    size,
    codedBits,
    bitsPerSymbol,
    ...(bufferBits === undefined ? {} : { bufferBits }),
    lengths: codedLengths(codedBits, segmentation.codeBlocks, bitsPerSymbol, layers),
    ...(scrambling === undefined ? {} : { scramblingState: scramblingState(scrambling) }),
  }
}

/**
 * Bits `[..., A]` of 0 and 1 → the coded bits sent `[..., G]`, uint8.
 *
 * @param redundancyVersion 0 to 3. Default 0
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE`
 * @throws ShapeError for another number of bits than the block's
 */
export async function encodeTransportBlock(
  bits: Tensor,
  block: TransportBlock,
  redundancyVersion = 0,
): Promise<Tensor> {
  const leading = leadingShape('encodeTransportBlock', bits, block.size)
  const words = leading.reduce((product, size) => product * size, 1)
  return scope(async () => {
    const { code, codeBlocks, crc, codeBlockCrc } = block
    const perBlock = (block.size + crcLengths[crc]) / codeBlocks
    const cut = reshape(attachCrc(bits, crc), [words, codeBlocks, perBlock])
    const whole = await ldpcEncode(codeBlockCrc ? attachCrc(cut, codeBlockCrc) : cut, code)
    const parts: Tensor[] = []
    for (const { from, count, length } of runs(block.lengths)) {
      const some = slice(whole, 1, { start: from, end: from + count })
      const sent = await rateMatch(some, code, { ...matching(block, redundancyVersion), length })
      parts.push(reshape(sent, [words, count * length]))
    }
    const all = reshape(cat(parts, 1), [...leading, block.codedBits])
    return block.scramblingState === undefined ? all : scramble(all, block.scramblingState)
  })
}

export interface DecodeTransportBlockOptions extends Omit<LdpcDecoderOptions, 'crc' | 'posterior'> {
  /** Of what was received, 0 to 3. Default 0. */
  readonly redundancyVersion?: number
  /** `softBits` of an earlier transmission of the same block, which is added to what was received now. */
  readonly earlier?: Tensor
}

export interface DecodedTransportBlock extends Disposable {
  /** `[..., A]` uint8. */
  readonly bits: Tensor
  /** The block's CRC is right, and every code block is a valid code word: `[...]` bool. */
  readonly valid: Tensor
  /** Iterations of each code block: `[..., C]` int32. */
  readonly iterations: Tensor
  /** LLRs of the code words before decoding, for `earlier`: `[words, C, codeWordLength]` float32. */
  readonly softBits: Tensor
}

/**
 * LLRs `[..., G]` = log P(1) / P(0) of the coded bits → the block's bits, and whether they are right.
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE`: an option outside its range, an LLR that is NaN
 * @throws ShapeError for another number of LLRs than the block's
 */
export async function decodeTransportBlock(
  llr: Tensor,
  block: TransportBlock,
  options: DecodeTransportBlockOptions = {},
): Promise<DecodedTransportBlock> {
  const leading = leadingShape('decodeTransportBlock', llr, block.codedBits)
  const words = leading.reduce((product, size) => product * size, 1)
  const { redundancyVersion = 0, earlier, ...decoder } = options
  const found = await scope(async () => {
    const { code, codeBlocks, crc, codeBlockCrc } = block
    const plain = block.scramblingState === undefined ? llr : scramble(llr, block.scramblingState)
    const received = reshape(plain, [words, block.codedBits])
    const parts: Tensor[] = []
    let at = 0
    for (const { from, count, length } of runs(block.lengths)) {
      const some = reshape(slice(received, 1, { start: at, end: at + count * length }), [words, count, length])
      const before = earlier && slice(earlier, 1, { start: from, end: from + count })
      parts.push(await rateRecover(some, code, matching(block, redundancyVersion), before))
      at += count * length
    }
    const softBits = cat(parts, 1)
    const decoded = await ldpcDecode(softBits, code, { ...decoder, crc: codeBlockCrc ?? crc })
    const perBlock = code.informationBits - (codeBlockCrc ? crcLengths[codeBlockCrc] : 0)
    const withCrc = reshape(slice(decoded.bits, 2, { end: perBlock }), [words, codeBlocks * perBlock])
    const valid = logicalAnd(tensorOp('all.dim', [decoded.valid, 1]), checkCrc(withCrc, crc))
    return {
      bits: reshape(slice(withCrc, 1, { end: block.size }), [...leading, block.size]),
      valid: reshape(valid, leading),
      iterations: reshape(decoded.iterations, [...leading, codeBlocks]),
      softBits,
    }
  })
  return {
    ...found,
    [Symbol.dispose]() {
      for (const one of Object.values(found)) one.dispose()
    },
  }
}

/** Neighbouring code blocks with as many coded bits: at most two runs. */
function runs(lengths: readonly number[]): readonly { from: number; count: number; length: number }[] {
  const found: { from: number; count: number; length: number }[] = []
  lengths.forEach((length, from) => {
    const last = found.at(-1)
    if (last?.length === length) last.count += 1
    else found.push({ from, count: 1, length })
  })
  return found
}

function matching(block: TransportBlock, redundancyVersion: number) {
  const { bitsPerSymbol, bufferBits } = block
  return { bitsPerSymbol, redundancyVersion, ...(bufferBits === undefined ? {} : { bufferBits }) }
}

function leadingShape(owner: string, x: Tensor, last: number): readonly number[] {
  if (x.shape.at(-1) !== last) {
    const details = { expected: last, actual: x.shape }
    throw new ShapeError(`${owner} expects [..., ${last}], got [${x.shape.join(', ')}]`, details)
  }
  return x.shape.slice(0, -1)
}
