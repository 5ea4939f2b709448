/** What an evaluation found, as a chapter of a report: pictures, tables, and the distances between receivers in dB. */
import type { Cell, ReportParameter, ReportSection, ReportTable } from '../../report/section.js'
import type { Channel } from '../channel.js'
import type { ResourceGrid } from '../grid.js'
import type { LinkPoint, LinkQuality } from '../link.js'
import type { Estimate } from '../metrics.js'
import { rateCurve, type SnrAt, snrAt, snrLoss } from '../snr-at.js'
import { theoreticalBitErrorRate } from '../theory.js'
import { channelParameters, channelText, gridParameters, gridText } from './conditions.js'
import { comparedLevel, errorRatePictures, type TheoryCurve } from './error-rates.js'

/** A trained network that took part. */
export interface EvaluatedNetwork {
  /** Of its receiver. */
  readonly name: string
  readonly path: string
  readonly parameters: number
  /** T */
  readonly steps: number
}

export interface Evaluation {
  readonly grid: ResourceGrid
  readonly channel: Channel
  readonly points: readonly LinkPoint[]
  readonly networks: readonly EvaluatedNetwork[]
  /** Of the channel code; undefined: uncoded. */
  readonly codeRate?: number | undefined
  readonly seed: number
  readonly mostSlots: number
  readonly blockErrors: number
}

/** SNR that the first finding is about: that of the project's goals. */
const namedSnr = 10

export function evaluationSection(evaluation: Evaluation): ReportSection {
  const { grid, channel, points, codeRate, blockErrors } = evaluation
  const coded = codeRate === undefined ? 'uncoded' : `5G NR LDPC of rate ${codeRate}`
  const theory = codeRate === undefined ? theoryOf(grid, channel, points) : []
  return {
    part: 'evaluation',
    title: `Receivers in ${channelText(channel)}, ${coded}`,
    text: [
      `Slots of ${gridText(grid)} through ${channelText(channel)}. All receivers decode the same slots, drawn from the seed; a point ends ` +
        `when each has made ${blockErrors.toLocaleString('en')} block errors, or after ${evaluation.mostSlots.toLocaleString('en')} slots. ` +
        (codeRate === undefined
          ? 'Nothing is coded: a block is a slot, and one wrong bit spoils it.'
          : 'A block is the transport block of a slot, and the bit error rate is that of its payload.'),
      'Perfect knowledge is told the channel, LMMSE its delay profile, delay spread and Doppler shift; LS interpolates between the pilots. The networks ' +
        'are given the received grid and the pilots alone. Intervals hold for 95 %: of the bit error rate and of the bit-metric rate from the spread ' +
        'between slots, of the block error rate by Wilson.',
    ],
    findings: [namedFinding(points), ...levelFindings(points)],
    parameters: [...gridParameters(grid), ...channelParameters(channel), ...runParameters(evaluation)],
    tables: [
      levelTable(points),
      ratesTable(points),
      ...(theory.length > 0 ? [theoryTable(theory)] : []),
      ...(evaluation.networks.length > 0 ? [networksTable(evaluation.networks)] : []),
    ],
    pictures: errorRatePictures(
      points,
      theory,
      `${gridText(grid)}; ${channelText(channel)}; ${coded}`,
      grid.bitsPerSymbol,
    ),
  }
}

/** The closed form of perfect knowledge, where there is one: one antenna in white noise or flat fading. */
function theoryOf(grid: ResourceGrid, channel: Channel, points: readonly LinkPoint[]): readonly TheoryCurve[] {
  const { kind, antennas = 1 } = channel
  if ((kind !== 'awgn' && kind !== 'rayleigh') || antennas !== 1) return []
  const [from, to] = [points[0]!.snr, points.at(-1)!.snr]
  const places = to > from ? 60 : 0
  const at = Array.from({ length: places + 1 }, (_, i) => from + (places === 0 ? 0 : ((to - from) * i) / places))
  const value = (snr: number): number => theoreticalBitErrorRate(grid.modulation, kind, snr)
  return [{ name: 'theory, perfect knowledge', points: at.map((snr) => ({ snr, value: value(snr) })) }]
}

function namedFinding(points: readonly LinkPoint[]): string {
  const nearest = points.reduce((best, one) =>
    Math.abs(one.snr - namedSnr) < Math.abs(best.snr - namedSnr) ? one : best,
  )
  const rates = nearest.receivers.map(({ receiver, ber }) => `${receiver} ${errorRate(ber.value)}`)
  return `Bit error rate at Es/N0 = ${decibels(nearest.snr)}: ${rates.join('; ')}.`
}

function errorRate(value: number): string {
  return value === 0 || value >= 1e-3 ? value.toFixed(4) : value.toExponential(1)
}

/** Where each receiver's block error rate comes down to the level. */
function levels(points: readonly LinkPoint[]): readonly { readonly name: string; readonly at: SnrAt }[] {
  return points[0]!.receivers.map(({ receiver: name }) => ({
    name,
    at: snrAt(rateCurve(points, name, 'bler'), comparedLevel),
  }))
}

/** Receivers that the spiking one is set beside, as a sentence names them. */
const rivals: readonly (readonly [string, string])[] = [
  ['dense', 'its dense twin'],
  ['LS, linear', 'LS, linear'],
  ['LMMSE', 'LMMSE'],
]

function levelFindings(points: readonly LinkPoint[]): readonly string[] {
  const all = levels(points)
  const percent = `${100 * comparedLevel} % block errors`
  const spiking = all.find(({ name }) => name === 'spiking')
  const gaps = rivals.flatMap(([rival, named]) => {
    const other = all.find(({ name }) => name === rival)
    const gap = other && spiking && snrLoss(other.at, spiking.at)
    return gap === undefined ? [] : [`${Math.abs(gap).toFixed(2)} dB ${gap < 0 ? 'less' : 'more'} than ${named}`]
  })
  return [
    `Es/N0 at ${percent}: ${all.map(({ name, at }) => `${name} ${levelText(at)}`).join('; ')}.`,
    ...(gaps.length > 0 ? [`At ${percent} the spiking receiver needs ${listed(gaps)}.`] : []),
  ]
}

function levelText(at: SnrAt): string {
  if (at.kind === 'at') return decibels(at.snr)
  if (!Number.isFinite(at.low)) return `below ${decibels(at.high)}`
  return Number.isFinite(at.high) ? `between ${decibels(at.low)} and ${decibels(at.high)}` : `above ${decibels(at.low)}`
}

function listed(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
}

function decibels(snr: number): string {
  return `${Number(snr.toFixed(2))} dB`.replace('-', '−')
}

function levelTable(points: readonly LinkPoint[]): ReportTable {
  const all = levels(points)
  const bound = all.find(({ name }) => name === 'perfect knowledge')?.at
  return {
    name: 'bler-level',
    title: `Es/N0 at ${100 * comparedLevel} % block errors`,
    columns: [{ name: 'receiver' }, { name: 'Es/N0', unit: 'dB' }, { name: 'more than perfect knowledge', unit: 'dB' }],
    rows: all.map(({ name, at }) => [
      name,
      at.kind === 'at' ? at.snr : levelText(at).replace(/ dB/g, ''),
      (bound && snrLoss(bound, at)) ?? null,
    ]),
  }
}

function ratesTable(points: readonly LinkPoint[]): ReportTable {
  const bounded = ({ value, low, high }: Estimate, most: number): Cell[] => [
    value,
    Math.max(0, low),
    Math.min(most, high),
  ]
  const row = (snr: number, { receiver, slots, bitErrors, ber, blockErrors, bler, rate }: LinkQuality): Cell[] => [
    ...[snr, receiver, slots, bitErrors, ...bounded(ber, 1)],
    ...[blockErrors, ...bounded(bler, 1), rate.value, Math.max(0, rate.low), finite(rate.high)],
  ]
  return {
    name: 'error-rates',
    title: 'Error rates',
    columns: [
      { name: 'Es/N0', unit: 'dB' },
      ...['receiver', 'slots', 'bit errors', 'BER', 'BER, low', 'BER, high'].map((name) => ({ name })),
      ...['block errors', 'BLER', 'BLER, low', 'BLER, high'].map((name) => ({ name })),
      ...['rate', 'rate, low', 'rate, high'].map((name) => ({ name, unit: 'bits a data element' })),
    ],
    rows: points.flatMap(({ snr, receivers }) => receivers.map((quality) => row(snr, quality))),
  }
}

function finite(value: number): Cell {
  return Number.isFinite(value) ? value : null
}

function theoryTable(theory: readonly TheoryCurve[]): ReportTable {
  return {
    name: 'theory',
    title: 'Bit error rate in closed form',
    columns: [{ name: 'Es/N0', unit: 'dB' }, { name: 'curve' }, { name: 'BER' }],
    rows: theory.flatMap(({ name, points }) => points.map(({ snr, value }) => [snr, name, value])),
    fileOnly: true,
  }
}

function networksTable(networks: readonly EvaluatedNetwork[]): ReportTable {
  return {
    name: 'networks',
    title: 'Networks',
    columns: [{ name: 'receiver' }, { name: 'weights' }, { name: 'T, steps' }, { name: 'checkpoint' }],
    rows: networks.map(({ name, parameters, steps, path }) => [name, parameters, steps, path]),
  }
}

function runParameters({ points, mostSlots, blockErrors, codeRate, seed }: Evaluation): readonly ReportParameter[] {
  return [
    { name: 'Es/N0', value: points.map(({ snr }) => snr).join(', '), unit: 'dB' },
    { name: 'code', value: codeRate === undefined ? 'none' : `5G NR LDPC, rate ${codeRate}` },
    { name: 'block errors that end a point', value: blockErrors },
    { name: 'most slots a point', value: mostSlots },
    { name: 'seed', value: seed },
  ]
}
