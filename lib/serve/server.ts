/** The service as a server of its own. */
import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
  fastify,
  LogController,
} from 'fastify'
import { argumentReader } from '../model/arguments.js'
import { ServeError } from './errors.js'
import { type ProtocolOptions, readProtocolOptions } from './options.js'
import { openWebSockets, spikingrxPlugin } from './plugin.js'
import { answerErrors, answerUnknownAddresses, problemOf } from './protocol-errors.js'

export interface ServerOptions extends Omit<ProtocolOptions, 'accepting'> {
  /** Address to listen at. Default `'127.0.0.1'`: this machine alone; `'0.0.0.0'`: every network. */
  readonly host?: string
  /** Default 8000; 0: any that is free. */
  readonly port?: number
  /** Pino's options, a logger of its kind, or whether to log at all. Default false. */
  readonly logger?: boolean | Readonly<Record<string, unknown>> | FastifyBaseLogger
  /** Serve HTTPS: key and certificates in PEM, as `node:tls` takes them. */
  readonly tls?: { readonly key: string | Buffer; readonly cert: string | Buffer; readonly passphrase?: string }
  /** Take the client's address from `X-Forwarded-For`; for a server behind a proxy. Default false. */
  readonly trustProxy?: boolean
  /** Seconds that the headers of a request may take to arrive. Default 10. */
  readonly headersSeconds?: number
  /** Seconds that a whole request may take to arrive. Default 60. */
  readonly requestSeconds?: number
  /** Seconds that a connection without a request is kept. Default 75. */
  readonly keepAliveSeconds?: number
  /**
   * Seconds without a byte in either direction after which a connection is closed; longer than a model may take. Default
   * 300.
   */
  readonly silentSeconds?: number
  /** Connections at once; more are dropped. Default 10,000. */
  readonly connections?: number
}

export interface Server {
  /** For routes, hooks and tests of one's own. */
  readonly app: FastifyInstance
  /** Starts to listen. Gives the address: http://127.0.0.1:8000 */
  listen(): Promise<string>
  /**
   * Takes no more work, answers what was accepted, then ends. What is not answered after `deadline` milliseconds
   * (default 10,000) is dropped. The repository stays open.
   */
  close(deadline?: number): Promise<void>
}

/**
 * A server for the models of a repository. Nothing listens before `listen`.
 *
 * @throws ArgumentError `ERR_TYPE` or `ERR_RANGE` for options that are not usable
 */
export async function createServer(options: ServerOptions): Promise<Server> {
  const read = argumentReader('createServer', options)
  const { accepting: _, ...protocol } = readProtocolOptions(read)
  const host = (read.raw('host') ?? '127.0.0.1') as string
  const port = read.integer('port', { min: 0, max: 65_535 }, 8000)
  const silent = 1000 * read.number('silentSeconds', { above: 0 }, 300)
  const app = fastify(fastifyOptions(options, protocol.bodyBytes, readTimes(read), silent))
  app.server.maxConnections = read.integer('connections', { min: 1 }, 10_000)
  for (const name of ['logger', 'tls', 'trustProxy']) read.raw(name)
  read.end()

  let closing: Promise<void> | undefined
  answerErrors(app)
  answerUnknownAddresses(app)
  logAnswers(app)
  refuseExpectations(app)
  wantHost(app)
  // A connection kept open past its answer would hold up the end.
  app.addHook('onSend', (_, reply, payload, done) => {
    if (closing !== undefined) reply.header('connection', 'close')
    done(null, payload)
  })
  await openWebSockets(app, protocol)
  await app.register(spikingrxPlugin, { ...protocol, accepting: () => closing === undefined })
  await app.ready()

  const close = async (deadline: number): Promise<void> => {
    const closed = app.close()
    const idle = setInterval(() => app.server.closeIdleConnections(), 20)
    const late = new AbortController()
    const cut = sleep(deadline, undefined, { signal: late.signal }).then(
      () => {
        app.log.warn('the deadline has passed: connections with requests under way are cut')
        for (const client of app.websocketServer.clients) client.terminate()
        app.server.closeAllConnections()
      },
      () => undefined,
    )
    try {
      await closed
    } finally {
      late.abort()
      clearInterval(idle)
      await cut
    }
  }
  return {
    app,
    listen: async () => {
      const address = await app.listen({ host, port })
      // Fastify names one address of this machine for all of them.
      return host === '0.0.0.0' ? address.replace('127.0.0.1', host) : address
    },
    close: (deadline = 10_000) => {
      closing ??= close(deadline)
      return closing
    },
  }
}

interface Times {
  readonly headersTimeout: number
  readonly requestTimeout: number
  readonly keepAliveTimeout: number
  /** Milliseconds between looks at which requests are late. */
  readonly connectionsCheckingInterval: number
  readonly requireHostHeader: boolean
}

function readTimes(read: ReturnType<typeof argumentReader>): Times {
  const headers = 1000 * read.number('headersSeconds', { above: 0 }, 10)
  const request = 1000 * read.number('requestSeconds', { above: 0 }, 60)
  return {
    headersTimeout: Math.min(headers, request),
    requestTimeout: request,
    keepAliveTimeout: 1000 * read.number('keepAliveSeconds', { above: 0 }, 75),
    requireHostHeader: false,
    connectionsCheckingInterval: Math.max(20, Math.min(1000, headers / 4)),
  }
}

function fastifyOptions(options: ServerOptions, bodyBytes: number, times: Times, silent: number): FastifyServerOptions {
  const { logger = false, tls, trustProxy = false } = options
  const own = typeof logger === 'object' && typeof logger.info === 'function'
  const settings = {
    ...(own ? { loggerInstance: logger as FastifyBaseLogger } : { logger: logger as boolean }),
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy,
    bodyLimit: bodyBytes,
    requestIdHeader: false as const,
    genReqId: (request: { readonly headers: Readonly<Record<string, unknown>> }) => requestId(request.headers),
    // What comes while the server closes is answered, and its connection closed.
    return503OnClosing: false,
    forceCloseConnections: 'idle' as const,
    connectionTimeout: silent,
    requestTimeout: times.requestTimeout,
    keepAliveTimeout: times.keepAliveTimeout,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 256 },
    clientErrorHandler: refuseBrokenRequest,
    frameworkErrors: (error: Error, _: unknown, reply: import('fastify').FastifyReply) => {
      const { status, message } = problemOf(error)
      reply
        .code(status)
        .type('application/json')
        .send(JSON.stringify({ error: message }))
    },
  }
  const transport = tls === undefined ? { http: times } : { https: { ...tls, ...times } }
  return { ...settings, ...transport } as FastifyServerOptions
}

/** The client's own id where it is plain text, else a new one. */
function requestId(headers: Readonly<Record<string, unknown>>): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && /^[\w.:@=+/-]{1,128}$/.test(given) ? given : randomUUID()
}

/** Answers what is not HTTP, or came too slowly. */
function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, reason, message] = BROKEN[error.code ?? ''] ?? [400, 'Bad Request', 'the request is not valid HTTP']
  const body = JSON.stringify({ error: message })
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

const BROKEN: Readonly<Record<string, readonly [status: number, reason: string, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'the request took too long to arrive'],
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'the headers are too large'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'Content Too Large', 'the chunk extensions are too large'],
}

function refuseExpectations(app: FastifyInstance): void {
  const body = '{"error":"this expectation can\'t be met; send Expect: 100-continue or none"}'
  const headers = { 'content-type': 'application/json', 'content-length': body.length, connection: 'close' }
  app.server.on('checkExpectation', (_, response) => response.writeHead(417, headers).end(body))
}

/** As HTTP/1.1 demands; node:http would answer without a body. */
function wantHost(app: FastifyInstance): void {
  app.addHook('onRequest', ({ headers, raw }, _, done) => {
    const missing = headers.host === undefined && raw.httpVersion === '1.1'
    done(missing ? new ServeError('the request has no Host header', 'ERR_SERVE_INPUT') : undefined)
  })
}

/** One line a request; what asks again and again only where one looks for it. */
function logAnswers(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { method, url } = request
    const path = url.split('?', 1)[0]
    const answer = { method, path, status: reply.statusCode, milliseconds: Math.round(reply.elapsedTime * 100) / 100 }
    if (path?.startsWith('/v2/health/') || path === '/metrics') request.log.debug(answer, 'answered')
    else request.log.info(answer, 'answered')
    done()
  })
}
