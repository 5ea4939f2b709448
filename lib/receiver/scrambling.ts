/** Scrambling of the shared channels (TS 38.211, 5.2.1, 6.3.1.1 and 7.3.1.1). */
import { argumentReader } from '../model/arguments.js'
import { tensorOp } from '../tensor/operator.js'
import type { Tensor } from '../tensor/tensor.js'

const largestState = 2 ** 31 - 1

export interface ScramblingIdentity {
  /** n_RNTI, 0 to 65535. Default 1. */
  readonly rnti?: number
  /** n_ID, 0 to 1023. Default 1. */
  readonly identity?: number
  /** q, 0 or 1: which of two code words of a downlink slot. Default 0. */
  readonly codeWord?: number
}

/**
 * Initial state of a slot's sequence: n_RNTI 2^15 + q 2^14 + n_ID.
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE`
 */
export function scramblingState(identity: ScramblingIdentity = {}): number {
  const read = argumentReader('scramblingState', identity)
  const rnti = read.integer('rnti', { min: 0, max: 65535 }, 1)
  const id = read.integer('identity', { min: 0, max: 1023 }, 1)
  const codeWord = read.integer('codeWord', { min: 0, max: 1 }, 0)
  read.end()
  return rnti * 2 ** 15 + codeWord * 2 ** 14 + id
}

/**
 * The Gold sequence c[0], ..., c[length - 1] of an initial state: `[length]` uint8 of 0 and 1.
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE`
 */
export function goldSequence(length: number, state: number): Tensor {
  const read = argumentReader('goldSequence', { length, state })
  const args = [read.integer('length', { min: 0, max: largestState }), checkedState(read)]
  return tensorOp('spikingrx::gold_sequence', args)
}

/**
 * Adds the sequence to bits `[..., n]` (any integer dtype, uint8 comes back), or turns the sign of LLRs `[..., n]` (floating point) where
 * it is 1. Each row gets the same sequence; the function is its own inverse.
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE`
 */
export function scramble(bitsOrLlr: Tensor, state: number): Tensor {
  return tensorOp('spikingrx::scramble', [bitsOrLlr, checkedState(argumentReader('scramble', { state }))])
}

function checkedState(read: ReturnType<typeof argumentReader>): number {
  return read.integer('state', { min: 0, max: largestState })
}
