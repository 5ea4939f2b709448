/** Bit error rates in closed form, for curves beside what was measured. */
import { ArgumentError } from '../errors.js'
import { quantity } from '../study/quantity.js'
import { tensor } from '../tensor/create.js'
import { tensorOp } from '../tensor/operator.js'
import { choice } from './arguments.js'
import { bitsPerSymbol, checkedModulation, type Modulation } from './constellation.js'

/**
 * Bit error rate of hard decisions on nearest symbols with perfect channel knowledge, one antenna, at Es/N0 = `snr` dB.
 *
 * With L = 2^n levels an axis, a = sqrt(3 / (2 (M − 1))) (Cho and Yoon, IEEE Trans. Commun. 50, 2002, eq. 14 and 16):
 *
 *     P = 1/n Σ_k 1/L Σ_{i < (1 − 2^−k) L} (−1)^⌊i 2^(k−1) / L⌋ (2^(k−1) − ⌊i 2^(k−1) / L + 1/2⌋) erfc((2i + 1) a sqrt(Es/N0))
 *
 * and in Rayleigh fading the mean of erfc(c sqrt(g)) over g, 1 − sqrt(c² Es/N0 / (1 + c² Es/N0)), in its place.
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` for an unknown modulation or channel, or an SNR that is not finite
 */
export function theoreticalBitErrorRate(modulation: Modulation, channel: 'awgn' | 'rayleigh', snr: number): number {
  const owner = 'theoreticalBitErrorRate'
  const bits = bitsPerSymbol[checkedModulation(owner, modulation)] / 2
  const mean = choice(owner, 'channel', channel, ['awgn', 'rayleigh']) === 'awgn' ? complementaryError : fadedError
  const energy = 10 ** (quantity(owner, 'snr', snr, 'dB', { min: -100, max: 100 }) / 10)
  const levels = 2 ** bits
  const scale = Math.sqrt((3 * energy) / (2 * (levels ** 2 - 1)))
  let sum = 0
  for (let k = 1; k <= bits; k++) {
    for (let i = 0; i < (1 - 2 ** -k) * levels; i++) {
      const place = (i * 2 ** (k - 1)) / levels
      const sign = Math.floor(place) % 2 === 0 ? 1 : -1
      sum += sign * (2 ** (k - 1) - Math.floor(place + 0.5)) * mean((2 * i + 1) * scale)
    }
  }
  return sum / levels / bits
}

/**
 * Bit error rate of QPSK in Rayleigh fading on `branches` independent antennas combined, each at Es/N0 = `snr` dB:
 * with m = sqrt(g / (1 + g)), g = Eb/N0 (Proakis, Digital Communications, 14.4-15):
 *
 *     P = ((1 − m) / 2)^L Σ_{l < L} C(L − 1 + l, l) ((1 + m) / 2)^l
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE`
 */
export function theoreticalCombiningErrorRate(branches: number, snr: number): number {
  if (!Number.isSafeInteger(branches) || branches < 1) {
    const message = `theoreticalCombiningErrorRate: branches must be a whole number of at least 1, got ${branches}`
    throw new ArgumentError(message, 'ERR_RANGE', { parameter: 'branches', value: branches })
  }
  const bitEnergy =
    10 ** (quantity('theoreticalCombiningErrorRate', 'snr', snr, 'dB', { min: -100, max: 100 }) / 10) / 2
  const m = Math.sqrt(bitEnergy / (1 + bitEnergy))
  let [sum, term] = [0, 1]
  for (let l = 0; l < branches; l++) {
    sum += term
    term *= ((branches + l) / (l + 1)) * ((1 + m) / 2)
  }
  return ((1 - m) / 2) ** branches * sum
}

function complementaryError(x: number): number {
  using at = tensor(x, { dtype: 'float64' })
  using value = tensorOp('special_erfc', [at])
  return value.item()
}

/** E erfc(x sqrt(g)), g exponential of mean 1; without cancellation where x is large. */
function fadedError(x: number): number {
  const share = x ** 2 / (1 + x ** 2)
  return 1 / (1 + x ** 2) / (1 + Math.sqrt(share))
}
