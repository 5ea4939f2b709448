/**
 * Keep-alive connections that send requests made beforehand and look at no more of an answer than its status and length:
 * on two processors a client that does more takes the time from the server that it measures.
 */
import { connect, type Socket } from 'node:net'

/** A whole request as it goes over the wire. */
export function requestBytes(
  address: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): Buffer {
  const lines = Object.entries({ host: new URL(address).host, 'content-length': `${body.byteLength}`, ...headers })
  const head = `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
  return Buffer.concat([Buffer.from(head), body])
}

interface Waiting {
  readonly bytes: Buffer
  readonly resolve: (status: number) => void
  readonly reject: (error: Error) => void
}

/**
 * At most one request under way on each connection, which take turns; what comes while all are busy waits for the first
 * that is free.
 */
export class HttpConnections {
  readonly #idle: Connection[]
  readonly #queue: Waiting[] = []
  readonly #all: readonly Connection[]

  constructor(address: string, count: number) {
    const { hostname, port } = new URL(address)
    this.#all = Array.from({ length: count }, () => new Connection(hostname, Number(port)))
    this.#idle = [...this.#all]
  }

  /** Sends one of {@link requestBytes}. @returns the status once the whole answer is there */
  send(bytes: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ bytes, resolve, reject })
      this.#next()
    })
  }

  close(): void {
    for (const connection of this.#all) connection.close()
  }

  #next(): void {
    const connection = this.#queue.length > 0 ? this.#idle.shift() : undefined
    if (connection === undefined) return
    const { bytes, resolve, reject } = this.#queue.shift()!
    const free = (): void => {
      this.#idle.push(connection)
      this.#next()
    }
    connection.send(bytes, (answer) => {
      free()
      if (answer instanceof Error) reject(answer)
      else resolve(answer)
    })
  }
}

class Connection {
  readonly #socket: Socket
  #answered: ((answer: number | Error) => void) | undefined
  #closed: Error | undefined
  #received: Buffer = Buffer.alloc(0)

  constructor(host: string, port: number) {
    this.#socket = connect({ host, port, noDelay: true })
    this.#socket.on('data', (bytes) => this.#read(bytes))
    this.#socket.on('error', (error) => this.#close(error))
    this.#socket.on('close', () => this.#close(new Error('the connection was closed')))
  }

  send(bytes: Buffer, answered: (answer: number | Error) => void): void {
    this.#answered = answered
    if (this.#closed === undefined) this.#socket.write(bytes)
    else this.#end(this.#closed)
  }

  close(): void {
    this.#socket.destroy()
  }

  #close(error: Error): void {
    this.#closed ??= error
    this.#end(error)
  }

  #end(answer: number | Error): void {
    const answered = this.#answered
    this.#answered = undefined
    answered?.(answer)
  }

  #read(bytes: Buffer): void {
    this.#received = this.#received.byteLength === 0 ? bytes : Buffer.concat([this.#received, bytes])
    const end = this.#received.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = this.#received.toString('latin1', 0, end)
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1])
    if (this.#received.byteLength < end + 4 + length) return
    this.#received = Buffer.alloc(0)
    this.#end(Number.isNaN(length) ? new Error('an answer without a length') : Number(head.slice(9, 12)))
  }
}
