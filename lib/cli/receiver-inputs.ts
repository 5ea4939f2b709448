/** What evaluating and demonstrating receivers have in common: networks from checkpoints, their grid, the channel. */
import { ArgumentError } from '../errors.js'
import { withSteps } from '../model/copy.js'
import { Model } from '../model/model.js'
import { type Channel, channelSettings } from '../receiver/channel.js'
import { bitsPerSymbol, type Modulation } from '../receiver/constellation.js'
import { type ResourceGrid, resourceGrid } from '../receiver/grid.js'
import { isSpiking, neuralReceiver } from '../receiver/neural-receiver.js'
import type { Receiver } from '../receiver/receivers.js'
import type { EvaluatedNetwork } from '../receiver/report/evaluation.js'
import type { Device } from '../runtime/device.js'
import { UsageError } from './failure.js'
import { type Interrupt, interruptible } from './interrupt.js'
import type { ReceiverValues } from './receiver.js'

/** A trained network as it was loaded. */
export interface LoadedNetwork {
  readonly path: string
  readonly model: Model
}

/** With `--steps`, a spiking network runs for so many. @throws CheckpointError when the file is missing or damaged */
export async function loadForEvaluation(path: string, values: ReceiverValues): Promise<LoadedNetwork> {
  const network = await loadNetwork(path, values)
  const { model } = network
  if (values.steps === undefined || !isSpiking(model)) return network
  try {
    return { path, model: await withSteps(model, values.steps) }
  } finally {
    model.dispose()
  }
}

/** @throws CheckpointError when the file is missing or damaged */
export async function loadNetwork(path: string, { device, threads }: ReceiverValues): Promise<LoadedNetwork> {
  const options = { device: (device ?? 'auto') as Device, ...(threads === undefined ? {} : { threads }) }
  return { path, model: await Model.load(path, options) }
}

/** The grid that a network was trained for: its sizes, and the modulation of as many bits. */
export function gridOf(network: LoadedNetwork | undefined, modulation: Modulation | undefined): ResourceGrid {
  if (network === undefined) return resourceGrid({ modulation: modulation ?? 'qpsk' })
  const { input, output } = network.model.spec
  const [bits, symbols = 0, subcarriers = 0] = output
  const known = (Object.keys(bitsPerSymbol) as Modulation[]).find((name) => bitsPerSymbol[name] === bits)
  if (known === undefined || input[0] !== 4 || output.length !== 3) {
    const shapes = `[${input.join(', ')}] to [${output.join(', ')}]`
    throw new UsageError(`${network.path} is no receiver: it goes from ${shapes}; train one with receiver train`)
  }
  if (modulation !== undefined && modulation !== known) {
    throw new UsageError(`${network.path} is for ${known}, not for ${modulation}; leave --modulation out`)
  }
  return resourceGrid({ symbols, subcarriers, modulation: known })
}

/** @throws UsageError for a speed beyond the Doppler model */
export function channelOf(values: ReceiverValues, grid: ResourceGrid): Channel {
  const { channel: kind = 'tdl-a', 'delay-spread': spread = 100, speed = 15 } = values
  const channel: Channel =
    kind === 'awgn' || kind === 'rayleigh' ? { kind } : { kind, delaySpread: spread * 1e-9, speed }
  try {
    channelSettings('the channel', channel, grid)
    return channel
  } catch (error) {
    if (error instanceof ArgumentError) throw new UsageError(error.message)
    throw error
  }
}

/** Each with a name of its own, so that two spiking ones are told apart. @throws ShapeError for one of another grid */
export function networkReceivers(
  grid: ResourceGrid,
  networks: readonly LoadedNetwork[],
): { readonly receivers: readonly Receiver[]; readonly told: readonly EvaluatedNetwork[] } {
  const receivers: Receiver[] = []
  const told: EvaluatedNetwork[] = []
  for (const { path, model } of networks) {
    const { name: kind } = neuralReceiver(grid, model)
    const before = receivers.filter(({ name }) => name.startsWith(kind)).length
    const name = before === 0 ? kind : `${kind} ${before + 1}`
    receivers.push(neuralReceiver(grid, model, name))
    told.push({ name, path, parameters: model.spec.parameters, steps: model.spec.steps })
  }
  return { receivers, told }
}

/** Es/N0 of "from:to:step", or of one number. @throws UsageError for a range that is none, or beyond ±100 dB */
export function snrList(text: string): readonly number[] {
  const [from = 0, to = from, step = 1] = text.split(':').map(Number)
  if (step <= 0 || to < from) throw new UsageError(`--snr must be from:to:step with to from ${from} on, got ${text}`)
  if (Math.max(Math.abs(from), Math.abs(to)) > 100) {
    throw new UsageError(`--snr must lie within −100 and 100 dB, got ${text}`)
  }
  return Array.from({ length: Math.floor((to - from) / step + 1e-9) + 1 }, (_, index) => from + index * step)
}

/** Ctrl-C ends a measurement after the batch under way. */
export function stopAfterBatch(): Interrupt {
  return interruptible(
    () => void process.stderr.write('Stopping after this batch.\n'),
    () => undefined,
  )
}

/** Seed of slots that no training draws: beyond the seeds that a person types. */
export function unseen(seed: number): number {
  return 2 ** 40 + seed
}
