/** `receiver quantize`: stores a receiver with 8-bit weights, and tells what it saves and what it costs in dB. */
import { stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { quantizeWeights } from '../model/quantize.js'
import {
  type Channel,
  type ComparedLevel,
  compareReceivers,
  type LevelComparison,
  neuralReceiver,
  type ReceiverComparison,
  type ResourceGrid,
  type SnrAt,
  transportBlockCode,
} from '../receiver/index.js'
import { print } from './command.js'
import { EXIT, type ExitCode } from './exit.js'
import { UsageError } from './failure.js'
import type { ReceiverValues } from './receiver.js'
import { channelOf, gridOf, loadNetwork, snrList, stopAfterBatch, unseen } from './receiver-inputs.js'
import { textTable } from './text-table.js'
import { bytes, count } from './wording.js'

/** Error rates that the loss is told at. */
const uncoded: readonly ComparedLevel[] = [
  { measure: 'ber', level: 0.1 },
  { measure: 'ber', level: 0.07 },
]
const coded: readonly ComparedLevel[] = [{ measure: 'bler', level: 0.1 }]

export async function quantizeReceiver(checkpoint: string, values: ReceiverValues): Promise<ExitCode> {
  const path = values.out ?? join(dirname(checkpoint), 'model-8bit.safetensors')
  if (resolve(path) === resolve(checkpoint)) throw new UsageError('--out must name another file than the checkpoint')
  const network = await loadNetwork(checkpoint, values)
  using model = network.model
  using grid = gridOf(network, values.modulation)
  const channel = channelOf(values, grid)
  using small = await quantizeWeights(model)
  await small.save(path, { weightBits: 8 })
  const sizes = { before: (await stat(checkpoint)).size, after: (await stat(path)).size }
  if (!values.json) {
    const factor = (sizes.before / sizes.after).toFixed(2)
    print(`${path}: ${bytes(sizes.after)} with 8-bit weights, before ${bytes(sizes.before)} (${factor}×)`)
  }
  using reference = neuralReceiver(grid, model, 'float')
  using other = neuralReceiver(grid, small, '8 bit')
  const measured = await losses(grid, channel, [reference, other], values)
  if (measured === undefined) return EXIT.interrupted
  if (values.json) print(JSON.stringify({ path, sizes, channel, modulation: grid.modulation, ...measured }))
  else print(text(measured, channel, values.coded))
  return EXIT.ok
}

interface Losses {
  readonly uncoded: ReceiverComparison
  /** Where a code rate was asked for. */
  readonly coded?: ReceiverComparison
}

/** Undefined when it was interrupted. */
async function losses(
  grid: ResourceGrid,
  channel: Channel,
  receivers: Parameters<typeof compareReceivers>[2],
  { snr = '2:12:1', slots = 1000, seed = 1, coded: rate }: ReceiverValues,
): Promise<Losses | undefined> {
  using stop = stopAfterBatch()
  const settings = { snr: snrList(snr), slots: Math.max(5, slots), seed: unseen(seed), signal: stop.signal }
  try {
    const plain = await compareReceivers(grid, channel, receivers, { ...settings, levels: uncoded })
    if (rate === undefined) return { uncoded: plain }
    const code = transportBlockCode(grid, { size: Math.floor(grid.bits * rate) })
    return {
      uncoded: plain,
      coded: await compareReceivers(grid, channel, receivers, { ...settings, levels: coded, code }),
    }
  } catch (error) {
    if (stop.signal.aborted) return undefined
    throw error
  }
}

function text({ uncoded: plain, coded: withCode }: Losses, channel: Channel, rate: number | undefined): string {
  const rows = [
    ['', 'float', '8 bit', 'loss'],
    ...plain.levels.map((one) => row(`BER ${one.level}`, one)),
    ...(withCode?.levels ?? []).map((one) => row(`BLER ${one.level}, LDPC rate ${rate}`, one)),
  ]
  return [
    `Es/N0 that each needs, ${channel.kind}, on the same ${count(plain.slots)} slots a point:`,
    ...textTable(rows).map((line) => `  ${line}`),
  ].join('\n')
}

function row(what: string, { reference, other, loss, error }: LevelComparison): string[] {
  const sure = error === undefined ? '' : ` ± ${error.toFixed(3)}`
  return [what, decibels(reference), decibels(other), loss === undefined ? 'not known' : `${loss.toFixed(3)}${sure} dB`]
}

function decibels(found: SnrAt): string {
  if (found.kind === 'at') return `${found.snr.toFixed(2)} dB`
  const { low, high } = found
  if (low === Number.NEGATIVE_INFINITY) return `below ${high} dB`
  return high === Number.POSITIVE_INFINITY ? `above ${low} dB` : `${low} to ${high} dB`
}
