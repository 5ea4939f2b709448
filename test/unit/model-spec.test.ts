import { describe, expect, it } from 'vitest'
import { SpecError } from '../../lib/errors.js'
import type { SewBlockLayer } from '../../lib/model/layers.js'
import { parseSpec } from '../../lib/model/schema.js'
import { snn } from '../../lib/model/spec.js'
import { summaryTable } from '../../lib/model/table.js'

const digits = () => snn({ input: [1, 28, 28], steps: 8 })

/** The SpecError of a call. */
function refusal(call: () => unknown): SpecError {
  try {
    call()
  } catch (error) {
    if (error instanceof SpecError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('shapes', () => {
  it('infers the shape after every layer', () => {
    const spec = digits().convBlock(32).spikeNorm().lif().sewBlock(64, { stride: 2 }).averagePool(2).classifier(10)
    expect(spec.summary.map(({ kind, output }) => [kind, output])).toEqual([
      ['convBlock', [32, 28, 28]],
      ['spikeNorm', [32, 28, 28]],
      ['lif', [32, 28, 28]],
      ['sewBlock', [64, 14, 14]],
      ['averagePool', [64, 7, 7]],
      ['flatten', [3136]],
      ['linear', [10]],
    ])
    expect(spec.output).toEqual([10])
  })

  it.each([
    [{ kernel: 5, stride: 2, padding: 0 }, [4, 12, 12]],
    [{ kernel: [3, 1], stride: [1, 2], padding: [0, 0] }, [4, 26, 14]],
    [{ kernel: 4, stride: 3, padding: 2 }, [4, 10, 10]],
  ] as const)('rounds down where convolution windows do not fit: %o', (options, output) => {
    expect(digits().convBlock(4, options).output).toEqual(output)
  })

  it('pools without overlap unless told otherwise', () => {
    expect(digits().maxPool(3).output).toEqual([1, 9, 9])
    expect(digits().maxPool(3, { stride: 2, padding: 1 }).output).toEqual([1, 14, 14])
    expect(digits().convBlock(5).globalAveragePool().output).toEqual([5])
  })

  it('counts what each layer trains', () => {
    const spec = digits()
      .convBlock(32)
      .spikeNorm()
      .lif({ learnable: ['decay', 'threshold'], perChannel: true })
      .sewBlock(64, { stride: 2 })
      .classifier(10)
    const block = 32 * 64 * 9 + 64 + 128 + (64 * 64 * 9 + 64 + 128) + (32 * 64 + 64 + 128)
    expect(spec.summary.map(({ parameters }) => parameters)).toEqual([320, 64, 64, block, 0, 64 * 14 * 14 * 10 + 10])
    expect(spec.parameters).toBe(320 + 64 + 64 + block + 125450)
  })

  it('names tensors as checkpoints do', () => {
    const spec = digits().sewBlock(1, { learnable: ['decay'], statistics: 'perStep', stages: 1 })
    expect(spec.summary[0]?.tensors).toEqual([
      { name: 'layers.0.stages.0.conv.weight', shape: [1, 1, 3, 3], trainable: true },
      { name: 'layers.0.stages.0.conv.bias', shape: [1], trainable: true },
      { name: 'layers.0.stages.0.norm.gamma', shape: [1], trainable: true },
      { name: 'layers.0.stages.0.norm.beta', shape: [1], trainable: true },
      { name: 'layers.0.stages.0.norm.runningMean', shape: [8, 1], trainable: false },
      { name: 'layers.0.stages.0.norm.runningVariance', shape: [8, 1], trainable: false },
      { name: 'layers.0.stages.0.lif.decay', shape: [], trainable: true },
    ])
  })
})

describe('the dense twin of a SEW block', () => {
  it('has the tensors of the spiking one but for what LIF learns', () => {
    const options = { learnable: ['decay'], stride: 2 } as const
    const names = (activation: 'lif' | 'relu') =>
      digits()
        .sewBlock(4, { ...options, activation })
        .summary[0]?.tensors.map(({ name }) => name)
    expect(names('relu')).toEqual(names('lif')?.filter((name) => !name.endsWith('.lif.decay')))
    expect(names('relu')).toHaveLength(18)
  })

  it('is a spiking one where nothing is said, also in a file written before there was a choice', () => {
    const spec = digits().sewBlock(4)
    expect(spec.layers[0]).toMatchObject({ activation: 'lif' })
    const { activation, ...older } = spec.layers[0] as SewBlockLayer
    expect(parseSpec({ ...spec.toJSON(), layers: [older] }).layers).toEqual(spec.layers)
    expect(() => digits().sewBlock(4, { activation: 'tanh' as 'relu' })).toThrow(
      'sewBlock needs activation to be one of lif, relu, got "tanh"',
    )
  })
})

describe('a size that does not fit', () => {
  it.each([
    [
      () => digits().convBlock(64, { stride: 9, padding: 0 }).averagePool(4),
      'averagePool(4) needs height and width of at least 4, got [64, 3, 3]',
    ],
    [() => digits().convBlock(8, { kernel: [31, 3] }), 'convBlock([31, 3]) needs at least 29 by 1, got [1, 28, 28]'],
    [
      () => snn({ input: [4], steps: 2 }).convBlock(8),
      'convBlock needs a feature map [channels, height, width], got [4]',
    ],
    [
      () => snn({ input: [4], steps: 2 }).spikeNorm(),
      'spikeNorm needs a feature map [channels, height, width], got [4]',
    ],
    [() => digits().linear(10), 'linear needs a flat input [features], got [1, 28, 28]; put flatten() before it'],
    [
      () => digits().normalize([0.1, 0.2], 1),
      'normalize needs mean to hold 1 value, one per channel of [1, 28, 28], got 2',
    ],
    [
      () => snn({ input: [2, 3], steps: 2 }),
      'snn needs input to be [channels, height, width] or [features], got [2, 3]',
    ],
    [
      () => snn({ input: [4], steps: 2, labels: ['a', 'b'] }).classifier(3),
      'classifier(3) does not fit the 2 labels of the network',
    ],
  ])('is an error at the line that adds the layer: %#', (call, message) => {
    const error = refusal(call)
    expect(error.message).toBe(message)
    expect(error.code).toBe('ERR_SHAPE')
  })
})

describe('options', () => {
  it('fills in every default', () => {
    expect(digits().lif().layers[0]).toEqual({
      kind: 'lif',
      decay: 0.9,
      threshold: 1,
      decayInput: true,
      reset: 'subtract',
      resetDelay: false,
      detachReset: false,
      surrogate: 'triangular',
      surrogateParameter: 1,
      learnable: [],
      perChannel: false,
    })
  })

  it('takes beta and theta for decay and threshold', () => {
    expect(digits().lif({ beta: 0.5, theta: 0.25 })).toEqual(digits().lif({ decay: 0.5, threshold: 0.25 }))
    expect(refusal(() => digits().lif({ beta: 0.5, decay: 0.5 })).message).toBe(
      'lif takes decay or beta, which mean the same, not both',
    )
  })

  it.each([
    ['triangular', 1],
    ['sigmoid', 4],
    ['atan', 2],
    ['fastSigmoid', 25],
    ['boxcar', 0.5],
    [{ kind: 'triangular', width: 3 }, 3],
    [{ kind: 'sigmoid', slope: 3 }, 3],
    [{ kind: 'atan', alpha: 3 }, 3],
    [{ kind: 'fastSigmoid', slope: 3 }, 3],
    [{ kind: 'boxcar', halfWidth: 3 }, 3],
  ] as const)('takes the surrogate %o', (surrogate, parameter) => {
    const layer = digits().lif({ surrogate }).layers[0]
    expect(layer).toMatchObject({ surrogate: typeof surrogate === 'string' ? surrogate : surrogate.kind })
    expect(layer).toMatchObject({ surrogateParameter: parameter })
  })

  it.each([
    ['lif', { decay: 1.5 }, 'ERR_RANGE', 'lif needs decay to be a number from 0 to 1, got 1.5'],
    ['lif', { decay: Number.NaN }, 'ERR_RANGE', 'lif needs decay to be a number from 0 to 1, got NaN'],
    ['lif', { threshold: 0 }, 'ERR_RANGE', 'lif needs threshold to be a number above 0, got 0'],
    ['lif', { decay: '0.9' }, 'ERR_TYPE', 'lif needs decay to be a number from 0 to 1, got "0.9"'],
    ['lif', { decayInput: 1 }, 'ERR_TYPE', 'lif needs decayInput to be true or false, got 1'],
    ['lif', { reset: 'hard' }, 'ERR_RANGE', 'lif needs reset to be one of subtract, zero, none, got "hard"'],
    [
      'lif',
      { learnable: ['decay', 'decay'] },
      'ERR_RANGE',
      'lif needs learnable to hold distinct names out of decay, threshold',
    ],
    [
      'lif',
      { surrogate: 'relu' },
      'ERR_RANGE',
      'lif needs surrogate to be one of triangular, sigmoid, atan, fastSigmoid, boxcar, got "relu"',
    ],
    [
      'lif',
      { surrogate: { kind: 'atan', width: 1 } },
      'ERR_UNKNOWN',
      'lif has the surrogate atan, which takes alpha, not width',
    ],
    [
      'convBlock',
      { channels: 1.5 },
      'ERR_RANGE',
      'convBlock needs channels to be a whole number from 1 to 16777216, got 1.5',
    ],
    [
      'convBlock',
      { channels: 2 ** 40 },
      'ERR_RANGE',
      'convBlock needs channels to be a whole number from 1 to 16777216, got 1099511627776',
    ],
    ['convBlock', {}, 'ERR_TYPE', 'convBlock needs channels to be a whole number from 1 to 16777216, got nothing'],
    [
      'convBlock',
      { channels: 4, kernel: [3] },
      'ERR_TYPE',
      'convBlock needs kernel to be a number or [height, width], got [3]',
    ],
    [
      'maxPool',
      { kernel: 2, padding: 2 },
      'ERR_RANGE',
      'maxPool needs padding of at most half the kernel [2, 2], got [2, 2]',
    ],
    ['dropout', { probability: 1 }, 'ERR_RANGE', 'dropout needs probability to be a number from 0 to below 1, got 1'],
    ['spikeNorm', { steps: 9 }, 'ERR_SHAPE', 'spikeNorm is for 9 time steps in a network of 8'],
    ['relu', [], 'ERR_TYPE', 'relu takes an object of options, got []'],
  ] as const)('refuses %s with %o', (kind, options, code, message) => {
    const error = refusal(() => digits().add(kind, options))
    expect([error.code, error.message]).toEqual([code, message])
  })

  it('refuses an option that does not exist, and lists those that do', () => {
    const error = refusal(() => digits().add('leakyReadout', { tau: 2 }))
    expect(error.code).toBe('ERR_UNKNOWN')
    expect(error.message).toBe('leakyReadout has no option "tau"; it has beta, decay, decayInput, learnable')
  })

  it('lets encoders and normalize come first only', () => {
    expect(refusal(() => digits().lif().rateEncoder()).message).toBe(
      'rateEncoder belongs before every layer but normalize, and comes after lif',
    )
    expect(refusal(() => digits().lif().normalize(0, 1)).message).toBe('normalize belongs before every other layer')
    expect(digits().normalize(0.13, 0.31).latencyEncoder().layers).toEqual([
      { kind: 'normalize', mean: [0.13], std: [0.31] },
      { kind: 'latencyEncoder', threshold: 0.01 },
    ])
  })
})

describe('a spec', () => {
  const full = snn({ input: [2, 8, 8], steps: 4, labels: ['a', 'b', 'c'], name: 'all of them' })
    .normalize([0.1, 0.2], [1, 2])
    .directEncoder()
    .convBlock(4, { bias: false })
    .spikeNorm({ statistics: 'perStep' })
    .lif({ surrogate: { kind: 'atan', alpha: 3 }, learnable: ['threshold'] })
    .sewBlock(8, { stride: 2, connect: 'iand', beta: 0.5 })
    .maxPool()
    .relu()
    .dropout(0.25)
    .flatten()
    .linear(6)
    .leakyReadout({ learnable: ['decay'] })
    .classifier(3)

  it('stays as it is when layers are added', () => {
    const base = digits().convBlock(4)
    base.lif()
    expect(base.layers).toHaveLength(1)
    expect(() => Object.assign(base, { steps: 3 })).toThrow(TypeError)
  })

  it('survives JSON', () => {
    const again = parseSpec(JSON.parse(JSON.stringify(full)))
    expect(again).toEqual(full)
    expect(JSON.stringify(again)).toBe(JSON.stringify(full))
  })

  it('is shown as a table', () => {
    const table = summaryTable(
      snn({ input: [4], steps: 1, name: 'tiny' })
        .linear(300)
        .lif()
        .classifier(2),
    )
    expect(table.split('\n')).toEqual([
      'layer              output  parameters',
      'input              [4]',
      '0 linear           [300]        1,500',
      '1 lif              [300]',
      '2 linear           [2]            602',
      '',
      'tiny, 1 time step               2,102',
    ])
  })

  describe('from an untrusted file', () => {
    const json = () =>
      JSON.parse(JSON.stringify(full)) as Record<string, unknown> & { layers: Record<string, unknown>[] }

    it.each([
      ['null', null, 'ERR_TYPE'],
      ['a list', [], 'ERR_TYPE'],
      ['no layers', { input: [4], steps: 2 }, 'ERR_TYPE'],
      ['an empty network', { input: [4], steps: 2, layers: [] }, 'ERR_SHAPE'],
      ['steps beyond all bounds', { input: [4], steps: 2 ** 20, layers: [{ kind: 'relu' }] }, 'ERR_RANGE'],
      ['an input beyond all bounds', { input: [2 ** 24, 2 ** 24, 2 ** 24], steps: 1, layers: [] }, 'ERR_RANGE'],
      ['too many layers', { input: [4], steps: 2, layers: new Array(5000).fill({ kind: 'relu' }) }, 'ERR_RANGE'],
      ['an unknown layer', { input: [4], steps: 2, layers: [{ kind: 'eval' }] }, 'ERR_UNKNOWN'],
      ['a layer named like an object method', { input: [4], steps: 2, layers: [{ kind: 'toString' }] }, 'ERR_UNKNOWN'],
      ['a layer that is text', { input: [4], steps: 2, layers: ['relu'] }, 'ERR_TYPE'],
      [
        'more parameters than anybody has',
        { input: [2 ** 24], steps: 1, layers: [{ kind: 'linear', features: 2 ** 24 }] },
        'ERR_RANGE',
      ],
      ['labels of the wrong number', { input: [4], steps: 1, labels: ['a'], layers: [{ kind: 'relu' }] }, 'ERR_SHAPE'],
      ['labels that are numbers', { input: [4], steps: 1, labels: [1, 2], layers: [{ kind: 'relu' }] }, 'ERR_TYPE'],
      ['a field nobody knows', { input: [4], steps: 1, script: 'x', layers: [{ kind: 'relu' }] }, 'ERR_UNKNOWN'],
    ])('refuses %s', (_, value, code) => {
      expect(refusal(() => parseSpec(value)).code).toBe(code)
    })

    it('names the layer that is wrong', () => {
      const value = json()
      value.layers[4] = { ...value.layers[4], decay: 2 }
      expect(refusal(() => parseSpec(value)).message).toBe('layer 4: lif needs decay to be a number from 0 to 1, got 2')
    })

    it('gives a spec or a SpecError, whatever is put in the place of any value', () => {
      const strange = [null, true, -1, 0, 1.5, 1e308, 2 ** 53, '', 'x', [], [[]], {}, [1e9, 1e9, 1e9], { length: 1e9 }]
      let refused = 0
      for (const [path, set] of places(json())) {
        for (const value of strange) {
          const mutant = set(value)
          try {
            expect(parseSpec(mutant)).toBeInstanceOf(Object)
          } catch (error) {
            if (!(error instanceof SpecError)) throw new Error(`${path} = ${JSON.stringify(value)}`, { cause: error })
            refused += 1
          }
        }
      }
      expect(refused).toBeGreaterThan(500)
    })
  })
})

/** Every place in a JSON value, with a copy of the whole that has another value there. */
function places(json: unknown): [string, (value: unknown) => unknown][] {
  const found: [string, (value: unknown) => unknown][] = []
  const walk = (value: unknown, path: (string | number)[]): void => {
    if (typeof value !== 'object' || value === null) return
    for (const key of Object.keys(value)) {
      const here = [...path, key]
      found.push([
        here.join('.'),
        (replacement) => {
          const copy: unknown = JSON.parse(JSON.stringify(json))
          let parent = copy as Record<string, unknown>
          for (const step of path) parent = parent[step] as Record<string, unknown>
          parent[key] = replacement
          return copy
        },
      ])
      walk((value as Record<string, unknown>)[key], here)
    }
  }
  walk(json, [])
  return found
}
