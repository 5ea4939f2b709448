/** Which LDPC code of 5G NR carries so many bits: base graph and lifting size (TS 38.212, 5.2.2, 5.3.2, 7.2.2). */
import { ArgumentError } from '../errors.js'
import { argumentReader } from '../model/arguments.js'

export type BaseGraph = 1 | 2

/** One LDPC code with its filler. */
export interface LdpcCode {
  readonly baseGraph: BaseGraph
  /** Z */
  readonly liftingSize: number
  /** K', bits of a code block with its CRC. The code takes K = 22 Z or 10 Z: K − K' filler bits, known to be zero, come behind. */
  readonly informationBits: number
}

export interface LdpcCodeOptions {
  /** K', bits of a code block with its CRC. */
  readonly informationBits: number
  /** Rate K' / E that the code is meant for; chooses the base graph. */
  readonly rate?: number
  /** Instead of the rate's choice. */
  readonly baseGraph?: BaseGraph
}

/** K, the most information bits: 22 and 10 columns of the largest lifting size. */
export const largestBlock: Readonly<Record<BaseGraph, number>> = { 1: 8448, 2: 3840 }

/** Columns of the whole graph and of its information part. */
export const graphColumns: Readonly<Record<BaseGraph, { readonly all: number; readonly information: number }>> = {
  1: { all: 68, information: 22 },
  2: { all: 52, information: 10 },
}

const largestLifting = 384

/** The lifting sizes of table 5.3.2-1: 2, 3, 5, 7, 9, 11, 13 and 15 times powers of two, up to 384; ascending. */
export const liftingSizes: readonly number[] = [2, 3, 5, 7, 9, 11, 13, 15]
  .flatMap((first) => Array.from({ length: 8 }, (_, power) => first * 2 ** power))
  .filter((size) => size <= largestLifting)
  .sort((a, b) => a - b)

/** Base graph for a transport block of `bits` and its code rate (TS 38.212, 6.2.2 and 7.2.2). */
export function baseGraphFor(bits: number, rate: number): BaseGraph {
  return bits <= 292 || (bits <= 3824 && rate <= 0.67) || rate <= 0.25 ? 2 : 1
}

/**
 * The lifting size for code blocks of `blockBits`: the smallest Z with K_b Z ≥ K', where K_b is 22, or with graph 2 depends on the bits of
 * all blocks together (TS 38.212, 5.2.2).
 */
export function liftingSizeFor(baseGraph: BaseGraph, blockBits: number, allBits: number): number {
  const columns = baseGraph === 1 ? 22 : allBits > 640 ? 10 : allBits > 560 ? 9 : allBits > 192 ? 8 : 6
  return liftingSizes.find((size) => columns * size >= blockBits)!
}

/**
 * The code for one block.
 *
 *     ldpcCode({ informationBits: 1024, rate: 0.5 })   // { baseGraph: 2, liftingSize: 104, informationBits: 1024 }
 *
 * @throws ArgumentError `ERR_RANGE` for more bits than the base graph takes, `ERR_TYPE`; `ERR_ARGUMENT` with neither rate nor base graph
 */
export function ldpcCode(options: LdpcCodeOptions): LdpcCode {
  const read = argumentReader('ldpcCode', options)
  const informationBits = read.integer('informationBits', { min: 1, max: largestBlock[1] })
  const rate = read.number('rate', { above: 0, max: 1 }, Number.NaN)
  const given = read.integer('baseGraph', { min: 1, max: 2 }, Number.NaN)
  read.end()
  if (Number.isNaN(rate) && Number.isNaN(given)) {
    throw new ArgumentError('ldpcCode needs rate, which chooses the base graph, or baseGraph', 'ERR_ARGUMENT')
  }
  const baseGraph = Number.isNaN(given) ? baseGraphFor(informationBits, rate) : (given as BaseGraph)
  if (informationBits > largestBlock[baseGraph]) {
    const max = largestBlock[baseGraph]
    throw new ArgumentError(
      `ldpcCode: base graph ${baseGraph} takes at most ${max} information bits, got ${informationBits}: split them into code blocks`,
      'ERR_RANGE',
      { informationBits, max, baseGraph },
    )
  }
  return { baseGraph, liftingSize: liftingSizeFor(baseGraph, informationBits, informationBits), informationBits }
}

/** Bits of a whole code word, the 2 Z that are never sent among them. */
export function codeWordLength({ baseGraph, liftingSize }: LdpcCode): number {
  return graphColumns[baseGraph].all * liftingSize
}

/** Filler bits, K − K'. */
export function fillerBits({ baseGraph, liftingSize, informationBits }: LdpcCode): number {
  return graphColumns[baseGraph].information * liftingSize - informationBits
}
