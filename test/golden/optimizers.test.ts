import { describe, expect, it } from 'vitest'
import type { TensorValues } from '../../lib/io/tensor-values.js'
import type { NativeSpec } from '../../lib/native.js'
import { native } from '../../lib/runtime/addon.js'
import { mul, sum, type Tensor, tensorOp } from '../../lib/tensor/index.js'
import { expectClose, type GoldenCase, gradientOf, readFamily, tolerance, toTensor } from './vectors.js'

type OptimizerCase = NativeSpec & { readonly dtype: 'float32' | 'float64'; readonly learningRates?: readonly number[] }
type ClipCase = { readonly kind: 'clip'; readonly largest: number }

const PARAMETERS = [0, 1]
const cases = await readFamily<OptimizerCase | ClipCase>('optimizers')
const optimizers = cases.filter(({ options }) => options.kind !== 'clip') as GoldenCase<OptimizerCase>[]
const clips = cases.filter(({ options }) => options.kind === 'clip') as GoldenCase<ClipCase>[]

/** Row `index` of the first axis. */
function row({ data, shape, dtype }: TensorValues, index: number): TensorValues {
  const size = shape.slice(1).reduce((a, b) => a * b, 1)
  return { data: data.slice(index * size, (index + 1) * size), shape: shape.slice(1), dtype }
}

/** Gives the parameter exactly this gradient: that of sum(parameter * gradient). */
function setGradient(parameter: Tensor, gradient: Tensor): void {
  sum(mul(parameter, gradient)).backward()
}

describe("optimisers take torch.optim's steps", () => {
  it.each(optimizers)('$name, 20 steps', ({ options: { dtype, learningRates, ...spec }, values }) => {
    const parameters = PARAMETERS.map((index) => toTensor(values(`start.${index}`), dtype, true))
    const optimizer = native().optimizerCreate(
      spec as NativeSpec,
      parameters.map(({ handle }) => handle),
    )
    for (let step = 0; step < 20; step++) {
      native().optimizerZeroGrad(optimizer)
      for (const [index, parameter] of parameters.entries()) {
        setGradient(parameter, toTensor(row(values(`gradient.${index}`), step), dtype))
      }
      native().optimizerStep(optimizer, learningRates?.[step] ?? -1)
      for (const [index, parameter] of parameters.entries()) {
        const expected = row(values(`path.${index}`), step)
        expectClose(parameter, expected, tolerance[dtype], `parameter ${index} after step ${step + 1}`)
      }
    }
    native().optimizerFree(optimizer)
  })

  it.each(clips)("clipGradientNorm is torch's clip_grad_norm_: $name", ({ options: { largest }, values }) => {
    const parameters = PARAMETERS.map((index) => toTensor(values(`start.${index}`), 'float64', true))
    for (const [index, parameter] of parameters.entries()) {
      setGradient(parameter, toTensor(row(values(`gradient.${index}`), 0)))
    }
    const norm = native().clipGradientNorm(
      parameters.map(({ handle }) => handle),
      largest,
    )
    expect(norm).toBeCloseTo(Number(values('norm').data[0]), 12)
    // torch divides by norm + 1e-6: within that, as a share of the norm (4.5 here).
    for (const [index, parameter] of parameters.entries()) {
      expectClose(gradientOf(parameter), values(`clipped.${index}`), 1e-6, `gradient ${index}`)
    }
    const squares = parameters.map((parameter) => tensorOp('square', [gradientOf(parameter)]))
    const after = Math.sqrt(squares.reduce((total, square) => total + sum(square).item(), 0))
    expect(after).toBeLessThanOrEqual(Math.min(largest, norm) * (1 + 1e-12))
  })
})
