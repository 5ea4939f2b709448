// What the service costs over the network it serves, and how it stands beside a Python server of the same network.
//
//   npm run bench:serve -- [--repetitions 5] [--seconds 4] [--no-peer]
//
// `spikingrx serve` with the demo network, the Python server (bench/peers), the client that asks and the direct `predict`
// are processes of their own on the same machine, with the same computing threads: one less than there are processors.
// Repetitions go through all of them in turns; figures are medians over the repetitions. While one is measured, the others
// wait. Servers log warnings only. Throughput is of 64 connections that ask again when they were answered (autocannon);
// half load is half of that, over 64 connections of a client that does as little as can be, arriving at random and once more
// evenly, as most load generators pace; a server that computes nothing gets the same loads. One request is one image.
//
// Writes bench/results/serve.json. Exits with 1 when a goal is missed.
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runtime } from '../lib/runtime/addon.js'
import { machine, median } from './machine.js'
import type { Load, LoadResult } from './serve-load.js'
import { type ServerProcess, startBare, startFastApi, startServe, stop } from './server-process.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const CONNECTIONS = 64

/** Samples a second in batches of 64 and 256, and milliseconds for one. */
interface Direct {
  readonly batch64: number
  readonly batch256: number
  readonly single: number
}

interface Repetition {
  readonly direct: Direct
  readonly service: Readonly<Record<'many' | 'manyJson' | 'one' | 'oneJson' | 'half' | 'halfEven', LoadResult>>
  /** A server that computes nothing, under the half loads of the service. */
  readonly bare: Readonly<Record<'half' | 'halfEven', LoadResult>>
  readonly peer?: Readonly<Record<'many' | 'manyJson' | 'one' | 'oneJson', LoadResult>>
}

interface Figure {
  readonly what: string
  readonly value: number
  readonly unit: string
  /** None: told, but no goal. */
  readonly goal?: { readonly atLeast: number } | { readonly atMost: number }
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      repetitions: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '4' },
      'no-peer': { type: 'boolean', default: false },
    },
  })
  const [repetitions, seconds] = [Number(values.repetitions), Number(values.seconds)]
  if (!(repetitions >= 1 && seconds > 0)) throw new Error('--repetitions and --seconds must be positive numbers')
  const threads = Math.max(1, availableParallelism() - 1)
  const about = {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    software: `Node ${process.versions.node}, libtorch ${runtime().native.versions().libtorch}`,
    settings: `${threads} computing thread${threads === 1 ? '' : 's'}, ${repetitions} repetitions of ${seconds} s`,
  }
  for (const [name, text] of Object.entries(about)) console.log(`${name}: ${text}`)

  const client = fork(join(root, 'bench', 'serve-load.ts'), {
    // Its own collections, seldom: they would be read as the server's long answers.
    execArgv: ['--import', import.meta.resolve('tsx'), '--heap-growing-percent=400', '--max-semi-space-size=64'],
  })
  const service = await startServe(['--demo', '--threads', String(threads), '--log-level', 'warn'])
  const bare = await startBare()
  const peer = values['no-peer'] ? undefined : await startFastApi(threads)
  const runs: Repetition[] = []
  try {
    for (let k = 0; k < repetitions; k++) {
      const run = await repetition({ client, service, bare, peer }, threads, seconds)
      runs.push(run)
      console.log(`${k + 1}: ${shown(run)}`)
    }
  } finally {
    client.kill()
    await stop(service)
    await stop(bare)
    if (peer !== undefined) await stop(peer)
  }
  const found = figures(runs)
  for (const figure of found) console.log(line(figure))
  const results = runs.flatMap(({ service, bare, peer }) =>
    [service, bare, peer ?? {}].flatMap(Object.values<LoadResult>),
  )
  const errors = results.reduce((sum, { failed }) => sum + failed, 0)
  console.log(`failed requests: ${errors}`)
  mkdirSync(join(root, 'bench', 'results'), { recursive: true })
  const target = join(root, 'bench', 'results', 'serve.json')
  writeFileSync(target, `${JSON.stringify({ ...about, figures: found, runs }, null, 2)}\n`)
  return errors === 0 && found.every((figure) => verdict(figure) !== 'missed')
}

interface Processes {
  readonly client: ChildProcess
  readonly service: ServerProcess
  readonly bare: ServerProcess
  readonly peer: ServerProcess | undefined
}

async function repetition(
  { client, service, bare, peer }: Processes,
  threads: number,
  seconds: number,
): Promise<Repetition> {
  const model = join(root, 'models', 'demo', 'digits', '1', 'model.safetensors')
  const direct = await json<Direct>([join(root, 'bench', 'serve-direct.mjs'), model, String(threads), '2'])
  const ask = (load: Load): Promise<LoadResult> => answerOf(client, load)
  const server = (connections: number, body: Load['body'], pace: Partial<Load> = {}): Promise<LoadResult> =>
    ask({ address: service.address, path: '/v2/models/digits/infer', connections, body, seconds, ...pace })
  const other = (connections: number, body: 'raw' | 'plain'): Promise<LoadResult> =>
    ask({ address: peer!.address, path: body === 'raw' ? '/raw' : '/infer', connections, body, seconds })

  const one = await server(1, 'raw')
  const peerOne = peer && (await other(1, 'raw'))
  const oneJson = await server(1, 'protocol')
  const peerOneJson = peer && (await other(1, 'plain'))
  const many = await server(CONNECTIONS, 'raw')
  const peerMany = peer && (await other(CONNECTIONS, 'raw'))
  const manyJson = await server(CONNECTIONS, 'protocol')
  const peerManyJson = peer && (await other(CONNECTIONS, 'plain'))
  const random = { rate: many.rate / 2, arrivals: 'random' } as const
  const even = { ...random, arrivals: 'even' } as const
  const nothing = { address: bare.address, path: '/', connections: CONNECTIONS, body: 'raw', seconds } as const
  const half = await server(CONNECTIONS, 'raw', random)
  const bareHalf = await ask({ ...nothing, ...random })
  const halfEven = await server(CONNECTIONS, 'raw', even)
  const bareHalfEven = await ask({ ...nothing, ...even })
  return {
    direct,
    bare: { half: bareHalf, halfEven: bareHalfEven },
    service: { many, manyJson, one, oneJson, half, halfEven },
    ...(peer && { peer: { many: peerMany!, manyJson: peerManyJson!, one: peerOne!, oneJson: peerOneJson! } }),
  }
}

function figures(runs: readonly Repetition[]): Figure[] {
  const middle = (value: (run: Repetition) => number): number => median(runs.map(value))
  const direct = (run: Repetition): number => Math.max(run.direct.batch64, run.direct.batch256)
  const share = (which: 'many' | 'manyJson') => 100 * middle((run) => run.service[which].rate / direct(run))
  const added = (which: 'one' | 'oneJson') => middle((run) => run.service[which].median - run.direct.single)
  const found: Figure[] = [
    { what: 'direct predict, best of batches of 64 and 256', value: middle(direct), unit: 'samples/s' },
    { what: 'direct predict, one sample, median', value: middle(({ direct }) => direct.single), unit: 'ms' },
    { what: '64 connections, bytes', value: middle(({ service }) => service.many.rate), unit: 'requests/s' },
    { what: '64 connections, JSON', value: middle(({ service }) => service.manyJson.rate), unit: 'requests/s' },
    { what: '64 connections over direct, bytes', value: share('many'), unit: '%', goal: { atLeast: 70 } },
    { what: '64 connections over direct, JSON', value: share('manyJson'), unit: '%', goal: { atLeast: 70 } },
    { what: 'one connection, added median, bytes', value: added('one'), unit: 'ms', goal: { atMost: 1 } },
    { what: 'one connection, added median, JSON', value: added('oneJson'), unit: 'ms', goal: { atMost: 1 } },
    ...halfLoads(middle, 'half', 'at random'),
    ...halfLoads(middle, 'halfEven', 'evenly'),
  ]
  if (runs.some(({ peer }) => peer === undefined)) return found
  const faster = (which: 'many' | 'manyJson') => middle((run) => run.service[which].rate / run.peer![which].rate)
  const sooner = (which: 'one' | 'oneJson') => middle((run) => run.peer![which].median / run.service[which].median)
  return [
    ...found,
    { what: 'FastAPI, 64 connections, bytes', value: middle(({ peer }) => peer!.many.rate), unit: 'requests/s' },
    { what: 'FastAPI, one connection, median, bytes', value: middle(({ peer }) => peer!.one.median), unit: 'ms' },
    { what: 'requests a second over FastAPI, bytes', value: faster('many'), unit: 'x', goal: { atLeast: 3 } },
    { what: 'requests a second over FastAPI, JSON', value: faster('manyJson'), unit: 'x', goal: { atLeast: 3 } },
    { what: 'one connection, p50 below FastAPI, bytes', value: sooner('one'), unit: 'x', goal: { atLeast: 3 } },
    { what: 'one connection, p50 below FastAPI, JSON', value: sooner('oneJson'), unit: 'x', goal: { atLeast: 3 } },
  ]
}

function halfLoads(
  middle: (value: (run: Repetition) => number) => number,
  which: 'half' | 'halfEven',
  arrivals: string,
): Figure[] {
  const spread = ({ p99, median }: LoadResult): number => p99 / median
  const what = `half load ${arrivals}`
  return [
    { what: `${what}, median`, value: middle(({ service }) => service[which].median), unit: 'ms' },
    {
      what: `${what}, p99 over median`,
      value: middle(({ service }) => spread(service[which])),
      unit: 'x',
      goal: { atMost: 3 },
    },
    { what: `${what}, nothing computed: median`, value: middle(({ bare }) => bare[which].median), unit: 'ms' },
    { what: `${what}, nothing computed: p99 over median`, value: middle(({ bare }) => spread(bare[which])), unit: 'x' },
  ]
}

function verdict({ goal, value }: Figure): 'reached' | 'missed' | '' {
  if (goal === undefined) return ''
  return ('atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost) ? 'reached' : 'missed'
}

function line(figure: Figure): string {
  const { what, value, unit, goal } = figure
  const told = `${what.padEnd(52)} ${(unit.endsWith('/s') ? value.toFixed(0) : value.toFixed(2)).padStart(8)} ${unit}`
  if (goal === undefined) return told
  const wanted = 'atLeast' in goal ? `at least ${goal.atLeast}` : `at most ${goal.atMost}`
  return `${told.padEnd(74)} goal ${wanted} ${unit}: ${verdict(figure)}`
}

function shown({ direct, service, peer }: Repetition): string {
  const rates = `direct ${direct.batch64.toFixed(0)} ${direct.batch256.toFixed(0)}/s ${direct.single.toFixed(2)} ms`
  const ours = `service ${service.many.rate.toFixed(0)} ${service.manyJson.rate.toFixed(0)}/s ${service.one.median.toFixed(2)} ${service.oneJson.median.toFixed(2)} ms, half load ${service.half.median.toFixed(2)} p99 ${service.half.p99.toFixed(2)} ms, evenly ${service.halfEven.median.toFixed(2)} p99 ${service.halfEven.p99.toFixed(2)} ms`
  const theirs =
    peer &&
    `FastAPI ${peer.many.rate.toFixed(0)} ${peer.manyJson.rate.toFixed(0)}/s ${peer.one.median.toFixed(2)} ${peer.oneJson.median.toFixed(2)} ms`
  return [rates, ours, theirs].filter((part) => part !== undefined).join('   ')
}

async function answerOf(client: ChildProcess, load: Load): Promise<LoadResult> {
  const settled = new AbortController()
  try {
    const events = ['message', 'exit'].map((event) => once(client, event, settled))
    client.send(load)
    const [answer] = await Promise.race(events)
    if (typeof answer !== 'object' || answer === null) throw new Error(`the client ended with ${answer}`)
    return answer as LoadResult
  } finally {
    settled.abort()
  }
}

/** Runs a Node program to its end and gives the JSON that it printed. */
function json<T>(args: readonly string[]): Promise<T> {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, OMP_WAIT_POLICY: 'PASSIVE' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [output, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(output))
      else reject(new Error(`${args.at(-2)} ended with ${code}: ${errors}`))
    })
  })
}

process.exitCode = (await main()) ? 0 : 1
