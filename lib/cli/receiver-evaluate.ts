/** `receiver evaluate`: error rates over SNR of a trained receiver and the classical ones, all on the same slots. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../io/replace-file.js'
import { Model } from '../model/model.js'
import { lineChart, savePlot } from '../plot/index.js'
import {
  bitsPerSymbol,
  type Channel,
  type LinkPoint,
  type LinkQuality,
  leastSquaresReceiver,
  lmmseReceiver,
  type Modulation,
  measureLink,
  neuralReceiver,
  perfectReceiver,
  type Receiver,
  type ResourceGrid,
  resourceGrid,
  transportBlockCode,
} from '../receiver/index.js'
import type { Device } from '../runtime/device.js'
import { print } from './command.js'
import { EXIT, type ExitCode } from './exit.js'
import { UsageError } from './failure.js'
import { interruptible } from './interrupt.js'
import type { ReceiverValues } from './receiver.js'

export async function evaluateReceiver(checkpoint: string | undefined, values: ReceiverValues): Promise<ExitCode> {
  const directory = values.out ?? join('runs', 'receiver-evaluation')
  const models: Model[] = []
  const receivers: Receiver[] = []
  let grid: ResourceGrid | undefined
  try {
    for (const path of [checkpoint, values.twin]) if (path !== undefined) models.push(await load(path, values))
    grid = gridOf(models[0], values.modulation)
    const channel = channelOf(values)
    receivers.push(perfectReceiver(grid), await lmmseReceiver(grid, channel), leastSquaresReceiver(grid))
    for (const model of models) receivers.push(neuralReceiver(grid, model))
    const points = await measured(grid, channel, receivers, values)
    if (points === undefined) return EXIT.interrupted
    const files = await store(directory, points, subtitle(grid, channel, values))
    if (values.json) print(JSON.stringify({ directory, files, points }))
    else print(`\nPictures, ber.csv and results.json: ${directory}`)
    return EXIT.ok
  } finally {
    for (const one of [...receivers, ...models]) one.dispose()
    grid?.dispose()
  }
}

export function load(path: string, { device, threads }: ReceiverValues): Promise<Model> {
  return Model.load(path, { device: (device ?? 'auto') as Device, ...(threads === undefined ? {} : { threads }) })
}

/** The grid that a network was trained for: its sizes, and the modulation of as many bits. */
export function gridOf(model: Model | undefined, modulation: Modulation | undefined): ResourceGrid {
  if (model === undefined) return resourceGrid({ modulation: modulation ?? 'qpsk' })
  const [bits, symbols = 0, subcarriers = 0] = model.spec.output
  const known = (Object.keys(bitsPerSymbol) as Modulation[]).find((name) => bitsPerSymbol[name] === bits)
  if (known === undefined || model.spec.input[0] !== 4 || model.spec.output.length !== 3) {
    const shapes = `[${model.spec.input.join(', ')}] to [${model.spec.output.join(', ')}]`
    throw new UsageError(`the checkpoint is no receiver: it goes from ${shapes}; train one with receiver train`)
  }
  if (modulation !== undefined && modulation !== known) {
    throw new UsageError(`the checkpoint is for ${known}, not for ${modulation}; leave --modulation out`)
  }
  return resourceGrid({ symbols, subcarriers, modulation: known })
}

export function channelOf({
  channel: kind = 'tdl-a',
  'delay-spread': spread = 100,
  speed = 15,
}: ReceiverValues): Channel {
  if (kind === 'awgn' || kind === 'rayleigh') return { kind }
  return { kind, delaySpread: spread * 1e-9, speed }
}

/** Prints a line a point; undefined when it was interrupted. */
async function measured(
  grid: ResourceGrid,
  channel: Channel,
  receivers: readonly Receiver[],
  values: ReceiverValues,
): Promise<readonly LinkPoint[] | undefined> {
  using stop = interruptible(
    () => void process.stderr.write('Stopping after this batch.\n'),
    () => undefined,
  )
  const rate = values.coded
  const code = rate === undefined ? {} : { code: transportBlockCode(grid, { size: Math.floor(grid.bits * rate) }) }
  const asked = {
    snr: snrOf(values.snr ?? '-2:16:3'),
    mostSlots: values.slots ?? 2000,
    seed: values.seed ?? 1,
    ...code,
  }
  const points: LinkPoint[] = []
  if (!values.json) print(['Es/N0 dB', ...receivers.map(({ name }) => `${name}: BER, BLER`)].join('  |  '))
  try {
    for await (const point of measureLink(grid, channel, receivers, { ...asked, signal: stop.signal })) {
      points.push(point)
      if (!values.json) print(line(point))
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

export function snrOf(text: string): number[] {
  const [from = 0, to = from, step = 1] = text.split(':').map(Number)
  if (step <= 0 || to < from) throw new UsageError(`--snr must be from:to:step with to from ${from} on, got ${text}`)
  return Array.from({ length: Math.floor((to - from) / step + 1e-9) + 1 }, (_, index) => from + index * step)
}

function subtitle(grid: ResourceGrid, channel: Channel, { coded }: ReceiverValues): string {
  const slot = `${grid.symbols} × ${grid.subcarriers} elements, ${grid.modulation}, ${channel.kind}`
  return `${slot}, ${coded === undefined ? 'uncoded' : `LDPC rate ${coded}`}`
}

/** What can be drawn on a logarithmic axis. */
const curves = {
  ber: { title: 'Bit error rate', value: (one: LinkQuality) => one.ber.value },
  bler: { title: 'Block error rate', value: (one: LinkQuality) => one.bler.value },
} as const

async function store(directory: string, points: readonly LinkPoint[], about: string): Promise<string[]> {
  await mkdir(directory, { recursive: true })
  const names = points[0]?.receivers.map(({ receiver }) => receiver) ?? []
  const files: string[] = []
  for (const [name, { title, value }] of Object.entries(curves)) {
    const series = names.map((receiver, index) => {
      const seen = points.map(({ snr, receivers }) => [snr, value(receivers[index]!)] as const).filter(([, y]) => y > 0)
      return { name: receiver, x: seen.map(([x]) => x), y: seen.map(([, y]) => y) }
    })
    const drawn = series.filter(({ x }) => x.length > 0)
    if (drawn.length === 0) continue
    const chart = lineChart({
      series: drawn,
      title,
      subtitle: about,
      xTitle: 'Es/N0 (dB)',
      yTitle: title,
      yScale: 'log',
    })
    files.push(...(await savePlot(join(directory, name), chart, ['svg', 'png'])))
  }
  const columns = ['snr_db', 'receiver', 'slots', 'ber', 'ber_low', 'ber_high', 'bler', 'bler_low', 'bler_high', 'rate']
  const rows = points.flatMap(({ snr, receivers }) =>
    receivers.map(({ receiver, slots, ber, bler, rate }) =>
      [snr, receiver, slots, ber.value, ber.low, ber.high, bler.value, bler.low, bler.high, rate.value]
        .map((cell) => (typeof cell === 'string' ? `"${cell}"` : cell))
        .join(','),
    ),
  )
  const texts = {
    'ber.csv': `${[columns.join(','), ...rows].join('\n')}\n`,
    'results.json': `${JSON.stringify({ about, points }, null, 1)}\n`,
  }
  for (const [name, text] of Object.entries(texts)) {
    const path = join(directory, name)
    await replaceFile(path, (file) => file.writeFile(text))
    files.push(path)
  }
  return files
}
