// Child of serve.ts: puts each load that it is sent on a server, and answers with a summary. One process for all loads: V8
// compiles in the first seconds, which on two processors takes the time from the server that is measured. Half load comes
// paced, which autocannon can't: it would send each second's share at once.
import autocannon from 'autocannon'
import { digits, jsonHeaders, rawHeaders } from './digits.js'
import { HttpConnections, requestBytes } from './http-connections.js'
import { quantile } from './machine.js'
import { type Pace, paced } from './paced-load.js'

/** What serve.ts asks for. */
export interface Load {
  readonly address: string
  readonly path: string
  readonly body: 'raw' | 'protocol' | 'plain'
  readonly connections: number
  readonly seconds: number
  /** Requests a second, paced; as many as are answered where undefined. */
  readonly rate?: number
  readonly arrivals?: Pace['arrivals']
}

export interface LoadResult {
  /** Answered requests a second. */
  readonly rate: number
  /** Milliseconds from sending a request to its answer. */
  readonly median: number
  readonly p99: number
  readonly answered: number
  readonly failed: number
}

const WARM_UP_SECONDS = 1
const all = await digits(64)

async function measured(load: Load): Promise<LoadResult> {
  const bodies = { raw: all.images, protocol: all.protocol, plain: all.plain }[load.body]
  const headers = load.body === 'raw' ? rawHeaders : jsonHeaders
  const run = load.rate === undefined ? closedLoop : pacedLoop
  await run({ ...load, seconds: WARM_UP_SECONDS }, bodies, headers)
  return run(load, bodies, headers)
}

type Run = (load: Load, bodies: readonly Buffer[], headers: Readonly<Record<string, string>>) => Promise<LoadResult>

/** Every connection asks again when it was answered. */
const closedLoop: Run = async ({ address, path, connections, seconds }, bodies, headers) => {
  const times: number[] = []
  let failed = 0
  const options = {
    url: address,
    connections,
    duration: seconds,
    requests: bodies.map((body) => ({ method: 'POST' as const, path, headers, body })),
  }
  const { errors, duration } = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(options, (error, result) => (error ? reject(error) : resolve(result)))
    // autocannon's own histogram holds whole milliseconds.
    instance.on('response', (_client, status, _bytes, milliseconds) => {
      if (status === 200) times.push(milliseconds)
      else failed += 1
    })
  })
  return summary(times, failed + errors, duration)
}

const pacedLoop: Run = async ({ address, path, connections, seconds, rate, arrivals }, bodies, headers) => {
  const server = new HttpConnections(address, connections)
  const requests = bodies.map((body) => requestBytes(address, path, headers, body))
  const times: number[] = []
  let failed = 0
  const started = performance.now()
  await paced({ rate: rate!, seconds, arrivals }, async (index) => {
    const sent = performance.now()
    try {
      const status = await server.send(requests[index % requests.length]!)
      if (status === 200) times.push(performance.now() - sent)
      else failed += 1
    } catch {
      failed += 1
    }
  })
  const taken = (performance.now() - started) / 1000
  server.close()
  return summary(times, failed, taken)
}

function summary(times: readonly number[], failed: number, seconds: number): LoadResult {
  return {
    rate: times.length / seconds,
    median: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    answered: times.length,
    failed,
  }
}

process.on('message', async (load: Load) => {
  process.send!(await measured(load))
})
