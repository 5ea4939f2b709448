import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { datasets } from '../../lib/data/index.js'
import { Model } from '../../lib/model/model.js'
import { snn } from '../../lib/model/spec.js'
import { spikingrx } from '../process/cli-program.js'
import { ageless, numbers, writeModel } from './networks.js'

const program = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-cli-serve-'))
  await writeModel(join(folder, 'small.safetensors'), ageless)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

interface Service {
  readonly address: string
  readonly child: ChildProcess
  readonly lines: string[]
  readonly errors: () => string
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

let running: Service | undefined
afterEach(async () => {
  running?.child.kill('SIGKILL')
  await running?.ended
  running = undefined
})

/** Starts `spikingrx serve`, and waits until its models are there. */
async function serve(...args: string[]): Promise<Service> {
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), program, 'serve', ...args, '--port', '0'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  )
  let errors = ''
  child.stderr!.setEncoding('utf8').on('data', (text) => {
    errors += text
  })
  const lines: string[] = []
  const address = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      lines.push(line)
      const found = / at (https?:\S+)/.exec(line)?.[1]
      if (found !== undefined) resolve(found)
    })
    void ended.then(({ code }) => reject(new Error(`ended with ${code}: ${errors}`)))
  })
  running = { address, child, lines, errors: () => errors, ended }
  while ((await fetch(`${address}/v2/health/ready`)).status !== 200) await sleep(20)
  return running
}

function infer(address: string, model: string, shape: readonly number[], data: Iterable<number>, datatype = 'FP32') {
  return fetch(`${address}/v2/models/${model}/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: [{ name: 'input', shape, datatype, data: [...data] }] }),
  })
}

async function metric(address: string, name: string): Promise<number> {
  const text = await (await fetch(`${address}/metrics`)).text()
  const found = new RegExp(`^\\w*${name}\\{[^}]*\\} (\\d+)`, 'm').exec(text)
  expect(found, `${name} in ${text}`).not.toBeNull()
  return Number(found![1])
}

describe('spikingrx serve', () => {
  it('says where it listens and what it serves, answers, and ends with 0 at SIGTERM', async () => {
    const service = await serve(folder)
    const answer = (await (await infer(service.address, 'small', [1, 12], numbers(12, 1))).json()) as {
      outputs: { name: string; data: number[] }[]
    }
    using model = await Model.load(join(folder, 'small.safetensors'), { device: 'cpu' })
    const { scores, classes } = await model.predict(numbers(12, 1))
    expect(answer.outputs.map(({ name }) => name)).toEqual(['scores', 'probabilities', 'classes'])
    for (const [i, score] of answer.outputs[0]!.data.entries()) expect(score).toBeCloseTo(scores[i]!, 5)
    expect(answer.outputs[2]!.data).toEqual([...classes])
    service.child.kill('SIGTERM')
    expect(await service.ended).toEqual({ code: 0, signal: null })
    expect(service.lines).toEqual([
      expect.stringMatching(/^Serving \S+ at http:\/\/127\.0\.0\.1:\d+ \(cpu, \d+ threads?\)$/),
      '  small 1: input FP32 [-1, 12] -> scores, probabilities, classes, steps',
      'Stopping: answering what was accepted (a second signal quits at once).',
      'Stopped.',
    ])
    expect(service.errors()).toContain('loaded small version 1 in')
  })

  it('answers every request that it has accepted before it ends', async () => {
    const slow = snn({ input: [1, 24, 24], steps: 24 })
      .convBlock(24)
      .lif()
      .convBlock(24)
      .lif()
      .classifier(4)
    const path = join(folder, 'slow.safetensors')
    await writeModel(path, slow)
    const service = await serve(path, '--max-batch', '1', '--log-level', 'warn')
    const statuses: number[] = []
    const requests = Array.from({ length: 24 }, async (_, seed) => {
      const response = await infer(service.address, 'slow', [1, 1, 24, 24], numbers(576, seed))
      await response.json()
      statuses.push(response.status)
    })
    while (statuses.length + (await metric(service.address, 'waiting_requests')) < 20) await sleep(1)
    expect(statuses.length).toBeLessThan(24)
    service.child.kill('SIGTERM')
    await Promise.all(requests)
    expect(statuses).toEqual(new Array(24).fill(200))
    expect(await service.ended).toEqual({ code: 0, signal: null })
    await rm(path)
  })

  it('quits at once at a second signal', async () => {
    const service = await serve(folder)
    const stuck = fetch(`${service.address}/v2/models/small/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      duplex: 'half',
      body: new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('{')) }),
    } as RequestInit)
    const cut = expect(stuck).rejects.toThrow()
    await sleep(100)
    service.child.kill('SIGINT')
    while (!service.lines.some((line) => line.startsWith('Stopping'))) await sleep(10)
    await sleep(500)
    service.child.kill('SIGINT')
    expect(await service.ended).toEqual({ code: null, signal: 'SIGINT' })
    await cut
  })

  it('takes tokens from a file, and loads and unloads when told that clients may', async () => {
    const tokens = join(folder, 'tokens')
    await writeFile(tokens, '# of the team\nsecret-1\n\nsecret-2\n')
    const { address } = await serve(folder, '--token-file', tokens, '--model-control', '--cors', 'https://a.example')
    const unload = (headers: Record<string, string>) =>
      fetch(`${address}/v2/repository/models/small/unload`, { method: 'POST', headers })
    expect((await unload({})).status).toBe(401)
    expect((await unload({ authorization: 'Bearer secret-2', origin: 'https://a.example' })).status).toBe(200)
    const gone = await fetch(`${address}/v2/models/small`, { headers: { authorization: 'Bearer secret-1' } })
    expect(gone.status).toBe(404)
  })

  it('serves the demo network, which knows its digits', async () => {
    const { address, lines, child, ended } = await serve('--demo', '--instances', '2')
    expect(lines.at(-1)).toBe(
      '  digits 1: input UINT8 [-1, 1, 28, 28] -> scores, probabilities, classes, steps (10 classes)',
    )
    const { test } = await datasets.mnist()
    const digits = Array.from({ length: 64 }, (_, index) => test.sample(100 + index))
    const data = digits.flatMap(({ input }) => [...input])
    const response = await infer(address, 'digits', [64, 1, 28, 28], data, 'UINT8')
    const { outputs } = (await response.json()) as { outputs: { name: string; data: number[] }[] }
    const classes = outputs.find(({ name }) => name === 'classes')!.data
    const right = classes.filter((found, index) => found === digits[index]!.target).length
    expect(right).toBeGreaterThanOrEqual(62)
    child.kill('SIGTERM')
    expect(await ended).toEqual({ code: 0, signal: null })
  })

  it('says on one line what is wrong', async () => {
    const missing = join(folder, 'no-such-folder')
    const broken = join(folder, 'broken.safetensors')
    await writeFile(broken, 'x')
    const runs: [args: string[], code: number, line: RegExp][] = [
      [[], 2, /needs a folder of models, or --demo \(see .*\) \[ERR_USAGE\]$/],
      [['--demo', folder], 2, /takes a folder or --demo, not both/],
      [[folder, '--tls-key', 'key.pem'], 2, /--tls-key and --tls-cert go together/],
      [[folder, '--port', '70000'], 2, /--port must be a whole number from 0 to 65535/],
      [[missing], 1, /no-such-folder does not exist \[ERR_SERVE_REPOSITORY\]$/],
      [[broken, '--port', '0', '--log-level', 'silent'], 1, /no model can be served; broken: .* \[ERR_SERVE_LOAD\]$/],
      [[folder, '--token-file', missing], 1, /--token-file: .* can't be read \(ENOENT\) \[ERR_SERVE_CONFIG\]$/],
    ]
    await Promise.all(
      runs.map(async ([args, code, line]) => {
        const ended = await spikingrx(['serve', ...args])
        expect([ended.code, ended.stderr.split('\n').length], ended.stderr).toEqual([code, 1])
        expect(ended.stderr).toMatch(line)
      }),
    )
    await rm(broken)
  })
})
