/** The OpenAPI 3.1 document of the service, made of its endpoints and the schemas that requests are checked against. */
import { packageVersion } from '../runtime/files.js'
import type { ProtocolSettings } from './options.js'
import { ClientMessage, ServerMessage } from './protocol-stream.js'
import type { BodyDescription, Endpoint } from './routes/endpoint.js'
import { components } from './schemas.js'

export interface OpenApiOperation {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly parameters?: readonly unknown[]
  readonly requestBody?: unknown
  readonly responses: Readonly<Record<string, { readonly description: string }>>
  readonly security?: readonly unknown[]
}

export interface OpenApiDocument {
  readonly openapi: '3.1.0'
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly servers: readonly { readonly url: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>
  readonly components: unknown
}

const MEANING: Readonly<Record<number, string>> = {
  400: 'The request is not valid',
  401: 'A token is missing or not valid',
  403: 'Not allowed here',
  404: 'There is no such model or version',
  408: 'The request took too long to arrive',
  413: 'The body is too large',
  415: 'The content type or encoding is not taken',
  426: 'Ask for an upgrade to a WebSocket',
  431: 'The headers are too large',
  503: 'Not ready, or too busy; Retry-After says when to ask again',
  504: 'The request waited or computed for too long',
}

/** @param prefix of all addresses, where the service is mounted below one */
export function openApiDocument(
  endpoints: readonly Endpoint[],
  settings: ProtocolSettings,
  prefix: string,
): OpenApiDocument {
  const paths: Record<string, Record<string, OpenApiOperation>> = {}
  const secured = settings.tokens.length > 0
  for (const endpoint of endpoints) {
    paths[endpoint.path] = {
      ...paths[endpoint.path],
      [endpoint.method.toLowerCase()]: described(endpoint, secured),
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'spikingrx',
      version: packageVersion(),
      description:
        'Inference with spiking neural networks by the Open Inference Protocol v2 (KServe, Triton), with its binary tensor data, classification, sequence, statistics and model repository extensions.',
    },
    servers: [{ url: prefix === '' ? '/' : prefix }],
    paths,
    components: {
      schemas: { ...components, ClientMessage, ServerMessage },
      ...(secured ? { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } } : {}),
    },
  }
}

function described({ path, operation }: Endpoint, secured: boolean): OpenApiOperation {
  const { id, summary, tag, body, answer, errors = [] } = operation
  const closed = secured && operation.public !== true
  const status = answer.status ?? 200
  const statuses = [...errors, ...(closed ? [401] : []), 500].sort((a, b) => a - b)
  const parameters = [...pathParameters(path), ...(body?.binary ? [headerLength] : [])]
  return {
    operationId: id,
    summary,
    tags: [tag],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: body.required, content: content(body) } }),
    responses: {
      [status]: { description: answer.description ?? 'Done', ...contentOf(answer) },
      ...Object.fromEntries(statuses.map((one) => [one, failure(MEANING[one] ?? 'The service failed')])),
    },
    ...(closed ? { security: [{ token: [] }] } : {}),
  }
}

const headerLength = {
  name: 'Inference-Header-Content-Length',
  in: 'header',
  required: false,
  description:
    'Bytes of JSON at the start of a body that goes on with the bytes of tensors; 0: the body is the one input.',
  schema: { type: 'integer', minimum: 0 },
}

function pathParameters(path: string): readonly unknown[] {
  const schemas: Readonly<Record<string, unknown>> = {
    model: { type: 'string', minLength: 1, maxLength: 256 },
    version: { type: 'string', pattern: '^[1-9][0-9]{0,14}$' },
  }
  return Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: schemas[name!],
  }))
}

function content({ json, binary, text }: BodyDescription): Record<string, unknown> {
  return {
    ...(json === undefined ? {} : { 'application/json': { schema: reference(json) } }),
    // OpenAPI 3.1: bytes have no schema.
    ...(binary === true ? { 'application/octet-stream': {} } : {}),
    ...(text === undefined ? {} : { [text]: { schema: { type: text === 'application/json' ? 'object' : 'string' } } }),
  }
}

function contentOf(body: BodyDescription): { readonly content?: Record<string, unknown> } {
  const media = content(body)
  return Object.keys(media).length === 0 ? {} : { content: media }
}

function failure(description: string): { readonly description: string; readonly content: unknown } {
  return { description, content: { 'application/json': { schema: reference('Error') } } }
}

function reference(name: string): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${name}` }
}
