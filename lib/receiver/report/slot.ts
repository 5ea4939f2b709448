/** One slot through a trained receiver, as a chapter of a report. */
import type { ReportSection, ReportTable } from '../../report/section.js'
import type { Channel } from '../channel.js'
import type { ResourceGrid } from '../grid.js'
import { channelParameters, channelText, gridParameters, gridText } from './conditions.js'
import type { EvaluatedNetwork } from './evaluation.js'
import { slotPictures } from './slot-pictures.js'
import { dataElements, type SlotActivity, type SlotView } from './slot-view.js'

export interface DemonstratedSlot {
  readonly grid: ResourceGrid
  /** That it was simulated with, or that LMMSE assumes for a recorded one. */
  readonly channel: Channel
  readonly view: SlotView
  readonly networks: readonly EvaluatedNetwork[]
  /** Es/N0, dB */
  readonly snr: number
  /** A file that it was read from; undefined: simulated from the seed. */
  readonly recording?: string | undefined
  readonly seed: number
}

export function slotSection(slot: DemonstratedSlot): ReportSection {
  const { grid, channel, view, networks, snr, recording, seed } = slot
  const origin = recording === undefined ? channelText(channel) : `recorded in ${recording}`
  const about = `${gridText(grid)}; ${origin}; Es/N0 = ${snr} dB`
  return {
    part: 'demo',
    title: 'One slot through a spiking receiver',
    text: [
      recording === undefined
        ? `A slot of ${gridText(grid)} through ${channelText(channel)} at Es/N0 = ${snr} dB, and what each receiver makes of it.`
        : `A slot of ${gridText(grid)}, read from ${recording}: what was sent is not known, so that no errors are counted. The noise power is ` +
          `that of Es/N0 = ${snr} dB; LMMSE assumes ${channelText(channel)}.`,
    ],
    findings: findingsOf(grid, view),
    parameters: [
      ...gridParameters(grid),
      ...channelParameters(channel),
      { name: 'Es/N0', value: snr, unit: 'dB' },
      ...(recording === undefined ? [{ name: 'seed', value: seed }] : [{ name: 'recording', value: recording }]),
      ...networks.flatMap(({ name, path, parameters, steps }) => [
        { name: `${name}: checkpoint`, value: path },
        { name: `${name}: weights`, value: parameters },
        { name: `${name}: T, steps`, value: steps },
      ]),
    ],
    tables: [
      ...(view.bits === undefined ? [] : [errorTable(grid, view)]),
      ...(view.activity.length > 0 ? [activityTable(view.activity)] : []),
      llrTable(grid, view),
    ],
    pictures: slotPictures(grid, view, about),
  }
}

function findingsOf(grid: ResourceGrid, { decisions, activity }: SlotView): readonly string[] {
  const counted = decisions.filter(({ bitErrors }) => bitErrors !== undefined)
  const errors = counted.map(({ name, bitErrors }) => `${name} ${bitErrors}`)
  const rates = activity.map(({ layer, rates: values }) => `${layer} ${meanOf(values).toFixed(3)}`)
  return [
    ...(errors.length > 0 ? [`Wrong bits of ${grid.bits}: ${errors.join('; ')}.`] : []),
    ...(rates.length > 0 ? [`Spikes a neuron and step: ${rates.join('; ')}.`] : []),
  ]
}

function errorTable(grid: ResourceGrid, { decisions }: SlotView): ReportTable {
  return {
    name: 'slot-errors',
    title: 'Bit errors on this slot',
    columns: [
      { name: 'receiver' },
      { name: 'wrong bits' },
      { name: 'bits' },
      { name: 'bit-metric rate', unit: 'bits a data element' },
    ],
    rows: decisions.map(({ name, bitErrors, rate }) => [name, bitErrors ?? null, grid.bits, rate ?? null]),
  }
}

function activityTable(activity: readonly SlotActivity[]): ReportTable {
  const steps = Math.max(...activity.map((one) => one.steps))
  return {
    name: 'slot-activity',
    title: 'Spikes a neuron at each step',
    columns: [{ name: 'layer' }, ...Array.from({ length: steps }, (_, t) => ({ name: `t = ${t + 1}` }))],
    rows: activity.map(({ layer, steps: own, rates }) => {
      const frame = rates.length / own
      return [layer, ...Array.from({ length: steps }, (_, t) => meanOf(rates.subarray(t * frame, (t + 1) * frame)))]
    }),
  }
}

function llrTable(grid: ResourceGrid, { decisions, bits }: SlotView): ReportTable {
  const { symbols, subcarriers, bitsPerSymbol } = grid
  const ofElement = (element: number): (number | null)[][] =>
    Array.from({ length: bitsPerSymbol }, (_, bit) => {
      const at = bit * symbols * subcarriers + element
      const place = [Math.floor(element / subcarriers), element % subcarriers, bit]
      return [...place, bits?.[at] ?? null, ...decisions.map(({ llrs }) => llrs[at]!)]
    })
  return {
    name: 'slot-llrs',
    title: 'Soft bits of every data element',
    columns: ['symbol', 'subcarrier', 'bit', 'sent', ...decisions.map(({ name }) => name)].map((name) => ({ name })),
    rows: dataElements(grid).flatMap(ofElement),
    fileOnly: true,
  }
}

function meanOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
