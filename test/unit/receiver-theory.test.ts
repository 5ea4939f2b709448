import { describe, expect, it } from 'vitest'
import {
  type Channel,
  type GridOptions,
  leastSquaresReceiver,
  perfectReceiver,
  type Receiver,
  type ResourceGrid,
  resourceGrid,
  simulateSlots,
  slotQuality,
  symbolSnr,
  theoreticalBitErrorRate,
  theoreticalCombiningErrorRate,
} from '../../lib/receiver/index.js'
import { RunningMean } from '../../lib/receiver/metrics.js'
import { scope } from '../../lib/tensor/scope.js'

/** A slot fades as a whole: many small ones tell more than a few large ones. */
const small: GridOptions = { symbols: 1, subcarriers: 4, pilots: null }
const large: GridOptions = { symbols: 14, subcarriers: 48, pilots: null }

interface Link {
  readonly grid: GridOptions
  readonly channel: Channel
  /** Es/N0, dB */
  readonly snr: number
  readonly samples: number
  readonly receiver?: (grid: ResourceGrid) => Receiver
}

/** Bit error rate over the slots, and the standard error of that mean from their spread. */
async function bitErrorRate(link: Link): Promise<{ rate: number; deviation: number; information: number }> {
  using grid = resourceGrid(link.grid)
  using receiver = (link.receiver ?? ((one) => perfectReceiver(one, { demapper: 'maxlog' })))(grid)
  const errors = new RunningMean()
  const information = new RunningMean()
  await scope(async () => {
    const slots = await simulateSlots(grid, link.channel, { snr: link.snr, samples: link.samples, seed: 3 })
    const quality = await slotQuality(grid, await receiver.llrs(slots), slots.bits)
    errors.add(quality.bitErrors)
    information.add(quality.information)
  })
  const { value, high } = errors.estimate(grid.bits)
  return { rate: value, deviation: (high - value) / 1.959964, information: information.estimate().value }
}

async function expectRate(link: Link, expected: number): Promise<void> {
  const { rate, deviation } = await bitErrorRate(link)
  // The sample must be able to tell: 3 standard errors within 8 % of the expected rate.
  expect(3 * deviation).toBeLessThan(0.08 * expected)
  expect(Math.abs(rate - expected)).toBeLessThan(3 * deviation)
}

describe('bit error rates with perfect channel knowledge', () => {
  // Proakis, Digital Communications: Q(sqrt(2 Eb/N0)), and half of 1 - sqrt(g / (1 + g)).
  it.each([
    [0, 0.07865],
    [4, 0.0125],
  ])('QPSK in white noise at Eb/N0 = %d dB: %d', async (bitSnr, expected) => {
    await expectRate({ grid: large, channel: { kind: 'awgn' }, snr: symbolSnr(bitSnr, 2), samples: 500 }, expected)
  })

  it.each([
    [0, 0.14645],
    [10, 0.02327],
    [20, 0.00248],
  ])('QPSK in flat Rayleigh fading at Eb/N0 = %d dB: %d', async (bitSnr, expected) => {
    const samples = bitSnr === 20 ? 300_000 : 60_000
    await expectRate({ grid: small, channel: { kind: 'rayleigh' }, snr: symbolSnr(bitSnr, 2), samples }, expected)
  })

  it('QPSK on two Rayleigh branches combined, Eb/N0 = 10 dB a branch: (1 - m)^2 (2 + m) / 4', async () => {
    const m = Math.sqrt(10 / 11)
    const channel: Channel = { kind: 'rayleigh', antennas: 2 }
    const link: Link = { grid: small, channel, snr: symbolSnr(10, 2), samples: 300_000 }
    await expectRate(link, ((1 - m) ** 2 * (2 + m)) / 4)
    await expectRate(
      { ...link, receiver: (grid) => perfectReceiver(grid, { equaliser: 'zf' }) },
      ((1 - m) ** 2 * (2 + m)) / 4,
    )
  })

  it.each([
    ['awgn', large, 600, 1.754e-3],
    ['rayleigh', small, 60_000, 0.04237],
  ] as const)('16-QAM, %s, at Eb/N0 = 10 dB', async (kind, grid, samples, expected) => {
    await expectRate(
      { grid: { ...grid, modulation: '16qam' }, channel: { kind }, snr: symbolSnr(10, 4), samples },
      expected,
    )
  })

  it('reaches the information that white noise leaves in a binary symbol', async () => {
    // 1 - E log2(1 + exp(-2 (1 + n))), n normal: capacity of a binary input at 0 dB, by quadrature: 0.4859.
    const { information } = await bitErrorRate({ grid: large, channel: { kind: 'awgn' }, snr: 0, samples: 500 })
    let expected = 1
    for (let n = -8; n < 8; n += 1e-3) {
      expected -= 1e-3 * (Math.exp((-n * n) / 2) / Math.sqrt(2 * Math.PI)) * Math.log2(1 + Math.exp(-2 * (1 + n)))
    }
    expect(expected).toBeCloseTo(0.4859, 4)
    expect(information).toBeCloseTo(expected, 2)
  })
})

describe('closed forms', () => {
  // Textbook values, as in the tests above; 64-QAM is measured below.
  it.each([
    ['qpsk', 'awgn', 0, 0.07865],
    ['16qam', 'awgn', 10, 1.754e-3],
    ['qpsk', 'rayleigh', 0, 0.14645],
    ['qpsk', 'rayleigh', 20, 0.00248],
    ['16qam', 'rayleigh', 10, 0.04237],
  ] as const)('%s, %s, Eb/N0 = %d dB: %d', (modulation, channel, bitSnr, expected) => {
    const bits = modulation === 'qpsk' ? 2 : 4
    const rate = theoreticalBitErrorRate(modulation, channel, symbolSnr(bitSnr, bits))
    expect(Math.abs(rate / expected - 1)).toBeLessThan(3e-3)
  })

  it.each([
    ['awgn', large, 100],
    ['rayleigh', small, 60_000],
  ] as const)('64-QAM, %s, as measured at Es/N0 = 15 dB', async (kind, grid, samples) => {
    const expected = theoreticalBitErrorRate('64qam', kind, 15)
    await expectRate({ grid: { ...grid, modulation: '64qam' }, channel: { kind }, snr: 15, samples }, expected)
  })

  it('combine branches: one is plain fading, two are (1 - m)^2 (2 + m) / 4', () => {
    const plain = theoreticalBitErrorRate('qpsk', 'rayleigh', 13)
    expect(theoreticalCombiningErrorRate(1, 13)).toBeCloseTo(plain, 12)
    const energy = 10 ** 1.3 / 2
    const m = Math.sqrt(energy / (1 + energy))
    expect(theoreticalCombiningErrorRate(2, 13)).toBeCloseTo(((1 - m) ** 2 * (2 + m)) / 4, 12)
  })

  it('refuse what has none', () => {
    expect(() => theoreticalBitErrorRate('qpsk', 'tdl-a' as never, 0)).toThrow(
      expect.objectContaining({ code: 'ERR_RANGE' }),
    )
    expect(() => theoreticalCombiningErrorRate(0, 0)).toThrow(expect.objectContaining({ code: 'ERR_RANGE' }))
  })
})

describe('bit error rates with one noisy pilot', () => {
  // Half of 1 - r / sqrt(2 - r^2), r = g / (1 + g) the correlation of estimate and channel.
  it.each([
    [0, 0.31102],
    [10, 0.08041],
    [20, 0.00976],
  ])('QPSK in flat Rayleigh fading at Es/N0 = %d dB: %d', async (snr, expected) => {
    const grid: GridOptions = { symbols: 1, subcarriers: 2, pilots: { symbols: [0], dataBetween: true } }
    const receiver = (one: ResourceGrid): Receiver => leastSquaresReceiver(one, { interpolation: 'nearest' })
    await expectRate({ grid, channel: { kind: 'rayleigh' }, snr, samples: 200_000, receiver }, expected)
  })
})
