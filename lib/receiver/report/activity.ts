/** Activity and operations of a receiver as a chapter of a report. */
import { groupedBars, lineChart } from '../../plot/index.js'
import { formatFigure } from '../../plot/samples.js'
import { colours } from '../../plot/theme.js'
import type { Cell, ReportPicture, ReportSection, ReportTable } from '../../report/section.js'
import { denseMacs, type LayerOperations, type OperationCount } from '../../study/operations.js'
import type { PopulationActivity, ReceiverActivity } from '../activity.js'
import type { StepsActivity } from '../activity-steps.js'

/** What was measured; all on the same slots. */
export interface MeasuredActivity {
  /** The network that its training began with. */
  readonly before: ReceiverActivity
  readonly after: ReceiverActivity
  /** Its dense twin, trained. */
  readonly twin?: ReceiverActivity | undefined
  /** The weights run for several numbers of steps. */
  readonly steps: readonly StepsActivity[]
  /** Es/N0, dB. */
  readonly snr: number
  /** Grid and channel in words. */
  readonly about: string
}

/** pJ -> µJ */
const micro = 1e-6

export function activitySection(measured: MeasuredActivity): ReportSection {
  const { after, snr, about } = measured
  return {
    part: 'activity',
    title: 'Spike activity and operations',
    text: [
      `${after.slots} slots at Es/N0 ${snr} dB: ${about}. Before training: the weights that the network's seed gave it, normed by the statistics of these slots. ` +
        'Rate: share of neurons and steps that are not zero; mean: their value, above 1 where a block adds spikes.',
      'SynOps: what enters a convolution, summed over steps, times the exact fan-out of its place (fewer at the borders). The slot itself and the mean over time are real ' +
        'numbers: the stem, computed once for all steps, and the head cost MACs. Energy proxy (45 nm, no memory): 4.6 pJ a MAC, 0.9 pJ an accumulate; a membrane ' +
        'update, where counted, as a MAC. Additions that join a block and make the mean are left out.',
      'Other T: the trained weights as they are, run for more or fewer steps than they were trained for. The bit error rate beside each T says what that is worth.',
    ],
    findings: findingsOf(measured),
    parameters: [],
    tables: [populationTable(measured), operationTable(measured), ...stepsTables(measured)],
    pictures: [populationPicture(measured), ...energyPictures(measured)],
  }
}

function findingsOf({ after, steps, snr, twin }: MeasuredActivity): readonly string[] {
  const own = steps.find((one) => one.steps === after.steps)
  const told = [own, steps.find((one) => one.steps === 10)].filter(
    (one, i, all) => one !== undefined && all.indexOf(one) === i,
  )
  return [
    ...after.populations.flatMap(warning),
    `Firing rate of all neurons: ${formatFigure(after.rate)} spikes a neuron and step.`,
    ...told.map((one) => energyFinding(one!)),
    ...(twin === undefined || own === undefined ? [] : [skippingFinding(own, twin)]),
    ...accuracyFinding(steps, after.steps, snr),
  ]
}

/** A population without spikes passes nothing on: what lies behind it learns nothing from the slot. */
function warning({ title, kind, silentChannels, mean }: PopulationActivity): readonly string[] {
  if (mean === 0)
    return [`Warning: ${title} is silent: no ${kind === 'block' ? 'value' : 'spike'} in any slot and step.`]
  if (silentChannels === 0) return []
  return [`Warning: ${percent(silentChannels)} of the channels of ${title} never fire.`]
}

function energyFinding({ steps, activity, energy }: StepsActivity): string {
  const { synOps, macs } = activity.operations.everything
  const published = energy.published === undefined ? 'no figure' : `${formatFigure(energy.published)}x`
  return (
    `T = ${steps}: ${millions(synOps)} SynOps and ${millions(macs)} MACs a slot, ${figure(energy.spiking)} µJ; the dense twin ${figure(energy.dense)} µJ, ` +
    `${formatFigure(energy.ratio)}x (${formatFigure(energy.ratioWithUpdates)}x with membrane updates); ${published} by the papers' convention, T × rate × MACs.`
  )
}

function skippingFinding({ energy }: StepsActivity, twin: ReceiverActivity): string {
  const skipping = twin.skippingZeros.everything.energy
  return (
    `On a processor that skips zeros the twin takes ${figure(skipping)} µJ (its ReLUs hold back ${percent(1 - twin.rate)}): ` +
    `${formatFigure(skipping / energy.spiking)}x the spiking network's.`
  )
}

function accuracyFinding(steps: readonly StepsActivity[], own: number, snr: number): readonly string[] {
  if (steps.length < 2) return []
  const [first, ...rest] = [...steps].sort((a, b) => a.ber.value - b.ber.value)
  const worst = rest.at(-1)!
  const at = (one: StepsActivity): string => `${formatFigure(one.ber.value)} at T = ${one.steps}`
  const trained = steps.find((one) => one.steps === own)
  const text = trained === undefined ? '' : `${at(trained)}, which it was trained for; `
  return [`Bit error rate at ${snr} dB: ${text}lowest ${at(first!)}, highest ${at(worst)}.`]
}

function populationTable({ before, after }: MeasuredActivity): ReportTable {
  return {
    name: 'activity-populations',
    title: 'Activity by block, before and after training',
    columns: [
      'neurons of',
      'kind',
      'neurons',
      'mean before',
      'rate before',
      'silent channels before',
      'mean',
      'rate',
      'silent neurons',
      'silent channels',
    ].map((name) => ({ name })),
    rows: after.populations.map((one, i): Cell[] => {
      const was = before.populations[i]!
      const { title, kind, neurons, mean, rate, silentNeurons, silentChannels } = one
      return [title, kind, neurons, was.mean, was.rate, was.silentChannels, mean, rate, silentNeurons, silentChannels]
    }),
  }
}

/** Rows: each convolution, and sums with and without stem and head. */
function operationTable({ before, after, twin }: MeasuredActivity): ReportTable {
  const connections = after.layers.map((layer) => layer.connections)
  const macs = connections.map((one) => denseMacs([one]))
  const all = macs.length
  const sum = (from: number, to: number): number => macs.slice(from, to).reduce((total, one) => total + one, 0)
  const dense = [...macs, sum(0, all), sum(1, all), sum(0, all - 1), sum(1, all - 1)]
  const [then, now] = [before, after].map(({ operations }) => linesOf(operations)) as [
    LayerOperations[],
    LayerOperations[],
  ]
  const skipping = twin === undefined ? undefined : linesOf(twin.skippingZeros)
  return {
    name: 'activity-operations',
    title: 'Operations a slot',
    columns: [
      { name: 'convolution' },
      { name: 'SynOps before' },
      { name: 'SynOps' },
      { name: 'MACs' },
      { name: 'neuron updates' },
      { name: 'energy', unit: 'µJ' },
      { name: 'energy with updates', unit: 'µJ' },
      { name: 'twin MACs' },
      { name: 'twin MACs without zeros' },
      { name: 'twin energy', unit: 'µJ' },
    ],
    rows: now.map((one, i): Cell[] => [
      one.name,
      then[i]!.synOps,
      one.synOps,
      one.macs,
      one.neuronUpdates,
      one.energy * micro,
      one.energyWithUpdates * micro,
      dense[i]!,
      skipping?.[i]?.macs ?? null,
      4.6 * dense[i]! * micro,
    ]),
  }
}

function linesOf({ layers, everything, withoutFirst, withoutReadout, withoutBoth }: OperationCount): LayerOperations[] {
  return [...layers, everything, withoutFirst, withoutReadout, withoutBoth]
}

function stepsTables({ steps, twin }: MeasuredActivity): readonly ReportTable[] {
  if (steps.length === 0) return []
  const columns = [
    { name: 'T' },
    { name: 'bit error rate' },
    { name: 'low' },
    { name: 'high' },
    { name: 'firing rate' },
    { name: 'SynOps' },
    { name: 'energy', unit: 'µJ' },
    { name: 'with updates', unit: 'µJ' },
    { name: 'twin', unit: 'µJ' },
    { name: 'twin without zeros', unit: 'µJ' },
    { name: 'twin / spiking' },
    { name: 'with updates' },
    { name: 'without stem and head' },
    { name: "papers' convention" },
  ]
  const skipping = twin === undefined ? null : twin.skippingZeros.everything.energy * micro
  const rows = steps.map(({ steps: count, ber, activity, energy }): Cell[] => [
    count,
    ber.value,
    ber.low,
    ber.high,
    activity.rate,
    activity.operations.everything.synOps,
    energy.spiking * micro,
    energy.spikingWithUpdates * micro,
    energy.dense * micro,
    skipping,
    energy.ratio,
    energy.ratioWithUpdates,
    energy.ratioWithoutBoth,
    energy.published ?? null,
  ])
  return [{ name: 'activity-steps', title: 'The trained weights run for T steps', columns, rows }]
}

function populationPicture({ before, after }: MeasuredActivity): ReportPicture {
  const values = ({ populations }: ReceiverActivity): number[] => populations.map(({ mean }) => mean)
  return {
    name: 'activity-populations',
    caption:
      'Mean value a neuron and step. Of neurons this is their firing rate; a block adds its input to that of its last stage.',
    plot: groupedBars({
      groups: after.populations.map(({ title }) => title),
      series: [
        { name: 'before training', values: values(before), colour: colours.before },
        { name: 'after training', values: values(after), colour: colours.after },
      ],
      xTitle: 'mean value (spikes / neuron / step)',
      title: 'Activity by block',
      subtitle: `T = ${after.steps}`,
    }),
  }
}

function energyPictures({ steps, twin, after }: MeasuredActivity): readonly ReportPicture[] {
  if (steps.length < 2) return []
  const x = steps.map((one) => one.steps)
  const series = (name: string, value: (one: StepsActivity) => number, style: 'line' | 'dashed' = 'line') => ({
    name,
    x,
    y: steps.map((one) => value(one) * micro),
    style,
  })
  const skipping = twin?.skippingZeros.everything.energy
  const plot = lineChart({
    series: [
      series('spiking', ({ energy }) => energy.spiking),
      series('spiking, with updates', ({ energy }) => energy.spikingWithUpdates),
      series('dense twin', ({ energy }) => energy.dense, 'dashed'),
      ...(skipping === undefined ? [] : [series('twin, zeros skipped', () => skipping, 'dashed')]),
      series(
        "papers' convention",
        ({ energy }) => (energy.published === undefined ? 0 : energy.dense / energy.published),
        'dashed',
      ),
    ],
    xTitle: 'time steps T',
    yTitle: 'energy proxy of a slot (µJ)',
    title: 'Energy over T',
    subtitle: `weights trained for T = ${after.steps}`,
    xWhole: true,
    yFromZero: true,
  })
  const caption =
    "Spiking: SynOps × 0.9 pJ and the MACs of stem and head × 4.6 pJ. Papers' convention: T × firing rate × MACs × 0.9 pJ. Every T with the same weights."
  return [{ name: 'activity-energy', caption, plot }]
}

function millions(value: number): string {
  return `${formatFigure(value / 1e6)} million`
}

function figure(picojoules: number): string {
  return formatFigure(picojoules * micro)
}

function percent(share: number): string {
  return `${formatFigure(100 * share)} %`
}
