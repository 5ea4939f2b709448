import { describe, it } from 'vitest'
import { tensor, tensorOp, zeros } from '../../lib/tensor/index.js'
import { expectClose, gradientOf, readFamily, tolerance, toTensor } from './vectors.js'

interface NormCase {
  readonly statistics: 'shared' | 'perStep'
  readonly momentum: number
  readonly epsilon: number
  readonly dtype: 'float32' | 'float64'
}

const cases = await readFamily<NormCase>('spike-norm')

describe('spikingrx::spike_norm is BatchNorm2d called once a step', () => {
  it.each(cases)('$name', ({ options, values, has }) => {
    const { dtype, momentum, epsilon } = options
    const { shape } = values('runningMean')
    const mean = zeros(shape, { dtype })
    const variance = tensor(
      Array.from({ length: shape.reduce((a, b) => a * b) }, () => 1),
      { dtype, shape },
    )
    const weights = toTensor(values('weights'), dtype)
    const run = (training: boolean) => {
      const [input, gamma, beta] = ['input', 'gamma', 'beta'].map((name) => toTensor(values(name), dtype, true))
      const args = [input!, gamma!, beta!, mean, variance]
      const output = tensorOp('spikingrx::spike_norm', args, { training, momentum, epsilon })
      output.backward({ gradient: weights })
      return { output, input: gradientOf(input!), gamma: gradientOf(gamma!), beta: gradientOf(beta!) }
    }

    const trained = run(true)
    expectClose(trained.output, values('output'), tolerance[dtype], 'output')
    expectClose(mean, values('runningMean'), tolerance[dtype], 'running mean')
    expectClose(variance, values('runningVariance'), tolerance[dtype], 'running variance')
    expectClose(trained.input, values('gradient'), tolerance[dtype], 'gradient')
    expectClose(trained.gamma, values('gammaGradient'), tolerance[dtype], 'gradient of gamma')
    expectClose(trained.beta, values('betaGradient'), tolerance[dtype], 'gradient of beta')
    if (!has('evaluated')) return

    const evaluated = run(false)
    expectClose(evaluated.output, values('evaluated'), tolerance[dtype], 'output in evaluation')
    expectClose(mean, values('runningMean'), tolerance[dtype], 'running mean after evaluation')
    expectClose(evaluated.input, values('evaluatedGradient'), tolerance[dtype], 'gradient in evaluation')
    expectClose(evaluated.gamma, values('evaluatedGammaGradient'), tolerance[dtype], 'gradient of gamma in evaluation')
    expectClose(evaluated.beta, values('evaluatedBetaGradient'), tolerance[dtype], 'gradient of beta in evaluation')
  })
})
