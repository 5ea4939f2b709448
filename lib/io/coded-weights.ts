/**
 * Weights in a file as integers with scales (lib/model/weight-codes.ts has the mathematics):
 *
 *     layers.0.weight        I8  [O, C, kh, kw] or [O, D]   q
 *     layers.0.weight.scale  F32 [O]                        s, above 0;   w[o, ...] = s[o] q[o, ...]
 */
import type { NetworkDtype } from '../model/network.js'
import { formatShape, type Shape, sameShape } from '../model/shape.js'
import { decodeWeights, encodeWeights } from '../model/weight-codes.js'
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import { refuse } from './refusal.js'
import type { SafetensorsTensor } from './safetensors.js'
import { storedTensor, tensorOf, valuesFromTensor } from './tensor-values.js'

const SCALE = '.scale'

/** The codes of a weight and their scales, each with its name in the file. @throws SpikingRxError `ERR_NOT_FINITE` */
export function codesOf(name: string, weight: Tensor, bits: number): (readonly [string, SafetensorsTensor])[] {
  return scope(() => {
    const { codes, scale } = encodeWeights(name, weight, bits)
    return [
      [name, storedTensor(codes)],
      [name + SCALE, storedTensor(scale)],
    ]
  })
}

/** The weight of a scale's name; another name stays as it is. */
export function weightOfScale(name: string): string {
  return name.endsWith(SCALE) ? name.slice(0, -SCALE.length) : name
}

/**
 * The scales of a coded weight of `shape`.
 *
 * @throws CheckpointError `ERR_CHECKPOINT_TENSORS` when they are missing, of another shape or type, or not all above 0 and finite
 */
export function codedScale(
  path: string,
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  weight: string,
  shape: Shape,
): SafetensorsTensor {
  const name = weight + SCALE
  const scale = tensors.get(name)
  if (!scale)
    throw refuse(path, 'ERR_CHECKPOINT_TENSORS', `has the tensor ${weight} as I8, but lacks its scales ${name}`)
  const wanted = shape.slice(0, 1)
  if (scale.dtype !== 'F32' || !sameShape(scale.shape, wanted)) {
    const got = `${scale.dtype} ${formatShape(scale.shape)}`
    throw refuse(
      path,
      'ERR_CHECKPOINT_TENSORS',
      `has the scales ${name} as ${got}, but ${weight} wants F32 ${formatShape(wanted)}`,
    )
  }
  const values = valuesFromTensor(scale).data as Float32Array
  if (!values.every((value) => value > 0 && value < Number.POSITIVE_INFINITY)) {
    throw refuse(
      path,
      'ERR_CHECKPOINT_TENSORS',
      `has scales ${name} that are not all above 0 and finite: it is damaged`,
    )
  }
  return scale
}

/** The weights of codes and scales. The caller frees them. */
export function decodedWeight(codes: SafetensorsTensor, scale: SafetensorsTensor, dtype: NetworkDtype): Tensor {
  return scope(() => decodeWeights({ codes: tensorOf(codes), scale: tensorOf(scale) }, dtype))
}
