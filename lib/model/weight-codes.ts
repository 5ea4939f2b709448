/**
 * Weights as small integers with one scale an output channel, symmetric about 0:
 *
 *     s[o] = max |w[o, ...]| / (2^(bits−1) − 1),   q[o, ...] = round(w[o, ...] / s[o]),   w ≈ s q
 *
 * s is rounded to 17 significant bits. A code has 7 at most, so that s q is exact in float32: decoding rounds nothing, and coding what was
 * decoded gives the same codes and scales. No s is below 2^−126, the smallest normal float: a channel of zeros has codes 0.
 */
import { ArgumentError, SpikingRxError } from '../errors.js'
import type { Dtype } from '../native.js'
import {
  abs,
  cast,
  clamp,
  div,
  max,
  mul,
  noGrad,
  reshape,
  round,
  scope,
  sub,
  type Tensor,
  tensorOp,
  to,
} from '../tensor/index.js'
import type { NetworkDtype } from './network.js'
import type { NetworkSpec } from './spec.js'

/** Weights in coded form. */
export interface WeightCodes {
  /** q, int8, in the shape of the weights `[O, ...]`. */
  readonly codes: Tensor
  /** s, float32 `[O]`. */
  readonly scale: Tensor
}

/** Bits that a code can have: it is stored in a byte. */
export const codeBits = { min: 2, max: 8 } as const

const SMALLEST_SCALE = 2 ** -126

/** Names of what is coded: weights of convolutions and linear layers. Biases, norms, decays and thresholds stay as they are. */
export function codedNames(spec: NetworkSpec): ReadonlySet<string> {
  const names = spec.summary.flatMap(({ tensors }) => tensors.map(({ name }) => name))
  return new Set(names.filter((name) => name.endsWith('.weight')))
}

/** @throws ArgumentError `ERR_ARGUMENT` for bfloat16, which could not hold s q exactly */
export function requireCodable(owner: string, dtype: NetworkDtype): void {
  if (dtype !== 'bfloat16') return
  throw new ArgumentError(
    `${owner}: weights of bfloat16 have no exact codes; use a float32 or float64 model`,
    'ERR_ARGUMENT',
  )
}

/**
 * Codes weights `[O, ...]` of float32 or float64, on the CPU, so that a GPU gives the same.
 *
 * @param name of the weights, for the error
 * @throws SpikingRxError `ERR_NOT_FINITE` when a weight is NaN, infinite, or too large for its code to be decoded
 */
export function encodeWeights(name: string, weights: Tensor, bits: number): WeightCodes {
  const levels = 2 ** (bits - 1) - 1
  const coded = (): WeightCodes => {
    const weight = to(weights, { device: 'cpu' })
    const largest = tensorOp('amax', [abs(weight), weight.shape.map((_, axis) => axis).slice(1)])
    const scale = seventeenBits(cast(clamp(div(largest, levels), { min: SMALLEST_SCALE }), 'float32'))
    if (!Number.isFinite(max(mul(scale, levels)).item())) {
      const message = `${name} holds weights that are not finite or beyond 3e38: they have no code; train again`
      throw new SpikingRxError(message, 'ERR_NOT_FINITE', { name })
    }
    return { codes: cast(round(div(weight, alongChannels(scale, weight))), 'int8'), scale }
  }
  return scope(() => noGrad(coded))
}

/** The weights s q, in `dtype`. */
export function decodeWeights({ codes, scale }: WeightCodes, dtype: Dtype): Tensor {
  const wide = dtype === 'float64' ? 'float64' : 'float32'
  return scope(() => cast(mul(cast(codes, wide), cast(alongChannels(scale, codes), wide)), dtype))
}

/** Rounded to the nearest of 24 − 7 significant bits: Veltkamp's splitting. Largest weight / s stays below levels + 1/2. */
function seventeenBits(x: Tensor): Tensor {
  const shifted = mul(x, 2 ** 7 + 1)
  return sub(shifted, sub(shifted, x))
}

/** `[O]` -> `[O, 1, ...]`, as many axes as `weight` has. */
function alongChannels(scale: Tensor, weight: Tensor): Tensor {
  return reshape(scale, [-1, ...weight.shape.slice(1).map(() => 1)])
}
