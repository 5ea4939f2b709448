import { describe, expect, it } from 'vitest'
import {
  type Channel,
  leastSquaresReceiver,
  lmmse,
  type Modulation,
  networkInput,
  resourceGrid,
  simulateSlots,
} from '../../lib/receiver/index.js'

const rayleigh = { kind: 'rayleigh' } as const

async function codeOf(work: () => unknown): Promise<unknown> {
  try {
    return await work()
  } catch (error) {
    return (error as { readonly code?: unknown }).code
  }
}

describe('what no link can be ends in a typed error', () => {
  it.each([
    [Number.NaN, 'ERR_RANGE'],
    [Number.NEGATIVE_INFINITY, 'ERR_RANGE'],
    [101, 'ERR_RANGE'],
    ['5', 'ERR_TYPE'],
  ])('an SNR of %s', async (snr, code) => {
    using grid = resourceGrid({ subcarriers: 12 })
    expect(await codeOf(() => simulateSlots(grid, rayleigh, { snr: snr as number, samples: 1 }))).toBe(code)
  })

  it.each([
    ['a speed beyond the Doppler model', { kind: 'tdl-a', speed: 129 }],
    ['a speed that is no number', { kind: 'tdl-a', speed: [0, Number.NaN] }],
    ['a delay spread below 0', { kind: 'tdl-a', delaySpread: -1e-9 }],
    ['a channel that nobody knows', { kind: 'tdl-f' }],
  ])('%s', async (_, channel) => {
    using grid = resourceGrid({ subcarriers: 12 })
    expect(await codeOf(() => simulateSlots(grid, channel as Channel, { snr: 5, samples: 1 }))).toBe('ERR_RANGE')
  })

  it('a modulation that nobody knows, and a grid that is not this one', async () => {
    expect(await codeOf(() => resourceGrid({ modulation: 'bpsk' as Modulation }))).toBe('ERR_RANGE')
    using grid = resourceGrid({ subcarriers: 12 })
    using wide = resourceGrid({ subcarriers: 24 })
    using slots = await simulateSlots(grid, rayleigh, { snr: 5, samples: 1 })
    using receiver = leastSquaresReceiver(wide)
    expect(await codeOf(() => receiver.llrs(slots))).toBe('ERR_SHAPE')
    expect(await codeOf(() => networkInput(wide, slots))).toBe('ERR_SHAPE')
  })

  it('a grid without pilots, where they are read', async () => {
    using bare = resourceGrid({ subcarriers: 12, pilots: null })
    using slots = await simulateSlots(bare, rayleigh, { snr: 5, samples: 1 })
    expect(await codeOf(() => networkInput(bare, slots))).toBe('ERR_ARGUMENT')
    expect(await codeOf(() => leastSquaresReceiver(bare))).toBe('ERR_ARGUMENT')
    expect(await codeOf(() => lmmse(bare, rayleigh))).toBe('ERR_ARGUMENT')
  })
})
