/** The OpenAPI document, for programs and for people. */
import { DOCUMENTS_POLICY, documentsPage } from '../documents-page.js'
import { type OpenApiDocument, openApiDocument } from '../openapi.js'
import type { ProtocolSettings } from '../options.js'
import type { Endpoints } from './endpoint.js'

/** Last of all, as it tells of the others. */
export function documentRoutes(endpoints: Endpoints, settings: ProtocolSettings, prefix: string): void {
  let made: OpenApiDocument | undefined
  const document = (): OpenApiDocument => {
    made ??= openApiDocument(endpoints.all, settings, prefix)
    return made
  }
  endpoints.add(
    'GET',
    '/openapi.json',
    { id: 'openapi', summary: 'This document', tag: 'Service', answer: { text: 'application/json' }, public: true },
    (_, reply) => reply.type('application/json').send(JSON.stringify(document())),
  )
  endpoints.add(
    'GET',
    '/docs',
    { id: 'docs', summary: 'This document, for people', tag: 'Service', answer: { text: 'text/html' }, public: true },
    (_, reply) => {
      reply.header('content-security-policy', DOCUMENTS_POLICY).header('referrer-policy', 'no-referrer')
      return reply.type('text/html; charset=utf-8').send(documentsPage(document()))
    },
  )
}
