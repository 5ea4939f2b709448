/** The landing page: what is loaded and how it does, and a drawing area for models that look at pictures. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { packageVersion } from '../../runtime/files.js'
import type { ProtocolSettings } from '../options.js'
import { PAGE_POLICY, type PageFile, pageFiles } from '../page-files.js'
import type { ModelRepository, ModelStatistics, RepositoryEntry } from '../service.js'
import type { Endpoints } from './endpoint.js'

/** The page's files tell nothing of the models: they are open, so that the page can ask for the token. */
export function pageRoutes(app: FastifyInstance, endpoints: Endpoints, settings: ProtocolSettings): void {
  const files = pageFiles()
  const index = files.find(({ name }) => name === 'index.html')!
  endpoints.add(
    'GET',
    '/',
    { id: 'page', summary: 'The landing page', tag: 'Service', answer: { text: 'text/html' }, public: true },
    (request, reply) => {
      const [address = ''] = request.url.split('?', 1)
      // What it loads is beside it: /snn would look in /, /snn/ looks in /snn/.
      if (!address.endsWith('/')) return reply.redirect(`${address.slice(address.lastIndexOf('/') + 1)}/`, 308)
      return send(index, request, reply)
    },
  )
  endpoints.add(
    'GET',
    '/page/overview',
    {
      id: 'pageOverview',
      summary: 'What the landing page shows: models, their states, signatures and counters',
      tag: 'Service',
      answer: { text: 'application/json' },
    },
    (_, reply) => reply.type('application/json').send(JSON.stringify(overview(settings))),
  )
  for (const file of files) {
    if (file === index) continue
    app.get(`/page/${file.name}`, { config: { public: true } }, (request, reply) => send(file, request, reply))
  }
}

function send(
  { type, content, compressed, tag }: PageFile,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  reply.header('cache-control', 'no-cache').header('etag', tag).header('vary', 'accept-encoding')
  if (request.headers['if-none-match'] === tag) return reply.code(304).send()
  reply
    .header('content-security-policy', PAGE_POLICY)
    .header('referrer-policy', 'no-referrer')
    .header('cross-origin-opener-policy', 'same-origin')
  const packed = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(String(request.headers['accept-encoding'] ?? ''))
  if (packed) reply.header('content-encoding', 'gzip')
  return reply.type(type).send(packed ? compressed : content)
}

function overview({ repository, accepting, control, documents, metrics }: ProtocolSettings): unknown {
  return {
    version: packageVersion(),
    ready: repository.ready && accepting(),
    links: { docs: documents, openapi: documents, metrics },
    // Why a model can't be loaded may tell of folders: that is for those who may load.
    models: repository.index().map((entry) => describeEntry(repository, control ? entry : { ...entry, reason: '' })),
  }
}

function describeEntry(repository: ModelRepository, entry: RepositoryEntry): unknown {
  if (entry.state !== 'READY') return entry
  try {
    const model = repository.model(entry.name, entry.version)
    return { ...entry, ...model.signature, counters: counters(model.statistics()) }
  } catch {
    // Unloaded since the index was made.
    return { ...entry, state: 'UNAVAILABLE' }
  }
}

function counters(statistics: ModelStatistics): Readonly<Record<string, number>> {
  return {
    requests: statistics.success.count,
    failures: statistics.fail.count,
    inferences: statistics.inferenceCount,
    executions: statistics.executionCount,
    requestNanoseconds: Math.round(statistics.success.nanoseconds),
    queueNanoseconds: Math.round(statistics.queue.nanoseconds),
    computeNanoseconds: Math.round(statistics.computeInfer.nanoseconds),
    waiting: statistics.waiting,
    sequences: statistics.sequences,
  }
}
