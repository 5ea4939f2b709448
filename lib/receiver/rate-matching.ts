/** Rate matching of LDPC code words and its inverse (TS 38.212, 5.4.2): which bits are sent, and in which order. */
import { argumentReader } from '../model/arguments.js'
import { opAsync } from '../tensor/operator.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkedCode } from './ldpc.js'
import { graphColumns, type LdpcCode } from './ldpc-code.js'

export interface RateRecoveryOptions {
  /** Where in the circular buffer sending begins, 0 to 3. Default 0. */
  readonly redundancyVersion?: number
  /** Q: the interleaver puts bits E/Q apart into one symbol. Default 1: no interleaving. */
  readonly bitsPerSymbol?: number
  /** N_cb, bits of the circular buffer (limited-buffer rate matching). Default: all that the code has. */
  readonly bufferBits?: number
}

export interface RateMatchingOptions extends RateRecoveryOptions {
  /** E, bits sent: a multiple of `bitsPerSymbol`. More than the buffer holds are repeated. */
  readonly length: number
}

/**
 * Of code words `[..., codeWordLength]` the bits that are sent, `[..., E]` uint8.
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE`
 * @throws ShapeError for another length than the code's
 */
export async function rateMatch(words: Tensor, code: LdpcCode, options: RateMatchingOptions): Promise<Tensor> {
  const { length, args, named } = read('rateMatch', code, options, true)
  return (await opAsync('spikingrx::ldpc_rate_match', [words, ...args, length], named)) as Tensor
}

/**
 * LLRs `[..., E]` of the bits received, put to their places in code words: `[..., codeWordLength]` float32. A bit received several times
 * gets the sum, one not received 0, filler 0 (the decoder knows it).
 *
 * @param earlier the same of earlier redundancy versions, which is added (incremental redundancy)
 * @throws ArgumentError `ERR_RANGE` for an LLR that is NaN too, `ERR_TYPE`
 * @throws ShapeError when `earlier` has another shape than the result
 */
export async function rateRecover(
  llr: Tensor,
  code: LdpcCode,
  options: RateRecoveryOptions = {},
  earlier?: Tensor,
): Promise<Tensor> {
  const { args, named } = read('rateRecover', code, options, false)
  const all = { ...named, earlier: earlier ?? null }
  return (await opAsync('spikingrx::ldpc_rate_recover', [llr, ...args], all)) as Tensor
}

function read(owner: string, code: LdpcCode, options: RateRecoveryOptions, sending: boolean) {
  const { baseGraph, liftingSize, informationBits } = checkedCode(owner, code)
  const buffer = (graphColumns[baseGraph].all - 2) * liftingSize
  const reader = argumentReader(owner, options)
  const length = sending ? reader.integer('length', { min: 1, max: 2 ** 24 }) : 0
  const named = {
    redundancy_version: reader.integer('redundancyVersion', { min: 0, max: 3 }, 0),
    bits_per_symbol: reader.integer('bitsPerSymbol', { min: 1, max: 16 }, 1),
    buffer: reader.integer('bufferBits', { min: 1, max: buffer }, buffer),
  }
  reader.end()
  return { length, args: [baseGraph, liftingSize, informationBits], named }
}
