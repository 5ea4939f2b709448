/**
 * LDPC encoder and decoder over whole code words (TS 38.212, 5.3.2); {@link rateMatch} chooses which of their bits are sent. Off the main
 * thread, on all cores.
 */
import { argumentReader } from '../model/arguments.js'
import { opAsync } from '../tensor/operator.js'
import type { Tensor } from '../tensor/tensor.js'
import { type CrcName, crcNames } from './crc.js'
import type { LdpcCode } from './ldpc-code.js'

export interface LdpcDecoderOptions {
  /**
   * How a check combines what it hears: `sum-product`, exact, or `min-sum`, scale × max(min − offset, 0), which is faster and loses some
   * 0.1 dB. Default `sum-product`.
   */
  readonly update?: 'sum-product' | 'min-sum'
  /** `layered`: each row of the graph sees the rows before it, half the iterations; `flooding`: all at once. Default `layered`. */
  readonly schedule?: 'layered' | 'flooding'
  /** At most so many, 1 to 1000. Default 20. */
  readonly iterations?: number
  /** A word stops as soon as it is valid. Default true. */
  readonly stopEarly?: boolean
  /** Of min-sum, in (0, 1]. Default 0.75. */
  readonly scale?: number
  /** Of min-sum, 0 to 10. Default 0. */
  readonly offset?: number
  /** Largest magnitude of an LLR and of a message, 1 to 80. Default 20. */
  readonly clip?: number
  /** CRC at the end of the information bits that a valid word must hold besides the parity checks. Default: none. */
  readonly crc?: CrcName
  /** Gives the LLRs after decoding too. Default false. */
  readonly posterior?: boolean
}

export interface LdpcDecoded extends Disposable {
  /** `[..., K']` uint8. */
  readonly bits: Tensor
  /** All parity checks hold, with no bit of them undecided, and the CRC is right: `[...]` bool. */
  readonly valid: Tensor
  /** Iterations each word took: `[...]` int32. */
  readonly iterations: Tensor
  /** With `posterior`: LLRs of the code word, those of the bits that no received bit tells about 0: `[..., codeWordLength]` float32. */
  readonly posterior?: Tensor
}

/**
 * Code words of bits: `[..., K']` of 0 and 1 → `[..., codeWordLength]` uint8, filler as zeros.
 *
 * @throws ArgumentError `ERR_RANGE` for another value than 0 and 1, or a code that there is none
 * @throws ShapeError for another number of bits than the code's
 */
export async function ldpcEncode(bits: Tensor, code: LdpcCode): Promise<Tensor> {
  const { baseGraph, liftingSize } = checkedCode('ldpcEncode', code, bits)
  return (await opAsync('spikingrx::ldpc_encode', [bits, baseGraph, liftingSize])) as Tensor
}

/**
 * Belief propagation over code words, from LLRs = log P(1) / P(0), `[..., codeWordLength]` floating point, 0 for what was not received
 * ({@link rateRecover} gives these). Infinite LLRs count as ±clip.
 *
 *     using decoded = await ldpcDecode(llr, code, { iterations: 10, update: 'min-sum' })
 *
 * A result is that of its word alone, whatever else is in the batch.
 *
 * @throws ArgumentError `ERR_RANGE` for an option outside its range or an LLR that is NaN, `ERR_TYPE`
 * @throws ShapeError for another length than the code's
 */
export async function ldpcDecode(llr: Tensor, code: LdpcCode, options: LdpcDecoderOptions = {}): Promise<LdpcDecoded> {
  const read = argumentReader('ldpcDecode', options)
  const posterior = read.flag('posterior', false)
  const named = {
    update: read.choice('update', ['sum-product', 'min-sum'], 'sum-product'),
    schedule: read.choice('schedule', ['layered', 'flooding'], 'layered'),
    iterations: read.integer('iterations', { min: 1, max: 1000 }, 20),
    stop_early: read.flag('stopEarly', true),
    scale: read.number('scale', { above: 0, max: 1 }, 0.75),
    offset: read.number('offset', { min: 0, max: 10 }, 0),
    clip: read.number('clip', { min: 1, max: 80 }, 20),
    crc: read.has('crc') ? read.choice('crc', crcNames, undefined as never) : null,
    posterior,
  }
  read.end()
  const { baseGraph, liftingSize, informationBits } = checkedCode('ldpcDecode', code)
  const args = [llr, baseGraph, liftingSize, informationBits]
  const [bits, after, iterations, valid] = (await opAsync('spikingrx::ldpc_decode', args, named)) as readonly Tensor[]
  if (!posterior) after!.dispose()
  return {
    bits: bits!,
    valid: valid!,
    iterations: iterations!,
    ...(posterior ? { posterior: after! } : {}),
    [Symbol.dispose]() {
      for (const one of [bits!, after!, iterations!, valid!]) one.dispose()
    },
  }
}

/** The code, with numbers that the operators can check further; with bits, as many as it takes. */
export function checkedCode(owner: string, code: LdpcCode, bits?: Tensor): LdpcCode {
  const read = argumentReader(`${owner}: code`, code)
  const checked = {
    baseGraph: read.integer('baseGraph', { min: 1, max: 2 }) as LdpcCode['baseGraph'],
    liftingSize: read.integer('liftingSize', { min: 2, max: 384 }),
    informationBits: read.integer('informationBits', { min: 1 }),
  }
  const got = bits?.shape.at(-1)
  if (bits !== undefined && got !== checked.informationBits) {
    read.fail(`takes [..., ${checked.informationBits}] bits, got [${bits.shape.join(', ')}]`, 'ERR_SHAPE')
  }
  return checked
}
