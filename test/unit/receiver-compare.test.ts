import { describe, expect, it } from 'vitest'
import { compareReceivers, perfectReceiver, type Receiver, resourceGrid } from '../../lib/receiver/index.js'
import { add, manualSeed, mul, randn, reshape, scope, sqrt } from '../../lib/tensor/index.js'

const channel = { kind: 'awgn' } as const

/** Sees as much noise again: it needs 10 log10(2) dB more for everything. */
function noisier(receiver: Receiver): Receiver {
  return {
    ...receiver,
    name: 'noisier',
    llrs: (slots) =>
      scope(async () => {
        const { received, noisePower } = slots
        const deviation = reshape(sqrt(mul(noisePower, 0.5)), [-1, 1, 1, 1, 1])
        const noise = mul(randn(received.shape), deviation)
        return receiver.llrs({ ...slots, received: add(received, noise), noisePower })
      }),
  }
}

describe('two receivers on the same slots', () => {
  it('are 3.01 dB apart where one has twice the noise, within three standard errors', async () => {
    manualSeed(1)
    using grid = resourceGrid({ symbols: 14, subcarriers: 48, modulation: 'qpsk' })
    using perfect = perfectReceiver(grid)
    const levels = [0.15, 0.05].map((level) => ({ measure: 'ber' as const, level }))
    // Q(sqrt(Es/N0)) = 0.15 at 0.31 dB, 0.05 at 4.32 dB: the curve is nearly a line over half a dB.
    const snr = Array.from({ length: 17 }, (_, i) => -0.5 + i / 2)
    const {
      levels: found,
      slots,
      points,
    } = await compareReceivers(grid, channel, [perfect, noisier(perfect)], {
      snr,
      levels,
      slots: 60,
      parts: 6,
      seed: 3,
    })
    expect(slots).toBe(60)
    expect(points).toHaveLength(17)
    for (const { reference, loss, error, level } of found) {
      expect(reference.kind === 'at' && reference.snr).toBeCloseTo(level === 0.15 ? 0.31 : 4.32, 1)
      expect(error).toBeGreaterThan(0.001)
      expect(error).toBeLessThan(0.05)
      expect(Math.abs(loss! - 10 * Math.log10(2))).toBeLessThan(3 * error! + 0.01)
    }
  })

  it('lose nothing against themselves, and tell where the points do not reach', async () => {
    using grid = resourceGrid({ symbols: 6, subcarriers: 12, pilots: { symbols: [1] } })
    using perfect = perfectReceiver(grid)
    const { levels } = await compareReceivers(grid, channel, [perfect, perfect], {
      snr: [0, 4],
      levels: [
        { measure: 'ber', level: 0.1 },
        { measure: 'bler', level: 0.1 },
      ],
      slots: 12,
    })
    expect(levels[0]).toMatchObject({ loss: 0, error: 0 })
    expect(levels[1]).toEqual({
      measure: 'bler',
      level: 0.1,
      reference: { kind: 'within', low: 4, high: Number.POSITIVE_INFINITY },
      other: { kind: 'within', low: 4, high: Number.POSITIVE_INFINITY },
    })
    const options = { snr: [0], levels: [{ measure: 'ber' as const, level: 0 }] }
    await expect(compareReceivers(grid, channel, [perfect, perfect], options)).rejects.toMatchObject({
      code: 'ERR_RANGE',
    })
  })
})
