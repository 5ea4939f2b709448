import { describe, expect, it } from 'vitest'
import type { NativeSpec } from '../../lib/native.js'
import { native } from '../../lib/runtime/addon.js'
import { eye, permute, reshape, tensor } from '../../lib/tensor/index.js'
import { networkTensors, withNetwork } from './network-tensors.js'
import { expectClose, readFamily, tolerance, toTensor } from './vectors.js'

const targetsOf: Readonly<Record<string, string>> = { mse: 'targets', binaryCrossEntropy: 'bits' }
const cases = await readFamily<NativeSpec>('losses')

/**
 * The trainer sees only losses of networks, so the network is one linear layer and each of the B T inputs its own unit
 * vector: column b T + t of the weight is the output [b, t], and one plain step of rate 1 subtracts the gradient from it.
 */
describe('losses give the values and gradients of torch and snnTorch', () => {
  it.each(cases)('$name', async ({ options: loss, values }) => {
    const output = toTensor(values('output'))
    const [batch, steps, classes] = output.shape as [number, number, number]
    const positions = batch * steps
    const layer = { kind: 'linear', features: classes, bias: false }

    await withNetwork({ input: [positions], steps, layers: [layer] }, async (network) => {
      const weight = permute(reshape(output, [positions, classes]), [1, 0])
      native().networkLoad(network, ['layers.0.weight'], [weight.handle])
      const trainer = native().trainerCreate(network, {
        loss,
        optimizer: { kind: 'sgd', learningRate: 1, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false },
        schedule: { kind: 'constant', warmupSteps: 0, warmupFactor: 0 },
        rateRegularizer: { kind: 'none' },
        clipNorm: 0,
        totalSteps: 1,
        measureRates: false,
      })
      const inputs = reshape(eye(positions, { dtype: 'float64' }), [batch, steps, positions])
      const targets = toTensor(values(targetsOf[loss.kind] ?? 'classes'))
      const [measured = Number.NaN] = await native().trainerStepAsync(trainer, inputs.handle, targets.handle)
      native().trainerFree(trainer)

      const after = networkTensors(network).get('layers.0.weight')!.toTypedArray() as Float64Array
      const before = values('output').data as Float64Array
      const gradient = before.map((value, index) => {
        const position = Math.floor(index / classes)
        return value - after[(index % classes) * positions + position]!
      })
      const expected = Number(values('loss').data[0])
      expect(Math.abs(measured - expected) / expected).toBeLessThan(tolerance.float64)
      // The difference of two outputs of magnitude 1 keeps 1e-16 of them; gradients are about 1e-2.
      expectClose(tensor(gradient, { shape: output.shape }), values('gradient'), 1e-12, 'gradient')
    })
  })
})
