import { expect, it } from 'vitest'
import { datasets } from '../../lib/data/index.js'
import { Model } from '../../lib/model/model.js'
import { snn } from '../../lib/model/spec.js'
import { clipGradientNorm, createOptimizer } from '../../lib/nn/index.js'
import { crossEntropy, mean, scope, tensor } from '../../lib/tensor/index.js'
import { adamW } from '../../lib/train/optimizers.js'
import { cosine, learningRateAt } from '../../lib/train/schedules.js'
import { numbers } from './tensor-expectations.js'

const spec = snn({ input: [1, 8, 8], steps: 6 })
  .convBlock(4)
  .spikeNorm()
  .lif({ threshold: 0.5, learnable: ['decay'] })
  .sewBlock(6, { stride: 2, threshold: 0.4 })
  .classifier(3)

/** 60 noisy images whose bright third is their class. */
const dataset = datasets.fromArrays({
  inputs: Uint8Array.from(numbers(60 * 64), (x, i) => {
    const [sample, row] = [Math.floor(i / 64), Math.floor((i % 64) / 8)]
    return Math.floor(row / 3) === sample % 3 ? 255 : 60 + 60 * x
  }),
  shape: [60, 1, 8, 8],
  targets: Int32Array.from({ length: 60 }, (_, i) => i % 3),
})

it('reaches in a loop of its own the weights that model.train reaches on the same batches', async () => {
  const run = { epochs: 3, batchSize: 20, seed: 11 }
  const optimizer = adamW({ lr: 0.05 })
  const schedule = cosine({ warmup: 2 })

  using trained = await Model.create(spec, { seed: 5, device: 'cpu' })
  const losses: number[] = []
  for await (const event of trained.train(dataset, { ...run, optimizer, schedule, clipNorm: 1 })) {
    if (event.type === 'step') losses.push(event.loss)
  }

  using own = await Model.create(spec, { seed: 5, device: 'cpu' })
  const parameters = own.parameters()
  using updates = createOptimizer(optimizer, parameters)
  const ownLosses: number[] = []
  for (let epoch = 0; epoch < run.epochs; epoch++) {
    for (const batch of dataset.batches({ batchSize: run.batchSize, shuffle: true, seed: run.seed, epoch })) {
      updates.learningRate = learningRateAt(schedule, optimizer.learningRate, ownLosses.length, 9)
      scope(() => {
        const images = tensor(batch.inputs, { shape: batch.shape })
        const scores = mean(own.forward(images, { training: true }), { dim: 1 })
        const loss = crossEntropy(scores, tensor(batch.targets))
        updates.zeroGrad()
        loss.backward()
        clipGradientNorm(parameters, 1)
        updates.step()
        ownLosses.push(loss.item())
      })
    }
  }

  expect(losses).toHaveLength(9)
  losses.forEach((loss, i) => {
    expect(ownLosses[i]).toBeCloseTo(loss, 5)
  })
  expect(losses.at(-1)).toBeLessThan(losses[0]! * 0.7)
  const expected = new Map(trained.tensors().map(({ name, tensor: value }) => [name, value] as const))
  const start = new Map((await weightsOfSeed(5)).map(({ name, values }) => [name, values] as const))
  for (const { name, tensor: value } of own.tensors()) {
    const [got, want] = [value, expected.get(name)!].map((one) => Array.from(one.toTypedArray(), Number))
    expect(Math.max(...got!.map((x, i) => Math.abs(x - want![i]!))), name).toBeLessThan(1e-5)
    expect(got, name).not.toEqual(start.get(name))
  }
})

async function weightsOfSeed(seed: number) {
  using model = await Model.create(spec, { seed, device: 'cpu' })
  return model.tensors().map(({ name, tensor: value }) => ({ name, values: Array.from(value.toTypedArray(), Number) }))
}
