import { describe, expect, it } from 'vitest'
import { nn, type Tensor, tensor } from '../../lib/index.js'
import * as t from '../../lib/tensor/index.js'

const [CHANNELS, NEURON] = [4, { decay: 0.6, threshold: 0.4, surrogate: { kind: 'atan', alpha: 2 } }] as const

/** Tensors of a stage, the same for the same number. */
function stage(seed: number) {
  const values = (count: number): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 1.7 * i))
  return {
    weight: tensor(values(CHANNELS * CHANNELS * 9), { shape: [CHANNELS, CHANNELS, 3, 3], requiresGrad: true }),
    bias: tensor(values(CHANNELS), { requiresGrad: true }),
    norm: {
      gamma: t.full([CHANNELS], 1.2, { requiresGrad: true }),
      beta: t.full([CHANNELS], 0.3, { requiresGrad: true }),
      runningMean: t.zeros([CHANNELS]),
      runningVariance: t.full([CHANNELS], 1),
    },
  }
}

/** The block as its parts, one after the other. */
function inParts(x: Tensor, stages: readonly ReturnType<typeof stage>[], training: boolean) {
  const state: Tensor[] = []
  let main = x
  for (const { weight, bias, norm } of stages) {
    const { spikes, membrane } = nn.lif(nn.spikeNorm(nn.convBlock(main, weight, { bias }), norm, { training }), NEURON)
    state.push(membrane)
    main = spikes
  }
  return { output: t.add(main, x), state }
}

// Planes of 576 go through the operator that holds SpikeNorm and LIF, those of 36 through both, one after the other.
describe.each([
  [24, true],
  [24, false],
  [6, true],
])('sewBlock of planes %i x %i, training %s', (side, training) => {
  const shape = [2, 3, CHANNELS, side, side]
  const x = tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i * i)),
    { shape },
  )
  const run = (
    block: (stages: readonly ReturnType<typeof stage>[]) => { output: Tensor; state: readonly Tensor[] },
  ) => {
    const stages = [stage(1), stage(2)]
    const { output, state } = block(stages)
    t.sum(t.mul(output, x)).backward()
    return {
      output: output.detach().toArray(),
      state: state.map((membrane) => membrane.detach().toArray()),
      running: stages.map(({ norm }) => [norm.runningMean.toArray(), norm.runningVariance.toArray()]),
      gradients: stages.flatMap(({ weight, bias, norm }) =>
        [weight, bias, norm.gamma, norm.beta].map((leaf) => [...leaf.grad!.toTypedArray()].map(Number)),
      ),
      spikes: t.sum(output).item() as number,
    }
  }

  it('is its parts one after the other', () => {
    const whole = run((stages) => nn.sewBlock(x, { stages }, { ...NEURON, training }))
    const parts = run((stages) => inParts(x, stages, training))
    expect(whole.output).toEqual(parts.output)
    expect(whole.state).toEqual(parts.state)
    expect(whole.running).toEqual(parts.running)
    expect(whole.spikes).toBeGreaterThan(100)
    whole.gradients.forEach((gradient, k) => {
      const largest = Math.max(...parts.gradients[k]!.map(Math.abs), 1)
      gradient.forEach((value, i) => {
        expect(Math.abs(value - parts.gradients[k]![i]!) / largest).toBeLessThan(1e-4)
      })
    })
  })
})
