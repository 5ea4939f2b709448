/** Whether the server lives, and whether it and its models are ready. */
import type { ProtocolSettings } from '../options.js'
import type { Endpoints } from './endpoint.js'
import { modelOf } from './model-of.js'

export function healthRoutes(endpoints: Endpoints, { repository, publicHealth, accepting }: ProtocolSettings): void {
  const open = publicHealth ? { public: true } : {}
  endpoints.add(
    'GET',
    '/v2/health/live',
    { id: 'serverLive', summary: 'Whether the server runs', tag: 'Health', answer: { json: 'Live' }, ...open },
    () => ({ live: true }),
  )
  endpoints.add(
    'GET',
    '/v2/health/ready',
    {
      id: 'serverReady',
      summary: 'Whether every model is ready',
      tag: 'Health',
      answer: { json: 'Ready' },
      errors: [503],
      ...open,
    },
    (_, reply) => {
      if (repository.ready && accepting()) return { ready: true }
      reply.code(503).header('retry-after', '1')
      return { ready: false, error: accepting() ? 'not every model is ready yet' : 'the server is shutting down' }
    },
  )
  endpoints.addForModel(
    'GET',
    '/ready',
    {
      id: 'modelReady',
      summary: 'Whether a model is ready',
      tag: 'Health',
      answer: { json: 'ModelReady' },
      errors: [404, 503],
    },
    (request, reply) => {
      const { name, ready } = modelOf(repository, request)
      if (ready && accepting()) return { name, ready: true }
      reply.code(503).header('retry-after', '1')
      return { name, ready: false, error: `model "${name}" is not ready` }
    },
  )
}
