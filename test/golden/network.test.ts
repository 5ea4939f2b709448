import { describe, expect, it } from 'vitest'
import type { TensorValues } from '../../lib/io/tensor-values.js'
import type { NativeNetworkSpec, NativeSpec } from '../../lib/native.js'
import { native } from '../../lib/runtime/addon.js'
import { loadTensors, networkTensors, withNetwork } from './network-tensors.js'
import { expectClose, readFamily, tolerance, toTensor } from './vectors.js'

interface TrainingCase {
  readonly network: NativeNetworkSpec
  readonly loss: NativeSpec
  readonly optimizer: NativeSpec
  readonly schedule: NativeSpec
  readonly steps: number
  readonly tolerance?: number
}

const cases = await readFamily<TrainingCase>('network')

/** Batch `index` of the stacked batches. */
function batch({ data, shape, dtype }: TensorValues, index: number): TensorValues {
  const size = shape.slice(1).reduce((a, b) => a * b)
  return { data: data.slice(index * size, (index + 1) * size), shape: shape.slice(1), dtype }
}

describe('a training gives the losses and weights of the same training in SpikingJelly, snnTorch and torch', () => {
  it.each(cases)('$name', async ({ options, values, names }) => {
    const { network: spec, loss, optimizer, schedule, steps } = options
    // Rounding grows from step to step.
    const tolerated = options.tolerance ?? 100 * tolerance.float64

    await withNetwork(spec, async (network) => {
      loadTensors(network, (name) => values(`initial.${name}`), names('initial.'))
      const trainer = native().trainerCreate(network, {
        loss,
        optimizer,
        schedule,
        rateRegularizer: { kind: 'none' },
        clipNorm: 0,
        totalSteps: steps,
        measureRates: true,
      })
      for (const [step, expected] of (values('losses').data as Float64Array).entries()) {
        const inputs = toTensor(batch(values('inputs'), step))
        const targets = toTensor(batch(values('targets'), step))
        const [loss = Number.NaN] = await native().trainerStepAsync(trainer, inputs.handle, targets.handle)
        expect(Math.abs(loss - expected) / expected, `loss of step ${step + 1}`).toBeLessThan(tolerated)
      }
      native().trainerFree(trainer)
      const tensors = networkTensors(network)
      for (const name of names('after.')) expectClose(tensors.get(name)!, values(`after.${name}`), tolerated, name)
    })
  })
})
