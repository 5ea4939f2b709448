// Products by events beside dense ones: a linear layer alone, and whole inference of a trained MNIST network.
//
//   npx tsx bench/event.ts [--full] > event.json       JSON to stdout, a table to stderr
//
// One thread. The layer alone is timed by the core (native/bench/event_linear.cpp); the network through `model.predict`,
// ten calls of every engine in turn, medians. bfloat16 is what a dense network would be run in for speed.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { adam, datasets, Model, snn } from '../lib/index.js'
import { runtime } from '../lib/runtime/addon.js'
import { assign } from '../lib/tensor/convert.js'
import type { EventRow } from './comparison/goals.js'
import { machine, median } from './machine.js'

interface NetworkRow {
  readonly batch: number
  /** Seconds, as the next three. */
  readonly auto: number
  readonly event: number
  readonly denseFloat32: number
  readonly denseBfloat16: number
  /** Samples out of `tested` for which the engines decide alike. */
  readonly alike: number
  readonly tested: number
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const slow = { decay: 0.95, decayInput: false } as const
const TRAINED = 12_800
const CALLS = 10

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { full: { type: 'boolean', default: false } } })
  const linear = linearLayers(values.full ? 1 : 0.2)
  tell(linear.map(linearLine))
  const network = await perceptron(values.full ? 400 : 100)
  tell(network.map(networkLine))
  console.log(JSON.stringify({ machine: machine(), linear, network }))
}

function linearLayers(seconds: number): EventRow[] {
  run('cmake', ['--build', 'build', '--target', 'event_linear'])
  const { files, libtorch } = runtime()
  const libraries = [libtorch.libraries, dirname(files.loader)].join(':')
  const out = run(join(root, 'build/event_linear'), [String(seconds)], { LD_LIBRARY_PATH: libraries })
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as EventRow)
}

/** 784-1000-10, T = 25, trained on a part of MNIST. */
async function perceptron(repetitions: number): Promise<NetworkRow[]> {
  const spec = snn({ input: [1, 28, 28], steps: 25 })
    .flatten()
    .linear(1000)
    .lif(slow)
    .linear(10)
    .leakyReadout(slow)
  const { train, test } = await datasets.mnist()
  using model = await Model.create(spec, { device: 'cpu', threads: 1, seed: 7 })
  for await (const event of model.train(train.take(TRAINED), {
    epochs: 1,
    batchSize: 128,
    optimizer: adam({ learningRate: 1e-3 }),
  })) {
    if (event.type === 'epoch') console.error(`trained on ${TRAINED} images: loss ${event.loss.toFixed(3)}`)
  }
  using narrow = await Model.create(spec, { device: 'cpu', dtype: 'bfloat16' })
  const weights = model.tensors()
  narrow.tensors().forEach(({ tensor }, i) => {
    assign(tensor, weights[i]!.tensor)
  })
  const images = Uint8Array.from(
    { length: 256 * 784 },
    (_, i) => (test.sample(Math.floor(i / 784)).input as Uint8Array)[i % 784]!,
  )

  const rows: NetworkRow[] = []
  for (const batch of [1, 16]) {
    const ask = (i: number): Uint8Array =>
      images.subarray(((i * batch) % 256) * 784, (((i * batch) % 256) + batch) * 784)
    const cases = {
      auto: (i: number) => model.predict(ask(i)),
      event: (i: number) => model.predict(ask(i), { engine: 'event' }),
      denseFloat32: (i: number) => model.predict(ask(i), { engine: 'dense' }),
      denseBfloat16: (i: number) => narrow.predict(ask(i)),
    }
    const times = new Map<string, number[]>(Object.keys(cases).map((name) => [name, []]))
    // Several calls of one engine in a row: else each would find its weights driven out of the caches by the others.
    for (let i = -1; i < repetitions / CALLS; i++) {
      for (const [name, body] of Object.entries(cases)) {
        const begin = performance.now()
        for (let call = 0; call < CALLS; call++) await body((i + 1) * CALLS + call)
        if (i >= 0) times.get(name)!.push((performance.now() - begin) / 1000 / CALLS)
      }
    }
    const seconds = Object.fromEntries([...times].map(([name, all]) => [name, median(all)])) as Record<
      keyof typeof cases,
      number
    >
    const dense = await model.predict(images, { engine: 'dense' })
    const event = await model.predict(images, { engine: 'event' })
    const alike = dense.classes.filter((decided, i) => decided === event.classes[i]).length
    rows.push({ batch, ...seconds, alike, tested: dense.classes.length })
  }
  return rows
}

function linearLine({ width, rows, activity, event, denseFloat32, denseBfloat16 }: EventRow): string {
  const name = `linear ${width}, ${rows} rows, ${100 * activity} % spikes`.padEnd(38)
  return `${name} ${microseconds(event)}   dense float32 ${times(denseFloat32 / event)}   dense bfloat16 ${times(denseBfloat16 / event)}`
}

function networkLine({ batch, auto, event, denseFloat32, denseBfloat16, alike, tested }: NetworkRow): string {
  const name = `784-1000-10, T 25, batch ${batch}`.padEnd(38)
  return `${name} ${microseconds(auto)}   events only ${times(event / auto)}   dense float32 ${times(denseFloat32 / auto)}   dense bfloat16 ${times(denseBfloat16 / auto)}   ${alike} of ${tested} decided alike`
}

const microseconds = (seconds: number): string => `${(1e6 * seconds).toFixed(1).padStart(8)} µs`
const times = (ratio: number): string => `${ratio.toFixed(2).padStart(6)}x`

function tell(lines: readonly string[]): void {
  console.error(lines.join('\n'))
}

function run(program: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  })
  if (status !== 0)
    throw new Error(`${program} ended with ${status}: ${error?.message ?? stderr.trim().split('\n').at(-1)}`)
  return stdout
}

await main()
process.exit(0)
