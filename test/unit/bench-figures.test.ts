import { describe, expect, it } from 'vitest'
import { ofNeurons, ofNorm, ofSpikes } from '../../bench/comparison/agreement.js'
import { figureLine, shown, verdict } from '../../bench/comparison/figure.js'
import { drawn, uniform } from '../../bench/comparison/inputs.js'
import { lineThrough } from '../../bench/comparison/line-fit.js'
import { shuffled } from '../../bench/comparison/networks.js'
import { type Contestant, interleaved, timingOf } from '../../bench/comparison/timing.js'

describe('lineThrough', () => {
  it('gives slope and intercept of points on a line', () => {
    const line = lineThrough([1, 2, 4], [5, 7, 11])
    expect(line.slope).toBeCloseTo(2, 12)
    expect(line.intercept).toBeCloseTo(3, 12)
    expect(line.rSquared).toBeCloseTo(1, 12)
    expect(line.worst).toBeCloseTo(0, 12)
  })

  it('tells how far points are from it', () => {
    // By hand: mean (1, 2), slope 2, residuals 1, -2, 1 of the values 0, 2, 4 on the line.
    const line = lineThrough([0, 1, 2], [1, 0, 5])
    expect(line.slope).toBeCloseTo(2, 12)
    expect(line.intercept).toBeCloseTo(0, 12)
    expect(line.rSquared).toBeCloseTo(1 - 6 / 14, 12)
    expect(line.worst).toBe(Number.POSITIVE_INFINITY)
  })

  it('is flat through equal values', () => {
    expect(lineThrough([1, 2], [3, 3])).toEqual({ slope: 0, intercept: 3, rSquared: 1, worst: 0 })
  })

  it.each([
    [[1], [1], 'two points'],
    [[1, 2], [1], 'as many y as x'],
    [[2, 2], [1, 3], 'two places'],
  ])('refuses %j, %j', (x, y, what) => {
    expect(() => lineThrough(x, y)).toThrow(what)
  })
})

describe('timingOf', () => {
  it('gives medians and the fastest', () => {
    const samples = [
      { wall: 4, processor: 1 },
      { wall: 1, processor: 3 },
      { wall: 2, processor: 2 },
      { wall: 9, processor: 8 },
    ]
    expect(timingOf(samples)).toEqual({ wall: 3, processor: 2.5, repetitions: 4, fastest: 1 })
  })
})

describe('interleaved', () => {
  function contestant(id: string, walls: number[], log: string[], failures: string[] = []): Contestant {
    return {
      id,
      run: async (times) => {
        log.push(times === 1 ? id : `${id} x ${times}`)
        const wall = walls.length > 1 ? walls.shift()! : walls[0]!
        if (Number.isNaN(wall)) throw new Error('gone')
        return { wall, processor: wall }
      },
      failed: (error) => failures.push(`${id}: ${(error as Error).message}`),
    }
  }

  it('warms up, then goes round, another first each time', async () => {
    const log: string[] = []
    const timings = await interleaved([contestant('a', [9, 1, 3, 2], log), contestant('b', [9, 4], log)], {
      repetitions: 3,
      budget: 100,
    })
    expect(log).toEqual(['a', 'b', 'a', 'b', 'b', 'a', 'a', 'b'])
    expect(timings.get('a')).toEqual({ wall: 2, processor: 2, repetitions: 3, fastest: 1 })
    expect(timings.get('b')).toEqual({ wall: 4, processor: 4, repetitions: 3, fastest: 4 })
  })

  it('repeats short runs until they take 20 ms', async () => {
    const log: string[] = []
    await interleaved([contestant('a', [0.003], log)], { repetitions: 1, budget: 1 })
    expect(log).toEqual(['a', 'a x 7'])
  })

  it('stops those who used up their budget, and counts the first run of those who take longer', async () => {
    const log: string[] = []
    const timings = await interleaved([contestant('slow', [8], log), contestant('long', [60], log)], {
      repetitions: 5,
      budget: 20,
    })
    expect(timings.get('slow')!.repetitions).toBe(3)
    expect(timings.get('long')).toEqual({ wall: 60, processor: 60, repetitions: 1, fastest: 60 })
    expect(log.filter((id) => id === 'long')).toHaveLength(1)
  })

  it('leaves out those who fail, at first or later', async () => {
    const [log, failures]: [string[], string[]] = [[], []]
    const timings = await interleaved(
      [
        contestant('never', [Number.NaN], log, failures),
        contestant('later', [1, 1, Number.NaN], log, failures),
        contestant('well', [1], log, failures),
      ],
      { repetitions: 4, budget: 100 },
    )
    expect([...timings.keys()]).toEqual(['well'])
    expect(failures).toEqual(['never: gone', 'later: gone'])
    expect(timings.get('well')!.repetitions).toBe(4)
  })
})

describe('agreement', () => {
  // Two steps of 3 neurons; a share of 1e-4 allows no difference among 6 spikes.
  const spikes = Uint8Array.from([1, 0, 0, 0, 1, 0])
  const gradient = Float32Array.from([1, -2, 3, -4, 5, 6])

  it('takes gradients that differ by rounding', () => {
    const near = gradient.map((g) => g * (1 + 5e-6))
    expect(ofNeurons([spikes, spikes], [gradient, near], 2).equal).toBe(true)
    const far = gradient.map((g, i) => (i === 4 ? g + 0.001 : g))
    expect(ofNeurons([spikes, spikes], [gradient, far], 2)).toEqual({
      equal: false,
      sentence: '0 of 6 spikes differ, gradients by 2e-4 of the largest',
    })
  })

  it('takes no NaN', () => {
    const broken = gradient.with(2, Number.NaN)
    expect(ofNeurons([spikes, spikes], [gradient, broken], 2).equal).toBe(false)
    expect(ofNorm('gradient', gradient, broken).equal).toBe(false)
  })

  it('compares gradients of neurons whose spikes are equal, and few spikes may differ', () => {
    const length = 20_000
    const [a, b] = [new Uint8Array(length), new Uint8Array(length)]
    const [ga, gb] = [new Float32Array(length).fill(1), new Float32Array(length).fill(1)]
    b[10_003] = 1 // neuron 3 of 10,000, in the second of two steps
    gb[3] = 7
    expect(ofNeurons([a, b], [ga, gb], 2).equal).toBe(true)
    gb[4] = 7
    expect(ofNeurons([a, b], [ga, gb], 2).equal).toBe(false)
    gb[4] = 1
    b.fill(1, 0, 3)
    expect(ofNeurons([a, b], [ga, gb], 2).equal).toBe(false)
  })

  it('counts spikes and measures norms', () => {
    expect(ofSpikes(spikes, spikes)).toEqual({ equal: true, sentence: '0 of 6 spikes differ' })
    expect(ofSpikes(spikes, spikes.with(0, 0)).equal).toBe(false)
    expect(ofNorm('output', Float32Array.from([3, 4]), Float32Array.from([3, 4.05]))).toEqual({
      equal: true,
      sentence: 'output differs by 1e-2 of its norm',
    })
    expect(ofNorm('output', Float32Array.from([3, 4]), Float32Array.from([3, 5])).equal).toBe(false)
  })
})

describe('figures', () => {
  it.each([
    [{ atLeast: 3 }, 3, 'reached'],
    [{ atLeast: 3 }, 2.99, 'missed'],
    [{ atMost: 1.5 }, 1.5, 'reached'],
    [{ atMost: 1.5 }, 1.51, 'missed'],
    [{ atMost: 1.5 }, Number.NaN, 'missed'],
  ])('judges %j for %d: %s', (goal, value, expected) => {
    expect(verdict({ what: '', value, unit: 'x', goal })).toBe(expected)
  })

  it('has no verdict without a goal', () => {
    expect(verdict({ what: '', value: 1, unit: 'x' })).toBe('')
    expect(figureLine({ what: 'told', value: 12.345, unit: 'ms' })).toMatch(/^told +12\.3 ms$/)
    expect(figureLine({ what: 'told', value: 2, unit: 'x', goal: { atLeast: 3 } })).toMatch(
      /2\.00 x +goal at least 3 x: missed$/,
    )
  })

  it.each([
    [0, '0'],
    [1234.5, '1235'],
    [999.6, '1000'],
    [12.345, '12.3'],
    [1.005, '1.00'],
    [0.012345, '0.0123'],
    [1e-9, '0.000000'],
    [Number.NaN, 'NaN'],
  ])('shows %d as %s', (value, text) => {
    expect(shown(value)).toBe(text)
  })
})

describe('inputs', () => {
  it('are the same for the same seed, and another for another', () => {
    const draw = { kind: 'uniform', low: -2, high: 4 } as const
    expect(drawn(100, draw, 5)).toEqual(drawn(100, draw, 5))
    expect(drawn(100, draw, 5)).not.toEqual(drawn(100, draw, 6))
    // xorshift32 from 1 (Marsaglia): 270369, 67634689.
    const next = uniform(1)
    expect([next(), next()].map((value) => value * 2 ** 32)).toEqual([270369, 67634689])
  })

  it('fill their range', () => {
    const values = drawn(20_000, { kind: 'uniform', low: -2, high: 4 }, 3)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-2)
    expect(Math.max(...values)).toBeLessThanOrEqual(4)
    expect(mean).toBeCloseTo(1, 1)
    const spikes = drawn(20_000, { kind: 'spikes', rate: 0.2 }, 3)
    expect(new Set(spikes)).toEqual(new Set([0, 1]))
    expect(spikes.reduce((sum, value) => sum + value, 0) / spikes.length).toBeCloseTo(0.2, 1)
  })

  it('come in an order that has every index once', () => {
    const order = shuffled(1000, 1)
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    expect([...order.subarray(0, 10)]).not.toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })
})
