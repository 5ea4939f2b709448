// The LDPC decoder beside Sionna's on the same processor: words from received LLRs to information bits.
//
//   npm run bench:ldpc -- [--threads 1] [--repetitions 7]
//
// Both run in one run, in turns, with the same threads, the same number of iterations, without stopping early: the same work. Sionna
// (sionna-no-rt) runs in a Python process that stays alive (bench/peers/ldpc_sionna.py), on the torch whose libtorch ours uses. Figures
// are medians. What our decoder does by default (layered, stopping when a word is valid) is told besides; Sionna has no early stop.
//
// Writes bench/results/ldpc.json. Exits with 1 when the goal, twice Sionna's throughput, is missed.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type LdpcDecoderOptions, ldpcCode, ldpcDecode, rateRecover } from '../lib/receiver/coding.js'
import { native, runtime } from '../lib/runtime/addon.js'
import { manualSeed, mul, randn, scope, sub, sum, type Tensor, tensorOp } from '../lib/tensor/index.js'
import { installedPackages, pythonEnvironment, torchFolder } from '../test/python/python.js'
import { machine, median } from './machine.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const GOAL = 2

interface Case {
  readonly k: number
  readonly n: number
  readonly words: number
  /** Eb/N0, dB. */
  readonly snr: number
  readonly update: 'sum-product' | 'min-sum'
}

const CASES: readonly Case[] = [
  { k: 64, n: 128, words: 512, snr: 2, update: 'sum-product' },
  { k: 1024, n: 2048, words: 64, snr: 1.5, update: 'sum-product' },
  { k: 1024, n: 2048, words: 64, snr: 1.5, update: 'min-sum' },
  { k: 8448, n: 12672, words: 16, snr: 2, update: 'sum-product' },
]
const ITERATIONS = 20

/** Sionna's process: a line of JSON each way. */
class Sionna {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>

  constructor(threads: number) {
    const peers = join(root, 'bench', 'peers')
    const requirements = join(peers, 'requirements', 'ldpc-sionna')
    const packages = installedPackages(`${requirements}.txt`, `${requirements}-alone.txt`)
    const environment = {
      ...pythonEnvironment([packages, dirname(torchFolder())].join(delimiter)),
      OMP_NUM_THREADS: String(threads),
    }
    this.#child = spawn('python3', [join(peers, 'ldpc_sionna.py'), String(threads)], {
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async ask(request: unknown): Promise<{ readonly seconds: number; readonly errors: number }> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`)
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('Sionna ended: what it said is above')
    return JSON.parse(value) as { seconds: number; errors: number }
  }

  end(): void {
    this.#child.stdin.end()
  }
}

/** LLRs of the zero word in Gaussian noise. */
function received({ k, n, words, snr }: Case): Tensor {
  const variance = n / (2 * k * 10 ** (snr / 10))
  return mul(sub(mul(randn([words, n]), Math.sqrt(variance)), 1), 2 / variance)
}

async function decode(
  one: Case,
  llr: Tensor,
  options: LdpcDecoderOptions,
): Promise<{ seconds: number; errors: number }> {
  return scope(async () => {
    const code = ldpcCode({ informationBits: one.k, rate: one.k / one.n })
    const began = performance.now()
    const { bits } = await ldpcDecode(await rateRecover(llr, code), code, options)
    const seconds = (performance.now() - began) / 1000
    return { seconds, errors: Number(sum(tensorOp('any.dim', [bits, 1])).item()) }
  })
}

async function measure(sionna: Sionna, one: Case, repetitions: number) {
  const llr = received(one)
  const same = { update: one.update, scale: 1, schedule: 'flooding', iterations: ITERATIONS, stopEarly: false } as const
  const byDefault = { update: one.update, iterations: ITERATIONS } as const
  await sionna.ask({
    k: one.k,
    n: one.n,
    words: one.words,
    iterations: ITERATIONS,
    update: one.update,
    snr: one.snr,
    compile: false,
  })
  await decode(one, llr, same)
  const seconds = { ours: [] as number[], default: [] as number[], sionna: [] as number[] }
  for (let turn = 0; turn < repetitions; turn++) {
    seconds.sionna.push((await sionna.ask('run')).seconds)
    seconds.ours.push((await decode(one, llr, same)).seconds)
    seconds.default.push((await decode(one, llr, byDefault)).seconds)
  }
  const megabits = (times: readonly number[]): number => (one.words * one.k) / median(times) / 1e6
  const found = { ours: megabits(seconds.ours), default: megabits(seconds.default), sionna: megabits(seconds.sionna) }
  return { ...one, ...found, ratio: found.ours / found.sionna }
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: { threads: { type: 'string', default: '1' }, repetitions: { type: 'string', default: '7' } },
  })
  const [threads, repetitions] = [Number(values.threads), Number(values.repetitions)]
  if (!(threads >= 1 && repetitions >= 1)) throw new Error('--threads and --repetitions must be at least 1')
  await native().setThreads(threads)
  manualSeed(1)
  const about = {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    software: `Node ${process.versions.node}, libtorch ${runtime().native.versions().libtorch}, sionna-no-rt 2.2.0`,
    settings: `${threads} thread${threads === 1 ? '' : 's'}, ${ITERATIONS} iterations, median of ${repetitions}`,
  }
  for (const [name, text] of Object.entries(about)) console.log(`${name}: ${text}`)
  const sionna = new Sionna(threads)
  const results = []
  try {
    for (const one of CASES) {
      const result = await measure(sionna, one, repetitions)
      results.push(result)
      const rates = `${result.ours.toFixed(2)} Mbit/s, Sionna ${result.sionna.toFixed(3)}`
      const byDefault = `layered with early stop at ${one.snr} dB ${result.default.toFixed(2)}`
      console.log(
        `k=${one.k} n=${one.n} ${one.update}: ${rates}, ${result.ratio.toFixed(1)} times as much; ${byDefault}`,
      )
    }
  } finally {
    sionna.end()
  }
  const folder = join(root, 'bench', 'results')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'ldpc.json'), `${JSON.stringify({ about, goal: GOAL, results }, null, 2)}\n`)
  const least = Math.min(...results.map(({ ratio }) => ratio))
  console.log(
    `goal: at least ${GOAL} times Sionna's throughput: ${least.toFixed(1)}, ${least >= GOAL ? 'met' : 'missed'}`,
  )
  return least >= GOAL
}

process.exitCode = (await main()) ? 0 : 1
