import type { Tensor } from '../tensor/index.js'
import { argumentReader } from './arguments.js'
import { copyModel } from './copy.js'
import type { Model } from './model.js'
import { codeBits, codedNames, decodeWeights, encodeWeights, requireCodable } from './weight-codes.js'

export interface QuantizeOptions {
  /** Bits of a weight, 2 to 8. Default 8. */
  readonly bits?: number
}

/**
 * A copy of the model whose weights are whole multiples of a scale, as a processor with integer weights has them:
 *
 *     w = s[o] q,   q = −127 .. 127 for 8 bits,   s[o] = max |w[o, ...]| / 127 for each output channel o
 *
 * Weights of convolutions and linear layers are rounded, by half a scale at most; biases and norms stay as they are. A norm behind a
 * convolution only scales its channels, so that folding it would change no code. `save(path, { weightBits: 8 })`, of the model or of
 * this copy, writes a file that loads with the very bits of this copy.
 *
 *     await using small = await quantizeWeights(model)
 *
 * @returns a model that the caller disposes of
 * @throws ArgumentError `ERR_RANGE` for another number of bits, `ERR_ARGUMENT` for a bfloat16 model
 * @throws SpikingRxError `ERR_NOT_FINITE` when a weight is not finite
 */
export async function quantizeWeights(model: Model, options: QuantizeOptions = {}): Promise<Model> {
  const read = argumentReader('quantizeWeights', options)
  const bits = read.integer('bits', codeBits, 8)
  read.end()
  requireCodable('quantizeWeights', model.dtype)
  const coded = codedNames(model.spec)
  const rounded = (name: string, weight: Tensor): Tensor =>
    coded.has(name) ? decodeWeights(encodeWeights(name, weight, bits), model.dtype) : weight
  return copyModel(model, model.spec, rounded)
}
