import { describe, expect, it } from 'vitest'
import {
  countOperations,
  denseMacs,
  energyProxy,
  fullyConnected,
  publishedComparison,
  synapses,
  synOps,
  withoutSkipping,
} from '../../lib/study/index.js'

const layers = fullyConnected([784, 256, 256, 10])

describe('the dense network 784-256-256-10', () => {
  it('has 200,704 + 65,536 + 2,560 = 268,800 MACs', () => {
    expect(layers.map(synapses)).toEqual([200_704, 65_536, 2_560])
    expect(denseMacs(layers)).toBe(268_800)
  })

  it('costs 1.236 µJ by the proxy', () => {
    expect(energyProxy({ macs: 268_800, synOps: 0 })).toBeCloseTo(1_236_480, 6)
    expect(energyProxy({ macs: 2, synOps: 10 })).toBeCloseTo(9.2 + 9, 12)
  })
})

describe('the published comparison', () => {
  it('is 537,600 FLOPs over 7,111 operations, 76x, at 27.78 output spikes', () => {
    const { denseFlops, spikingOperations, ratio } = publishedComparison(layers, 7111 / 256)
    expect(denseFlops).toBe(537_600)
    expect(spikingOperations).toBeCloseTo(7111, 9)
    expect(ratio.toFixed(1)).toBe('75.6')
    expect(Math.round(ratio)).toBe(76)
  })

  it('needs a network that says something', () => {
    expect(() => publishedComparison(layers, 0)).toThrow(/outputSpikes must be above 0 spikes, got 0/)
  })
})

describe('synaptic operations', () => {
  it('are values times fan-out, of all inputs or of each', () => {
    const connections = { name: 'hidden', inputs: 3, outputs: 4 }
    expect(synOps(connections, 7)).toBe(28)
    expect(synOps(connections, [1, 0, 6])).toBe(28)
    // Pruned: 1 x 4 + 0 x 2 + 6 x 1; a value of 2 (a SEW block that adds) counts twice.
    expect(synOps({ ...connections, fanOut: [4, 2, 1] }, [1, 0, 6])).toBe(10)
    expect(synOps({ ...connections, fanOut: [4, 2, 1] }, [2, 0, 0])).toBe(8)
    expect(synapses({ ...connections, fanOut: [4, 2, 1] })).toBe(7)
    expect(synapses({ ...connections, fanOut: 2 })).toBe(6)
  })

  it('refuse what can not be counted', () => {
    const connections = { name: 'hidden', inputs: 3, outputs: 4 }
    expect(() => synOps({ ...connections, fanOut: [4, 2, 1] }, 7)).toThrow(/sums must be one number an input/)
    expect(() => synOps(connections, [1, 2])).toThrow(/one number for each of 3 inputs, got 2/)
    expect(() => synOps(connections, [1, -2, 0])).toThrow(/sums\[1\] must be at least 0, got -2/)
    expect(() => synOps({ ...connections, inputs: 0 }, 7)).toThrow(/inputs must be at least 1, got 0/)
    expect(() => synOps({ ...connections, fanOut: [1] }, 7)).toThrow(/fanOut must be one number for each of 3/)
  })
})

describe('the honest count', () => {
  // 4-3-2, T = 5, a constant analog input computed once: 12 MACs; 6 spikes reach 2 neurons each.
  const count = countOperations([
    {
      connections: { name: 'input', inputs: 4, outputs: 3 },
      activity: { kind: 'analog', times: 1 },
      neuronUpdates: 15,
    },
    {
      connections: { name: 'hidden', inputs: 3, outputs: 5 },
      activity: { kind: 'spikes', sums: [1, 2, 3] },
      neuronUpdates: 25,
    },
    { connections: { name: 'readout', inputs: 5, outputs: 2 }, activity: { kind: 'spikes', sums: 8 } },
  ])

  it('adds what each layer really does', () => {
    expect(
      count.layers.map(({ macs, synOps: accumulates, neuronUpdates }) => [macs, accumulates, neuronUpdates]),
    ).toEqual([
      [12, 0, 15],
      [0, 30, 25],
      [0, 16, 0],
    ])
    expect(count.everything).toMatchObject({ macs: 12, synOps: 46, neuronUpdates: 40 })
    expect(count.everything.energy).toBeCloseTo(12 * 4.6 + 46 * 0.9, 10)
  })

  it('says what is left without the first layer, the readout, and both', () => {
    expect(count.withoutFirst).toMatchObject({ macs: 0, synOps: 46, neuronUpdates: 25 })
    expect(count.withoutReadout).toMatchObject({ macs: 12, synOps: 30, neuronUpdates: 40 })
    expect(count.withoutBoth).toMatchObject({ macs: 0, synOps: 30, neuronUpdates: 25 })
  })

  it('counts an analog input at each step it is presented, and skips zeros where told', () => {
    const macs = (activity: object) =>
      countOperations([
        { connections: { name: 'input', inputs: 4, outputs: 3 }, activity: { kind: 'analog', times: 1, ...activity } },
      ]).everything.macs
    expect(macs({ times: 25 })).toBe(300)
    expect(macs({ nonzero: 0.25 })).toBe(3)
    expect(macs({ nonzero: [1, 0.5, 0, 0] })).toBe(4.5)
    const skipping = { connections: { name: 'input', inputs: 4, outputs: 3, fanOut: [3, 1, 0, 2] }, neuronUpdates: 6 }
    const layers = [
      { ...skipping, activity: { kind: 'analog', times: 2, nonzero: [1, 0.5, 1, 0.25] } },
      { ...skipping, activity: { kind: 'spikes', sums: [2, 0, 5, 1] } },
    ] as const
    // 2 x (3 + 0.5 + 0 + 0.5) MACs and 6 + 2 accumulates; without skipping 2 x 12 and the same accumulates.
    expect(countOperations(layers).everything).toMatchObject({ macs: 8, synOps: 8, neuronUpdates: 12 })
    const { macs: all, synOps, energy, energyWithUpdates } = countOperations(withoutSkipping(layers)).everything
    expect([all, synOps]).toEqual([24, 8])
    expect(energyWithUpdates - energy).toBeCloseTo(12 * 4.6, 10)
    expect(() => macs({ nonzero: 1.5 })).toThrow(/nonzero must be at least 0 and at most 1, got 1.5/)
  })
})
