import { describe, expect, it } from 'vitest'
import { Model, snn, tensor, withSteps } from '../../lib/index.js'
import {
  activityOverSteps,
  compareEnergy,
  networkActivity,
  receiverActivity,
  receiverNetwork,
  resourceGrid,
  untrainedActivity,
} from '../../lib/receiver/index.js'
import { activitySection } from '../../lib/receiver/report/activity.js'
import { assign, cat, full, reshape } from '../../lib/tensor/index.js'
import { settledTensors } from './settled-tensors.js'
import { numbers } from './tensor-expectations.js'

/** Integrates whole currents, loses nothing, fires from 1 on. */
const counter = { decay: 1, threshold: 1, decayInput: false } as const

function set(model: Model, values: Readonly<Record<string, number | readonly number[]>>): void {
  for (const { name, tensor: target } of model.tensors()) {
    const value = values[name]
    if (value === undefined) continue
    const { shape } = target
    assign(target, typeof value === 'number' ? full(shape, value) : reshape(tensor([...value]), [...shape]))
  }
}

const small = { symbols: 6, subcarriers: 8, pilots: { symbols: [1, 4] } } as const
const noise = { kind: 'awgn' } as const

describe('the activity of a network', () => {
  it('counts by hand: two channels of counters between two convolutions', async () => {
    const spec = snn({ input: [1, 2, 3], steps: 3 })
      .convBlock(2, { kernel: 1, padding: 0 })
      .lif(counter)
      .convBlock(1)
    await using model = await Model.create(spec, { device: 'cpu' })
    // Currents of 1 fire 3 times in 3 steps, of 0.5 once.
    set(model, { 'layers.0.weight': [1, 0.5], 'layers.0.bias': 0 })
    const input = { data: Float32Array.of(1, 0, 0, 0, 1, 0), shape: [1, 1, 2, 3] }
    const { populations, rate, operations, skippingZeros, slots } = await networkActivity(model, input)
    expect(slots).toBe(1)
    expect(populations).toEqual([
      {
        name: 'layers.1',
        title: 'stem',
        kind: 'neurons',
        neurons: 12,
        mean: 8 / 36,
        rate: 8 / 36,
        silentNeurons: 8 / 12,
        silentChannels: 0,
      },
    ])
    expect(rate).toBeCloseTo(8 / 36, 15)
    const [stem, head] = operations.layers
    expect(stem).toMatchObject({ name: 'stem', macs: 12, synOps: 0, neuronUpdates: 36 })
    // A corner of 2 x 3 lies in 4 windows, the middle of an edge in 6.
    expect(head).toMatchObject({ name: 'head', macs: 0, synOps: 4 * 4 + 4 * 6, neuronUpdates: 0 })
    expect(skippingZeros.layers[0]).toMatchObject({ macs: 4 })
    const energy = compareEnergy(await networkActivity(model, input))
    expect(energy.spiking).toBeCloseTo(12 * 4.6 + 40 * 0.9, 9)
    expect(energy.spikingWithUpdates).toBeCloseTo((12 + 36) * 4.6 + 40 * 0.9, 9)
    // Into 1 channel: 2 channels x (4 + 6 + 4) x 2 rows.
    expect(energy.dense).toBeCloseTo((12 + 56) * 4.6, 9)
    expect(energy.ratio).toBeCloseTo(energy.dense / energy.spiking, 12)
    expect(energy.published).toBeCloseTo(4.6 / (3 * (8 / 36) * 0.9), 9)
  })

  it('counts values, not spikes, behind a block that adds, and MACs behind one that takes the mean', async () => {
    const network = (connect: 'add' | 'mean') =>
      snn({ input: [1, 2, 3], steps: 2 })
        .convBlock(1, { kernel: 1, padding: 0 })
        .lif(counter)
        .sewBlock(1, { ...counter, connect, stages: 1 })
        .convBlock(1)
    // Everything fires at every step: a block that adds gives 2.
    const always = {
      'layers.0.weight': 0,
      'layers.0.bias': 2,
      'layers.2.stages.0.norm.beta': 2,
      'layers.2.stages.0.conv.weight': 0,
    }
    const [add, mean] = await Promise.all(
      (['add', 'mean'] as const).map(async (connect) => {
        await using model = await Model.create(network(connect), { device: 'cpu' })
        set(model, always)
        return networkActivity(model, { data: new Float32Array(6), shape: [1, 1, 2, 3] })
      }),
    )
    expect(add!.populations.map((one) => [one.title, one.mean, one.rate])).toEqual([
      ['stem', 1, 1],
      ['block 1, stage 1', 1, 1],
      ['block 1', 2, 1],
    ])
    // 28 synapses, T = 2.
    expect(add!.operations.layers.map((one) => one.synOps)).toEqual([0, 2 * 28, 2 * 2 * 28])
    expect(mean!.operations.layers.map((one) => one.synOps)).toEqual([0, 2 * 28, 0])
    expect(mean!.operations.layers[2]!.macs).toBe(2 * 28)
    expect(mean!.populations[2]).toMatchObject({ mean: 1, rate: 1 })
    expect(add!.skippingZeros.layers[0]!.macs).toBe(0)
  })

  it('of a silent network is none, with a warning and no figure of the papers', async () => {
    using grid = resourceGrid(small)
    const spec = receiverNetwork(grid, { channels: 2, blocks: 1, steps: 1 })
    await using model = await Model.create(spec, { device: 'cpu' })
    set(model, { 'layers.1.beta': -100, 'layers.3.stages.0.norm.beta': -100, 'layers.3.stages.1.norm.beta': -100 })
    const before = await untrainedActivity(grid, noise, model, { slots: 4 })
    const after = await receiverActivity(grid, noise, model, { slots: 4 })
    const steps = await activityOverSteps(grid, noise, model, { slots: 4, steps: [1, 2] })
    expect(before.rate).toBeGreaterThan(0.05)
    expect(after.populations.map(({ rate, silentChannels }) => [rate, silentChannels])).toEqual(Array(4).fill([0, 1]))
    expect(after.operations.everything.synOps).toBe(0)
    expect(after.operations.layers.at(-1)).toMatchObject({ name: 'head', macs: 2 * 2 * 48 })
    expect(steps.map(({ energy }) => energy.published)).toEqual([undefined, undefined])
    const { findings, tables, pictures } = activitySection({ before, after, steps, snr: 10, about: 'a test' })
    expect(findings.filter((one) => one.startsWith('Warning'))).toHaveLength(4)
    expect(findings[3]).toBe('Warning: block 1 is silent: no value in any slot and step.')
    for (const { columns, rows } of tables) for (const row of rows) expect(row).toHaveLength(columns.length)
    expect(pictures.map(({ name }) => name)).toEqual(['activity-populations', 'activity-energy'])
  })

  it('of the dense twin counts every weight once, and fewer where ReLU gives zeros', async () => {
    using grid = resourceGrid(small)
    await using twin = await Model.create(receiverNetwork(grid, { channels: 3, blocks: 2, kind: 'dense' }), {
      device: 'cpu',
    })
    await using spiking = await Model.create(receiverNetwork(grid, { channels: 3, blocks: 2 }), { device: 'cpu' })
    const dense = await receiverActivity(grid, noise, twin, { slots: 8 })
    expect(dense.operations.everything.synOps).toBe(0)
    const energy = compareEnergy(await receiverActivity(grid, noise, spiking, { slots: 8 }))
    expect(energy.dense).toBeCloseTo(dense.operations.everything.energy, 6)
    expect(dense.skippingZeros.everything.macs).toBeLessThan(dense.operations.everything.macs)
    expect(dense.populations.every(({ rate }) => rate > 0 && rate < 1)).toBe(true)
  })

  it('does not depend on the batches, needs layers that it knows and finite weights, and leaves no tensor behind', async () => {
    using grid = resourceGrid(small)
    await using model = await Model.create(receiverNetwork(grid, { channels: 2, blocks: 1 }), { device: 'cpu' })
    await using flat = await Model.create(snn({ input: [4], steps: 1 }).linear(2), { device: 'cpu' })
    const input = { data: Float32Array.from(numbers(5 * 4 * 48)), shape: [5, 4, 6, 8] }
    const before = await settledTensors()
    const whole = await model.activity(input)
    const cut = await model.activity(input, { batchSize: 2 })
    expect(cut.input).toEqual(whole.input)
    expect(cut.layers['layers.2']).toEqual(whole.layers['layers.2'])
    expect(whole.layers['layers.2']).toMatchObject({ shape: [2, 6, 8], steps: 2 })
    const { spikes } = (await model.record(input)).layers['layers.2']!
    expect(whole.layers['layers.2']!.sums.reduce((a, b) => a + b)).toBe(spikes!.data.reduce((a, b) => a + b))
    await expect(networkActivity(flat, new Float32Array(4))).rejects.toMatchObject({ code: 'ERR_ARGUMENT' })
    await expect(model.activity({ data: new Float32Array(0), shape: [0, 4, 6, 8] })).rejects.toMatchObject({
      code: 'ERR_SHAPE',
    })
    await expect(receiverActivity(grid, noise, model, { slots: 0 })).rejects.toMatchObject({ code: 'ERR_RANGE' })
    set(model, { 'layers.3.stages.1.norm.gamma': Number.POSITIVE_INFINITY, 'layers.5.weight': Number.NaN })
    set(model, { 'layers.1.gamma': Number.NaN })
    await expect(activityOverSteps(grid, noise, model, { slots: 1, steps: [0] })).rejects.toMatchObject({
      code: 'ERR_RANGE',
    })
    expect(await settledTensors()).toBe(before)
  })
})

describe('withSteps', () => {
  it.each(['shared', 'perStep'] as const)(
    'runs the same weights, %s statistics: as the network does on a longer sequence',
    async (statistics) => {
      const spec = snn({ input: [1, 3, 4], steps: 2 })
        .convBlock(3)
        .spikeNorm({ statistics })
        .lif(counter)
        .sewBlock(3, { ...counter, statistics })
      await using model = await Model.create(spec, { device: 'cpu', seed: 2 })
      const image = tensor(numbers(24), { shape: [2, 1, 1, 3, 4] })
      model.forward(image, { training: true }) // other statistics at each step
      for (const steps of [1, 2, 5]) {
        await using changed = await withSteps(model, steps)
        expect(changed.spec.steps).toBe(steps)
        const long = cat(Array(steps).fill(image), 1)
        expect(changed.forward(reshape(image, [2, 1, 3, 4])).toTypedArray()).toEqual(model.forward(long).toTypedArray())
      }
      await expect(withSteps(model, 0)).rejects.toMatchObject({ code: 'ERR_RANGE' })
    },
  )
})
