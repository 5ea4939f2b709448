/** Pictures of one slot: constellations, channel estimates, soft bits and spikes. */
import { constellations, histograms, imageGrid, linePanels } from '../../plot/index.js'
import { colours } from '../../plot/theme.js'
import type { ReportPicture } from '../../report/section.js'
import { constellation } from '../constellation.js'
import type { ResourceGrid } from '../grid.js'
import { lookOf } from './looks.js'
import { dataElements, type SlotActivity, type SlotDecision, type SlotEstimate, type SlotView } from './slot-view.js'

/** @param about what was received, in a line */
export function slotPictures(grid: ResourceGrid, view: SlotView, about: string): readonly ReportPicture[] {
  const data = dataElements(grid)
  return [
    constellationPicture(grid, view, data, about),
    channelPicture(grid, view.estimates, about),
    llrPicture(grid, view, data, about),
    ...(view.activity.length > 0 ? [activityPicture(grid, view.activity, about)] : []),
  ]
}

/** Received, and equalised by the worst and the best of the estimates. */
function constellationPicture(
  grid: ResourceGrid,
  { received, estimates, bits }: SlotView,
  data: readonly number[],
  about: string,
): ReportPicture {
  const symbolsOf = (pairs: Float32Array): number[] => data.flatMap((i) => [pairs[2 * i]!, pairs[2 * i + 1]!])
  const [best, worst] = [estimates[0]!, estimates.at(-1)!]
  using ideal = constellation(grid.modulation)
  const quadrants = ['00', '01', '10', '11']
  const plane = grid.symbols * grid.subcarriers
  const sent = bits && {
    sent: data.map((i) => 2 * bits[i]! + bits[plane + i]!),
    labels: quadrants,
    legend: grid.bitsPerSymbol === 2 ? 'bits sent' : 'first bits sent',
  }
  return {
    name: 'constellation',
    caption:
      'Received symbols, and what equalising them with a channel estimate makes of them. Crosses: the points that were sent. ' +
      'Where the channel fades, dividing by it makes the noise large. The networks have no such step: they go from the grid to soft bits at once.',
    plot: constellations({
      panels: [
        { title: 'received', symbols: symbolsOf(received) },
        { title: `equalised: ${worst.name}`, symbols: symbolsOf(worst.equalised) },
        { title: `equalised: ${best.name}`, symbols: symbolsOf(best.equalised) },
      ],
      ...sent,
      ideal: Array.from(ideal.toTypedArray(), Number),
      extent: 2,
      title: 'Constellation',
      subtitle: `${about}; ${data.length} data elements`,
    }),
  }
}

/** |H| over subcarriers at the first symbol, a pilot symbol, one between two of them and the last. */
function channelPicture(grid: ResourceGrid, estimates: readonly SlotEstimate[], about: string): ReportPicture {
  const { symbols, subcarriers, pilotSymbols } = grid
  const first = pilotSymbols[0]!
  const between = Math.round((first + (pilotSymbols[1] ?? symbols - 1)) / 2)
  const shown = [...new Set([first, between, symbols - 1])]
  const nameOf = (name: string): string => (name === 'perfect knowledge' ? 'channel' : name)
  const magnitude = (pairs: Float32Array, symbol: number): number[] =>
    Array.from({ length: subcarriers }, (_, k) => {
      const at = 2 * (symbol * subcarriers + k)
      return Math.hypot(pairs[at]!, pairs[at + 1]!)
    })
  return {
    name: 'channel',
    caption:
      'Magnitude of the channel over the subcarriers, and its estimates: at the first symbol with pilots, between two of them, and in the last symbol.',
    plot: linePanels({
      panels: shown.map((symbol) => ({
        title: `symbol ${symbol}${pilotSymbols.includes(symbol) ? ', with pilots' : ''}`,
        lines: estimates
          .toReversed()
          .map(({ name, response }) => ({ name: nameOf(name), values: magnitude(response, symbol) })),
      })),
      colours: Object.fromEntries(estimates.map(({ name }) => [nameOf(name), lookOf(name).colour])),
      x: Array.from({ length: subcarriers }, (_, k) => k),
      xTitle: 'subcarrier',
      yTitle: '|H|',
      title: 'Channel estimate',
      subtitle: about,
    }),
  }
}

/** Soft bits of the networks and of the first and last classical receiver, by the bit that was sent. */
function llrPicture(grid: ResourceGrid, view: SlotView, data: readonly number[], about: string): ReportPicture {
  const { bits, decisions, estimates } = view
  const plane = grid.symbols * grid.subcarriers
  const places = Array.from({ length: grid.bitsPerSymbol }, (_, bit) => data.map((i) => bit * plane + i)).flat()
  const networks = decisions.slice(estimates.length)
  const shown = [...networks, decisions[estimates.length - 1]!]
  const valuesOf = ({ llrs }: SlotDecision): number[] => places.map((i) => llrs[i]!)
  const largest = Math.max(1, ...shown.map((one) => spreadOf(valuesOf(one))))
  const extent = Math.ceil(1.2 * largest)
  const beyond = shown.map((one) => valuesOf(one).filter((value) => Math.abs(value) > extent).length)
  const seriesOf = (decision: SlotDecision) => {
    if (bits === undefined) return [{ name: 'soft bits', values: valuesOf(decision) }]
    return [0, 1].map((bit) => ({
      name: `bit ${bit}`,
      values: places.filter((i) => bits[i] === bit).map((i) => decision.llrs[i]!),
    }))
  }
  return {
    name: 'llrs',
    caption:
      'Soft bits (log-likelihood ratios, above 0: the bit is 1), by the bit that was sent. What lies on the wrong side of 0 is a bit error.',
    plot: histograms(
      shown.map((one, i) => ({
        title: `${one.name}${beyond[i]! > 0 ? ` (${beyond[i]} beyond ±${extent})` : ''}`,
        series: seriesOf(one),
      })),
      {
        title: 'Soft bits',
        subtitle: about,
        quantity: 'LLR = log P(b = 1) / P(b = 0)',
        bins: 48,
        domain: [-extent, extent],
        colours: [colours.membrane, colours.spike],
      },
    ),
  }
}

/** The size that all but one in two hundred stay below. */
function spreadOf(values: readonly number[]): number {
  const sizes = values.map(Math.abs).sort((a, b) => a - b)
  return sizes[Math.floor(0.995 * (sizes.length - 1))] ?? 0
}

/** Cells that the picture's images may have in all. */
const mostCells = 16_000

function activityPicture(grid: ResourceGrid, activity: readonly SlotActivity[], about: string): ReportPicture {
  const { symbols, subcarriers } = grid
  const frames = activity.reduce((sum, { steps }) => sum + steps, 0)
  const least = Math.ceil((frames * symbols * subcarriers) / mostCells)
  const group = Array.from({ length: subcarriers }, (_, k) => k + 1).find((k) => k >= least && subcarriers % k === 0)!
  const images = activity.flatMap(({ layer, steps, rates }) =>
    Array.from({ length: steps }, (_, t) => {
      const frame = rates.subarray(t * symbols * subcarriers, (t + 1) * symbols * subcarriers)
      return { label: `${layer}, t = ${t + 1}: ${meanOf(frame).toFixed(3)}`, values: grouped(frame, group) }
    }),
  )
  const grouping = group > 1 ? `; ${group} subcarriers a cell` : ''
  return {
    name: 'activity',
    caption:
      'Where the network spikes: rows are layers from the input on, columns time steps. Each image is the slot, subcarriers to the right and symbols ' +
      'down; a cell is the share of the channels that spike there, the figure the mean over all.',
    plot: imageGrid({
      height: symbols,
      width: subcarriers / group,
      images,
      columns: activity[0]!.steps,
      imageWidth: 240,
      colours: 'sequential',
      quantity: 'share of channels',
      title: 'Spikes by layer, time step and resource element',
      subtitle: `${about}${grouping}`,
    }),
  }
}

/** Means of `group` neighbours. */
function grouped(values: Float32Array, group: number): readonly number[] {
  return Array.from({ length: values.length / group }, (_, i) => meanOf(values.subarray(i * group, (i + 1) * group)))
}

function meanOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
