/**
 * WebSocket streams: a connection is one sequence, computed frame by frame in the order of their messages. What a client
 * sends faster than it is computed, or doesn't read, is left in the network: nothing gathers here.
 */
import { randomUUID } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import type { RawData, WebSocket } from 'ws'
import { ServeError } from './errors.js'
import type { ServiceMetrics } from './metrics.js'
import type { StreamLimits } from './options.js'
import { problemOf } from './protocol-errors.js'
import { frameFromBytes, frameFromJson, parseClientMessage, stepMessage } from './protocol-stream.js'
import type { ServedModel, TensorValue } from './service.js'

/** Bytes of answers that may wait for a client to read them. */
const UNREAD_BYTES = 1024 * 1024

/** Codes of a closing connection (RFC 6455). */
const CLOSE = { goingAway: 1001, failed: 1011 } as const

/** All streams of a service. */
export class Streams {
  readonly #limits: Required<StreamLimits>
  readonly #open = new Set<Stream>()
  readonly #heartbeat: NodeJS.Timeout

  constructor(limits: Required<StreamLimits>) {
    this.#limits = limits
    this.#heartbeat = setInterval(() => {
      for (const stream of this.#open) stream.checkAlive()
    }, limits.idleSeconds * 500)
    this.#heartbeat.unref()
  }

  get count(): number {
    return this.#open.size
  }

  /** @throws ServeError `ERR_SERVE_QUEUE_FULL` (503) when there are as many as there may be */
  checkRoom(): void {
    const { maximum } = this.#limits
    if (this.#open.size < maximum) return
    throw new ServeError(`${maximum} streams are open, as many as there may be`, 'ERR_SERVE_QUEUE_FULL')
  }

  open(socket: WebSocket, model: () => ServedModel, log: FastifyBaseLogger, metrics?: ServiceMetrics): void {
    const stream = new Stream(socket, model, this.#limits.pending, log, metrics)
    this.#open.add(stream)
    socket.once('close', () => this.#open.delete(stream))
  }

  /** Ends every stream once the frames that came have been answered. */
  async close(): Promise<void> {
    clearInterval(this.#heartbeat)
    await Promise.all(Array.from(this.#open, (stream) => stream.finish()))
  }

  /** Ends every stream at once. */
  terminate(): void {
    clearInterval(this.#heartbeat)
    for (const stream of this.#open) stream.terminate()
  }
}

interface Message {
  readonly bytes: Buffer
  readonly binary: boolean
}

class Stream {
  readonly #socket: WebSocket
  readonly #model: () => ServedModel
  readonly #pending: number
  readonly #log: FastifyBaseLogger
  readonly #metrics: ServiceMetrics | undefined
  readonly #sequence = `stream-${randomUUID()}`
  readonly #gone = new AbortController()
  readonly #messages: Message[] = []
  #pump: Promise<void> | undefined
  #outputs: readonly string[] = []
  #spikes = false
  /** Time steps since the start or the last reset. */
  #step = 0
  #alive = true
  #finishing = false

  constructor(
    socket: WebSocket,
    model: () => ServedModel,
    pending: number,
    log: FastifyBaseLogger,
    metrics: ServiceMetrics | undefined,
  ) {
    this.#socket = socket
    this.#model = model
    this.#pending = pending
    this.#log = log
    this.#metrics = metrics
    socket.on('message', (data, binary) => this.#receive({ bytes: toBuffer(data), binary }))
    socket.on('pong', () => {
      this.#alive = true
    })
    socket.once('close', () => this.#end())
    this.#greet()
  }

  /** Called twice in the time that a connection may be silent. One that is not being read can't be heard. */
  checkAlive(): void {
    if (!this.#alive && !this.#socket.isPaused) this.#socket.terminate()
    this.#alive = false
    this.#socket.ping()
  }

  async finish(): Promise<void> {
    this.#finishing = true
    await this.#pump
    this.#socket.close(CLOSE.goingAway, 'the server is shutting down')
  }

  terminate(): void {
    this.#socket.terminate()
  }

  #greet(): void {
    const { name, version, signature } = this.#model()
    const { inputs, outputs, steps, labels } = signature
    const message = {
      type: 'ready',
      model_name: name,
      model_version: version,
      input: inputs[0],
      outputs,
      steps,
      labels,
    }
    this.#socket.send(JSON.stringify(message))
  }

  #receive(message: Message): void {
    this.#alive = true
    if (this.#finishing) return
    this.#messages.push(message)
    if (this.#messages.length >= this.#pending) this.#socket.pause()
    this.#pump ??= this.#work()
  }

  async #work(): Promise<void> {
    for (let message = this.#messages.shift(); message !== undefined; message = this.#messages.shift()) {
      if (this.#gone.signal.aborted) break
      await this.#answer(message)
      if (this.#messages.length < this.#pending && this.#socket.isPaused) this.#socket.resume()
    }
    this.#pump = undefined
  }

  async #answer(message: Message): Promise<void> {
    let id: string | undefined
    try {
      const input = this.#model().signature.inputs[0]!
      if (message.binary) {
        await this.#advance(frameFromBytes(message.bytes, input), undefined)
        return
      }
      const parsed = parseClientMessage(message.bytes)
      if (parsed.type === 'frame') {
        id = parsed.id
        await this.#advance(frameFromJson(parsed, input, message.bytes.byteLength), id)
      } else if (parsed.type === 'options') {
        this.#outputs = parsed.outputs ?? this.#outputs
        this.#spikes = parsed.spikes ?? this.#spikes
      } else {
        this.#step = 0
        await this.#send(JSON.stringify({ type: 'reset' }))
      }
    } catch (error) {
      await this.#refuse(error, id)
    }
  }

  async #advance(frame: TensorValue, id: string | undefined): Promise<void> {
    const began = performance.now()
    const model = this.#model()
    const input = model.signature.inputs[0]!
    const result = await model.infer({
      inputs: new Map([[input.name, frame]]),
      outputs: this.#outputs,
      sequence: { id: this.#sequence, start: this.#step === 0, end: false },
      record: this.#spikes,
      signal: this.#gone.signal,
    })
    this.#step += frame.shape[1]!
    const text = stepMessage(id, this.#step, result, this.#spikes)
    this.#metrics?.succeeded(model.name, model.version, result, (performance.now() - began) / 1000)
    await this.#send(text)
  }

  async #refuse(error: unknown, id: string | undefined): Promise<void> {
    if (this.#gone.signal.aborted) return
    const { status, code, message } = problemOf(error)
    const model = this.#model
    this.#metrics?.failed(...nameOf(model), status, code)
    await this.#send(JSON.stringify({ type: 'error', id, code, error: message }))
    if (status !== 500) return
    this.#log.error({ err: error }, 'stream failed')
    this.#socket.close(CLOSE.failed, 'the service failed')
  }

  /** Waits while the client leaves too much unread. */
  async #send(text: string): Promise<void> {
    const socket = this.#socket
    if (socket.readyState !== socket.OPEN) return
    if (socket.bufferedAmount < UNREAD_BYTES) {
      socket.send(text)
      return
    }
    await new Promise<void>((resolve) => socket.send(text, () => resolve()))
  }

  #end(): void {
    this.#gone.abort()
    this.#messages.length = 0
    try {
      this.#model().endSequence(this.#sequence)
    } catch {
      // The model is gone, and its sequences with it.
    }
  }
}

function nameOf(model: () => ServedModel): [name: string, version: string] {
  try {
    const { name, version } = model()
    return [name, version]
  } catch {
    return ['', '']
  }
}

function toBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data)
  return Buffer.isBuffer(data) ? data : Buffer.from(data)
}
