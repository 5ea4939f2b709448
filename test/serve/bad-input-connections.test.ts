import { once } from 'node:events'
import net from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createServer, type Server } from '../../lib/serve/index.js'
import { infer, input } from './bad-cases.js'
import { type FakeRepository, fakeRepository } from './fake-repository.js'

let server: Server
let repository: FakeRepository
let address: URL

beforeAll(async () => {
  repository = fakeRepository()
  server = await createServer({
    repository,
    control: true,
    port: 0,
    headersSeconds: 0.2,
    requestSeconds: 0.4,
  })
  address = new URL(await server.listen())
})
afterAll(() => server.close())

/** After whatever was sent, a good request is answered right. */
afterEach(async () => {
  const response = await fetch(new URL(infer, address), {
    method: 'POST',
    body: JSON.stringify({ inputs: [input] }),
    headers: { 'content-type': 'application/json' },
  })
  expect(((await response.json()) as { outputs: { data: number[] }[] }).outputs[0]!.data).toEqual([21, -21, 10.5, 42])
})

describe('connections that do not behave', () => {
  /** Sends pieces, and gives all that comes back until the server closes. */
  function exchange(pieces: readonly string[], pause = 0): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(Number(address.port), address.hostname)
      let answer = ''
      socket.setEncoding('latin1').on('data', (text) => {
        answer += text
      })
      socket.on('error', reject).on('close', () => resolve(answer))
      const send = (i: number): void => {
        if (i >= pieces.length || socket.destroyed) return
        socket.write(pieces[i]!)
        setTimeout(send, pause, i + 1).unref()
      }
      send(0)
    })
  }

  const head = `POST ${infer} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n`
  const body = JSON.stringify({ inputs: [input] })

  const request = (model: string): string =>
    `POST /v2/models/${model}/infer HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`

  it.each<[name: string, text: string, status: number]>([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['a bad header', 'GET /v2 HTTP/1.1\r\nhost: x\r\n bad\x01: y\r\n\r\n', 400],
    ['no host', 'GET /v2 HTTP/1.1\r\nconnection: close\r\n\r\n', 400],
    ['two lengths', `${head}content-length: 5\r\ncontent-length: 6\r\n\r\nhello`, 400],
    ['a length and chunks', `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ['a negative length', `${head}content-length: -5\r\n\r\n`, 400],
    ['a bad chunk', `${head}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`, 400],
    ['too many headers', `GET /v2 HTTP/1.1\r\nhost: x\r\n${`x-y: ${'z'.repeat(1000)}\r\n`.repeat(20)}\r\n`, 431],
    ['an unknown expectation', `${head}expect: miracles\r\ncontent-length: 0\r\n\r\n`, 417],
    [
      'two header lengths',
      `${head}inference-header-content-length: 4\r\ninference-header-content-length: 4\r\ncontent-length: 4\r\n\r\n{}{}`,
      400,
    ],
    [
      'two content types',
      `${head}content-type: text/plain\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      415,
    ],
  ])('%s', async (_, text, status) => {
    const answer = await exchange([text])
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    const [headers, json] = answer.split('\r\n\r\n')
    expect(headers).toMatch(/connection: close/i)
    expect(JSON.parse(json!)).toEqual({ error: expect.stringMatching(/\S/) })
  })

  it('takes neither of two request ids', async () => {
    const answer = await exchange([
      `${head}x-request-id: a\r\nx-request-id: b\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    ])
    expect(answer).toMatch(/^HTTP\/1.1 200 /)
    expect(answer).toMatch(/x-request-id: [0-9a-f]{8}-/)
  })

  it('cuts off headers and bodies that trickle in', async () => {
    const header = [...`${head}x-slow: ${'y'.repeat(400)}`]
    const slowBody = [`${head}content-type: application/json\r\ncontent-length: 1000\r\n\r\n`, ...Array(200).fill(' ')]
    for (const pieces of [header, slowBody]) {
      const answer = await exchange(pieces, 20)
      expect(answer).toMatch(/^HTTP\/1.1 408 Request Timeout/)
      expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toEqual({ error: 'the request took too long to arrive' })
    }
  })

  it('drops connections that go silent while their answer waits', async () => {
    const own = fakeRepository()
    const silent = await createServer({ repository: own, port: 0, silentSeconds: 0.2 })
    const { port, hostname } = new URL(await silent.listen())
    const socket = net.connect(Number(port), hostname)
    socket.write(request('waits'))
    await once(socket, 'close')
    const { signal } = own.models.get('waits')![0]!.requests[0]!
    while (!signal!.aborted) await new Promise((resolve) => setTimeout(resolve, 5))
    await silent.close()
  })

  it('tells the model when the client is gone', async () => {
    const waits = repository.models.get('waits')![0]!
    const socket = net.connect(Number(address.port), address.hostname)
    socket.write(request('waits'))
    while (waits.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    const signal = waits.requests.at(-1)!.signal!
    expect(signal.aborted).toBe(false)
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    socket.destroy()
    await aborted
    expect(signal.aborted).toBe(true)
  })
})
