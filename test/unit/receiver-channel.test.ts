import { describe, expect, it } from 'vitest'
import {
  type Channel,
  type ChannelEstimator,
  type DelayProfile,
  demodulateOfdm,
  largestSpeed,
  leastSquares,
  lmmse,
  modulateOfdm,
  perfectKnowledge,
  resourceGrid,
  simulateSlots,
} from '../../lib/receiver/index.js'
import { type Tensor, tensor } from '../../lib/tensor/index.js'
import { op } from '../../lib/tensor/operator.js'
import { scope } from '../../lib/tensor/scope.js'

const lines = ['tdl-a', 'tdl-b', 'tdl-c', 'tdl-d', 'tdl-e'] as const
const link = (name: string, args: readonly unknown[]): unknown => op(`spikingrx::link_${name}`, args as never)
const numbers = (x: Tensor): number[] => Array.from(x.toTypedArray(), Number)

interface Profile {
  readonly delays: number[]
  readonly powers: number[]
  readonly specular: number
  readonly cosine: number
}

function profileOf(name: DelayProfile): Profile {
  const [delays, powers, specular, cosine] = link('profile', [name]) as [Tensor, Tensor, number, number]
  return { delays: numbers(delays), powers: numbers(powers), specular, cosine }
}

/** J0 by its integral. */
function bessel(x: number): number {
  const steps = 200
  let sum = 0
  for (let i = 0; i < steps; i++) sum += Math.cos(x * Math.sin((Math.PI * (i + 0.5)) / steps))
  return sum / steps
}

/** E[g(0)* g(t)] of each tap at each time, over samples drawn. */
function autocorrelation(
  name: DelayProfile,
  doppler: number,
  times: readonly number[],
  samples: number,
): [number, number][][] {
  const args = [name, tensor([doppler]), tensor([...times]), 1, 20, samples, 5]
  using gains = link('draw_gains', args) as Tensor // [samples, 1, T, L, 2]
  const g = gains.toTypedArray() as Float32Array
  const [steps, taps] = gains.shape.slice(2, 4) as [number, number]
  const found = times.map(() => Array.from({ length: taps }, (): [number, number] => [0, 0]))
  for (let b = 0; b < samples; b++) {
    for (let t = 0; t < steps; t++) {
      for (let l = 0; l < taps; l++) {
        const start = 2 * (b * steps * taps + l)
        const at = start + 2 * t * taps
        found[t]![l]![0] += (g[start]! * g[at]! + g[start + 1]! * g[at + 1]!) / samples
        found[t]![l]![1] += (g[start]! * g[at + 1]! - g[start + 1]! * g[at]!) / samples
      }
    }
  }
  return found
}

describe.each(lines)('%s', (name) => {
  const { delays, powers, specular, cosine } = profileOf(name)
  const tapPower = (l: number): number => powers[l]! + (l === 0 ? specular : 0)

  it('has unit power and unit rms delay spread in its table', () => {
    const total = powers.reduce((sum, _, l) => sum + tapPower(l), 0)
    const mean = delays.reduce((sum, delay, l) => sum + tapPower(l) * delay, 0)
    const square = delays.reduce((sum, delay, l) => sum + tapPower(l) * delay ** 2, 0)
    expect(total).toBeCloseTo(1, 12)
    // The tables' own rounding: their spread is 1 within some hundredths.
    expect(Math.abs(Math.sqrt(square - mean ** 2) - 1)).toBeLessThan(0.05)
  })

  it('fades with the powers of its taps and the autocorrelation J0(2 pi f_d t)', () => {
    const doppler = 400
    const times = [0, 0.0004, 0.0008, 0.0012, 0.0016, 0.0024]
    const found = autocorrelation(name, doppler, times, 6000)
    for (const [t, time] of times.entries()) {
      for (let l = 0; l < powers.length; l++) {
        const angle = 2 * Math.PI * doppler * time
        const sight = l === 0 ? specular : 0
        const real = powers[l]! * bessel(angle) + sight * Math.cos(angle * cosine)
        const imaginary = sight * Math.sin(angle * cosine)
        const [re, im] = found[t]![l]!
        expect(Math.hypot(re - real, im - imaginary) / tapPower(l), `tap ${l} after ${time} s`).toBeLessThan(0.05)
      }
    }
  })
})

describe('the line of sight', () => {
  it('stands 13.3 dB above the rest of its tap in D and 22 dB in E', () => {
    const ratio = (name: DelayProfile): number => {
      const { powers, specular } = profileOf(name)
      return 10 * Math.log10(specular / powers[0]!)
    }
    expect(ratio('tdl-d')).toBeCloseTo(13.3, 10)
    expect(ratio('tdl-e')).toBeCloseTo(22, 10)
  })
})

describe('draws', () => {
  const channel: Channel = { kind: 'tdl-c', delaySpread: [20e-9, 300e-9], speed: [0, 30], antennas: 2 }

  it('gives a sample the same numbers in every batch, and another seed others', async () => {
    using grid = resourceGrid({ subcarriers: 12 })
    const draw = async (samples: number, first: number, seed = 9): Promise<number[][]> => {
      using slots = await simulateSlots(grid, channel, { snr: [0, 10], samples, first, seed })
      const { received, bits, response, snr, delaySpread, speed } = slots
      return [received, bits, response, snr, delaySpread, speed].map(numbers)
    }
    const all = await draw(5, 0)
    const last = await draw(2, 3)
    for (const [index, values] of all.entries()) {
      expect(last[index]).toEqual(values.slice((values.length / 5) * 3))
      if (index !== 1) expect((await draw(5, 0, 10))[index]).not.toEqual(values)
    }
    for (const value of all[3]!) expect(value >= 0 && value < 10).toBe(true)
    expect(new Set(all[4]).size).toBe(5)
  })

  it('draws bits that are even and unlike one another from slot to slot', async () => {
    using bits = link('bits', [4000, [101], 1, 0]) as Tensor
    const values = numbers(bits)
    const ones = values.reduce((sum, bit) => sum + bit, 0)
    expect(Math.abs(ones / values.length - 0.5)).toBeLessThan((3 * 0.5) / Math.sqrt(values.length))
    let alike = 0
    for (let i = 101; i < values.length; i++) alike += values[i] === values[i - 101] ? 1 : 0
    expect(Math.abs(alike / (values.length - 101) - 0.5)).toBeLessThan((3 * 0.5) / Math.sqrt(values.length))
  })

  it('adds circular normal noise of the power asked for', async () => {
    using grid = resourceGrid({ pilots: null })
    using slots = await simulateSlots(grid, { kind: 'awgn' }, { snr: 7, samples: 200 })
    using zero = op('zeros_like', [op('select.int', [slots.received, 1, 0]) as Tensor]) as Tensor
    using noise = link('receive', [zero, slots.response, slots.noisePower, 4, 0]) as Tensor
    const values = numbers(noise)
    const power = 10 ** -0.7
    const moment = (order: number): number => values.reduce((sum, x) => sum + x ** order, 0) / values.length
    const count = values.length
    expect(Math.abs(moment(1))).toBeLessThan(3 * Math.sqrt(power / 2 / count))
    expect(Math.abs(moment(2) / (power / 2) - 1)).toBeLessThan(3 * Math.sqrt(2 / count))
    expect(Math.abs(moment(4) / (power / 2) ** 2 - 3)).toBeLessThan(3 * Math.sqrt(96 / count))
  })

  it('gives the kernels and libtorch the same channel', () => {
    using grid = resourceGrid({ subcarriers: 12 })
    for (const name of ['tdl-a', 'tdl-d']) {
      const response = (dtype: string): number[] => {
        const cast = (x: Tensor): Tensor => op('to.dtype', [x, dtype]) as Tensor
        const doppler = cast(tensor([100, 350, 0]))
        const spread = cast(tensor([1e-7, 3e-7, 2e-8]))
        return numbers(
          link('response', [name, doppler, spread, cast(grid.times), cast(grid.frequencies), 2, 20, 3, 1]) as Tensor,
        )
      }
      const [single, double] = [response('float32'), response('float64')]
      expect(Math.max(...single.map((value, i) => Math.abs(value - double[i]!)))).toBeLessThan(2e-5)
    }
  })
})

describe('frequency domain and time domain', () => {
  const size = 64
  const prefix = 16
  const rate = size * 30e3

  /** Share of the received power by which the two differ: the grid through H, and its samples through the taps. */
  async function disagreement(
    gains: (samples: number) => Tensor,
    delays: Tensor,
    first: number,
    last: number,
  ): Promise<number> {
    using grid = resourceGrid({ pilots: null, cyclicPrefix: prefix / size })
    return await scope(async () => {
      const slots = await simulateSlots(grid, { kind: 'awgn' }, { snr: 100, samples: 1 })
      const sent = op('select.int', [slots.received, 1, 0]) as Tensor
      const samples = await modulateOfdm(grid, sent, { size, prefix })
      const length = samples.shape[1]!
      const course = gains(length)
      const inTime = link('filter', [
        samples,
        link('time_response', [course, delays, rate, first, last]),
        first,
      ]) as Tensor
      const arrived = await demodulateOfdm(grid, inTime, { size, prefix })
      // The channel in the middle of each symbol's body.
      const middle = Array.from({ length: 14 }, (_, s) => s * (size + prefix) + prefix + size / 2)
      const at = op('index_select', [course, 2, op('to.dtype', [tensor(middle), 'int64']) as Tensor]) as Tensor
      const response = link('frequency_response', [at, delays, grid.frequencies]) as Tensor
      const expected = numbers(link('receive', [sent, response, tensor([0]), 0, 0]) as Tensor)
      const difference = numbers(arrived).reduce((sum, value, i) => sum + (value - expected[i]!) ** 2, 0)
      return difference / expected.reduce((sum, value) => sum + value ** 2, 0)
    })
  }

  it('agree to rounding where delays are whole samples and nothing moves', async () => {
    const delays = tensor([[0, 3 / rate, 7 / rate]])
    const values = [0.8, 0.1, -0.3, 0.4, 0.2, 0.1]
    const gains = (length: number): Tensor =>
      tensor(
        Float32Array.from({ length: 6 * length }, (_, i) => values[i % 6]!),
        { shape: [1, 1, length, 3, 2] },
      )
    expect(await disagreement(gains, delays, 0, 8)).toBeLessThan(1e-10)
  })

  it('agree within -25 dB for TDL-A at 30 m/s and 100 ns', async () => {
    const { delays } = profileOf('tdl-a')
    const scaled = tensor([delays.map((delay) => delay * 100e-9)])
    const gains = (length: number): Tensor => {
      const times = tensor(Float32Array.from({ length }, (_, i) => i / rate))
      return link('draw_gains', ['tdl-a', tensor([(30 * 3.5e9) / 299792458]), times, 1, 20, 1, 2]) as Tensor
    }
    expect(await disagreement(gains, scaled, -6, 12)).toBeLessThan(10 ** -2.5)
  })
})

describe('estimators', () => {
  const channel: Channel = { kind: 'tdl-a', delaySpread: 100e-9, speed: 15 }
  const snr = 10

  /** Mean square error measured, and the mean of what the estimator says of it. */
  async function errors(
    make: () => Promise<ChannelEstimator> | ChannelEstimator,
  ): Promise<{ measured: number; said: number }> {
    using estimator = await make()
    return await scope(async () => {
      const slots = await simulateSlots(grid, channel, { snr, samples: 400, seed: 1 })
      const { estimate, error } = await estimator.estimate(slots)
      const mean = (x: Tensor): number => (op('mean', [x]) as Tensor).item()
      const difference = op('sub.Tensor', [estimate, slots.response]) as Tensor
      return { measured: 2 * mean(op('square', [difference]) as Tensor), said: mean(error) }
    })
  }

  const grid = resourceGrid()

  it('rank as theory does: joint LMMSE, separable LMMSE, linear, nearest; and LMMSE knows its error', async () => {
    const joint = await errors(() => lmmse(grid, channel))
    const separable = await errors(() => lmmse(grid, channel, { filter: 'separable' }))
    const linear = await errors(() => leastSquares(grid))
    const nearest = await errors(() => leastSquares(grid, { interpolation: 'nearest' }))
    expect(joint.measured).toBeLessThan(separable.measured)
    expect(separable.measured).toBeLessThan(linear.measured)
    expect(linear.measured).toBeLessThan(nearest.measured)
    expect(Math.abs(joint.measured / joint.said - 1)).toBeLessThan(0.05)
    expect(await errors(() => perfectKnowledge(grid))).toEqual({ measured: 0, said: 0 })
  })

  it('hold or extend the line beyond the last pilots', () => {
    using line = resourceGrid({ symbols: 1, subcarriers: 6, pilots: { symbols: [0], dataBetween: true } })
    const weights = (extrapolate: boolean): number[][] =>
      (link('interpolation', [line.pilots, 'linear', extrapolate]) as Tensor).toArray() as number[][]
    expect(weights(false)).toEqual([
      [1, 0.5, 0, 0, 0, 0],
      [0, 0.5, 1, 0.5, 0, 0],
      [0, 0, 0, 0.5, 1, 1],
    ])
    expect(weights(true)).toEqual([
      [1, 0.5, 0, 0, 0, 0],
      [0, 0.5, 1, 0.5, 0, -0.5],
      [0, 0, 0, 0.5, 1, 1.5],
    ])
  })
})

describe('speed', () => {
  it('is limited to a Doppler shift of 5 % of the spacing', async () => {
    expect(largestSpeed(30e3, 3.5e9)).toBeCloseTo(128.48, 2)
    using grid = resourceGrid()
    const call = simulateSlots(grid, { kind: 'tdl-a', speed: 129 }, { snr: 0, samples: 1 })
    await expect(call).rejects.toMatchObject({ code: 'ERR_RANGE', details: { parameter: 'speed' } })
    await expect(call).rejects.toThrow(/at most 128\.5 m\/s at 3\.5 GHz and 30 kHz spacing/)
  })
})
