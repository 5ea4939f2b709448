import { ArgumentError, ShapeError } from '../errors.js'
import type { TypedArray } from '../native.js'
import { native } from '../runtime/addon.js'
import { naturalDtype } from '../tensor/dtype.js'
import { Tensor } from '../tensor/tensor.js'
import type { InferenceInput } from './network.js'
import { describe } from './options.js'
import { formatShape, type Shape, sameShape, sizeOf } from './shape.js'

/**
 * What a network takes: samples one after the other in a typed array, an array with its shape, or a tensor. With `...input`
 * the shape in the spec, shapes are `[...input]` (one sample), `[B, ...input]`, or `[B, T, ...input]` for sequences.
 * `Uint8Array` is an image and is scaled by 1/255; all else is taken as it is.
 */
export type ModelInput = TypedArray | Tensor | { readonly data: TypedArray; readonly shape: Shape }

/** Samples to feed, cut into batches when asked. */
export interface Samples {
  readonly count: number
  /** Shape of one sample: `[...input]` or `[T, ...input]`. */
  readonly shape: Shape
  /** Samples `start` to `end − 1` as a tensor, which the caller disposes of. */
  slice(start: number, end: number): Tensor
  /** The same for one native call, disposed of after it; with `asStep`, as sequences of one time step. */
  part(start: number, end: number, asStep?: boolean): InferenceInput & Disposable
}

/**
 * Checks an input against the shape in the spec.
 *
 * @throws ShapeError `ERR_SHAPE`, ArgumentError `ERR_TYPE`
 */
export function resolveInput(input: ModelInput, expected: Shape): Samples {
  if (input instanceof Tensor) return tensorSamples(input, expected)
  if (isTypedArray(input)) return arraySamples(input, inferShape(input, expected), expected)
  if (typeof input === 'object' && input !== null && isTypedArray(input.data) && Array.isArray(input.shape)) {
    return arraySamples(input.data, input.shape, expected)
  }
  throw new ArgumentError(
    `the input must be a typed array, { data, shape } or a Tensor, got ${describe(input)}`,
    'ERR_TYPE',
  )
}

function isTypedArray(value: unknown): value is TypedArray {
  return (
    value instanceof Float32Array ||
    value instanceof Uint8Array ||
    value instanceof Float64Array ||
    value instanceof Int32Array ||
    value instanceof BigInt64Array ||
    value instanceof Int16Array ||
    value instanceof Int8Array
  )
}

function inferShape(data: TypedArray, expected: Shape): Shape {
  const size = sizeOf(expected)
  if (data.length % size !== 0) {
    throw new ShapeError(
      `the input must hold whole samples of ${size} values ${formatShape(expected)}, got ${data.length} values`,
      { expected: size, actual: data.length },
    )
  }
  return [data.length / size, ...expected]
}

/** `[B, ...sample]`, with a batch of one put before a single sample. */
function batched(shape: Shape, expected: Shape): Shape {
  const extra = shape.length - expected.length
  const whole = shape.every((size) => Number.isSafeInteger(size) && size >= 0)
  if (whole && extra >= 0 && extra <= 2 && sameShape(shape.slice(extra), expected))
    return extra === 0 ? [1, ...shape] : shape
  const sample = expected.join(', ')
  throw new ShapeError(
    `the input must be [${sample}], [B, ${sample}] or [B, T, ${sample}], got ${formatShape(shape)}`,
    {
      expected,
      actual: shape,
    },
  )
}

function arraySamples(data: TypedArray, given: Shape, expected: Shape): Samples {
  const [count = 0, ...shape] = batched(given, expected)
  const size = sizeOf(shape)
  const dtype = naturalDtype(data)
  if (data.length !== count * size) {
    throw new ShapeError(`an input of shape ${formatShape(given)} needs ${count * size} values, got ${data.length}`, {
      expected: count * size,
      actual: data.length,
    })
  }
  return {
    count,
    shape,
    slice: (start, end) =>
      new Tensor(native().tensorFrom(data.subarray(start * size, end * size), [end - start, ...shape], dtype)),
    part: (start, end, asStep = false) => ({
      values: end - start === count ? data : data.subarray(start * size, end * size),
      shape: [end - start, ...(asStep ? [1] : []), ...shape],
      dtype,
      [Symbol.dispose]: () => {},
    }),
  }
}

function tensorSamples(tensor: Tensor, expected: Shape): Samples {
  const [count = 0, ...shape] = batched(tensor.shape, expected)
  const single = tensor.shape.length === expected.length
  const view = (of: Tensor, name: string, args: readonly number[]): Tensor => {
    const made = native().callOperator(name, [{ handle: of.handle }, ...args], {})
    return new Tensor((made as { readonly handle: number }).handle)
  }
  const slice = (start: number, end: number): Tensor =>
    single ? view(tensor, 'aten::unsqueeze', [0]) : view(tensor, 'aten::slice.Tensor', [0, start, end, 1])
  return {
    count,
    shape,
    slice,
    part: (start, end, asStep = false) => {
      const samples = slice(start, end)
      const given = asStep ? view(samples, 'aten::unsqueeze', [1]) : samples
      if (asStep) samples.dispose()
      const { handle: values, shape: sizes, dtype } = given
      return { values, shape: sizes, dtype, [Symbol.dispose]: () => given.dispose() }
    },
  }
}
