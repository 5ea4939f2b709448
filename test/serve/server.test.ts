import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fastify } from 'fastify'
import { describe, expect, it } from 'vitest'
import { createServer, spikingrxPlugin } from '../../lib/serve/index.js'
import { fakeRepository } from './fake-repository.js'

const input = { name: 'input', shape: [1, 2, 3], datatype: 'FP32', data: [1, 2, 3, 4, 5, 6] }
const infer = { method: 'POST', url: '/v2/models/sums/infer', payload: { inputs: [input] } } as const

describe('tokens', () => {
  it('are wanted everywhere but for health and documents', async () => {
    const { app, close } = await createServer({ repository: fakeRepository(), tokens: ['first', 'second='] })
    const status = async (url: string, authorization?: string) =>
      (await app.inject({ url, headers: authorization === undefined ? {} : { authorization } })).statusCode

    for (const url of ['/v2/health/live', '/v2/health/ready', '/docs', '/openapi.json'])
      expect(await status(url), url).toBe(200)
    for (const url of ['/v2', '/v2/models/sums', '/v2/models/sums/ready', '/metrics', '/v2/models/stats']) {
      expect(await status(url), url).toBe(401)
      expect(await status(url, 'Bearer first')).toBe(200)
    }
    expect(await status('/v2', 'bearer second=')).toBe(200)
    for (const wrong of [
      'first',
      'Bearer',
      'Bearer ',
      'Bearer firs',
      'Bearer first2',
      'Basic first',
      'Bearer first second=',
    ]) {
      expect(await status('/v2', wrong), wrong).toBe(401)
    }
    const refused = await app.inject(infer)
    expect(refused.headers['www-authenticate']).toBe('Bearer')
    expect(refused.json()).toEqual({
      error: 'this service wants a token: send the header Authorization: Bearer <token>',
    })
    await close()
  })

  it('can be wanted for health too', async () => {
    const { app, close } = await createServer({ repository: fakeRepository(), tokens: ['t'], publicHealth: false })
    expect((await app.inject('/v2/health/live')).statusCode).toBe(401)
    await close()
  })
})

describe('pages of other origins', () => {
  const preflight = (origin: string) => ({
    method: 'OPTIONS' as const,
    url: infer.url,
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
  })

  it('are not answered unless named', async () => {
    const { app, close } = await createServer({ repository: fakeRepository() })
    const response = await app.inject(preflight('https://page.example'))
    expect(response.statusCode).toBe(405)
    const plain = await app.inject({ ...infer, headers: { origin: 'https://page.example' } })
    expect(plain.headers).not.toHaveProperty('access-control-allow-origin')
    await close()
  })

  it('are answered where named, without a token for the question whether', async () => {
    const options = { origins: ['https://page.example'], tokens: ['t'] }
    const { app, close } = await createServer({ repository: fakeRepository(), ...options })
    const allowed = await app.inject(preflight('https://page.example'))
    expect(allowed.statusCode).toBe(204)
    expect(allowed.headers['access-control-allow-origin']).toBe('https://page.example')
    const other = await app.inject(preflight('https://other.example'))
    expect(other.headers).not.toHaveProperty('access-control-allow-origin')
    expect((await app.inject(infer)).statusCode).toBe(401)
    await close()
  })
})

describe('the plugin', () => {
  it('serves below a prefix of an application that keeps its own routes, errors and bodies', async () => {
    const app = fastify()
    app.post('/own', async (request) => ({ got: request.body }))
    await app.register(spikingrxPlugin, { prefix: '/snn', repository: fakeRepository() })
    expect((await app.inject({ ...infer, url: `/snn${infer.url}` })).json().outputs[0].data).toEqual([
      21, -21, 10.5, 42,
    ])
    expect((await app.inject({ method: 'POST', url: '/own', payload: { a: 1 } })).json()).toEqual({ got: { a: 1 } })
    expect((await app.inject('/nowhere')).json()).toMatchObject({
      statusCode: 404,
      message: 'Route GET:/nowhere not found',
    })
    expect((await app.inject('/snn/nowhere')).json()).toEqual({ error: 'there is nothing at GET /snn/nowhere' })
    expect((await app.inject('/snn/openapi.json')).json().servers).toEqual([{ url: '/snn' }])
    await app.close()
  })

  it.each([
    [{}, 'spikingrxPlugin needs repository to be a model repository'],
    [{ repository: fakeRepository(), port: 3 }, 'port'],
    [{ repository: fakeRepository(), tokens: 'a' }, 'needs tokens to be an array of texts'],
    [{ repository: fakeRepository(), tokens: ['a b'] }, 'a token may be made of'],
    [{ repository: fakeRepository(), bodyBytes: 0 }, 'bodyBytes'],
    [{ repository: fakeRepository(), streams: { maximum: -1 } }, 'streams needs maximum'],
    [{ repository: fakeRepository(), accepting: true }, 'needs accepting to be a function'],
  ])('refuses options that are not usable: %#', async (options, problem) => {
    const app = fastify()
    await expect(app.register(spikingrxPlugin, options as never)).rejects.toThrow(problem)
  })
})

describe('the server', () => {
  it('answers what it accepted, ready no more, and then ends', async () => {
    const repository = fakeRepository()
    const server = await createServer({ repository, port: 0 })
    const address = await server.listen()
    const agent = new http.Agent({ keepAlive: true })
    const ask = (
      model: string,
      parameters: object,
    ): Promise<{ status: number; connection: string | undefined; body: string }> =>
      new Promise((resolve, reject) => {
        const request = http.request(
          `${address}/v2/models/${model}/infer`,
          { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
          (response) => {
            let body = ''
            response
              .on('data', (text) => {
                body += text
              })
              .on('end', () => resolve({ status: response.statusCode!, connection: response.headers.connection, body }))
          },
        )
        request.on('error', reject).end(JSON.stringify({ inputs: [input], parameters }))
      })
    expect((await ask('sums', {})).connection).toBe('keep-alive')
    const accepted = ask('waits', { timeout: 200_000 })
    while (repository.models.get('waits')![0]!.requests.length === 0) await sleep(2)
    const closed = server.close(5000)
    expect((await server.app.inject('/v2/health/ready')).json()).toEqual({
      ready: false,
      error: 'the server is shutting down',
    })
    expect(await accepted).toEqual({
      status: 504,
      connection: 'close',
      body: '{"error":"the request waited for too long"}',
    })
    await closed
    await expect(fetch(address)).rejects.toThrow()
    expect(repository.calls).toEqual([])
    agent.destroy()
  })

  it('drops at the deadline what is not answered', async () => {
    const repository = fakeRepository()
    const server = await createServer({ repository, port: 0 })
    const address = await server.listen()
    const dropped = fetch(`${address}/v2/models/waits/infer`, {
      method: 'POST',
      body: JSON.stringify({ inputs: [input] }),
      headers: { 'content-type': 'application/json' },
    })
    const outcome = expect(dropped).rejects.toThrow('fetch failed')
    while (repository.models.get('waits')![0]!.requests.length === 0) await sleep(2)
    await server.close(20)
    await outcome
    const { signal } = repository.models.get('waits')![0]!.requests[0]!
    while (!signal!.aborted) await sleep(2)
  })

  it('names the address that it was told to listen at', async () => {
    const { listen, close } = await createServer({ repository: fakeRepository(), host: '0.0.0.0', port: 0 })
    const address = await listen()
    await close()
    expect(address).toMatch(/^http:\/\/0\.0\.0\.0:\d+$/)
  })

  it('speaks TLS', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'spikingrx-tls-'))
    const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')]
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=DNS:localhost',
        '-keyout',
        key,
        '-out',
        cert,
      ],
      { stdio: 'pipe' },
    )
    const tls = { key: readFileSync(key), cert: readFileSync(cert) }
    const server = await createServer({ repository: fakeRepository(), port: 0, tls })
    const { port, protocol } = new URL(await server.listen())
    expect(protocol).toBe('https:')
    const body = await new Promise((resolve, reject) => {
      https
        .get({ host: 'localhost', port, path: '/v2/health/live', ca: tls.cert }, (response) =>
          response.setEncoding('utf8').on('data', resolve),
        )
        .on('error', reject)
    })
    expect(body).toBe('{"live":true}')
    await server.close()
    rmSync(folder, { recursive: true })
  })

  it('logs a line a request, with its id', async () => {
    const lines: Record<string, unknown>[] = []
    const logger = { level: 'info', stream: { write: (line: string) => void lines.push(JSON.parse(line)) } }
    const { app, close } = await createServer({ repository: fakeRepository(), logger })
    await app.inject({ ...infer, headers: { 'x-request-id': 'abc' } })
    await app.inject('/v2/health/live')
    await app.inject({ ...infer, url: '/v2/models/broken/infer', headers: { 'x-request-id': 'def' } })
    const told = lines.filter(({ msg }) => msg !== undefined && String(msg).startsWith('Server') === false)
    expect(told).toEqual([
      expect.objectContaining({
        reqId: 'abc',
        msg: 'answered',
        method: 'POST',
        path: '/v2/models/sums/infer',
        status: 200,
      }),
      expect.objectContaining({
        reqId: 'def',
        msg: 'request failed',
        err: expect.objectContaining({ message: '/secret/path is undefined' }),
      }),
      expect.objectContaining({ reqId: 'def', status: 500 }),
    ])
    await close()
  })
})
