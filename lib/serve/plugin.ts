/** The service as a Fastify plugin: all of its endpoints, below a prefix if one is given. */
import cors from '@fastify/cors'
import websocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import { bearerCheck } from './auth.js'
import { ServiceMetrics } from './metrics.js'
import { type ProtocolOptions, type ProtocolSettings, pluginSettings } from './options.js'
import { answerErrors, answerUnknownAddresses } from './protocol-errors.js'
import { documentRoutes } from './routes/documents.js'
import { Endpoints } from './routes/endpoint.js'
import { healthRoutes } from './routes/health.js'
import { inferRoutes } from './routes/infer.js'
import { metadataRoutes } from './routes/metadata.js'
import { metricsRoutes } from './routes/metrics.js'
import { pageRoutes } from './routes/page.js'
import { repositoryRoutes } from './routes/repository.js'
import { statisticsRoutes } from './routes/statistics.js'
import { streamRoutes } from './routes/stream.js'
import { Streams } from './stream.js'

/**
 * Serves the models of a repository inside an existing application:
 *
 *     app.register(spikingrxPlugin, { prefix: '/snn', repository })
 *
 * The repository stays the application's: closing the server ends streams, not the repository. An application with
 * WebSockets of its own registers `@fastify/websocket` before this plugin, which then uses it.
 *
 * @throws ArgumentError `ERR_TYPE` or `ERR_RANGE` for options that are not usable
 */
export async function spikingrxPlugin(app: FastifyInstance, options: ProtocolOptions): Promise<void> {
  const settings = pluginSettings(options)
  const streams = new Streams(settings.streams)
  const metrics = settings.metrics ? new ServiceMetrics(settings.repository, () => streams.count) : undefined

  answerErrors(app)
  if (app.prefix !== '') answerUnknownAddresses(app)
  takeBodiesAsBytes(app, settings)
  app.addHook('preClose', () => streams.close())
  app.addHook('onClose', () => streams.terminate())
  await allowOrigins(app, settings)
  await openWebSockets(app, settings)
  addHeaders(app)
  wantToken(app, settings)

  const endpoints = new Endpoints(app)
  healthRoutes(endpoints, settings)
  metadataRoutes(endpoints, settings)
  inferRoutes(endpoints, settings, metrics)
  streamRoutes(endpoints, settings, streams, metrics)
  statisticsRoutes(endpoints, settings)
  repositoryRoutes(endpoints, settings)
  if (metrics !== undefined) metricsRoutes(endpoints, metrics)
  if (settings.page) pageRoutes(app, endpoints, settings)
  if (settings.documents) documentRoutes(endpoints, settings, app.prefix)
  endpoints.refuseOtherMethods(settings.origins.length > 0 ? ['OPTIONS'] : [])
}

/** A body means what the endpoint says, not its content type: each reads its own. */
function takeBodiesAsBytes(app: FastifyInstance, { bodyBytes }: ProtocolSettings): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: bodyBytes }, (_, body, done) => done(null, body))
}

async function allowOrigins(app: FastifyInstance, { origins }: ProtocolSettings): Promise<void> {
  if (origins.length === 0) return
  await app.register(cors, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST'],
    exposedHeaders: ['inference-header-content-length', 'x-request-id', 'retry-after'],
  })
}

/** Lets `app` and what is registered in it take WebSockets, unless it does already. */
export async function openWebSockets(
  app: FastifyInstance,
  { streams }: Pick<ProtocolSettings, 'streams'>,
): Promise<void> {
  if (app.hasDecorator('websocketServer')) return
  await app.register(websocket, {
    options: {
      maxPayload: streams.messageBytes,
      perMessageDeflate: false,
      // Never the one that carries a token.
      handleProtocols: (names) => (names.has('spikingrx') ? 'spikingrx' : false),
    },
    // Takes no more of them; those that are open end as Streams says.
    preClose(this: FastifyInstance, done: () => void) {
      this.websocketServer.close()
      done()
    },
  })
}

function addHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff')
    done()
  })
}

function wantToken(app: FastifyInstance, { tokens }: ProtocolSettings): void {
  if (tokens.length === 0) return
  const check = bearerCheck(tokens)
  app.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.public !== true) check(request.headers)
  })
}
