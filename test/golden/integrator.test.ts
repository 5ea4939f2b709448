import { describe, it } from 'vitest'
import { tensor, tensorsOp } from '../../lib/tensor/index.js'
import { expectClose, gradientOf, readFamily, tolerance, toTensor } from './vectors.js'

interface IntegratorCase {
  readonly decay: number
  readonly decayInput: boolean
  readonly dtype: 'float32' | 'float64'
}

const cases = await readFamily<IntegratorCase>('integrator')

describe('spikingrx::leaky_integrate gives the membranes and gradients of neurons that never fire', () => {
  it.each(cases)('$name', ({ options: { decay, decayInput, dtype }, values, has }) => {
    const current = toTensor(values('current'), dtype, true)
    const beta = tensor(decay, { dtype, requiresGrad: true })
    const [trace] = tensorsOp('spikingrx::leaky_integrate', [current, beta], { decay_input: decayInput })
    trace!.backward({ gradient: toTensor(values('weights'), dtype) })

    expectClose(trace!, values('trace'), tolerance[dtype], 'trace')
    expectClose(gradientOf(current), values('gradient'), tolerance[dtype], 'gradient')
    if (has('decayGradient'))
      expectClose(gradientOf(beta), values('decayGradient'), tolerance[dtype], 'gradient of the decay')
  })
})
