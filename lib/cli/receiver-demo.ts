/** `receiver demo`: one slot through a trained receiver, simulated or from a recording, looked at from all sides. */
import { join } from 'node:path'
import type { Channel } from '../receiver/channel.js'
import type { ResourceGrid } from '../receiver/grid.js'
import { readSlots, simulateSlots, writeComplex, writeLlrs } from '../receiver/index.js'
import type { Receiver } from '../receiver/receivers.js'
import { slotSection } from '../receiver/report/slot.js'
import { type SlotView, type ViewedSlots, viewSlot } from '../receiver/report/slot-view.js'
import { storeReport } from '../report/folder.js'
import type { ReportHead } from '../report/section.js'
import { packageFolder } from '../runtime/files.js'
import { print } from './command.js'
import { EXIT, type ExitCode } from './exit.js'
import { UsageError } from './failure.js'
import type { ReceiverValues } from './receiver.js'
import { channelOf, gridOf, type LoadedNetwork, loadNetwork, networkReceivers, snrList } from './receiver-inputs.js'

const head: ReportHead = {
  title: 'A slot through a spiking receiver',
  intro: [
    'Made by `spikingrx receiver demo`. Every number of this page lies beside it in `data/`, every picture in `pictures/`.',
  ],
}

/** The network that comes with the package. */
const packaged = join(packageFolder, 'models', 'receiver', 'tiny', 'model.safetensors')

export async function demoReceiver(checkpoint = packaged, values: ReceiverValues): Promise<ExitCode> {
  const directory = values.out ?? join('runs', 'receiver-demo')
  const settings = { snr: oneSnr(values.snr ?? '10'), seed: values.seed ?? 1 }
  if (values.slot !== undefined && values.export !== undefined) {
    throw new UsageError('--export writes the simulated slot, and --slot simulates none; leave out one of them')
  }
  const began = performance.now()
  const networks: LoadedNetwork[] = []
  let grid: ResourceGrid | undefined
  try {
    for (const path of [checkpoint, values.twin]) {
      if (path !== undefined) networks.push(await loadNetwork(path, values))
    }
    grid = gridOf(networks[0], values.modulation)
    const channel = channelOf(values, grid)
    const { receivers, told } = networkReceivers(grid, networks)
    note(values.slot === undefined ? `Simulating a slot, seed ${settings.seed}` : `Reading ${values.slot}`)
    const slots = await slotsOf(grid, channel, settings, values)
    note(`Receiving it: ${receivers.map(({ name }) => name).join(', ')} beside classical receivers`)
    const view = await viewSlot(grid, channel, slots, receivers, networks[0]!.model)
    const exported = await exportFiles(slots, receivers[0]!, values)
    note('Drawing')
    const { snr, seed } = settings
    const section = slotSection({ grid, channel, view, networks: told, snr, seed, recording: values.slot })
    const seconds = (performance.now() - began) / 1000
    const { report, files } = await storeReport(directory, head, section, { seed, seconds })
    const all = [...files, ...exported]
    if (values.json)
      print(JSON.stringify({ directory, report, files: all, findings: section.findings, ...figures(view) }))
    else print(textOf(section.findings, report, exported).join('\n'))
    return EXIT.ok
  } finally {
    for (const { model } of networks) model.dispose()
    grid?.dispose()
  }
}

function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

function oneSnr(text: string): number {
  const [snr, ...more] = snrList(text)
  if (more.length > 0) throw new UsageError(`demo shows one slot at one --snr, got ${text}`)
  return snr!
}

async function slotsOf(
  grid: ResourceGrid,
  channel: Channel,
  { snr, seed }: { readonly snr: number; readonly seed: number },
  { slot }: ReceiverValues,
): Promise<ViewedSlots> {
  if (slot !== undefined) return readSlots(slot, grid, 10 ** (-snr / 10))
  return simulateSlots(grid, channel, { snr, samples: 1, seed })
}

async function exportFiles(
  slots: ViewedSlots,
  receiver: Receiver,
  { export: grids, llrs }: ReceiverValues,
): Promise<readonly string[]> {
  if (grids !== undefined) await writeComplex(grids, slots.received)
  if (llrs !== undefined) {
    using soft = await receiver.llrs(slots)
    await writeLlrs(llrs, soft)
  }
  return [grids, llrs].filter((path) => path !== undefined)
}

function textOf(findings: readonly string[], report: string, exported: readonly string[]): readonly string[] {
  return [
    ...findings,
    ...exported.map((path) => `Written: ${path}`),
    `Report: ${report}, with pictures and data beside it.`,
  ]
}

/** For programs. */
function figures({ decisions, activity }: SlotView): object {
  return {
    receivers: decisions.map(({ name, bitErrors = null, rate = null }) => ({ name, bitErrors, rate })),
    activity: activity.map(({ layer, steps, rates }) => ({
      layer,
      steps,
      rate: rates.reduce((sum, value) => sum + value, 0) / rates.length,
    })),
  }
}
