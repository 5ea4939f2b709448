/** Gray-mapped QPSK, 16-QAM and 64-QAM of 3GPP TS 38.211, of unit mean energy. */
import { ArgumentError } from '../errors.js'
import { op } from '../tensor/operator.js'
import type { Tensor } from '../tensor/tensor.js'

export type Modulation = 'qpsk' | '16qam' | '64qam'

/** Bits that a symbol of each modulation carries. */
export const bitsPerSymbol: Readonly<Record<Modulation, number>> = { qpsk: 2, '16qam': 4, '64qam': 6 }

/** Names of every modulation. */
export const modulations: readonly Modulation[] = Object.keys(bitsPerSymbol) as Modulation[]

/** @throws ArgumentError `ERR_RANGE` for a name that is none */
export function checkedModulation(owner: string, modulation: unknown): Modulation {
  if (typeof modulation === 'string' && Object.hasOwn(bitsPerSymbol, modulation)) return modulation as Modulation
  const message = `${owner}: modulation must be ${modulations.join(', ')}, got ${JSON.stringify(modulation)}`
  throw new ArgumentError(message, 'ERR_RANGE', { parameter: 'modulation', value: modulation })
}

/**
 * The points, `[2^bits, 2]` float64 (real, imaginary): row `i` is the point of the bits b0 b1 ... of `i`, b0 the most significant.
 *
 * @throws ArgumentError `ERR_RANGE` for an unknown modulation
 */
export function constellation(modulation: Modulation): Tensor {
  return op('spikingrx::link_constellation', [checkedModulation('constellation', modulation)]) as Tensor
}
