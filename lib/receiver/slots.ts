/** Slots through a channel: what the simulator draws, and what arrives. */
import { ArgumentError } from '../errors.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkShape, type Drawn, drawnRange, type SampleOptions, sampleArguments } from './arguments.js'
import { type Channel, channelSettings } from './channel.js'
import type { ResourceGrid } from './grid.js'
import { linkTensors } from './operators.js'

export interface SlotOptions extends SampleOptions {
  /** Es/N0 of a data element, dB, −100..100; {@link symbolSnr} gives it from Eb/N0. */
  readonly snr: Drawn
  /** `[samples, bitsPerSymbol, symbols, subcarriers]` float32 of 0 and 1, such as code words laid out by {@link scatterBits}. Default: drawn. */
  readonly bits?: Tensor
}

/** Slots as a receiver gets them. */
export interface ReceivedSlots {
  /** `[samples, antennas, symbols, subcarriers, 2]` float32. */
  readonly received: Tensor
  /** N0 of each sample, `[samples]`, or one for all `[1]`: the variance of an element's complex noise, where a data symbol has energy 1. */
  readonly noisePower: Tensor
  /** The channel, `[samples, antennas, symbols, subcarriers, 2]`, for a receiver that knows it. */
  readonly response?: Tensor
}

/** Slots with all that was drawn for them. Free them with `dispose`, or `using`. */
export class Slots implements ReceivedSlots, Disposable {
  readonly received: Tensor
  /** `[samples, bitsPerSymbol, symbols, subcarriers]` of 0 and 1; only those on data elements were sent. */
  readonly bits: Tensor
  readonly response: Tensor
  readonly noisePower: Tensor
  /** Es/N0, dB, `[samples]`. */
  readonly snr: Tensor
  /** s, `[samples]`. */
  readonly delaySpread: Tensor
  /** m/s, `[samples]`. */
  readonly speed: Tensor

  /** Takes over the tensors, in the order of the operator `link_slots`. */
  constructor(tensors: readonly Tensor[]) {
    const [received, bits, response, noisePower, snr, delaySpread, speed] = tensors as readonly [
      ...[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor],
    ]
    this.received = received
    this.bits = bits
    this.response = response
    this.noisePower = noisePower
    this.snr = snr
    this.delaySpread = delaySpread
    this.speed = speed
  }

  dispose(): void {
    const { received, bits, response, noisePower, snr, delaySpread, speed } = this
    for (const one of [received, bits, response, noisePower, snr, delaySpread, speed]) one.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/**
 * Simulates slots: bits, symbols on the grid, y = H x + n with H and n drawn for each. Sample `n` of a seed is the same in every
 * batch, on any number of threads.
 *
 *     const channel = { kind: 'tdl-a', delaySpread: 100e-9, speed: [0, 30] } as const
 *     using slots = await simulateSlots(grid, channel, { snr: [-4, 16], samples: 32, seed: 7 })
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE`: SNR not finite, speed beyond the Doppler model, unknown channel
 * @throws ShapeError when `bits` are of another grid
 */
export async function simulateSlots(grid: ResourceGrid, channel: Channel, options: SlotOptions): Promise<Slots> {
  const owner = 'simulateSlots'
  const { kind, antennas, sinusoids, carrier, delaySpread, speed } = channelSettings(owner, channel, grid)
  const snr = drawnRange(owner, 'snr', options.snr, 'dB', { min: -100, max: 100 })
  const [samples, seed, first] = sampleArguments(owner, options)
  const bits = options.bits ?? null
  if (bits) {
    const shape = [samples, grid.bitsPerSymbol, grid.symbols, grid.subcarriers]
    checkShape(owner, 'bits', bits, shape, '[samples, bitsPerSymbol, symbols, subcarriers]')
    if (bits.dtype !== 'float32') throw new ArgumentError(`${owner}: bits must be float32, got ${bits.dtype}`)
  }
  const layout = [grid.pilots, grid.kinds, grid.times, grid.frequencies]
  const link = [grid.modulation, kind, snr, delaySpread, speed, carrier, antennas, sinusoids]
  return new Slots(await linkTensors('slots', [...layout, bits, ...link, samples, seed, first]))
}

/** @throws ShapeError, ArgumentError when the slots are of another grid */
export function checkSlots(owner: string, grid: ResourceGrid, slots: ReceivedSlots): void {
  const axes = '[samples, antennas, symbols, subcarriers, 2]'
  const { received, noisePower } = slots
  checkShape(owner, 'received', received, [null, null, grid.symbols, grid.subcarriers, 2], axes)
  checkShape(owner, 'noisePower', noisePower, [null], '[samples]')
}

/** Es/N0 in dB of an uncoded or coded link: Es/N0 = Eb/N0 + 10 log10(bitsPerSymbol × rate). Pilots are not counted as energy. */
export function symbolSnr(bitSnr: number, bitsPerSymbol: number, rate = 1): number {
  return bitSnr + 10 * Math.log10(bitsPerSymbol * rate)
}
