import {
  type LdpcDecoderOptions,
  ldpcCode,
  ldpcDecode,
  ldpcEncode,
  rateMatch,
  rateRecover,
} from '../../lib/receiver/coding.js'
import { cast, mul, ne, randint, randn, scope, sub, sum, tensorOp } from '../../lib/tensor/index.js'

/** Share of wrong words of k bits sent in n, BPSK in Gaussian noise of `snr` dB Eb/N0. */
export async function blockErrorRate(
  k: number,
  n: number,
  snr: number,
  words: number,
  options: LdpcDecoderOptions,
): Promise<number> {
  return scope(async () => {
    const code = ldpcCode({ informationBits: k, rate: k / n })
    const bits = randint(0, 2, [words, k])
    const sent = await rateMatch(await ldpcEncode(bits, code), code, { length: n })
    const variance = n / (2 * k * 10 ** (snr / 10))
    const y = sub(sub(mul(cast(sent, 'float32'), 2), 1), mul(randn([words, n]), Math.sqrt(variance)))
    const decoded = await ldpcDecode(await rateRecover(mul(y, 2 / variance), code), code, options)
    const wrong = tensorOp('any.dim', [ne(decoded.bits, bits), 1])
    return Number(sum(cast(wrong, 'float32')).item()) / words
  })
}
