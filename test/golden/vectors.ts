/** Golden vectors: cases with options and tensors, made by implementations that are not ours (the scripts beside). */
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { readSafetensors } from '../../lib/io/safetensors.js'
import { type TensorValues, valuesFromTensor } from '../../lib/io/tensor-values.js'
import type { Dtype } from '../../lib/native.js'
import { type Tensor, tensor } from '../../lib/tensor/index.js'

/** One case of a family: what was computed, with which options. */
export interface GoldenCase<Options> {
  readonly name: string
  readonly options: Options
  /** A tensor of the case, or of those the family shares. */
  values(name: string): TensorValues
  has(name: string): boolean
  /** Names of the case's own tensors that begin with `prefix`, without it. */
  names(prefix: string): string[]
}

/** The cases of `<family>.safetensors`. */
export async function readFamily<Options>(family: string): Promise<readonly GoldenCase<Options>[]> {
  const { metadata, tensors } = await readSafetensors(
    fileURLToPath(new URL(`./${family}.safetensors`, import.meta.url)),
  )
  const { cases } = JSON.parse(metadata.golden!) as { cases: Record<string, Options> }
  return Object.entries(cases).map(([name, options]) => ({
    name,
    options,
    values(key) {
      const found = tensors.get(`${name}/${key}`) ?? tensors.get(`shared/${key}`)
      if (!found) throw new Error(`${family} has no tensor ${key} for the case ${name}`)
      return valuesFromTensor(found)
    },
    has: (key) => tensors.has(`${name}/${key}`),
    names: (prefix) =>
      Array.from(tensors.keys(), (key) => key.split(`${name}/${prefix}`))
        .filter((parts) => parts.length === 2 && parts[0] === '')
        .map((parts) => parts[1]!),
  }))
}

/** The values as a tensor of `dtype`, rounded to it where they are float64. */
export function toTensor(values: TensorValues, dtype: Dtype = values.dtype, requiresGrad = false): Tensor {
  if (dtype === values.dtype) return tensor(values.data, { shape: values.shape, dtype, requiresGrad })
  const numbers = Array.from(values.data, Number)
  const data = dtype === 'float32' ? Float32Array.from(numbers) : Float64Array.from(numbers)
  return tensor(data, { shape: values.shape, dtype, requiresGrad })
}

/**
 * Largest difference allowed, as a share of the largest expected magnitude. float64: the last bits of some hundred
 * operations; float32: the same.
 */
export const tolerance: Readonly<Record<'float32' | 'float64', number>> = { float32: 1e-6, float64: 1e-12 }

/**
 * Shapes are equal, and no value is further from the expected one than `relative` times the largest expected magnitude
 * (1e-30 when all are zero).
 */
export function expectClose(actual: Tensor, expected: TensorValues, relative: number, what: string): void {
  expect(actual.shape, `shape of ${what}`).toEqual([...expected.shape])
  const got = actual.toTypedArray()
  let scale = 1e-30
  let difference = 0
  for (let index = 0; index < got.length; index++) {
    const wanted = Number(expected.data[index])
    const distance = Math.abs(Number(got[index]) - wanted)
    scale = Math.max(scale, Math.abs(wanted))
    difference = Math.max(difference, Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance)
  }
  expect(difference / scale, `largest difference of ${what}, as a share of ${scale}`).toBeLessThanOrEqual(relative)
}

/** Shapes and values are equal, whatever the dtypes. */
export function expectEqual(actual: Tensor, expected: TensorValues, what: string): void {
  expect(actual.shape, `shape of ${what}`).toEqual([...expected.shape])
  expect(Array.from(actual.toTypedArray(), Number), what).toEqual(Array.from(expected.data, Number))
}

/** What autograd has collected in a leaf. */
export function gradientOf(leaf: Tensor): Tensor {
  const gradient = leaf.grad
  if (!gradient) throw new Error('the leaf has no gradient')
  return gradient
}
