/** The address that streams are opened at. */
import type { FastifyRequest } from 'fastify'
import { ServeError } from '../errors.js'
import type { ServiceMetrics } from '../metrics.js'
import type { ProtocolSettings } from '../options.js'
import type { Streams } from '../stream.js'
import type { Endpoints } from './endpoint.js'
import { type ModelAddress, modelOf } from './model-of.js'

export function streamRoutes(
  endpoints: Endpoints,
  settings: ProtocolSettings,
  streams: Streams,
  metrics?: ServiceMetrics,
): void {
  const { repository, origins, accepting } = settings
  endpoints.addForModel(
    'GET',
    '/stream',
    {
      id: 'stream',
      summary: 'Frames in, scores and spikes out, step by step, over a WebSocket',
      tag: 'Inference',
      answer: { status: 101, description: 'A WebSocket; its messages are ClientMessage and ServerMessage.' },
      errors: [403, 404, 426, 503],
    },
    (_, reply) => {
      reply.header('upgrade', 'websocket')
      throw new ServeError('this address is for WebSockets: ask for an upgrade', 'ERR_SERVE_UPGRADE')
    },
    {
      before: async (request) => {
        modelOf(repository, request)
        if (!request.ws) return
        checkOrigin(request, origins)
        if (!accepting()) throw new ServeError('the server is shutting down', 'ERR_SERVE_NOT_READY')
        streams.checkRoom()
      },
      wsHandler: (socket, request) => {
        const { model, version } = request.params as ModelAddress
        streams.open(socket, () => repository.model(model, version), request.log, metrics)
      },
    },
  )
}

/** Browsers let any page open a WebSocket anywhere, and say from where: the page's origin must be ours or allowed. */
function checkOrigin({ headers }: FastifyRequest, origins: readonly string[]): void {
  const { origin, host } = headers
  if (origin === undefined || origins.includes('*') || origins.includes(origin)) return
  if (URL.canParse(origin) && new URL(origin).host === host) return
  throw new ServeError('pages of this origin may not open streams here', 'ERR_SERVE_FORBIDDEN')
}
