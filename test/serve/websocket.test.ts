import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createServer, type Server, type ServerOptions } from '../../lib/serve/index.js'
import { type FakeRepository, fakeRepository } from './fake-repository.js'

interface Message {
  readonly type: string
  readonly step: number
  readonly outputs: readonly { readonly data: readonly number[] }[]
}

interface Opened {
  readonly socket: WebSocket
  /** The next message, parsed. */
  next(): Promise<Message>
  send(message: object | Buffer): void
}

async function start(
  options: Partial<ServerOptions> = {},
): Promise<{ server: Server; url: string; repository: FakeRepository }> {
  const repository = fakeRepository()
  const server = await createServer({ repository, port: 0, ...options })
  const url = (await server.listen()).replace('http', 'ws')
  return { server, url, repository }
}

async function open(url: string, protocols: string[] = [], options: WebSocket.ClientOptions = {}): Promise<Opened> {
  const socket = new WebSocket(url, protocols, options)
  const arrived: Message[] = []
  const waiting: ((message: Message) => void)[] = []
  socket.on('message', (data) => {
    const message = JSON.parse(String(data))
    const wait = waiting.shift()
    if (wait) wait(message)
    else arrived.push(message)
  })
  await once(socket, 'open')
  return {
    socket,
    next: () =>
      arrived.length > 0 ? Promise.resolve(arrived.shift()!) : new Promise((resolve) => waiting.push(resolve)),
    send: (message) => socket.send(Buffer.isBuffer(message) ? message : JSON.stringify(message)),
  }
}

/** Status and error that an upgrade is refused with. */
async function refusal(url: string, protocols: string[] = [], options: WebSocket.ClientOptions = {}) {
  const socket = new WebSocket(url, protocols, options)
  socket.on('error', () => undefined)
  const [, response] = await once(socket, 'unexpected-response')
  let text = ''
  for await (const chunk of response) text += chunk
  return { status: response.statusCode, body: JSON.parse(text) }
}

const frame = [1, 2, 3, 4, 5, 6]

describe('a stream', () => {
  let server: Server
  let url: string
  let repository: FakeRepository
  beforeAll(async () => {
    const started = await start()
    server = started.server
    url = started.url
    repository = started.repository
  })
  afterAll(() => server.close())

  it('greets, and carries what it has seen from frame to frame', async () => {
    const stream = await open(`${url}/v2/models/sums/stream`)
    expect(await stream.next()).toEqual({
      type: 'ready',
      model_name: 'sums',
      model_version: '2',
      input: { name: 'input', datatype: 'FP32', shape: [-1, 2, 3] },
      outputs: expect.arrayContaining([{ name: 'scores', datatype: 'FP32', shape: [-1, 4] }]),
      steps: 8,
      labels: ['one', 'minus', 'half', 'two'],
    })
    stream.send({ type: 'frame', id: 'a', data: frame })
    expect(await stream.next()).toEqual({
      type: 'step',
      id: 'a',
      step: 1,
      outputs: [
        { name: 'scores', datatype: 'FP32', shape: [1, 4], data: [21, -21, 10.5, 42] },
        { name: 'classes', datatype: 'INT64', shape: [1], data: [3] },
      ],
    })
    stream.send(Buffer.from(Float32Array.from(frame).buffer))
    const second = await stream.next()
    expect([second.step, second.outputs[0]!.data[0]]).toEqual([2, 42])
    stream.send({ type: 'frame', shape: [1, 3, 2, 3], data: [...frame, ...frame, ...frame] })
    const fifth = await stream.next()
    expect([fifth.step, fifth.outputs[0]!.data[0]]).toEqual([5, 105])

    const model = repository.models.get('sums')![1]!
    expect(model.requests.slice(-3).map(({ sequence }) => sequence?.start)).toEqual([true, false, false])
    expect(model.requests.slice(-3).map(({ inputs }) => inputs.get('input')!.shape)).toEqual([
      [1, 1, 2, 3],
      [1, 1, 2, 3],
      [1, 3, 2, 3],
    ])
    expect(model.sequences.size).toBe(1)
    stream.socket.close()
    while (model.sequences.size > 0) await sleep(5)
  })

  it('gives the outputs and spikes asked for, and starts again after a reset', async () => {
    const stream = await open(`${url}/v2/models/sums/versions/1/stream`)
    await stream.next()
    stream.send({ type: 'options', outputs: ['classes'], spikes: true })
    stream.send({
      type: 'frame',
      data: [
        [1, 2, 3],
        [4, 5, 6],
      ],
      shape: [2, 3],
    })
    expect(await stream.next()).toEqual({
      type: 'step',
      step: 1,
      outputs: [{ name: 'classes', datatype: 'INT64', shape: [1], data: [3] }],
      spikes: [{ layer: 'layers.0', shape: [1, 1, 3], indices: [1, 2] }],
    })
    stream.send({ type: 'reset' })
    expect(await stream.next()).toEqual({ type: 'reset' })
    stream.send({ type: 'options', outputs: ['scores'], spikes: false })
    stream.send({ type: 'frame', data: frame })
    const first = await stream.next()
    expect(first).toMatchObject({ step: 1, outputs: [{ data: [21, -21, 10.5, 42] }] })
    expect(first).not.toHaveProperty('spikes')
    stream.socket.close()
  })

  it('refuses frames that are not valid and goes on where it was', async () => {
    const stream = await open(`${url}/v2/models/sums/stream`)
    await stream.next()
    stream.send({ type: 'frame', data: frame })
    await stream.next()
    const bad: readonly (object | Buffer)[] = [
      { type: 'frame', id: 'x', data: [1, 2] },
      { type: 'frame', data: frame, shape: [6] },
      { type: 'frame', data: frame, shape: [1e6, 2e6] },
      { type: 'frame', data: [1, 2, 3, 4, 5, 'six'] },
      { type: 'frame', data: frame, datatype: 'UINT32' },
      { type: 'frame' },
      { type: 'jump' },
      { type: 'options', outputs: 'scores' },
      { type: 'options', spikes: 'yes' },
      Buffer.alloc(7),
      Buffer.alloc(0),
    ]
    for (const message of bad) {
      stream.send(message)
      expect(await stream.next(), JSON.stringify(message)).toMatchObject({
        type: 'error',
        code: 'ERR_SERVE_INPUT',
        error: expect.stringMatching(/^\S[^\n]+\S$/),
      })
    }
    for (const text of ['{"type":"reset","__proto__":{}}', 'no json', '[]', '[['.repeat(100)]) {
      stream.socket.send(text)
      expect((await stream.next()).type).toBe('error')
    }
    stream.send({ type: 'frame', data: frame })
    expect(await stream.next()).toMatchObject({ type: 'step', step: 2, outputs: [{ data: [42, -42, 21, 84] }, {}] })
    stream.socket.close()
  })

  it('closes where the service fails', async () => {
    const stream = await open(`${url}/v2/models/broken/stream`)
    await stream.next()
    stream.send({ type: 'frame', data: frame })
    expect(await stream.next()).toEqual({
      type: 'error',
      code: 'ERR_INTERNAL',
      error: 'the service failed; its log says why',
    })
    const [code] = await once(stream.socket, 'close')
    expect(code).toBe(1011)
  })

  it('stops what is computed for it when it closes', async () => {
    const stream = await open(`${url}/v2/models/waits/stream`)
    await stream.next()
    stream.send({ type: 'frame', data: frame })
    const model = repository.models.get('waits')![0]!
    while (model.requests.length === 0) await sleep(5)
    const signal = model.requests[0]!.signal!
    const aborted = once(signal as AbortSignal, 'abort')
    stream.socket.terminate()
    await aborted
    expect(signal.aborted).toBe(true)
  })

  it('is for models that there are, and pages of our own', async () => {
    expect(await refusal(`${url}/v2/models/none/stream`)).toEqual({
      status: 404,
      body: { error: 'there is no model "none"' },
    })
    expect(await refusal(`${url}/v2/models/sums/stream`, [], { origin: 'https://evil.example' })).toMatchObject({
      status: 403,
    })
    expect(await refusal(`${url}/v2/models/sums/stream`, [], { origin: 'null' })).toMatchObject({ status: 403 })
    const own = await open(`${url}/v2/models/sums/stream`, [], { origin: url.replace('ws', 'http') })
    expect((await own.next()).type).toBe('ready')
    own.socket.close()
  })
})

describe('limits of streams', () => {
  it('refuses more connections than may be, and longer messages', async () => {
    const { server, url } = await start({ streams: { maximum: 1, messageBytes: 1024 } })
    const stream = await open(`${url}/v2/models/sums/stream`)
    expect(await refusal(`${url}/v2/models/sums/stream`)).toEqual({
      status: 503,
      body: { error: '1 streams are open, as many as there may be' },
    })
    stream.socket.send('x'.repeat(2000))
    const [code] = await once(stream.socket, 'close')
    expect(code).toBe(1009)
    await server.close()
  })

  it('leaves frames in the network while earlier ones wait', async () => {
    const { server, url, repository } = await start({ streams: { pending: 4 } })
    const stream = await open(`${url}/v2/models/waits/stream`)
    await stream.next()
    const message = JSON.stringify({ type: 'frame', data: frame, padding: 'x'.repeat(100_000) })
    for (let i = 0; i < 300; i++) stream.socket.send(message)
    while (repository.models.get('waits')![0]!.requests.length === 0) await sleep(5)
    await sleep(100)
    // Of 30 MB, what the buffers of two sockets hold has left; the rest is still here.
    expect(stream.socket.bufferedAmount).toBeGreaterThan(10_000_000)
    expect(repository.models.get('waits')![0]!.requests).toHaveLength(1)
    stream.socket.terminate()
    // A connection that is not read does not tell that it is gone: the deadline ends it.
    await server.close(20)
    expect(repository.models.get('waits')![0]!.requests[0]!.signal!.aborted).toBe(true)
  })

  it('ends connections that give no sign of life', async () => {
    const { server, url } = await start({ streams: { idleSeconds: 0.1 } })
    const silent = await open(`${url}/v2/models/sums/stream`, [], { autoPong: false })
    const alive = await open(`${url}/v2/models/sums/stream`)
    await once(silent.socket, 'close')
    expect(alive.socket.readyState).toBe(WebSocket.OPEN)
    await server.close()
  })

  it('answers the frames that came before it shuts down', async () => {
    const { server, url } = await start()
    const stream = await open(`${url}/v2/models/sums/stream`)
    await stream.next()
    const closed = once(stream.socket, 'close')
    stream.send({ type: 'frame', data: frame })
    stream.send({ type: 'frame', data: frame })
    while ((await stream.next()).step !== 1);
    const [, second, [code]] = await Promise.all([server.close(), stream.next(), closed])
    expect([second.step, code]).toEqual([2, 1001])
  })

  it('wants a token in a header or, from a page, as a subprotocol', async () => {
    const { server, url } = await start({ tokens: ['secret'] })
    const address = `${url}/v2/models/sums/stream`
    expect(await refusal(address)).toMatchObject({ status: 401 })
    expect(await refusal(address, ['spikingrx', 'bearer.wrong'])).toMatchObject({ status: 401 })
    const page = await open(address, ['spikingrx', 'bearer.secret'])
    expect(page.socket.protocol).toBe('spikingrx')
    const program = await open(address, [], { headers: { authorization: 'Bearer secret' } })
    expect((await program.next()).type).toBe('ready')
    await server.close()
  })
})
