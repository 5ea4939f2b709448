import { expect } from 'vitest'
import { gradEnabled, noGrad, scope, sum, type Tensor, tensor } from '../../lib/tensor/index.js'

type Numbers = number | readonly Numbers[]

function flat(values: Numbers): readonly number[] {
  return typeof values === 'number' ? [values] : values.flatMap(flat)
}

function shapeOf(values: Numbers): readonly number[] {
  return typeof values === 'number' ? [] : [values.length, ...(values.length > 0 ? shapeOf(values[0]!) : [])]
}

/** Shape and values agree, each within `tolerance` relative to 1 + |expected|; NaN and infinities where expected. */
export function expectValues(actual: Tensor, expected: Numbers, tolerance = 1e-6): void {
  expect(actual.shape).toEqual(shapeOf(expected))
  const values = Array.from(actual.toTypedArray(), Number)
  flat(expected).forEach((want, i) => {
    const got = values[i]!
    if (!Number.isFinite(want)) expect(got, `element ${i}`).toBe(want)
    else if (!(Math.abs(got - want) <= tolerance * (1 + Math.abs(want)))) {
      expect.fail(`element ${i}: expected ${want}, got ${got}; all: ${values.slice(0, 20)}`)
    }
  })
}

/** The error a call throws: its code and class name. */
export function codeOf(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return `${(error as { code: string }).code} ${(error as Error).name}`
  }
  return 'nothing thrown'
}

/**
 * Gradients of the sum of `compute` by autograd against central differences, in float64.
 */
export function expectGradients(
  compute: (...inputs: Tensor[]) => Tensor,
  inputs: readonly { readonly shape: readonly number[]; readonly values: readonly number[] }[],
  tolerance = 1e-6,
): void {
  expect(gradEnabled()).toBe(true)
  scope(() => {
    const make = (input: (typeof inputs)[number], values: readonly number[]) =>
      tensor(values, { shape: input.shape, dtype: 'float64' })
    const leaves = inputs.map((input) => make(input, input.values).requireGrad())
    sum(compute(...leaves)).backward()
    const value = (which: number, at: number, shift: number): number =>
      noGrad(() =>
        sum(
          compute(
            ...inputs.map((input, i) =>
              make(input, i === which ? input.values.map((x, j) => (j === at ? x + shift : x)) : input.values),
            ),
          ),
        ).item(),
      )
    const step = 1e-5
    inputs.forEach((input, which) => {
      const got = Array.from(leaves[which]!.grad!.toTypedArray(), Number)
      input.values.forEach((_, at) => {
        const want = (value(which, at, step) - value(which, at, -step)) / (2 * step)
        const error = Math.abs(got[at]! - want)
        if (!(error <= tolerance * (1 + Math.abs(want)))) {
          expect.fail(`input ${which}, element ${at}: autograd ${got[at]}, differences ${want}`)
        }
      })
    })
  })
}

/** n fixed numbers that look irregular, in (-1, 1). */
export function numbers(n: number, seed = 1): number[] {
  return Array.from({ length: n }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed) * 0.97)
}
