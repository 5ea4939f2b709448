import { describe, expect, it } from 'vitest'
import {
  type BlockCode,
  elementKinds,
  gatherBits,
  type LinkPoint,
  leastSquares,
  leastSquaresReceiver,
  lmmseReceiver,
  measureLink,
  networkInput,
  perfectReceiver,
  receiverBatches,
  resourceGrid,
  scatterBits,
  simulateSlots,
  slotQuality,
  symbolSnr,
  transportBlockCode,
  wilson,
} from '../../lib/receiver/index.js'
import { type Tensor, tensor } from '../../lib/tensor/index.js'
import { op } from '../../lib/tensor/operator.js'
import { scope } from '../../lib/tensor/scope.js'

const numbers = (x: Tensor): number[] => Array.from(x.toTypedArray(), Number)
const rayleigh = { kind: 'rayleigh' } as const

describe('resourceGrid', () => {
  it('places pilots of type 1 with twice the energy, and nothing between them', () => {
    using grid = resourceGrid()
    const kinds = grid.kinds.toArray() as number[][]
    const energy = (
      op('sum.dim_IntList', [op('square', [grid.pilots]) as Tensor, [-1]]) as Tensor
    ).toArray() as number[][]
    for (let s = 0; s < 14; s++) {
      for (let k = 0; k < 48; k++) {
        const pilot = (s === 2 || s === 11) && k % 2 === 0
        const empty = (s === 2 || s === 11) && !pilot
        const { data, pilot: isPilot, empty: isEmpty } = elementKinds
        expect(kinds[s]![k]).toBe(pilot ? isPilot : empty ? isEmpty : data)
        expect(energy[s]![k]).toBeCloseTo(pilot ? 2 : 0, 5)
      }
    }
    expect([grid.dataElements, grid.bits, grid.pilotSymbols]).toEqual([576, 1152, [2, 11]])
    expect(grid.symbolDuration).toBeCloseTo(35.677e-6, 9)
  })

  it('keeps guard and null carriers empty, and fills the carriers between pilots on request', () => {
    const pilots = { symbols: [0], offset: 1, dataBetween: true }
    using grid = resourceGrid({
      symbols: 2,
      subcarriers: 8,
      guards: [1, 2],
      nullCarrier: true,
      pilots,
      modulation: '64qam',
    })
    expect(grid.kinds.toArray()).toEqual([
      [0, 2, 1, 2, 0, 2, 0, 0],
      [0, 1, 1, 1, 0, 1, 0, 0],
    ])
    expect(grid.bits).toBe(5 * 6)
    expect(numbers(grid.frequencies)).toEqual([-4, -3, -2, -1, 0, 1, 2, 3].map((k) => k * 30e3))
  })

  it.each([
    [{ subcarriers: 0 }, 'ERR_RANGE', /subcarriers must be at least 1/],
    [{ symbols: 15 }, 'ERR_RANGE', /symbols must be at least 1 and at most 14/],
    [{ modulation: '8psk' as never }, 'ERR_RANGE', /modulation must be qpsk, 16qam, 64qam, got "8psk"/],
    [{ pilots: { symbols: [] } }, 'ERR_RANGE', /must name at least one/],
    [{ pilots: { symbols: [14] } }, 'ERR_RANGE', /symbols must be at least 0 and at most 13/],
    [{ symbols: 1, pilots: { symbols: [0] } }, 'ERR_SHAPE', /no element is left for data/],
    [{ guards: [3] as never }, 'ERR_TYPE', /guards must be \[lower, upper\]/],
  ])('refuses %j', (options, code, message) => {
    expect(() => resourceGrid(options)).toThrow(message)
    expect(() => resourceGrid(options)).toThrow(expect.objectContaining({ code }))
  })
})

describe('bad input', () => {
  it('names what is wrong', async () => {
    using grid = resourceGrid({ subcarriers: 12 })
    using other = resourceGrid({ subcarriers: 24 })
    using bare = resourceGrid({ subcarriers: 12, pilots: null })
    using slots = await simulateSlots(other, rayleigh, { snr: 0, samples: 2 })
    using receiver = perfectReceiver(grid)
    await expect(receiver.llrs(slots)).rejects.toMatchObject({ code: 'ERR_SHAPE' })
    await expect(receiver.llrs(slots)).rejects.toThrow(/\[any, any, 14, 12, 2\], got \[2, 1, 14, 24, 2\]/)
    expect(() => leastSquares(bare)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }))
    await expect(lmmseReceiver(bare, rayleigh)).rejects.toThrow(/the grid has none: make it with pilots/)
    const snr = simulateSlots(grid, rayleigh, { snr: Number.NaN, samples: 1 })
    await expect(snr).rejects.toMatchObject({ code: 'ERR_RANGE', details: { parameter: 'snr' } })
    await expect(simulateSlots(grid, rayleigh, { snr: [5, 1], samples: 1 })).rejects.toMatchObject({
      code: 'ERR_RANGE',
    })
    await expect(simulateSlots(grid, { kind: 'cdl-a' as never }, { snr: 0, samples: 1 })).rejects.toThrow(
      /channel.kind must be awgn or/,
    )
    await expect(simulateSlots(grid, rayleigh, { snr: 0, samples: 0 })).rejects.toMatchObject({ code: 'ERR_RANGE' })
    using bits = tensor([[0, 1]])
    await expect(simulateSlots(grid, rayleigh, { snr: 0, samples: 1, bits })).rejects.toMatchObject({
      code: 'ERR_SHAPE',
    })
    const recorded = { received: slots.received, noisePower: slots.noisePower }
    using unknowing = perfectReceiver(other)
    await expect(unknowing.llrs(recorded)).rejects.toMatchObject({ code: 'ERR_TYPE' })
  })

  it('is refused by the operators themselves', () => {
    using pilots = tensor(new Float32Array(24), { shape: [1, 12, 2] })
    const weights = (): unknown => op('spikingrx::link_interpolation', [pilots, 'linear', false])
    expect(weights).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }))
    expect(() => op('spikingrx::link_constellation', ['bpsk'])).toThrow(/qpsk, 16qam or 64qam, got bpsk/)
    using half = op('to.dtype', [pilots, 'float16']) as Tensor
    expect(() => op('spikingrx::link_interpolation', [half, 'linear'])).toThrow(/float32 or float64/)
  })
})

describe('soft bits', () => {
  it('count as errors and information on data elements only', async () => {
    using grid = resourceGrid({ symbols: 2, subcarriers: 4, pilots: { symbols: [0] } })
    const sent = [0, 1, 1, 0]
    const values = (fill: number, list: readonly number[]): number[] => [...Array<number>(4).fill(fill), ...list]
    using bits = tensor([...values(1, sent), ...values(1, sent)], { shape: [1, 2, 2, 4] })
    const soft = [-1, 2, -3, 0.5]
    using llrs = tensor([...values(-50, soft), ...values(-50, soft)], { shape: [1, 2, 2, 4] })
    const { bitErrors, information } = await slotQuality(grid, llrs, bits)
    expect(bitErrors).toEqual([4])
    const lost = [-1, -2, 3, 0.5].reduce((sum, x) => sum + Math.log2(1 + Math.exp(x)), 0) / 4
    expect(information[0]).toBeCloseTo(1 - lost, 6)
  })

  it('lie in a code word by symbol, subcarrier, bit, and find back', async () => {
    using grid = resourceGrid({ symbols: 2, subcarriers: 4, pilots: { symbols: [0], dataBetween: true } })
    using word = tensor([Array.from({ length: 12 }, (_, i) => i + 1)])
    using laid = await scatterBits(grid, word)
    expect(laid.toArray()).toEqual([
      [
        [
          [0, 1, 0, 3],
          [5, 7, 9, 11],
        ],
        [
          [0, 2, 0, 4],
          [6, 8, 10, 12],
        ],
      ],
    ])
    using back = await gatherBits(grid, laid)
    expect(back.toArray()).toEqual(word.toArray())
    using short = tensor([[1, 2]])
    await expect(scatterBits(grid, short)).rejects.toMatchObject({ code: 'ERR_SHAPE' })
  })
})

describe('wilson', () => {
  // Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('gives the interval of %d of %d', (successes, trials, low, high) => {
    const found = wilson(successes, trials)
    expect(found.low).toBeCloseTo(low, 4)
    expect(found.high).toBeCloseTo(high, 4)
    expect(found.value).toBe(successes / trials)
  })

  it('knows nothing without trials and refuses more successes than trials', () => {
    expect(wilson(0, 0)).toEqual({ value: Number.NaN, low: 0, high: 1 })
    expect(() => wilson(3, 2)).toThrow(expect.objectContaining({ code: 'ERR_RANGE' }))
  })
})

async function collect(points: AsyncIterable<LinkPoint>): Promise<LinkPoint[]> {
  const list: LinkPoint[] = []
  for await (const point of points) list.push(point)
  return list
}

describe('measureLink', () => {
  const channel = { kind: 'tdl-a', delaySpread: 100e-9, speed: [0, 30] } as const

  it('stops after enough block errors, and ranks the receivers on the same slots', async () => {
    using grid = resourceGrid()
    using perfect = perfectReceiver(grid)
    using best = await lmmseReceiver(grid, channel)
    using linear = leastSquaresReceiver(grid)
    using nearest = leastSquaresReceiver(grid, { interpolation: 'nearest' })
    const options = { snr: [10], batch: 200, mostSlots: 2000, blockErrors: 1000 }
    const [point] = await collect(measureLink(grid, channel, [perfect, best, linear, nearest], options))
    const { receivers } = point!
    expect(receivers.map(({ receiver }) => receiver)).toEqual([
      'perfect knowledge',
      'LMMSE',
      'LS, linear',
      'LS, nearest',
    ])
    const rates = receivers.map(({ ber }) => ber.value)
    expect([...rates].sort((a, b) => a - b)).toEqual(rates)
    // The pilot study: perfect knowledge .041, LS linear .052 at 10 dB.
    expect(Math.abs(rates[0]! - 0.041)).toBeLessThan(0.003)
    expect(Math.abs(rates[2]! - 0.052)).toBeLessThan(0.004)
    for (const { slots, blockErrors, bler, ber, rate } of receivers) {
      expect(slots).toBe(receivers[0]!.slots)
      expect(slots).toBeLessThan(2000)
      expect(blockErrors).toBeGreaterThanOrEqual(1000)
      expect(bler).toEqual(wilson(blockErrors, slots))
      expect(ber.low < ber.value && ber.value < ber.high).toBe(true)
      expect(rate.value > 0 && rate.value < 2).toBe(true)
    }
  })

  it('measures payload errors of a code over the slot', async () => {
    using grid = resourceGrid({ symbols: 2, subcarriers: 12, pilots: null })
    // Every payload bit is sent three times.
    const payloadBits = grid.bits / 3
    const code: BlockCode = {
      payloadBits,
      async encode(samples, seed, first) {
        const payload = op('spikingrx::link_bits', [samples, [payloadBits], seed + 1, first]) as Tensor
        return { payload, codewords: op('repeat', [payload, [1, 3]]) as Tensor }
      },
      async errors(llrs, payload) {
        const sums = op('sum.dim_IntList', [op('reshape', [llrs, [-1, 3, payloadBits]]) as Tensor, [1]]) as Tensor
        const decided = op('gt.Scalar', [sums, 0]) as Tensor
        const wrong = op('ne.Tensor', [decided, op('gt.Scalar', [payload, 0.5]) as Tensor]) as Tensor
        return numbers(op('sum.dim_IntList', [wrong, [1]]) as Tensor)
      },
    }
    using receiver = perfectReceiver(grid)
    const snr = symbolSnr(2, grid.bitsPerSymbol, 1 / 3)
    const options = { snr: [snr], batch: 500, mostSlots: 3000, blockErrors: 1e6, code }
    const [point] = await collect(measureLink(grid, { kind: 'awgn' }, [receiver], options))
    // A repetition code is worth its energy: Q(sqrt(2 Eb/N0)) at 2 dB.
    const { ber, slots } = point!.receivers[0]!
    expect(slots).toBe(3000)
    expect(ber.low < 0.0375 && 0.0375 < ber.high).toBe(true)
  })

  it('decodes a transport block a slot', async () => {
    using grid = resourceGrid({ subcarriers: 12, pilots: null, modulation: '16qam' })
    using receiver = perfectReceiver(grid)
    const code = transportBlockCode(grid, { size: grid.bits / 2, scrambling: { identity: 1, rnti: 2 } })
    const options = { snr: [2, 9], batch: 50, mostSlots: 100, code }
    const points = await collect(measureLink(grid, { kind: 'awgn' }, [receiver], options))
    // 16-QAM carries 2 bits an element at 5.9 dB in white noise; well below none get through, well above all.
    expect(points.map(({ receivers }) => receivers[0]!.blockErrors)).toEqual([100, 0])
    expect(points[0]!.receivers[0]!.ber.value).toBeGreaterThan(0.05)
    expect(() => transportBlockCode(grid, { size: grid.bits + 1 })).toThrow(
      expect.objectContaining({ code: 'ERR_RANGE' }),
    )
  })

  it('gives the same figures again, checks its options first and stops by its signal', async () => {
    using grid = resourceGrid({ subcarriers: 12 })
    using receiver = perfectReceiver(grid)
    const run = (): Promise<LinkPoint[]> =>
      collect(measureLink(grid, channel, [receiver], { snr: [0, 5], mostSlots: 64 }))
    expect(await run()).toEqual(await run())
    const bad = collect(measureLink(grid, channel, [receiver], { snr: [0, Number.POSITIVE_INFINITY] }))
    await expect(bad).rejects.toMatchObject({ code: 'ERR_RANGE' })
    const stopped = collect(measureLink(grid, channel, [receiver], { snr: [0], signal: AbortSignal.abort() }))
    await expect(stopped).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    await expect(collect(measureLink(grid, channel, [], { snr: [0] }))).rejects.toMatchObject({ code: 'ERR_ARGUMENT' })
  })
})

describe('receiverBatches', () => {
  it('draws batch after batch and goes on where a run stopped', async () => {
    using grid = resourceGrid({ subcarriers: 12 })
    const options = { batchSize: 3, seed: 4 }
    const inputs = async (first: number, slots: number): Promise<number[][]> => {
      const list: number[][] = []
      for await (using batch of receiverBatches(grid, rayleigh, { ...options, first, slots }))
        list.push(numbers(batch.input))
      return list
    }
    const [, second, third] = await inputs(0, 8)
    expect(await inputs(3, 5)).toEqual([second, third])
    expect(third).toHaveLength((2 * second!.length) / 3)
    expect(second).not.toEqual(third)
    expect(await inputs(3, 0)).toEqual([])
  })

  it('gives the network the received grid and the pilots', async () => {
    using grid = resourceGrid({ subcarriers: 12 })
    await scope(async () => {
      const slots = await simulateSlots(grid, rayleigh, { snr: 3, samples: 2 })
      const input = await networkInput(grid, slots)
      expect(input.shape).toEqual([2, 4, 14, 12])
      const part = (channel: number): number[] => numbers(op('select.int', [input, 1, channel]) as Tensor)
      const component = (x: Tensor, i: number): number[] => numbers(op('select.int', [x, -1, i]) as Tensor)
      const known = component(grid.pilots, 1)
      expect(part(0)).toEqual(component(slots.received, 0))
      expect(part(1)).toEqual(component(slots.received, 1))
      expect(part(3)).toEqual([...known, ...known])
    })
  })
})
