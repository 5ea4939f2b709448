import { describe, expect, it } from 'vitest'
import {
  type Current,
  currentAt,
  firingRate,
  firstSpikeTime,
  type LifNeuron,
  publishedNeuron,
  rheobase,
  type SimulateOptions,
  simulate,
  timeConstant,
} from '../../lib/study/index.js'

const euler = (duration: number): SimulateOptions => ({ method: 'euler', duration })
/** Spikes apart by more than this are not the closed form's, ms. */
const exact = 1e-9

describe('explicit Euler', () => {
  // SEMANTICS.md, "LIF neuron in physical units": the published spike counts.
  it.each([
    [205, 500, 12],
    [210, 500, 15],
    [210, 200, 6],
    [400, 200, 22],
  ])('fires under %d pA for %d ms the published %d times', async (current, duration, count) => {
    const { spikes } = await simulate(publishedNeuron, current, euler(duration))
    expect(spikes.map((train) => train.length)).toEqual([count])
  })

  it('steps as the recurrence does, written out here', async () => {
    const dt = 0.05
    const options = { method: 'euler', duration: 60, dt, sampling: dt } as const
    const { spikes, voltage } = await simulate(publishedNeuron, { kind: 'ramp', start: 150, end: 900 }, options)
    let [v, hold] = [-75, 0]
    const expected = { spikes: [] as number[], voltage: [v] }
    for (let k = 0; k < 1200; k++) {
      if (hold > 0) hold -= 1
      else v += (dt / 100) * (150 + (750 / 60) * (k * dt) - 10 * (v + 75))
      if (v >= -55) {
        expected.spikes.push((k + 1) * dt)
        v = -75
        hold = 40
      }
      expected.voltage.push(v)
    }
    expect(expected.spikes.length).toBeGreaterThan(5)
    expect(Array.from(spikes[0]!)).toEqual(expected.spikes)
    expect(voltage!.times).toHaveLength(1201)
    const apart = expected.voltage.map((value, k) => Math.abs(value - voltage!.values[0]![k]!))
    expect(Math.max(...apart)).toBeLessThan(1e-11)
  })

  it('comes to the exact spike times in proportion to its step', async () => {
    const [truth, coarse, fine] = await Promise.all([
      simulate(publishedNeuron, 300, { duration: 50 }),
      simulate(publishedNeuron, 300, { method: 'euler', duration: 50, dt: 0.01 }),
      simulate(publishedNeuron, 300, { method: 'euler', duration: 50, dt: 0.001 }),
    ])
    const error = (run: typeof truth): number => Math.abs(run.spikes[0]![3]! - truth.spikes[0]![3]!)
    expect(error(coarse)).toBeLessThan(0.05)
    expect(error(fine)).toBeLessThan(error(coarse) / 5)
  })
})

describe('exact integration', () => {
  it.each([200.000001, 201, 205, 400, 4000])('meets the closed form to 1e-9 ms under %d pA', async (current) => {
    const { spikes } = await simulate(publishedNeuron, current, { duration: 1000 })
    const period = 1000 / firingRate(publishedNeuron, current)
    const first = firstSpikeTime(publishedNeuron, current)
    expect(spikes[0]).toHaveLength(Math.floor((1000 - first) / period) + 1)
    spikes[0]!.forEach((time, n) => {
      expect(Math.abs(time - (first + n * period))).toBeLessThan(exact)
    })
  })

  it('never fires at the rheobase, and holds the reset for the refractory period', async () => {
    const options = { duration: 10_000, sampling: 100 }
    const { spikes, voltage } = await simulate(publishedNeuron, [rheobase(publishedNeuron), 0], options)
    expect(spikes.map((train) => train.length)).toEqual([0, 0])
    expect(voltage!.values[0]!.at(-1)).toBeLessThanOrEqual(-55)
    expect(voltage!.values[0]!.at(-1)).toBeCloseTo(-55, 10)
    expect(Array.from(voltage!.values[1]!)).toEqual(Array(101).fill(-75))

    const run = await simulate({ ...publishedNeuron, reset: -80, refractory: 3 }, 400, { duration: 30, sampling: 0.01 })
    const spike = run.spikes[0]![0]!
    const after = Array.from(run.voltage!.times.keys()).filter((k) => {
      const time = run.voltage!.times[k]!
      return time > spike && time < spike + 3
    })
    expect(after).toHaveLength(300)
    expect(after.every((k) => run.voltage!.values[0]![k] === -80)).toBe(true)
  })

  it('gives the voltage of the closed form', async () => {
    const { voltage } = await simulate(publishedNeuron, 150, { duration: 40, sampling: 0.5, initial: -60 })
    expect(voltage!.times).toHaveLength(81)
    voltage!.times.forEach((time, k) => {
      // E + I/g = -75 + 15: where it is it stays.
      expect(voltage!.values[0]![k]).toBeCloseTo(-60, 12)
      expect(time).toBe(0.5 * k)
    })
    const rising = await simulate(publishedNeuron, 150, { duration: 40, sampling: 0.5 })
    rising.voltage!.times.forEach((time, k) => {
      expect(rising.voltage!.values[0]![k]).toBeCloseTo(-60 - 15 * Math.exp(-time / 10), 11)
    })
  })

  // The same equation by Euler with 1e-4 ms, whose own error is of that size.
  it.each<[string, Current]>([
    ['a rising ramp', { kind: 'ramp', start: 0, end: 600 }],
    ['a falling ramp', { kind: 'ramp', start: 500, end: 100, from: 5, until: 90 }],
    ['a ramp that turns back below the rheobase', { kind: 'ramp', start: 400, end: -200 }],
    ['a step', { kind: 'step', amplitude: 350, base: 120, from: 20, until: 70 }],
    ['held noise', { kind: 'noise', mean: 230, deviation: 150, interval: 1, seed: 3 }],
    ['correlated noise', { kind: 'noise', mean: 230, deviation: 150, interval: 0.5, correlation: 5, seed: 4 }],
    ['samples', { kind: 'samples', values: [0, 500, 100, 900], interval: 20 }],
  ])('agrees with fine steps under %s', async (_, current) => {
    const [run, fine] = await Promise.all([
      simulate(publishedNeuron, current, { duration: 100, sampling: 1 }),
      simulate(publishedNeuron, current, { method: 'euler', dt: 1e-4, duration: 100, sampling: 1 }),
    ])
    expect(run.spikes[0]!.length).toBeGreaterThan(0)
    expect(run.spikes[0]).toHaveLength(fine.spikes[0]!.length)
    run.spikes[0]!.forEach((time, n) => {
      expect(Math.abs(time - fine.spikes[0]![n]!)).toBeLessThan(0.02)
    })
    // Away from spikes also the voltages.
    run.voltage!.times.forEach((time, k) => {
      const near = run.spikes[0]!.some((spike) => Math.abs(time - spike) < 0.1 || Math.abs(time - spike - 2) < 0.1)
      if (!near) expect(Math.abs(run.voltage!.values[0]![k]! - fine.voltage!.values[0]![k]!)).toBeLessThan(0.05)
    })
  })

  it('finds the crossing of a ramp to 1e-9 ms', async () => {
    const slope = 3
    const { spikes } = await simulate(publishedNeuron, { kind: 'ramp', start: 0, end: 300 }, { duration: 100 })
    // V(t) - V_th with V = E + (b/g)(t - tau + tau exp(-t / tau)), by bisection.
    const above = (t: number): number => (slope / 10) * (t - 10 + 10 * Math.exp(-t / 10)) - 20
    let [low, high] = [0, 100]
    for (let i = 0; i < 80; i++) {
      const middle = (low + high) / 2
      if (above(middle) < 0) low = middle
      else high = middle
    }
    expect(Math.abs(spikes[0]![0]! - high)).toBeLessThan(exact)
  })
})

describe('many at once', () => {
  const neurons: LifNeuron[] = Array.from({ length: 150 }, (_, k) => ({
    capacitance: 80 + k,
    conductance: 8 + k / 40,
    rest: -70 - k / 100,
    threshold: -50 + k / 200,
    reset: -72 + k / 30,
    refractory: k % 7,
  }))
  const currents: Current[] = neurons.map((_, k) =>
    k % 3 === 0
      ? { kind: 'constant', amplitude: 200 + 3 * k }
      : k % 3 === 1
        ? { kind: 'ramp', start: 100, end: 400 + k, from: k / 10 }
        : { kind: 'noise', mean: 300, deviation: 80, interval: 0.5, seed: k },
  )

  it.each(['exact', 'euler'] as const)('gives each its own spikes and voltage (%s)', async (method) => {
    const options = { method, duration: 80, sampling: 0.1 }
    const together = await simulate(neurons, currents, options)
    expect(together.spikes).toHaveLength(150)
    for (const k of [0, 1, 2, 63, 64, 65, 127, 128, 149]) {
      const alone = await simulate(neurons[k]!, currents[k]!, options)
      const times = alone.spikes[0]!
      expect(together.spikes[k]).toHaveLength(times.length)
      // A piece that ends at another neuron's edge is computed in two, to the same up to rounding.
      times.forEach((time, n) => void expect(together.spikes[k]![n]).toBeCloseTo(time, 9))
      const [a, b] = [together.voltage!.values[k]!, alone.voltage!.values[0]!]
      expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toBeLessThan(1e-9)
    }
    expect(together.spikes.filter((train) => train.length > 0).length).toBeGreaterThan(100)
  })

  it('takes one neuron for many currents, and one current for many neurons', async () => {
    const options = { duration: 100 }
    const many = await simulate(publishedNeuron, Float64Array.of(100, 250, 400), options)
    const one = await simulate([publishedNeuron, { ...publishedNeuron, refractory: 9 }], 400, options)
    expect(many.spikes.map((train) => train.length)).toEqual([0, 5, 11])
    expect(one.spikes[0]).toEqual(many.spikes[2])
    expect(one.spikes[1]).toHaveLength(6)
  })
})

describe('currents', () => {
  it('are what they say at each time', () => {
    const at = (current: Current | number, times: number[]) => Array.from(currentAt(current, times, 100))
    expect(at(7, [0, 99])).toEqual([7, 7])
    expect(at({ kind: 'step', amplitude: 5, base: 1, from: 10, until: 20 }, [0, 9.9, 10, 19.9, 20])).toEqual([
      1, 1, 5, 5, 1,
    ])
    expect(at({ kind: 'ramp', start: 0, end: 50, from: 50 }, [0, 50, 75, 99])).toEqual([0, 0, 25, 49])
    expect(at({ kind: 'ramp', start: 10, end: 0, until: 10 }, [0, 5, 10, 50])).toEqual([10, 5, 0, 0])
    expect(at({ kind: 'samples', values: [1, 2, 3], interval: 2 }, [0, 1.9, 2, 5, 90])).toEqual([1, 1, 2, 3, 3])
  })

  it('draw noise of the wanted mean, deviation and correlation from the seed alone', () => {
    const times = Float64Array.from({ length: 50_000 }, (_, k) => k)
    const noise = (seed: number, correlation = 0) =>
      currentAt({ kind: 'noise', mean: 20, deviation: 3, interval: 1, correlation, seed }, times, times.length)
    const moments = (values: Float64Array) => {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
      const lag = values.reduce((sum, value, k) => sum + (k > 0 ? (value - mean) * (values[k - 1]! - mean) : 0), 0)
      return { mean, deviation: Math.sqrt(variance), correlation: lag / values.length / variance }
    }
    expect(noise(1)).toEqual(noise(1))
    expect(noise(1)).not.toEqual(noise(2))
    const [white, slow] = [moments(noise(1)), moments(noise(1, 5))]
    expect(Math.abs(white.mean - 20)).toBeLessThan(0.06)
    expect(Math.abs(white.deviation - 3)).toBeLessThan(0.05)
    expect(Math.abs(white.correlation)).toBeLessThan(0.02)
    // r = exp(-1/5); the mean of correlated numbers wanders (1 + r) / (1 - r) times as far.
    expect(Math.abs(slow.mean - 20)).toBeLessThan(0.2)
    expect(Math.abs(slow.deviation - 3)).toBeLessThan(0.15)
    expect(Math.abs(slow.correlation - Math.exp(-0.2))).toBeLessThan(0.02)
  })
})

describe('bad input', () => {
  const run = (neuron: Partial<LifNeuron>, current: unknown = 300, options: object = {}) =>
    simulate({ ...publishedNeuron, ...neuron }, current as number, { duration: 10, ...options } as SimulateOptions)

  it.each<[() => Promise<unknown>, string, string, string]>([
    [() => run({ capacitance: -100 }), 'capacitance', 'pF', 'above 0 pF, got -100 pF'],
    [() => run({ conductance: 0 }), 'conductance', 'nS', 'above 0 nS, got 0 nS'],
    [() => run({ reset: -55 }), 'reset', 'mV', 'below the threshold of -55 mV, got -55 mV'],
    [() => run({ rest: -50 }), 'rest', 'mV', 'below the threshold of -55 mV, got -50 mV'],
    [() => run({ refractory: -1 }), 'refractory', 'ms', 'at least 0 ms, got -1 ms'],
    [() => run({ threshold: Number.NaN }), 'threshold', 'mV', 'a finite number of mV, got NaN mV'],
    [() => run({}, Number.POSITIVE_INFINITY), 'amplitude', 'pA', 'a finite number of pA, got Infinity pA'],
    [() => run({}, 300, { duration: 0 }), 'duration', 'ms', 'above 0 ms, got 0 ms'],
    [
      () => run({}, 300, { method: 'euler', dt: 5 }),
      'dt',
      'ms',
      'at most 1 ms, a tenth of the time constant τ = 10 ms, got 5 ms',
    ],
    [
      () => run({}, 300, { method: 'euler', sampling: 0.25 }),
      'sampling',
      'ms',
      'a multiple of dt, 0.1 ms, got 0.25 ms',
    ],
    [() => run({}, 300, { initial: -55 }), 'initial', 'mV', 'below the threshold of -55 mV, got -55 mV'],
    [
      () => run({}, { kind: 'noise', mean: 0, deviation: -1, interval: 1, seed: 0 }),
      'deviation',
      'pA',
      'at least 0 pA, got -1 pA',
    ],
    [() => run({}, { kind: 'step', amplitude: 1, from: 5, until: 5 }), 'until', 'ms', 'above 5 ms, got 5 ms'],
    [
      () => run({}, { kind: 'samples', values: [1, Number.NaN], interval: 1 }),
      'values[1]',
      'pA',
      'a finite number of pA, got NaN pA',
    ],
  ])('%#: names the parameter, its unit and its range', async (call, parameter, unit, sentence) => {
    const error = await call().then(
      () => undefined,
      (thrown: Error) => thrown,
    )
    expect(error).toMatchObject({ name: 'ArgumentError', code: 'ERR_RANGE', details: { parameter, unit } })
    expect(error?.message).toContain(`${parameter} must be ${sentence}`)
  })

  it('of the wrong type or number is typed too', async () => {
    await expect(run({}, '300')).rejects.toMatchObject({ code: 'ERR_TYPE' })
    await expect(run({}, { kind: 'square' })).rejects.toMatchObject({ code: 'ERR_RANGE' })
    await expect(run({ rest: undefined as unknown as number })).rejects.toMatchObject({ code: 'ERR_TYPE' })
    await expect(run({}, 300, { method: 'rk4' })).rejects.toMatchObject({ code: 'ERR_RANGE' })
    await expect(simulate([publishedNeuron, publishedNeuron], [1, 2, 3], { duration: 1 })).rejects.toMatchObject({
      code: 'ERR_SHAPE',
    })
    await expect(simulate([], 1, { duration: 1 })).rejects.toMatchObject({ code: 'ERR_SHAPE' })
    await expect(run({}, 300, { initial: [-75, -75] })).rejects.toMatchObject({ code: 'ERR_SHAPE' })
  })

  it('that would fire without end is stopped', async () => {
    await expect(run({ refractory: 0 }, 1e300)).rejects.toMatchObject({
      code: 'ERR_RANGE',
      message: expect.stringMatching(/fires more than 10000000 times/),
    })
  })
})

it('has the published time constant and rheobase', () => {
  expect(timeConstant(publishedNeuron)).toBe(10)
  expect(rheobase(publishedNeuron)).toBe(200)
})
