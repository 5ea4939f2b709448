/** Grid and channel in words, and as parameters of a report. */
import type { ReportParameter } from '../../report/section.js'
import type { Drawn } from '../arguments.js'
import { type Channel, isDelayLine } from '../channel.js'
import type { Modulation } from '../constellation.js'
import type { ResourceGrid } from '../grid.js'

const modulationNames: Readonly<Record<Modulation, string>> = { qpsk: 'QPSK', '16qam': '16-QAM', '64qam': '64-QAM' }

/** "14 × 48 elements, QPSK" */
export function gridText({ symbols, subcarriers, modulation }: ResourceGrid): string {
  return `${symbols} × ${subcarriers} elements, ${modulationNames[modulation]}`
}

/** "TDL-A at 100 ns and 15 m/s" */
export function channelText(channel: Channel): string {
  if (channel.kind === 'awgn') return 'white noise'
  if (!isDelayLine(channel)) return 'flat Rayleigh fading'
  const { delaySpread = 100e-9, speed = 0 } = channel
  return `${channel.kind.toUpperCase()} at ${range(delaySpread, 1e9)} ns and ${range(speed)} m/s`
}

export function gridParameters(grid: ResourceGrid): readonly ReportParameter[] {
  const { symbols, subcarriers, spacing, modulation, pilotSymbols, bits } = grid
  return [
    { name: 'symbols × subcarriers', value: `${symbols} × ${subcarriers}` },
    { name: 'subcarrier spacing', value: spacing / 1e3, unit: 'kHz' },
    { name: 'modulation', value: modulationNames[modulation] },
    { name: 'pilots (DMRS type 1) in symbols', value: pilotSymbols.join(', ') },
    { name: 'bits a slot', value: bits },
  ]
}

export function channelParameters(channel: Channel): readonly ReportParameter[] {
  const { kind, antennas = 1 } = channel
  const common = [
    { name: 'channel', value: kind },
    { name: 'receive antennas', value: antennas },
  ]
  if (!isDelayLine(channel)) return common
  return [
    ...common,
    { name: 'rms delay spread', value: range(channel.delaySpread ?? 100e-9, 1e9), unit: 'ns' },
    { name: 'speed', value: range(channel.speed ?? 0), unit: 'm/s' },
    { name: 'carrier', value: (channel.carrier ?? 3.5e9) / 1e9, unit: 'GHz' },
  ]
}

/** "15", or "0 to 30" */
function range(value: Drawn, scale = 1): string {
  const ends = typeof value === 'number' ? [value] : value
  return ends.map((end) => String(Number((end * scale).toPrecision(6)))).join(' to ')
}
