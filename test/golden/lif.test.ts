import { describe, expect, it } from 'vitest'
import { type Tensor, tensor, tensorsOp } from '../../lib/tensor/index.js'
import { expectClose, expectEqual, type GoldenCase, gradientOf, readFamily, tolerance, toTensor } from './vectors.js'

interface LifCase {
  readonly decay: number
  readonly threshold: number
  readonly decayInput: boolean
  readonly reset: string
  readonly resetDelay?: boolean
  readonly detachReset: boolean
  readonly surrogate: string
  readonly surrogateParameter: number
  readonly dtype: 'float32' | 'float64'
}

interface Run {
  readonly current: Tensor
  readonly decay: Tensor
  readonly threshold: Tensor
  readonly spikes: Tensor
  readonly membrane: Tensor
  readonly trace: Tensor
}

function run({ options, values }: GoldenCase<LifCase>, current: string): Run {
  const { dtype } = options
  const leaf = toTensor(values(current), dtype, true)
  const decay = tensor(options.decay, { dtype, requiresGrad: true })
  const threshold = tensor(options.threshold, { dtype, requiresGrad: true })
  const [spikes, membrane, trace] = tensorsOp('spikingrx::lif', [leaf, decay, threshold], {
    decay_input: options.decayInput,
    reset: options.reset,
    reset_delay: options.resetDelay ?? false,
    detach_reset: options.detachReset,
    surrogate: options.surrogate,
    surrogate_parameter: options.surrogateParameter,
    trace: true,
  })
  return { current: leaf, decay, threshold, spikes: spikes!, membrane: membrane!, trace: trace! }
}

/** Backward from sum(weights * spikes), or from that + sum(membraneWeights * membrane). */
function backward({ spikes, membrane }: Run, { options, values }: GoldenCase<LifCase>, withMembrane: boolean): void {
  spikes.backward({ gradient: toTensor(values('weights'), options.dtype), retainGraph: withMembrane })
  if (withMembrane) membrane.backward({ gradient: toTensor(values('membraneWeights'), options.dtype) })
}

const spikingJelly = await readFamily<LifCase>('lif-spikingjelly')
const snnTorch = await readFamily<LifCase>('lif-snntorch')

describe("spikingrx::lif gives the values and gradients of SpikingJelly's LIFNode", () => {
  it('in every combination of reset, detachment, input decay and surrogate', () => {
    expect(spikingJelly).toHaveLength(48)
  })

  it.each(spikingJelly)('$name', (golden) => {
    const { options, values } = golden
    const result = run(golden, options.decayInput ? 'decayedCurrent' : 'fullCurrent')
    const learnt = golden.has('decayGradient')
    backward(result, golden, learnt)

    expectEqual(result.spikes, values('spikes'), 'spikes')
    expectClose(result.membrane, values('membrane'), tolerance[options.dtype], 'membrane')
    expectClose(gradientOf(result.current), values('gradient'), tolerance[options.dtype], 'gradient')
    if (learnt) {
      expectClose(gradientOf(result.decay), values('decayGradient'), tolerance[options.dtype], 'gradient of the decay')
    }
  })
})

describe("spikingrx::lif with a delayed reset gives the values and gradients of snnTorch's Leaky", () => {
  it('for each reset', () => {
    expect(snnTorch).toHaveLength(12)
  })

  it.each(snnTorch)('$name', (golden) => {
    const { options, values } = golden
    const result = run(golden, 'current')
    backward(result, golden, true)

    expectEqual(result.spikes, values('spikes'), 'spikes')
    expectClose(result.trace, values('trace'), tolerance[options.dtype], 'trace')
    expectClose(result.membrane, values('membrane'), tolerance[options.dtype], 'membrane')
    expectClose(gradientOf(result.current), values('gradient'), tolerance[options.dtype], 'gradient')
    // Sums over 280 terms that largely cancel.
    const ofSums = 10 * tolerance[options.dtype]
    expectClose(gradientOf(result.decay), values('decayGradient'), ofSums, 'gradient of the decay')
    // snnTorch multiplies reset and threshold, and sums that product's gradient, in float32 even for float64 input.
    const ofThreshold = options.reset === 'subtract' ? 10 * tolerance.float32 : ofSums
    expectClose(gradientOf(result.threshold), values('thresholdGradient'), ofThreshold, 'gradient of the threshold')
  })
})
