import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createServer, type Server } from '../../lib/serve/index.js'
import { fakeRepository } from './fake-repository.js'

const repository = fakeRepository()
let server: Server
let app: FastifyInstance

beforeAll(async () => {
  server = await createServer({ repository, control: true })
  app = server.app
})
afterAll(() => server.close())

const input = { name: 'input', shape: [1, 2, 3], datatype: 'FP32', data: [1, 2, 3, 4, 5, 6] }

async function get(url: string) {
  const response = await app.inject({ url })
  return { status: response.statusCode, headers: response.headers, body: response.body === '' ? '' : response.json() }
}

async function post(url: string, payload: object | string | Buffer = '', headers: Record<string, string> = {}) {
  const json = typeof payload === 'object' && !Buffer.isBuffer(payload)
  const response = await app.inject({
    method: 'POST',
    url,
    payload: json ? JSON.stringify(payload) : payload,
    headers: { ...(json ? { 'content-type': 'application/json' } : {}), ...headers },
  })
  return { status: response.statusCode, headers: response.headers, raw: response.rawPayload, text: response.body }
}

describe('health and metadata', () => {
  it('is live and ready, and not ready while a model is not', async () => {
    expect(await get('/v2/health/live')).toMatchObject({ status: 200, body: { live: true } })
    expect(await get('/v2/health/ready')).toMatchObject({ status: 200, body: { ready: true } })
    repository.ready = false
    const { status, headers, body } = await get('/v2/health/ready')
    repository.ready = true
    expect({ status, retry: headers['retry-after'], body }).toEqual({
      status: 503,
      retry: '1',
      body: { ready: false, error: 'not every model is ready yet' },
    })
  })

  it('tells of each model whether it is ready', async () => {
    expect(await get('/v2/models/sums/ready')).toMatchObject({ status: 200, body: { name: 'sums', ready: true } })
    expect(await get('/v2/models/sums/versions/1/ready')).toMatchObject({ status: 200 })
    const model = repository.models.get('sums')![0]!
    model.ready = false
    const unready = await get('/v2/models/sums/versions/1/ready')
    model.ready = true
    expect(unready).toMatchObject({
      status: 503,
      body: { name: 'sums', ready: false, error: 'model "sums" is not ready' },
    })
    expect(await get('/v2/models/none/ready')).toMatchObject({
      status: 404,
      body: { error: 'there is no model "none"' },
    })
  })

  it.each(['/v2', '/v2/'])('lists its extensions at %s', async (url) => {
    const { body } = await get(url)
    expect(body).toEqual({
      name: 'spikingrx',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      extensions: ['binary_tensor_data', 'classification', 'sequence', 'statistics', 'model_repository'],
    })
  })

  it('describes a model', async () => {
    expect((await get('/v2/models/sums')).body).toEqual({
      name: 'sums',
      versions: ['1', '2'],
      platform: 'spikingrx',
      inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 2, 3] }],
      outputs: [
        { name: 'scores', datatype: 'FP32', shape: [-1, 4] },
        { name: 'classes', datatype: 'INT64', shape: [-1] },
        { name: 'steps', datatype: 'FP32', shape: [-1, -1, 4] },
      ],
      parameters: { steps: 8, labels: ['one', 'minus', 'half', 'two'] },
    })
    expect((await get('/v2/models/sums/versions/1')).body.parameters).toEqual({ steps: 8 })
  })
})

describe('inference', () => {
  it('answers JSON with the default outputs, the newest version, and the id', async () => {
    const { status, headers, text } = await post('/v2/models/sums/infer', { id: 'a "1"', inputs: [input] })
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('application/json; charset=utf-8')
    expect(JSON.parse(text)).toEqual({
      model_name: 'sums',
      model_version: '2',
      id: 'a "1"',
      outputs: [
        { name: 'scores', datatype: 'FP32', shape: [1, 4], data: [21, -21, 10.5, 42] },
        { name: 'classes', datatype: 'INT64', shape: [1], data: [3] },
      ],
    })
  })

  it('asks the version named, and gives the outputs named in their order', async () => {
    const request = { inputs: [input], outputs: [{ name: 'classes' }, { name: 'scores' }] }
    const { text } = await post('/v2/models/sums/versions/1/infer', request)
    const response = JSON.parse(text)
    expect(response.model_version).toBe('1')
    expect(response).not.toHaveProperty('id')
    expect(response.outputs.map(({ name }: { name: string }) => name)).toEqual(['classes', 'scores'])
  })

  it('mixes binary and JSON inputs and outputs', async () => {
    const header = Buffer.from(
      JSON.stringify({
        inputs: [{ ...input, shape: [2, 2, 3], data: undefined, parameters: { binary_data_size: 48 } }],
        outputs: [{ name: 'scores', parameters: { binary_data: true } }, { name: 'classes' }],
      }),
    )
    const data = Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -7).buffer)
    const { status, headers, raw } = await post('/v2/models/sums/infer', Buffer.concat([header, data]), {
      'inference-header-content-length': String(header.byteLength),
      'content-type': 'application/octet-stream',
    })
    const length = Number(headers['inference-header-content-length'])
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('application/octet-stream')
    expect(JSON.parse(raw.subarray(0, length).toString()).outputs).toEqual([
      { name: 'scores', datatype: 'FP32', shape: [2, 4], parameters: { binary_data_size: 32 } },
      { name: 'classes', datatype: 'INT64', shape: [2], data: [3, 1] },
    ])
    expect(new Float32Array(Uint8Array.from(raw.subarray(length)).buffer)).toEqual(
      Float32Array.of(21, -21, 10.5, 42, -22, 22, -11, -44),
    )
  })

  it('gives every output in binary where the request says so, but for those that do not want it', async () => {
    const request = {
      inputs: [input],
      parameters: { binary_data_output: true },
      outputs: [{ name: 'classes' }, { name: 'scores', parameters: { binary_data: false } }],
    }
    const { headers, raw } = await post('/v2/models/sums/infer', request)
    const length = Number(headers['inference-header-content-length'])
    expect(raw.subarray(length)).toEqual(Buffer.from([3, 0, 0, 0, 0, 0, 0, 0]))
    expect(JSON.parse(raw.subarray(0, length).toString()).outputs[1].data).toEqual([21, -21, 10.5, 42])
  })

  it('takes a body of bytes as the one input, of as many samples as there are', async () => {
    const { status, headers, raw } = await post('/v2/models/bytes/infer', Buffer.of(1, 2, 3, 4, 5, 5, 5, 5), {
      'inference-header-content-length': '0',
      'content-type': 'application/octet-stream',
    })
    const length = Number(headers['inference-header-content-length'])
    expect(status).toBe(200)
    expect(JSON.parse(raw.subarray(0, length).toString()).outputs[0]).toEqual({
      name: 'scores',
      datatype: 'FP32',
      shape: [2, 4],
      parameters: { binary_data_size: 32 },
    })
    expect(raw.readFloatLE(length)).toBe(10)
    expect(raw.readFloatLE(length + 16)).toBe(20)
    expect(repository.models.get('bytes')![0]!.requests.at(-1)!.inputs.get('input')).toMatchObject({
      datatype: 'UINT8',
      shape: [2, 4],
    })
  })

  it('carries a sequence from request to request', async () => {
    const scores = async (parameters: object) => {
      const { status, text } = await post('/v2/models/sums/infer', { inputs: [input], parameters })
      return status === 200 ? JSON.parse(text).outputs[0].data[0] : JSON.parse(text).error
    }
    expect(await scores({ sequence_id: 7, sequence_start: true })).toBe(21)
    expect(await scores({ sequence_id: 7 })).toBe(42)
    expect(await scores({ sequence_id: '7', sequence_end: true })).toBe(63)
    expect(await scores({ sequence_id: '18446744073709551615' })).toBe('there is no sequence "18446744073709551615"')
    expect(await scores({ sequence_id: 2 ** 60, sequence_start: true })).toMatch(
      'write numbers beyond 2^53 as a string',
    )
    expect(await scores({ sequence_id: 0 })).toBe(21)
    expect(await scores({ sequence_id: '', sequence_start: true })).toMatch('need a sequence_id')
  })

  it('takes timeout in microseconds, and ignores priority and what it does not know', async () => {
    const parameters = { timeout: 2500, priority: 3, colour: 'red' }
    const { status, headers, text } = await post('/v2/models/waits/infer', { inputs: [input], parameters })
    expect(repository.models.get('waits')![0]!.requests.at(-1)!.timeout).toBe(2.5)
    expect(status).toBe(504)
    expect(headers['retry-after']).toBeUndefined()
    expect(JSON.parse(text)).toEqual({ error: 'the request waited for too long' })
  })

  it('gives the largest values as classes, in JSON and in binary', async () => {
    const two = { ...input, shape: [2, 2, 3], data: [1, 2, 3, 4, 5, 6, -1, 0, 0, 0, 0, 0] }
    const classes = async (url: string, parameters: object) => {
      const request = { inputs: [two], outputs: [{ name: 'scores', parameters }] }
      return post(url, request)
    }
    const labelled = await classes('/v2/models/sums/infer', { classification: 2 })
    expect(JSON.parse(labelled.text).outputs).toEqual([
      {
        name: 'scores',
        datatype: 'BYTES',
        shape: [2, 2],
        data: ['42.000000:3:two', '21.000000:0:one', '1.000000:1:minus', '-0.500000:2:half'],
      },
    ])
    const plain = await classes('/v2/models/sums/versions/1/infer', { classification: 99 })
    expect(JSON.parse(plain.text).outputs[0]).toMatchObject({ shape: [2, 4] })
    expect(JSON.parse(plain.text).outputs[0].data[0]).toBe('42.000000:3')

    const binary = await classes('/v2/models/sums/infer', { classification: 1, binary_data: true })
    const bytes = binary.raw.subarray(Number(binary.headers['inference-header-content-length']))
    expect(bytes.toString('latin1')).toBe('\x0f\0\0\x0042.000000:3:two\x10\0\0\x001.000000:1:minus')

    const request = { inputs: [input], outputs: [{ name: 'classes', parameters: { classification: 1 } }] }
    const refused = await post('/v2/models/sums/infer', request)
    expect(refused.status).toBe(400)
    expect(JSON.parse(refused.text).error).toBe('output "classes" is [1]: classification needs one of [batch, classes]')
  })

  it('says when to ask again where it is too busy, and nothing of what went wrong inside', async () => {
    const full = await post('/v2/models/full/infer', { inputs: [input] })
    expect(full).toMatchObject({ status: 503, text: '{"error":"the queue is full"}' })
    expect(full.headers['retry-after']).toBe('1')
    const broken = await post('/v2/models/broken/infer', { inputs: [input] })
    expect(broken).toMatchObject({ status: 500, text: '{"error":"the service failed; its log says why"}' })
  })

  it("gives request ids: the client's own, or a new one", async () => {
    const own = await post('/v2/models/sums/infer', { inputs: [input] }, { 'x-request-id': 'trace/42:a' })
    const bad = await post('/v2/models/sums/infer', { inputs: [input] }, { 'x-request-id': '"<b>"' })
    expect(own.headers['x-request-id']).toBe('trace/42:a')
    expect(bad.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })
})

describe('the repository extension', () => {
  it('lists, loads and unloads', async () => {
    const all = JSON.parse((await post('/v2/repository/index')).text)
    expect(all).toHaveLength(7)
    expect(all.at(-1)).toEqual({ name: 'gone', version: '1', state: 'UNAVAILABLE', reason: 'unloaded' })
    expect(JSON.parse((await post('/v2/repository/index', { ready: true })).text)).toHaveLength(6)

    repository.calls.length = 0
    expect(await post('/v2/repository/models/sums/load')).toMatchObject({ status: 200, text: '' })
    expect(await post('/v2/repository/models/sums/load', { parameters: {} })).toMatchObject({ status: 200 })
    expect(await post('/v2/repository/models/sums/unload', { parameters: { unload_dependents: false } })).toMatchObject(
      {
        status: 200,
      },
    )
    expect(repository.calls).toEqual(['load sums', 'load sums', 'unload sums'])
    expect(await post('/v2/repository/models/none/load')).toMatchObject({ status: 404 })
    const configured = await post('/v2/repository/models/sums/load', { parameters: { config: '{}' } })
    expect(configured).toMatchObject({ status: 400, text: expect.stringContaining('"config\\" is not supported') })
  })

  it('is refused unless enabled, and not listed', async () => {
    const closed = await createServer({ repository })
    const { calls } = repository
    calls.length = 0
    for (const url of [
      '/v2/repository/index',
      '/v2/repository/models/sums/load',
      '/v2/repository/models/sums/unload',
    ]) {
      const response = await closed.app.inject({ method: 'POST', url })
      expect(response.statusCode).toBe(403)
      expect(response.json()).toEqual({ error: 'the model repository extension is not enabled here' })
    }
    expect(calls).toEqual([])
    expect((await closed.app.inject('/v2')).json().extensions).not.toContain('model_repository')
    await closed.close()
  })
})

describe('statistics and metrics', () => {
  it("gives Triton's statistics of one version, of one model and of all", async () => {
    const one = (await get('/v2/models/sums/versions/1/stats')).body.model_stats
    expect(one).toHaveLength(1)
    expect(one[0]).toMatchObject({
      name: 'sums',
      version: '1',
      last_inference: 1_700_000_000_000,
      inference_stats: { success: { ns: 1001 }, fail: { count: 0, ns: 0 } },
      batch_stats: [{ batch_size: 1, compute_infer: { count: 2, ns: 400 } }],
    })
    const names = async (url: string) =>
      (await get(url)).body.model_stats.map(
        (model: { name: string; version: string }) => `${model.name} ${model.version}`,
      )
    expect(await names('/v2/models/sums/stats')).toEqual(['sums 1', 'sums 2'])
    expect(await names('/v2/models/stats')).toEqual(['sums 1', 'sums 2', 'bytes 1', 'waits 1', 'full 1', 'broken 1'])
    expect(await get('/v2/models/none/stats')).toMatchObject({ status: 404 })
  })

  it('counts requests, failures, times, batches and activity', async () => {
    const fresh = await createServer({ repository, bodyBytes: 1024 })
    const ask = (model: string, payload: object = { inputs: [input] }) =>
      fresh.app.inject({ method: 'POST', url: `/v2/models/${model}/infer`, payload })
    await ask('sums')
    await ask('sums', { inputs: [{ ...input, shape: [2, 2, 3], data: Array(12).fill(1) }] })
    await ask('full')
    await ask('sums', {})
    await ask('made-up')
    const text = { method: 'POST', url: '/v2/models/sums/infer', payload: 'x'.repeat(2000) } as const
    await fresh.app.inject({ ...text, headers: { 'content-type': 'application/json' } })
    const { body, headers } = await fresh.app.inject('/metrics')
    const lines = body.split('\n')
    expect(headers['content-type']).toMatch(/^text\/plain/)
    expect(lines).toEqual(
      expect.arrayContaining([
        'spikingrx_requests_total{model="sums",version="2",status="200"} 2',
        'spikingrx_requests_total{model="sums",version="2",status="400"} 1',
        'spikingrx_requests_total{model="sums",version="2",status="413"} 1',
        'spikingrx_requests_total{model="full",version="1",status="503"} 1',
        'spikingrx_requests_total{model="",version="",status="404"} 1',
        'spikingrx_request_failures_total{model="full",version="1",code="ERR_SERVE_QUEUE_FULL"} 1',
        'spikingrx_request_seconds_count{model="sums",version="2"} 2',
        'spikingrx_queue_seconds_sum{model="sums",version="2"} 0.004',
        'spikingrx_compute_seconds_sum{model="sums",version="2"} 0.006',
        'spikingrx_batch_samples_bucket{le="1",model="sums",version="2"} 1',
        'spikingrx_batch_samples_sum{model="sums",version="2"} 3',
        'spikingrx_request_spikes_sum{model="sums",version="2"} 10',
        'spikingrx_request_synaptic_operations_sum{model="sums",version="2"} 1400',
        'spikingrx_waiting_requests{model="sums",version="2"} 3',
        'spikingrx_sequences{model="sums",version="2"} 0',
        'spikingrx_streams 0',
      ]),
    )
    expect(lines.find((line) => /^spikingrx_native_memory_bytes \d/.test(line))).toBeDefined()
    expect(lines.find((line) => /^process_resident_memory_bytes \d/.test(line))).toBeDefined()
    await fresh.close()
  })
})
