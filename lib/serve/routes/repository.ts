/** The model repository extension: which models there are; loading and unloading them. Refused unless enabled. */
import type { FastifyRequest } from 'fastify'
import { checkContentType, decodedBody, parseJsonObject } from '../codec-body.js'
import { ServeError } from '../errors.js'
import type { ProtocolSettings } from '../options.js'
import { checker } from '../protocol-schema.js'
import { IndexRequest, LoadRequest } from '../schemas.js'
import type { Endpoints, Handler, Operation } from './endpoint.js'

const checkIndex = checker(IndexRequest)
const checkLoad = checker(LoadRequest)

export function repositoryRoutes(endpoints: Endpoints, { repository, control, bodyBytes }: ProtocolSettings): void {
  const add = (path: string, operation: Operation, handler: Handler): void =>
    endpoints.add('POST', path, operation, (request, reply) => {
      if (control) return handler(request, reply)
      throw new ServeError('the model repository extension is not enabled here', 'ERR_SERVE_FORBIDDEN')
    })
  const operation = (id: string, summary: string): Operation => ({
    id,
    summary,
    tag: 'Repository',
    body: { json: 'LoadRequest', required: false },
    answer: {},
    errors: [400, 403, 404, 413, 415],
  })

  add(
    '/v2/repository/index',
    {
      ...operation('repositoryIndex', 'Models and their states'),
      body: { json: 'IndexRequest', required: false },
      answer: { json: 'RepositoryIndex' },
    },
    async (request) => {
      const { ready } = checkIndex(await readBody(request, bodyBytes))
      const entries = repository.index()
      return ready === true ? entries.filter(({ state }) => state === 'READY') : entries
    },
  )
  const name = (request: FastifyRequest): string => (request.params as { readonly model: string }).model
  add(
    '/v2/repository/models/{model}/load',
    operation('repositoryLoad', 'Load a model, or load it again'),
    async (request, reply) => {
      const { parameters = {} } = checkLoad(await readBody(request, bodyBytes))
      const given = Object.keys(parameters)[0]
      if (given !== undefined) {
        throw new ServeError(
          `the load parameter ${JSON.stringify(given.slice(0, 100))} is not supported: models are loaded as their folder is`,
          'ERR_SERVE_INPUT',
        )
      }
      await repository.load(name(request))
      return reply.code(200).send()
    },
  )
  add(
    '/v2/repository/models/{model}/unload',
    operation('repositoryUnload', 'Unload a model'),
    async (request, reply) => {
      checkLoad(await readBody(request, bodyBytes))
      await repository.unload(name(request))
      return reply.code(200).send()
    },
  )
}

/** The JSON object in the body; an empty one where there is no body. */
async function readBody(request: FastifyRequest, limit: number): Promise<Readonly<Record<string, unknown>>> {
  checkContentType(request.headers['content-type'], 'json')
  const body = await decodedBody(
    (request.body ?? Buffer.alloc(0)) as Buffer,
    request.headers['content-encoding'],
    limit,
  )
  return body.byteLength === 0 ? {} : parseJsonObject(body)
}
