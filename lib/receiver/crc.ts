/** Cyclic redundancy checks of 5G NR (TS 38.212, 5.1). */
import { argumentReader } from '../model/arguments.js'
import { tensorOp } from '../tensor/operator.js'
import type { Tensor } from '../tensor/tensor.js'

/**
 * The generator polynomials, by their degree:
 *
 *     crc24a  D24 D23 D18 D17 D14 D11 D10 D7 D6 D5 D4 D3 D 1     transport blocks of more than 3824 bits
 *     crc24b  D24 D23 D6 D5 D 1                                  code blocks
 *     crc24c  D24 D23 D21 D20 D17 D15 D13 D12 D8 D4 D2 D 1       control
 *     crc16   D16 D12 D5 1                                       transport blocks of up to 3824 bits
 *     crc11   D11 D10 D9 D5 1                                    control
 *     crc6    D6 D5 1                                            control
 */
export type CrcName = 'crc24a' | 'crc24b' | 'crc24c' | 'crc16' | 'crc11' | 'crc6'

/** Parity bits of each CRC. */
export const crcLengths: Readonly<Record<CrcName, number>> = {
  crc24a: 24,
  crc24b: 24,
  crc24c: 24,
  crc16: 16,
  crc11: 11,
  crc6: 6,
}

export const crcNames = Object.keys(crcLengths) as CrcName[]

/**
 * Bits `[..., n]` of 0 and 1, of any dtype, with their CRC behind them: `[..., n + length]` uint8.
 *
 * @throws ArgumentError `ERR_RANGE` for another value than 0 and 1 or another polynomial
 * @throws ShapeError for a tensor without axes
 */
export function attachCrc(bits: Tensor, crc: CrcName): Tensor {
  return tensorOp('spikingrx::crc_attach', [bits, checked('attachCrc', crc)])
}

/**
 * Whether the last bits of each row of `[..., n + length]` are the CRC of those before them: `[...]` bool.
 *
 * @throws ArgumentError `ERR_RANGE` for another value than 0 and 1 or another polynomial
 * @throws ShapeError for rows shorter than the CRC
 */
export function checkCrc(bits: Tensor, crc: CrcName): Tensor {
  return tensorOp('spikingrx::crc_check', [bits, checked('checkCrc', crc)])
}

function checked(owner: string, crc: unknown): CrcName {
  return argumentReader(owner, { crc }).choice('crc', crcNames, undefined as never)
}
