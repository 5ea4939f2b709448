import { describe, expect, it } from 'vitest'
import { lightSpeed } from '../../lib/receiver/channel.js'
import { constellation, type Modulation, resourceGrid } from '../../lib/receiver/index.js'
import { type Tensor, tensor } from '../../lib/tensor/index.js'
import { op } from '../../lib/tensor/operator.js'
import { expectClose, type GoldenCase, readFamily, toTensor } from './vectors.js'

/** float32 throughout, of the largest magnitude. */
const close = 1e-5

interface LineOptions {
  readonly channel: string
  readonly delaySpread: number
  readonly speed: number
  readonly carrier: number
  readonly bandwidth: number
  readonly first: number
  readonly last: number
}

interface ReceiverOptions {
  readonly noisePower: number
  readonly delaySpread: number
  readonly speed: number
  readonly carrier: number
}

type Options = Partial<LineOptions & ReceiverOptions> & {
  readonly modulation?: Modulation
  readonly size?: number
  readonly prefix?: number
}

const cases = await readFamily<Options>('link')
const named = (prefix: string): GoldenCase<Options>[] => cases.filter(({ name }) => name.startsWith(prefix))
const one = (name: string): GoldenCase<Options> => named(name)[0]!
const grid = resourceGrid({ subcarriers: 24, modulation: '16qam', pilots: { identity: 5, scrambling: 1 } })
const link = (name: string, args: readonly unknown[]): unknown => op(`spikingrx::link_${name}`, args as never)
const both = (result: unknown): readonly [Tensor, Tensor] => result as [Tensor, Tensor]
const single = (x: Tensor): Tensor => op('to.dtype', [x, 'float32']) as Tensor
const double = (x: Tensor): Tensor => op('to.dtype', [x, 'float64']) as Tensor

interface Profile {
  readonly delays: Tensor
  readonly powers: Tensor
  readonly specular: number
  readonly cosine: number
}

function profile(name: string, delaySpread: number): Profile {
  const [delays, powers, specular, cosine] = link('profile', [name]) as [Tensor, Tensor, number, number]
  return { delays: op('mul.Scalar', [delays, delaySpread]) as Tensor, powers, specular, cosine }
}

describe.each(named('TDL-'))('$name of TR 38.901 as Sionna makes it', (golden) => {
  const { channel, delaySpread, speed, carrier, bandwidth, first, last } = golden.options as LineOptions
  const { delays, powers, specular, cosine } = profile(channel, delaySpread)
  const doppler = tensor([(speed * carrier) / lightSpeed], { dtype: 'float64' })

  it.each(['float32', 'float64'] as const)('has the same tap gains and responses in %s', (dtype) => {
    const cast = (x: Tensor): Tensor => (dtype === 'float32' ? single(x) : double(x))
    const value = (name: string): Tensor => cast(toTensor(golden.values(name)))
    const drawn = [value('angles'), value('phases'), value('specularPhases')]
    const gains = link('tap_gains', [
      cast(powers),
      specular,
      cosine,
      cast(doppler),
      cast(grid.times),
      ...drawn,
    ]) as Tensor
    expectClose(gains, golden.values('gains'), close, 'gains')
    const row = op('unsqueeze', [cast(delays), 0]) as Tensor
    const response = link('frequency_response', [gains, row, cast(grid.frequencies)]) as Tensor
    expectClose(response, golden.values('response'), close, 'response')
    const inTime = link('time_response', [gains, row, bandwidth, first, last]) as Tensor
    const part = op('slice.Tensor', [op('slice.Tensor', [inTime, 0, 0, 1]) as Tensor, 2, 0, 3]) as Tensor
    expectClose(part, golden.values('timeResponse'), close, 'response in time')
  })

  it('has the same delays', () => {
    expectClose(op('mul.Scalar', [delays, 1e9]) as Tensor, golden.values('delays'), 1e-6, 'delays, ns')
  })
})

describe('estimates as Sionna makes them', () => {
  const golden = one('receivers')
  const { noisePower, delaySpread, speed, carrier } = golden.options as ReceiverOptions
  const received = toTensor(golden.values('received'))
  const noise = tensor([noisePower])
  const expectEstimate = ([estimate, error]: readonly [Tensor, Tensor], name: string): void => {
    expectClose(estimate, golden.values(`${name}Estimate`), 1e-5, `${name}, estimate`)
    expectClose(error, golden.values(`${name}Error`), 1e-4, `${name}, error variance`)
  }
  const interpolated = (method: string, extrapolate: boolean): readonly [Tensor, Tensor] => {
    const weights = link('interpolation', [grid.pilots, method, extrapolate])
    return both(link('interpolate', [received, grid.pilots, weights, noise]))
  }

  it('has the pilots of TS 38.211 from the same Gold sequence', () => {
    expectClose(grid.pilots, golden.values('pilots'), 1e-6, 'pilots')
  })

  it('interpolates least squares alike, linearly and from the nearest pilot', () => {
    expectEstimate(interpolated('nearest', false), 'nearest')
    expectEstimate(interpolated('linear', true), 'linear')
  })

  it('filters by the separable LMMSE alike, and by the joint one as NumPy does', () => {
    const { delays, powers, specular, cosine } = profile('tdl-a', delaySpread)
    const statistics = [powers, delays, specular, cosine, (speed * carrier) / lightSpeed, grid.times, grid.frequencies]
    const covariances = (link('covariances', statistics) as Tensor[]).map(single)
    expectEstimate(both(link('estimate_lmmse_separable', [received, grid.pilots, noise, ...covariances])), 'lmmse')
    const basis = link('lmmse_basis', [...statistics, grid.pilots]) as Tensor[]
    expectEstimate(both(link('estimate_lmmse', [received, grid.pilots, noise, ...basis])), 'joint')
  })

  it.each(['lmmse', 'zf'])('equalises two antennas alike by %s', (method) => {
    const [estimate, error] = interpolated('linear', true)
    const [symbols, after] = both(link('equalise', [received, estimate, error, noise, method]))
    expectClose(symbols, golden.values(`${method}Symbols`), 1e-5, 'symbols')
    expectClose(after, golden.values(`${method}Noise`), 1e-5, 'noise')
  })
})

describe.each(cases.filter(({ options }) => options.modulation))('$name as Sionna maps it', (golden) => {
  const modulation = golden.options.modulation!

  it('has the points of TS 38.211', () => {
    expectClose(constellation(modulation), golden.values('points'), 1e-6, 'points')
  })

  it.each(['app', 'maxlog'])('gives the same LLRs by %s', (method) => {
    const args = [toTensor(golden.values('symbols')), toTensor(golden.values('noise')), modulation, method]
    expectClose(link('demap', args) as Tensor, golden.values(method), 1e-5, 'LLRs')
  })
})

describe('OFDM', () => {
  it('modulates as Sionna does, and back', () => {
    const golden = one('OFDM')
    const symbols = toTensor(golden.values('grid'))
    const { size, prefix } = golden.options
    const samples = link('ofdm_modulate', [symbols, size, prefix]) as Tensor
    expectClose(samples, golden.values('samples'), 1e-6, 'samples')
    const back = link('ofdm_demodulate', [samples, 2, 32, size, prefix]) as Tensor
    expectClose(back, golden.values('grid'), 1e-6, 'grid')
    expect(samples.shape).toEqual([1, 2 * (size! + prefix!), 2])
  })
})
