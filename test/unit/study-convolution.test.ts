import { describe, expect, it } from 'vitest'
import { convolutionConnections, countOperations, denseMacs, synapses, withoutSkipping } from '../../lib/study/index.js'
import { conv2d, ones, sum, zeros } from '../../lib/tensor/index.js'
import { codeOf } from './tensor-expectations.js'

describe('connections of a convolution', () => {
  it.each([
    { input: [2, 5, 7], channels: 3, kernel: [3, 3], stride: [1, 1], padding: [1, 1] },
    { input: [1, 6, 5], channels: 2, kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
    { input: [3, 5, 4], channels: 4, kernel: [1, 1], stride: [2, 1], padding: [0, 0] },
    { input: [2, 9, 8], channels: 1, kernel: [5, 2], stride: [3, 2], padding: [2, 0] },
    { input: [1, 2, 2], channels: 2, kernel: [3, 3], stride: [1, 1], padding: [2, 2] },
    { input: [1, 7, 7], channels: 1, kernel: [2, 2], stride: [3, 3], padding: [0, 0] },
  ] as const)('have the fan-out that a convolution of ones shows: %j', (shape) => {
    const { input, channels, kernel, stride, padding } = shape
    // d/dx of the sum of a convolution with ones is the number of weights that x meets.
    using x = zeros([1, ...input]).requireGrad()
    using y = conv2d(x, ones([channels, input[0], ...kernel]), { stride, padding })
    sum(y).backward()
    const connections = convolutionConnections('conv', shape)
    expect(Array.from(connections.unpruned as Float64Array)).toEqual(Array.from(x.grad!.toTypedArray(), Number))
    expect(connections.inputs).toBe(x.numel)
    expect(connections.outputs).toBe(y.numel)
  })

  it('count what is there: borders have fewer synapses, zeros may be skipped', () => {
    const connections = convolutionConnections('conv', {
      input: [1, 2, 3],
      channels: 2,
      kernel: [3, 3],
      stride: [1, 1],
      padding: [1, 1],
    })
    // 2 rows see both rows; 3 columns 2, 3, 2 of them; 2 channels.
    expect(Array.from(connections.unpruned as Float64Array)).toEqual([8, 12, 8, 8, 12, 8])
    expect([synapses(connections), denseMacs([connections])]).toEqual([56, 56])
    const spikes = { connections, activity: { kind: 'spikes', sums: [0, 2, 0, 1, 0, 0] } } as const
    const analog = { connections, activity: { kind: 'analog', times: 3, nonzero: [0, 0.5, 0, 1, 0, 0] } } as const
    expect(countOperations([spikes]).everything).toMatchObject({ synOps: 2 * 12 + 8, macs: 0 })
    expect(countOperations([analog]).everything).toMatchObject({ synOps: 0, macs: 3 * (6 + 8) })
    expect(countOperations(withoutSkipping([spikes, analog])).everything).toMatchObject({ synOps: 32, macs: 3 * 56 })
  })

  it('refuse sizes that can not be', () => {
    const shape = { input: [1, 4, 4], channels: 1, kernel: [3, 3], stride: [1, 1], padding: [0, 0] } as const
    expect(codeOf(() => convolutionConnections('c', { ...shape, input: [4, 4] }))).toBe('ERR_SHAPE ShapeError')
    expect(codeOf(() => convolutionConnections('c', { ...shape, kernel: [5, 5] }))).toBe('ERR_SHAPE ShapeError')
    expect(codeOf(() => convolutionConnections('c', { ...shape, stride: [0, 1] }))).toBe('ERR_RANGE ArgumentError')
  })
})
