/** Inference: a request off the wire, computed by its model, its result onto the wire. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { checkContentType, decodedBody } from '../codec-body.js'
import type { ServiceMetrics } from '../metrics.js'
import type { ProtocolSettings } from '../options.js'
import { problemOf } from '../protocol-errors.js'
import { decodeRequest } from '../protocol-request.js'
import { encodeResponse } from '../protocol-response.js'
import type { ServedModel } from '../service.js'
import type { Endpoints } from './endpoint.js'
import { GoneSignal } from './gone.js'
import { modelOf, namesOf } from './model-of.js'

const HEADER_LENGTH = 'inference-header-content-length'

export function inferRoutes(endpoints: Endpoints, settings: ProtocolSettings, metrics?: ServiceMetrics): void {
  endpoints.addForModel(
    'POST',
    '/infer',
    {
      id: 'infer',
      summary: 'Inference',
      tag: 'Inference',
      body: { json: 'InferenceRequest', binary: true, required: true },
      answer: { json: 'InferenceResponse', binary: true },
      errors: [400, 404, 408, 413, 415, 503, 504],
    },
    async (request, reply) => {
      const began = performance.now()
      const model = modelOf(settings.repository, request)
      return infer(model, request, reply, settings.bodyBytes, (result) =>
        metrics?.succeeded(model.name, model.version, result, (performance.now() - began) / 1000),
      )
    },
    {
      failed: (request, error) => {
        const { status, code } = problemOf(error)
        metrics?.failed(...namesOf(settings.repository, request), status, code)
      },
    },
  )
}

async function infer(
  model: ServedModel,
  request: FastifyRequest,
  reply: FastifyReply,
  bodyBytes: number,
  observe: (result: Awaited<ReturnType<ServedModel['infer']>>) => void,
): Promise<string | Buffer> {
  const { headers } = request
  const headerLength = headers[HEADER_LENGTH] as string | undefined
  const kind = headerLength === undefined ? 'json' : headerLength === '0' ? 'bytes' : 'mixed'
  checkContentType(headers['content-type'], kind)
  const sent = (request.body ?? Buffer.alloc(0)) as Buffer
  const body = await decodedBody(sent, headers['content-encoding'], bodyBytes)
  const decoded = decodeRequest(body, headerLength, model.signature)
  const result = await model.infer({ ...decoded.request, signal: new GoneSignal(reply) })
  const response = encodeResponse(model, decoded, result)
  observe(result)
  if (response.headerLength === undefined) reply.type('application/json')
  else reply.type('application/octet-stream').header(HEADER_LENGTH, response.headerLength)
  return response.body
}
