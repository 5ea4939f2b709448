import { execFile } from 'node:child_process'
import { on } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { Model } from '../../lib/model/model.js'
import { createServer, type Server } from '../../lib/serve/index.js'
import { FolderRepository } from '../../lib/serve/repository.js'
import { installedPackages, pythonEnvironment } from '../python/python.js'
import { ageless } from './networks.js'

const here = path.join(path.dirname(fileURLToPath(import.meta.url)), 'python')
const run = promisify(execFile)

let folder: string
let packages: string
let repository: FolderRepository
let server: Server
let address: string
/** What the network itself says of the inputs that the clients send. */
let expected: {
  readonly ramp: number[][]
  readonly classes: number[]
  readonly whole: number[][]
  readonly steps: number[][]
  /** Row-major places of the spikes in `[1, T, neurons]`, by layer. */
  readonly spikes: Readonly<Record<string, number[]>>
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, ...pythonEnvironment(packages) }
}

/** What a script says it got, by what it asked. */
// biome-ignore lint/suspicious/noExplicitAny: as JSON.parse gives it; every value is compared
type Report = any

/** Runs a script of the folder beside, without blocking the server; gives the JSON that it prints. */
async function python(script: string, ...args: readonly string[]): Promise<Report> {
  const { stdout } = await run('python3', [path.join(here, script), ...args], {
    env: environment(),
    maxBuffer: 2 ** 26,
  })
  return JSON.parse(stdout)
}

function rows(values: Float32Array, width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, row) => [...values.subarray(row * width, (row + 1) * width)])
}

function places(values: ArrayLike<number>): number[] {
  return Array.from(values, (value, index) => (value === 0 ? -1 : index)).filter((index) => index >= 0)
}

function close(rows: readonly (readonly number[])[]): unknown {
  return rows.map((row) => row.map((value) => expect.closeTo(value, 5)))
}

beforeAll(async () => {
  // The first time ever, this installs Python's packages.
  packages = installedPackages(path.join(here, 'requirements.txt'), path.join(here, 'requirements-alone.txt'))
  folder = await mkdtemp(path.join(os.tmpdir(), 'spikingrx-clients-'))
  await mkdir(path.join(folder, 'net/1'), { recursive: true })
  {
    using model = await Model.create({ ...ageless.toJSON(), labels: ['ant', 'bee', 'cow'] }, { seed: 3, device: 'cpu' })
    await model.save(path.join(folder, 'net/1/model.safetensors'))
    const ramp = await model.predict({ data: Float32Array.from({ length: 24 }, (_, i) => i / 24), shape: [2, 12] })
    const whole = await model.predict({ data: Float32Array.from({ length: 12 }, (_, i) => i % 3), shape: [1, 12] })
    const steps = await model.record({ data: Float32Array.from({ length: 48 }, (_, i) => i / 48), shape: [1, 4, 12] })
    expected = {
      ramp: rows(ramp.scores, 3),
      classes: [...ramp.classes],
      whole: rows(whole.scores, 3),
      steps: rows(steps.output.data, 3),
      spikes: Object.fromEntries(
        Object.entries(steps.layers).flatMap(([name, { spikes }]) => (spikes ? [[name, places(spikes.data)]] : [])),
      ),
    }
  }
  repository = new FolderRepository(folder, { poll: 0, settle: 0 })
  await repository.start()
  server = await createServer({ repository, port: 0, control: true })
  address = await server.listen()
}, 300_000)

afterAll(async () => {
  await server?.close(1000)
  await repository?.close(1000)
  if (folder) await rm(folder, { recursive: true })
})

describe("Triton's client", () => {
  let report: Report
  beforeAll(async () => {
    report = await python('triton_client.py', new URL(address).host)
  })

  it('finds the server and its model', () => {
    expect(report.health).toEqual([true, true, true])
    expect(report['health of one that is not there']).toBe(false)
    expect(report.server).toMatchObject({ name: 'spikingrx', extensions: expect.arrayContaining(['model_repository']) })
    expect(report.model).toMatchObject({
      name: 'net',
      versions: ['1'],
      inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 12] }],
      parameters: { steps: 4, labels: ['ant', 'bee', 'cow'] },
    })
  })

  it('gets in binary and in JSON what the network says', () => {
    const scores = close(expected.ramp)
    expect(report.binary).toMatchObject({ id: 'first', version: '1', scores, classes: expected.classes })
    for (const kind of ['json', 'json in, binary out', 'binary in, json out']) {
      expect(report[kind], kind).toEqual({ id: null, version: '1', scores })
    }
    expect(report.version).toBe('1')
    expect([report.gzip, report.deflate, report.timeout]).toEqual([scores, scores, scores])
  })

  it('may send every datatype', () => {
    const { BOOL, UINT8, ...numbers } = report.datatypes as Record<string, number[][][]>
    expect(Object.keys(numbers)).toEqual(['INT8', 'INT16', 'INT32', 'INT64', 'FP16', 'FP32', 'FP64'])
    for (const [name, answers] of Object.entries(numbers)) {
      for (const answer of answers) expect(answer, name).toEqual(close(expected.whole))
    }
    // Flags are other numbers, and bytes are 1/255 of theirs; the same in binary and JSON.
    for (const [binary, json] of [BOOL!, UINT8!]) expect(binary).toEqual(json)
  })

  it('gets classes with their labels', () => {
    const labels = ['ant', 'bee', 'cow']
    const best = expected.ramp.map((row) =>
      [...row.keys()]
        .sort((a, b) => row[b]! - row[a]!)
        .slice(0, 2)
        .map((index) => `${row[index]!.toFixed(6)}:${index}:${labels[index]}`),
    )
    expect(report.classes).toEqual(best)
    expect(report['classes as json']).toEqual(best)
    expect(report.class).toEqual(expected.classes)
  })

  it('gets from a sequence in parts what the whole gives', () => {
    const steps = close(expected.steps)
    expect(report['sequence at once']).toEqual([steps])
    expect(report['sequence 5']).toEqual(steps)
    expect(report['sequence a stream']).toEqual(steps)
    expect(report['sequence that ended'][0]).toBe('400')
  })

  it('is told what is wrong', () => {
    expect(report['unknown model']).toEqual(['404', expect.stringContaining('none')])
    expect(report['wrong shape']).toEqual(['400', expect.stringMatching(/12/)])
  })

  it('reads statistics, lists models, unloads and loads', () => {
    expect(report.statistics).toEqual(['net', '1', true])
    expect(report['all statistics']).toBe(1)
    expect(report.index).toEqual({ net: 'READY' })
    expect(report.unloaded).toEqual([{ net: 'UNAVAILABLE' }, false, expect.stringMatching(/^(404|503)$/)])
    expect(report.loaded).toEqual([{ net: 'READY' }, true, close(expected.ramp)])
    expect(report['load of one that is not there']).toBe('404')
  })
})

describe("KServe's client", () => {
  it('gets in JSON and in binary what the network says', async () => {
    const answer = { model: 'net', scores: close(expected.ramp), classes: expected.classes }
    expect(await python('kserve_client.py', address)).toEqual({
      live: true,
      ready: true,
      model: true,
      json: { id: 'json', ...answer },
      binary: { id: 'binary', ...answer },
    })
  })
})

describe('a WebSocket', () => {
  it('gets step by step the scores and spikes that the whole sequence gives', async () => {
    const socket = new WebSocket(`${address.replace('http', 'ws')}/v2/models/net/stream`)
    const messages = on(socket, 'message')
    const next = async (): Promise<Report> => JSON.parse(String((await messages.next()).value[0]))
    expect((await next()).type).toBe('ready')
    socket.send(JSON.stringify({ type: 'options', outputs: ['steps', 'scores'], spikes: true }))
    const steps: number[][] = []
    let mean: number[] = []
    const spikes: Record<string, number[]> = {}
    for (let step = 0; step < 4; step++) {
      socket.send(Float32Array.from({ length: 12 }, (_, i) => (12 * step + i) / 48))
      const answer = await next()
      steps.push(answer.outputs[0].data)
      mean = answer.outputs[1].data
      for (const { layer, shape, indices } of answer.spikes) {
        const neurons = shape[2]
        spikes[layer] = [...(spikes[layer] ?? []), ...indices.map((index: number) => step * neurons + index)]
      }
    }
    socket.close()
    expect(steps).toEqual(close(expected.steps))
    const means = expected.steps[0]!.map((_, k) => expected.steps.reduce((sum, row) => sum + row[k]! / 4, 0))
    expect([mean]).toEqual(close([means]))
    expect(Object.values(expected.spikes).flat().length).toBeGreaterThan(3)
    expect(spikes).toEqual(expected.spikes)
  })
})

describe('documents that others check against', () => {
  it("has responses of the protocol's published schema", async () => {
    const get = async (url: string): Promise<unknown> => (await server.app.inject(url)).json()
    const data = Array(12).fill(0.5)
    const ask = async (more: object, url = '/v2/models/net/infer'): Promise<unknown> => {
      const payload = { inputs: [{ name: 'input', shape: [1, 12], datatype: 'FP32', data }], ...more }
      return (await server.app.inject({ method: 'POST', url, payload })).json()
    }
    const scores = (parameters: object) => ({ outputs: [{ name: 'scores', parameters }] })
    const sequence = { sequence_id: 1, sequence_start: true, sequence_end: true }
    const responses = {
      MetadataServerResponse: [await get('/v2'), await get('/v2/')],
      MetadataModelResponse: [await get('/v2/models/net'), await get('/v2/models/net/versions/1')],
      InferenceResponse: [
        await ask({}),
        await ask({ id: '42' }, '/v2/models/net/versions/1/infer'),
        await ask({ outputs: [{ name: 'classes' }, { name: 'probabilities' }, { name: 'scores' }, { name: 'steps' }] }),
        await ask(scores({ classification: 2 })),
        await ask({ parameters: sequence }),
      ],
      MetadataModelErrorResponse: [await get('/v2/models/none'), await get('/v2/models/net/versions/9')],
      InferenceErrorResponse: [await ask({ inputs: [] }), await ask({}, '/v2/models/none/infer'), await ask({ id: 1 })],
    }
    for (const one of responses.InferenceResponse) expect(one).toHaveProperty('outputs')
    for (const one of responses.InferenceErrorResponse) expect(Object.keys(one as object)).toEqual(['error'])
    const checked = run('python3', [path.join(here, 'published_schema.py')], { env: environment() })
    checked.child.stdin!.end(JSON.stringify({ ...responses, MetadataServerErrorResponse: [{ wrong: 1 }] }))
    const { MetadataServerErrorResponse: wrong, ...problems } = JSON.parse((await checked).stdout)
    expect(problems).toEqual({
      MetadataServerResponse: [],
      MetadataModelResponse: [],
      InferenceResponse: [],
      MetadataModelErrorResponse: [],
      InferenceErrorResponse: [],
    })
    // The checker does check.
    expect(wrong).toHaveLength(1)
  })

  it('survives what schemathesis makes of its OpenAPI document', async () => {
    const args = ['--config-file', path.join(here, 'schemathesis.toml'), 'run', `${address}/openapi.json`]
    // Not every request that fits the schema fits the model: 400 is an answer.
    const checks = ['--checks', 'all', '--exclude-checks', 'positive_data_acceptance']
    // Once unloaded, a model would have nothing to test.
    const kept = ['--exclude-operation-id', 'repositoryUnload']
    const bounds = ['--phases', 'coverage,fuzzing', '--max-examples', '20', '--seed', '1', '--no-color']
    const work = { cwd: folder, env: environment(), maxBuffer: 2 ** 26 }
    const failure = (error: { readonly stdout?: string }) => ({ stdout: error.stdout ?? String(error) })
    const { stdout } = await run(
      'python3',
      ['-m', 'schemathesis.cli', ...args, ...checks, ...kept, ...bounds],
      work,
    ).catch(failure)
    const [, generated, passed] = /(\d+) generated, (\d+) passed/.exec(stdout) ?? []
    expect(passed, stdout.slice(-5000)).toBeDefined()
    expect(passed).toBe(generated)
    expect(Number(passed)).toBeGreaterThan(300)
    expect((await server.app.inject('/v2/health/ready')).json()).toEqual({ ready: true })
  }, 180_000)
})
