/** `receiver activity`: how active a trained receiver is, block by block, and what it computes beside its dense twin. */
import { join } from 'node:path'
import { formatFigure } from '../plot/samples.js'
import { receiverActivity, untrainedActivity } from '../receiver/activity.js'
import { type ActivityStepsOptions, activityOverSteps } from '../receiver/activity-steps.js'
import { isSpiking } from '../receiver/neural-receiver.js'
import { activitySection, type MeasuredActivity } from '../receiver/report/activity.js'
import { storeReport } from '../report/folder.js'
import type { Cell, ReportTable } from '../report/section.js'
import { print } from './command.js'
import { EXIT, type ExitCode } from './exit.js'
import { UsageError } from './failure.js'
import type { ReceiverValues } from './receiver.js'
import { channelOf, gridOf, loadNetwork, snrList, stopAfterBatch, unseen } from './receiver-inputs.js'
import { textTable } from './text-table.js'

export async function showActivity(checkpoint: string, values: ReceiverValues): Promise<ExitCode> {
  const directory = values.out ?? join('runs', 'receiver-activity')
  const seed = values.seed ?? 1
  const began = performance.now()
  const measured = await measure(checkpoint, values, seed)
  if (measured === undefined) return EXIT.interrupted
  const section = activitySection(measured)
  const seconds = (performance.now() - began) / 1000
  const head = {
    title: 'Spike activity of a receiver',
    intro: [`Made by \`spikingrx receiver activity ${checkpoint}\`.`],
  }
  const { report, files } = await storeReport(directory, head, section, { seed, seconds })
  if (values.json) {
    const { pictures, ...rest } = section
    print(JSON.stringify({ directory, report, files, ...rest, seconds }))
    return EXIT.ok
  }
  for (const table of section.tables) print(`${[table.title, ...linesOf(table)].join('\n')}\n`)
  print([...section.findings, '', `Report: ${report}, with pictures and CSV beside it.`].join('\n'))
  return EXIT.ok
}

/** Undefined when it was interrupted. */
async function measure(
  checkpoint: string,
  values: ReceiverValues,
  seed: number,
): Promise<MeasuredActivity | undefined> {
  using stop = stopAfterBatch()
  const [snr = 10, ...more] = snrList(values.snr ?? '10')
  if (more.length > 0) throw new UsageError('--snr must be one number for receiver activity')
  const network = await loadNetwork(checkpoint, values)
  using model = network.model
  using grid = gridOf(network, values.modulation)
  if (!isSpiking(model)) {
    throw new UsageError('receiver activity wants a spiking receiver; name its dense twin with --twin')
  }
  const channel = channelOf(values, grid)
  const options: ActivityStepsOptions = { snr, slots: values.slots ?? 128, seed: unseen(seed), signal: stop.signal }
  try {
    const after = await receiverActivity(grid, channel, model, options)
    const before = await untrainedActivity(grid, channel, model, options)
    using dense = values.twin === undefined ? undefined : (await loadNetwork(values.twin, values)).model
    const twin = dense && (await receiverActivity(grid, channel, dense, options))
    const steps = await activityOverSteps(grid, channel, model, options)
    const about = `${grid.symbols} × ${grid.subcarriers} elements, ${grid.modulation}, ${channel.kind}`
    return { before, after, twin, steps, snr, about }
  } catch (error) {
    if (stop.signal.aborted) return undefined
    throw error
  }
}

function linesOf({ columns, rows }: ReportTable): string[] {
  const names = columns.map(({ name, unit }) => (unit === undefined ? name : `${name} (${unit})`))
  return textTable([names, ...rows.map((row) => row.map(cell))]).map((line) => `  ${line}`)
}

function cell(value: Cell): string {
  if (value === null) return '-'
  if (typeof value !== 'number') return String(value)
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : formatFigure(value)
}
