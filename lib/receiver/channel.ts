/** The channels: white noise alone, one flat fading tap, and the tapped delay lines of 3GPP TR 38.901. */
import { ArgumentError } from '../errors.js'
import { quantity, wholeNumber } from '../study/quantity.js'
import { choice, type Drawn, drawnRange } from './arguments.js'
import type { ResourceGrid } from './grid.js'

export type DelayProfile = 'tdl-a' | 'tdl-b' | 'tdl-c' | 'tdl-d' | 'tdl-e'

export interface CommonChannel {
  /** Receive antennas, independent of one another. Default 1. */
  readonly antennas?: number
}

/** H = 1. */
export interface AwgnChannel extends CommonChannel {
  readonly kind: 'awgn'
}

/** One complex Gaussian tap, constant over a slot and independent from slot to slot. */
export interface RayleighChannel extends CommonChannel {
  readonly kind: 'rayleigh'
}

/**
 * A tapped delay line (TR 38.901, tables 7.7.2-1 to 7.7.2-5), its taps fading as sums of sinusoids with Jakes' Doppler spectrum;
 * D and E have a line of sight.
 */
export interface DelayLineChannel extends CommonChannel {
  readonly kind: DelayProfile
  /** rms delay spread, s, 0..10 µs. Default 100e-9. */
  readonly delaySpread?: Drawn
  /** m/s, up to {@link largestSpeed}. Default 0. */
  readonly speed?: Drawn
  /** Hz. Default 3.5e9. */
  readonly carrier?: number
  /** Sinusoids a tap is made of. Default 20. */
  readonly sinusoids?: number
}

export type Channel = AwgnChannel | RayleighChannel | DelayLineChannel

const profiles: readonly DelayProfile[] = ['tdl-a', 'tdl-b', 'tdl-c', 'tdl-d', 'tdl-e']

/** Names of every channel. */
export const channelKinds: readonly Channel['kind'][] = ['awgn', 'rayleigh', ...profiles]

/** m/s */
export const lightSpeed = 299792458

/** The largest Doppler shift as a share of the subcarrier spacing. */
const largestDoppler = 0.05

/** A channel with its defaults filled in, checked. */
export interface ChannelSettings {
  readonly kind: Channel['kind']
  readonly antennas: number
  readonly delaySpread: readonly [number, number]
  readonly speed: readonly [number, number]
  readonly carrier: number
  readonly sinusoids: number
}

/**
 * The largest speed, m/s, that the model holds for: a Doppler shift of 5 % of the subcarrier spacing. One value of H an element leaves
 * out what the subcarriers do to one another, (π f_d / spacing)² / 6 of the power: −24 dB there.
 */
export function largestSpeed(spacing: number, carrier: number): number {
  return (largestDoppler * spacing * lightSpeed) / carrier
}

/** @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` naming the option, its unit and its range */
export function channelSettings(owner: string, channel: Channel, grid: ResourceGrid): ChannelSettings {
  if (typeof channel !== 'object' || channel === null) {
    throw new ArgumentError(`${owner}: channel must be an object such as { kind: 'tdl-a' }`, 'ERR_TYPE', { channel })
  }
  const kind = choice(owner, 'channel.kind', channel.kind, channelKinds)
  const antennas = wholeNumber(owner, 'antennas', channel.antennas ?? 1, { min: 1, max: 64 })
  const line: Omit<DelayLineChannel, 'kind'> = isDelayLine(channel) ? channel : {}
  const carrier = quantity(owner, 'carrier', line.carrier ?? 3.5e9, 'Hz', { min: 0, exclusive: true })
  const delaySpread = drawnRange(owner, 'delaySpread', line.delaySpread ?? 100e-9, 's', { min: 0, max: 10e-6 })
  const speed = drawnRange(owner, 'speed', line.speed ?? 0, 'm/s', { min: 0 })
  const limit = largestSpeed(grid.spacing, carrier)
  if (speed[1] > limit) {
    const details = { parameter: 'speed', unit: 'm/s', value: speed[1], max: limit }
    const wanted = `at most ${limit.toPrecision(4)} m/s at ${carrier / 1e9} GHz and ${grid.spacing / 1e3} kHz spacing`
    const why =
      'a Doppler shift of 5 % of the spacing; beyond it subcarriers disturb one another, which this model leaves out'
    throw new ArgumentError(`${owner}: speed must be ${wanted} (${why}), got ${speed[1]} m/s`, 'ERR_RANGE', details)
  }
  const sinusoids = wholeNumber(owner, 'sinusoids', line.sinusoids ?? 20, { min: 1, max: 1000 })
  return { kind, antennas, delaySpread, speed, carrier, sinusoids }
}

export function isDelayLine(channel: Channel): channel is DelayLineChannel {
  return (profiles as readonly string[]).includes(channel.kind)
}
