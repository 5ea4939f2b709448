/** `receiver evaluate`: error rates over SNR of a trained receiver and the classical ones, all on the same slots. */
import { join } from 'node:path'
import { replaceFile } from '../io/replace-file.js'
import {
  type Channel,
  type LinkPoint,
  leastSquaresReceiver,
  lmmseReceiver,
  measureLink,
  perfectReceiver,
  type Receiver,
  type ResourceGrid,
  transportBlockCode,
} from '../receiver/index.js'
import { evaluationSection } from '../receiver/report/evaluation.js'
import { storeReport } from '../report/folder.js'
import type { ReportHead, ReportSection } from '../report/section.js'
import { print } from './command.js'
import { EXIT, type ExitCode } from './exit.js'
import type { ReceiverValues } from './receiver.js'
import {
  channelOf,
  gridOf,
  type LoadedNetwork,
  loadForEvaluation,
  networkReceivers,
  snrList,
  stopAfterBatch,
  unseen,
} from './receiver-inputs.js'

const head: ReportHead = {
  title: 'A spiking receiver beside classical ones',
  intro: [
    'Made by `spikingrx receiver evaluate`. Every number of this page lies beside it in `data/`, every picture in `pictures/`.',
  ],
}

export async function evaluateReceiver(checkpoint: string | undefined, values: ReceiverValues): Promise<ExitCode> {
  const directory = values.out ?? join('runs', 'receiver-evaluation')
  const seed = values.seed ?? 1
  const mostSlots = values.slots ?? 2000
  const blockErrors = values['block-errors'] ?? 100
  const snr = snrList(values.snr ?? '-2:16:3')
  const networks: LoadedNetwork[] = []
  const receivers: Receiver[] = []
  let grid: ResourceGrid | undefined
  const began = performance.now()
  try {
    for (const path of [checkpoint, values.twin]) {
      if (path !== undefined) networks.push(await loadForEvaluation(path, values))
    }
    grid = gridOf(networks[0], values.modulation)
    const channel = channelOf(values, grid)
    const neural = networkReceivers(grid, networks)
    receivers.push(...(await classical(grid, channel, values.nearest)), ...neural.receivers)
    const points = await measured(grid, channel, receivers, { snr, mostSlots, blockErrors, seed: unseen(seed) }, values)
    if (points === undefined) return EXIT.interrupted
    const section = evaluationSection({
      ...{ grid, channel, points, seed, mostSlots, blockErrors },
      networks: neural.told,
      codeRate: values.coded,
    })
    const seconds = (performance.now() - began) / 1000
    const { report, files: stored } = await storeReport(directory, head, section, { seed, seconds })
    const files = [...stored, await storeResults(directory, section, points)]
    if (values.json) print(JSON.stringify({ directory, report, files, findings: section.findings, points }))
    else print(['', ...section.findings, `Report: ${report}, with pictures and data beside it.`].join('\n'))
    return EXIT.ok
  } finally {
    for (const one of receivers) one.dispose()
    for (const { model } of networks) model.dispose()
    grid?.dispose()
  }
}

async function classical(grid: ResourceGrid, channel: Channel, nearest: boolean): Promise<readonly Receiver[]> {
  return [
    perfectReceiver(grid),
    await lmmseReceiver(grid, channel),
    leastSquaresReceiver(grid),
    ...(nearest ? [leastSquaresReceiver(grid, { interpolation: 'nearest' })] : []),
  ]
}

interface Extent {
  readonly snr: readonly number[]
  readonly mostSlots: number
  readonly blockErrors: number
  readonly seed: number
}

/** Prints a line a point; undefined when it was interrupted. */
async function measured(
  grid: ResourceGrid,
  channel: Channel,
  receivers: readonly Receiver[],
  extent: Extent,
  { coded: rate, json }: ReceiverValues,
): Promise<readonly LinkPoint[] | undefined> {
  using stop = stopAfterBatch()
  const code = rate === undefined ? {} : { code: transportBlockCode(grid, { size: Math.floor(grid.bits * rate) }) }
  const points: LinkPoint[] = []
  if (!json) print(['Es/N0 dB', ...receivers.map(({ name }) => `${name}: BER, BLER`)].join('  |  '))
  try {
    for await (const point of measureLink(grid, channel, receivers, { ...extent, ...code, signal: stop.signal })) {
      points.push(point)
      if (!json) print(line(point))
    }
  } catch (error) {
    if (stop.signal.aborted) return undefined
    throw error
  }
  return points
}

function line({ snr, receivers }: LinkPoint): string {
  const rates = receivers.map(({ ber, bler }) => `${ber.value.toExponential(2)} ${bler.value.toFixed(3)}`)
  return [snr.toFixed(1).padStart(8), ...rates].join('  |  ')
}

/** The points for programs. */
async function storeResults(directory: string, section: ReportSection, points: readonly LinkPoint[]): Promise<string> {
  const path = join(directory, 'results.json')
  const text = `${JSON.stringify({ about: section.title, findings: section.findings, points }, null, 1)}\n`
  await replaceFile(path, (file) => file.writeFile(text))
  return path
}
