/**
 * Half load for a long time on a service whose model file is replaced again and again and whose clients often go before
 * they are answered; then SIGTERM while requests are queued.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'
import { type Digits, digits, jsonHeaders, rawHeaders } from './digits.js'
import { paced } from './paced-load.js'
import { type ServerProcess, startServe } from './server-process.js'

const checkpoint = fileURLToPath(new URL('../models/demo/digits/1/model.safetensors', import.meta.url))
const CONNECTIONS = 64
/** Asked at once before SIGTERM: several batches, so that most of them wait. */
const BURST = 256
const INFER = '/v2/models/digits/infer'

export interface SoakOptions {
  readonly seconds: number
  /** Requests a second; half of what 64 connections get where undefined. */
  readonly rate?: number
  readonly reloadSeconds: number
  /** Share of the requests that are given up, some milliseconds after they are sent. */
  readonly cancelled: number
  /** How to start the command line; the compiled one where undefined. */
  readonly program?: readonly string[]
  readonly told?: (line: string) => void
}

/** What /metrics and /proc say while nothing is asked. */
export interface Holdings {
  readonly tensors: number
  readonly bytes: number
  /** Open files and sockets. */
  readonly files: number
}

export interface SoakReport {
  readonly rate: number
  readonly answered: number
  readonly cancelled: number
  /** What went wrong with each failed request, the first hundred. */
  readonly failures: readonly string[]
  readonly failed: number
  /** Files that were put in the model's place, and models that the service loaded for it. */
  readonly replaced: number
  readonly reloaded: number
  /** Seconds since the start, and resident MB. */
  readonly memory: readonly (readonly [number, number])[]
  /** MB a minute after the first fifth, by least squares. */
  readonly slope: number
  readonly before: Holdings
  readonly after: Holdings
  /** Of the requests that were accepted when SIGTERM came. */
  readonly atEnd: { readonly accepted: number; readonly answered: number; readonly exit: number | null }
}

/** Answers that were wrong, and requests that were not answered. */
class Client {
  readonly #pool: Pool
  readonly #digits: Digits
  readonly #classes: readonly bigint[]
  readonly failures: string[] = []
  failed = 0
  answered = 0
  cancelled = 0

  private constructor(pool: Pool, all: Digits, classes: readonly bigint[]) {
    this.#pool = pool
    this.#digits = all
    this.#classes = classes
  }

  /** Asks for every digit once: later answers must name the same class. */
  static async open(address: string, connections: number): Promise<Client> {
    const pool = new Pool(address, { connections, pipelining: 1 })
    const all = await digits(64)
    const classes: bigint[] = []
    for (const image of all.images) classes.push(await classOf(pool, image, false))
    return new Client(pool, all, classes)
  }

  /** @param signal gives the request up */
  async ask(index: number, signal?: AbortSignal): Promise<void> {
    const json = index % 2 === 1
    const which = (index >> 1) % this.#classes.length
    const body = (json ? this.#digits.protocol : this.#digits.images)[which]!
    try {
      const found = await classOf(this.#pool, body, json, signal)
      if (found !== this.#classes[which]) throw new Error(`digit ${which} is ${found}, not ${this.#classes[which]}`)
      this.answered += 1
    } catch (error) {
      if (signal?.aborted) this.cancelled += 1
      else {
        this.failed += 1
        if (this.failures.length < 100) this.failures.push(String(error))
      }
    }
  }

  close(): Promise<void> {
    return this.#pool.close()
  }
}

/** The class that the service names for an image: the last of the outputs. */
async function classOf(pool: Pool, body: Buffer, json: boolean, signal?: AbortSignal): Promise<bigint> {
  const headers = json ? jsonHeaders : rawHeaders
  const response = await pool.request({ path: INFER, method: 'POST', headers, body, signal: signal ?? null })
  const bytes = Buffer.from(await response.body.arrayBuffer())
  if (response.statusCode !== 200) throw new Error(`${response.statusCode} ${bytes.toString()}`)
  if (!json) return bytes.readBigInt64LE(bytes.length - 8)
  const { outputs } = JSON.parse(bytes.toString()) as { outputs: { name: string; data: number[] }[] }
  return BigInt(outputs.find(({ name }) => name === 'classes')!.data[0]!)
}

export async function soak(options: SoakOptions): Promise<SoakReport> {
  const folder = mkdtempSync(join(tmpdir(), 'spikingrx-soak-'))
  const model = join(folder, 'models', 'digits', '1', 'model.safetensors')
  mkdirSync(dirname(model), { recursive: true })
  copyFileSync(checkpoint, model)
  let loaded = 0
  const told = (line: string): void => {
    if (line.includes('replaced digits version')) loaded += 1
  }
  const args = [join(folder, 'models'), '--log-level', 'info', '--poll', '1']
  const server = await startServe(args, told, options.program)
  try {
    return await run(server, model, options, () => loaded)
  } finally {
    server.child.kill('SIGKILL')
    await server.ended
    rmSync(folder, { recursive: true, force: true })
  }
}

async function run(
  server: ServerProcess,
  model: string,
  options: SoakOptions,
  loaded: () => number,
): Promise<SoakReport> {
  const { seconds, reloadSeconds, cancelled, told = () => undefined } = options
  const client = await Client.open(server.address, CONNECTIONS)
  const rate = options.rate ?? (await capacity(client)) / 2
  await quiet(server)
  const before = await holdings(server)
  const loadedBefore = loaded()
  told(`half load: ${rate.toFixed(0)} requests a second; ${shown(before)}`)

  const started = performance.now()
  const since = (): number => (performance.now() - started) / 1000
  const memory: [number, number][] = []
  const sampling = setInterval(() => memory.push([since(), resident(server.pid)]), 1000)
  let replaced = 0
  const replacing = setInterval(() => {
    const beside = join(dirname(dirname(dirname(dirname(model)))), 'next')
    copyFileSync(checkpoint, beside)
    renameSync(beside, model)
    replaced += 1
  }, 1000 * reloadSeconds)
  const telling = setInterval(() => {
    const [, megabytes] = memory.at(-1) ?? [0, 0]
    told(
      `${since().toFixed(0)} s: ${client.answered} answered, ${client.cancelled} cancelled, ${client.failed} failed, ${loaded() - loadedBefore} reloads, ${megabytes.toFixed(0)} MB`,
    )
  }, 30_000)
  const load = { rate, seconds }
  // Time to give up in: around what an answer takes, so that requests end in every state.
  await paced(load, async (index) => {
    if (Math.random() >= cancelled) return client.ask(index)
    const patience = new AbortController()
    const timer = setTimeout(() => patience.abort(), 4 * Math.random())
    await client.ask(index, patience.signal)
    clearTimeout(timer)
  })
  for (const timer of [sampling, replacing, telling]) clearInterval(timer)
  while (loaded() - loadedBefore < replaced && since() < seconds + 10) await sleep(50)
  await quiet(server)
  const after = await holdings(server)
  const atEnd = await endUnderLoad(server)
  await client.close()
  return {
    rate,
    answered: client.answered,
    cancelled: client.cancelled,
    failures: client.failures,
    failed: client.failed,
    replaced,
    reloaded: loaded() - loadedBefore,
    memory,
    slope: slopeOf(memory.filter(([time]) => time > seconds / 5)),
    before,
    after,
    atEnd,
  }
}

/** Requests a second when 64 connections ask as fast as they are answered, for some seconds. */
async function capacity(client: Client): Promise<number> {
  const seconds = 5
  const from = client.answered
  const end = performance.now() + 1000 * seconds
  let index = 0
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (performance.now() < end) await client.ask(index++)
    }),
  )
  return (client.answered - from) / seconds
}

/** Many requests at once; SIGTERM as soon as the service has them all; every one must be answered. */
async function endUnderLoad(server: ServerProcess): Promise<SoakReport['atEnd']> {
  const client = await Client.open(server.address, BURST)
  // Connections that are open: a request on one is accepted as soon as it is read.
  await Promise.all(Array.from({ length: BURST }, (_, index) => client.ask(index)))
  const before = client.answered
  const requests = Promise.all(Array.from({ length: BURST }, (_, index) => client.ask(index)))
  // Sent after the others and answered: the service has read what came before.
  const waiting = metric(await metrics(server), 'spikingrx_waiting_requests')
  server.child.kill('SIGTERM')
  await requests
  const [exit] = await server.ended
  if (client.answered - before + client.failed !== BURST) throw new Error('requests were lost in counting')
  if (waiting === 0) throw new Error('no request waited when SIGTERM was sent: the end was not under load')
  await client.close()
  return { accepted: BURST, answered: client.answered - before, exit }
}

async function metrics(server: ServerProcess): Promise<string> {
  const response = await fetch(`${server.address}/metrics`)
  return response.text()
}

function metric(text: string, name: string): number {
  const found = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(text)
  if (found === null) throw new Error(`/metrics has no ${name}`)
  return Number(found[1])
}

/** Waits until models that were replaced are freed: until two looks at the tensors agree. */
async function quiet(server: ServerProcess): Promise<void> {
  let last = -1
  for (let look = 0; look < 20; look++) {
    await sleep(500)
    const now = metric(await metrics(server), 'spikingrx_native_tensors')
    if (now === last) return
    last = now
  }
}

async function holdings(server: ServerProcess): Promise<Holdings> {
  const text = await metrics(server)
  return {
    tensors: metric(text, 'spikingrx_native_tensors'),
    bytes: metric(text, 'spikingrx_native_memory_bytes'),
    files: metric(text, 'process_open_fds'),
  }
}

export function shown({ tensors, bytes, files }: Holdings): string {
  return `${tensors} native tensors of ${bytes} bytes, ${files} open files`
}

/** Resident memory of a process, in MB (Linux). */
function resident(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return (Number(found?.[1]) * 1024) / 1e6
}

/** Least squares through (seconds, MB), in MB a minute. */
export function slopeOf(samples: readonly (readonly [number, number])[]): number {
  const count = samples.length
  const [x, y] = [0, 1].map((place) => samples.reduce((sum, sample) => sum + sample[place]!, 0) / count) as [
    number,
    number,
  ]
  const across = samples.reduce((sum, [time, value]) => sum + (time - x) * (value - y), 0)
  return (60 * across) / samples.reduce((sum, [time]) => sum + (time - x) ** 2, 0)
}
