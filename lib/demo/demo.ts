import { ArgumentError } from '../errors.js'
import type { Tensor } from '../tensor/index.js'

export interface DemoOptions {
  /** Where the pictures go; made when missing. */
  readonly directory: string
  /** Same seed, same figures. Default 0. */
  readonly seed?: number
}

export interface DemoResult {
  /** The figures, line by line. */
  readonly lines: readonly string[]
  /** The files written: SVG and PNG of each picture. */
  readonly pictures: readonly string[]
}

/** @throws ArgumentError `ERR_RANGE` unless the seed is a whole number from 0 on */
export function demoSeed({ seed = 0 }: DemoOptions): number {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ArgumentError(`a demo expects a whole seed from 0 on, got ${seed}`, 'ERR_RANGE', { seed })
  }
  return seed
}

/** Values of a float32 tensor in row-major order. */
export function numbers(tensor: Tensor): Float32Array {
  const values = tensor.toTypedArray()
  if (values instanceof Float32Array) return values
  throw new ArgumentError(`a demo reads float32 tensors, got ${tensor.dtype}`, 'ERR_TYPE')
}

/** [1, 20, 1] */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`
}
