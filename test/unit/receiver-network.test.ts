import { describe, expect, it } from 'vitest'
import type { Batch } from '../../lib/data/dataset.js'
import { adamW, losses } from '../../lib/index.js'
import { Model } from '../../lib/model/model.js'
import { parseSpec } from '../../lib/model/schema.js'
import {
  measureLink,
  networkInput,
  neuralReceiver,
  perfectReceiver,
  receiverNetwork,
  receiverPresets,
  resourceGrid,
  simulateSlots,
  trainingSlots,
} from '../../lib/receiver/index.js'
import { settledTensors } from './settled-tensors.js'
import { codeOf } from './tensor-expectations.js'

const small = { symbols: 6, subcarriers: 8, pilots: { symbols: [1, 4] } } as const
const flat = { kind: 'awgn' } as const

async function batchesOf(data: ReturnType<typeof trainingSlots>, options: Parameters<typeof data.batches>[0]) {
  const all: Batch[] = []
  for await (const batch of data.batches(options)) all.push(batch)
  return all
}

describe('the receiver network', () => {
  it('is the one of the preset; its dense twin has all its weights but those of neurons', () => {
    using grid = resourceGrid(receiverPresets.tiny.grid)
    const [spiking, dense] = (['snn', 'dense'] as const).map((kind) =>
      receiverNetwork(grid, { ...receiverPresets.tiny.network, kind }),
    )
    expect(spiking!.input).toEqual([4, 14, 48])
    expect(spiking!.output).toEqual([2, 14, 48])
    // stem, three blocks of two convolutions of 24 to 24, head; each convolution but the head's with its norm
    const convolution = (from: number) => from * 24 * 9 + 24 + 48
    const weights = convolution(4) + 6 * convolution(24) + 24 * 2 + 2
    // Decay and threshold of each of the seven LIF layers.
    expect(spiking!.parameters).toBe(weights + 7 * 2)
    expect(dense!.parameters).toBe(weights)
    expect([spiking!.steps, dense!.steps]).toEqual([2, 1])
    expect(parseSpec(spiking!.toJSON())).toEqual(spiking)
  })

  it('takes the variants of the first description, and refuses what it does not know', () => {
    const grid = { symbols: 6, subcarriers: 8, bitsPerSymbol: 4 }
    const variant = receiverNetwork(grid, { stages: 1, connect: 'mean', blocks: 1, channels: 3, decay: 0.5 })
    expect(variant.layers[3]).toMatchObject({ kind: 'sewBlock', stages: 1, connect: 'mean', decay: 0.5 })
    expect(codeOf(() => receiverNetwork(grid, { blocks: -1 }))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => receiverNetwork(grid, { kind: 'lstm' as 'snn' }))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => receiverNetwork(grid, { heads: 4 } as object))).toContain('ERR_')
  })
})

describe('training slots', () => {
  it('are what the simulator draws, with the bits where data is and −1 elsewhere', async () => {
    using grid = resourceGrid(small)
    const data = trainingSlots(grid, flat, { slots: 5, snr: 3, seed: 9 })
    const [first, second] = await batchesOf(data, { batchSize: 3, epoch: 2 })
    expect([first!.size, second!.size]).toEqual([3, 2])
    expect(second!.shape).toEqual([2, 4, 6, 8])
    expect(second!.targetShape).toEqual([2, 2, 6, 8])

    using slots = await simulateSlots(grid, flat, { snr: 3, seed: 9, samples: 2, first: 2 * 5 + 3 })
    using input = await networkInput(grid, slots)
    expect(second!.inputs).toEqual(input.toTypedArray())
    const bits = slots.bits.toTypedArray()
    const kinds = grid.kinds.toTypedArray()
    expect([...second!.targets]).toEqual(Array.from(bits as Float32Array, (bit, i) => (kinds[i % 48] === 1 ? bit : -1)))
    expect([...second!.targets].filter((target) => target >= 0)).toHaveLength(2 * grid.bits)
  })

  it('are new in each epoch, the same after a restart, and for validation always those of the first', async () => {
    using grid = resourceGrid(small)
    const data = trainingSlots(grid, flat, { slots: 4, snr: [0, 10] })
    const [a, b] = await batchesOf(data, { batchSize: 2, epoch: 1 })
    const [again] = await batchesOf(data, { batchSize: 2, epoch: 1, start: 1 })
    expect(again!.inputs).toEqual(b!.inputs)
    expect(again!.index).toBe(1)
    expect(a!.inputs).not.toEqual((await batchesOf(data, { batchSize: 2, epoch: 2 }))[0]!.inputs)
    const fixed = trainingSlots(grid, flat, { slots: 4, snr: [0, 10], everyEpoch: false })
    const seen = await Promise.all([0, 3].map((epoch) => batchesOf(fixed, { batchSize: 4, epoch })))
    expect(seen[0]![0]!.inputs).toEqual(seen[1]![0]!.inputs)
    expect(codeOf(() => trainingSlots(grid, flat, { slots: 0, snr: 1 }))).toBe('ERR_RANGE ArgumentError')
    expect(codeOf(() => trainingSlots(grid, flat, { slots: 4, snr: Number.NaN }))).toMatch(/^ERR_(RANGE|TYPE) /)
  })
})

describe('a trained network as a receiver', () => {
  it('learns to demap: near the bound in white noise after seconds, and leaves no tensor behind', async () => {
    using grid = resourceGrid(small)
    const spec = receiverNetwork(grid, { channels: 8, blocks: 1, steps: 2 })
    await using model = await Model.create(spec, { device: 'cpu', seed: 2 })
    const data = trainingSlots(grid, flat, { slots: 200 * 32, snr: [2, 10], seed: 1 })
    const training = model.train(data, {
      batchSize: 32,
      shuffle: false,
      loss: losses.binaryCrossEntropy(),
      optimizer: adamW({ lr: 1e-2 }),
    })
    for await (const event of training) void event
    const before = await settledTensors()
    using network = neuralReceiver(grid, model)
    using perfect = perfectReceiver(grid)
    for await (const { receivers } of measureLink(grid, flat, [perfect, network], {
      snr: [6],
      mostSlots: 256,
      seed: 5,
    })) {
      const [bound, learnt] = receivers
      // QPSK in white noise at Es/N0 = 6 dB: Q(sqrt(Es/N0)) = 0.0230.
      expect(bound!.ber.value).toBeCloseTo(0.023, 2)
      expect(learnt!.receiver).toBe('spiking')
      expect(learnt!.ber.value).toBeLessThan(0.06)
      expect(learnt!.rate.value).toBeGreaterThan(1.5)
    }
    network.dispose()
    perfect.dispose()
    expect(await settledTensors()).toBe(before)
  })

  it('must have been trained for the grid', async () => {
    using grid = resourceGrid(small)
    using wider = resourceGrid({ ...small, subcarriers: 10 })
    using denser = resourceGrid({ ...small, modulation: '16qam' })
    using model = await Model.create(receiverNetwork(grid, { channels: 2, blocks: 0, kind: 'dense' }), {
      device: 'cpu',
    })
    expect(neuralReceiver(grid, model).name).toBe('dense')
    expect(() => neuralReceiver(wider, model)).toThrow('the network reads [4, 6, 8], the grid wants [4, 6, 10]')
    expect(() => neuralReceiver(denser, model)).toThrow('the network gives [2, 6, 8], the grid wants [4, 6, 8]')
  })
})
