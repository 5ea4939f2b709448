/**
 * One endpoint of the service: what is done, and what the OpenAPI document says of it. Methods that an address doesn't
 * have are answered with 405.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, preValidationAsyncHookHandler } from 'fastify'
import { ServeError } from '../errors.js'
import type { components } from '../schemas.js'

export type ComponentName = keyof typeof components

/** A body, by the media types that it may have. */
export interface BodyDescription {
  readonly json?: ComponentName
  readonly binary?: boolean
  /** Media type of what has no schema of its own. */
  readonly text?: string
}

export interface Operation {
  readonly id: string
  readonly summary: string
  readonly tag: 'Health' | 'Metadata' | 'Inference' | 'Repository' | 'Statistics' | 'Service'
  readonly body?: BodyDescription & { readonly required: boolean }
  /** Of status 200 unless said otherwise. */
  readonly answer: BodyDescription & { readonly status?: number; readonly description?: string }
  /** Statuses of `{"error"}` besides those that every endpoint has. */
  readonly errors?: readonly number[]
  /** Open without a token. */
  readonly public?: boolean
}

export type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown

export interface EndpointOptions {
  /** Told of every failure, also of those ahead of the handler. */
  readonly failed?: (request: FastifyRequest, error: Error) => void
  readonly before?: preValidationAsyncHookHandler
  readonly wsHandler?: (socket: import('ws').WebSocket, request: FastifyRequest) => void
}

export interface Endpoint {
  readonly method: 'GET' | 'POST'
  /** As OpenAPI writes it: /v2/models/{model} */
  readonly path: string
  readonly operation: Operation
}

/** The endpoints of one instance of the service. */
export class Endpoints {
  readonly #app: FastifyInstance
  readonly #all: Endpoint[] = []

  constructor(app: FastifyInstance) {
    this.#app = app
  }

  get all(): readonly Endpoint[] {
    return this.#all
  }

  /** @param path as OpenAPI writes it: /v2/models/{model} */
  add(
    method: 'GET' | 'POST',
    path: string,
    operation: Operation,
    handler: Handler,
    { before, failed, wsHandler }: EndpointOptions = {},
  ): void {
    this.#all.push({ method, path, operation })
    this.#app.route({
      method,
      url: fastifyPath(path),
      config: { public: operation.public === true },
      handler,
      ...(before === undefined ? {} : { preValidation: before }),
      ...(failed === undefined
        ? {}
        : { onError: async (request: FastifyRequest, _: FastifyReply, error: Error) => failed(request, error) }),
      ...(wsHandler === undefined ? {} : { wsHandler }),
    })
  }

  /** With and without a version: `/v2/models/{model}/versions/{version}` and what follows. */
  addForModel(
    method: 'GET' | 'POST',
    rest: string,
    operation: Operation,
    handler: Handler,
    options: EndpointOptions = {},
  ): void {
    this.add(method, `/v2/models/{model}${rest}`, operation, handler, options)
    const versioned = { ...operation, id: `${operation.id}Version`, summary: `${operation.summary} (one version)` }
    this.add(method, `/v2/models/{model}/versions/{version}${rest}`, versioned, handler, options)
  }

  /** Answers every other method of the addresses added so far. */
  refuseOtherMethods(except: readonly string[]): void {
    for (const path of new Set(this.#all.map((endpoint) => endpoint.path))) {
      const methods = this.#all.flatMap((endpoint) => (endpoint.path === path ? endpoint.method : []))
      const allowed: string[] = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : method))
      const others = this.#app.supportedMethods.filter(
        (method) => !allowed.includes(method) && !except.includes(method),
      )
      this.#app.route({
        method: others,
        url: fastifyPath(path),
        // Ahead of reading a body.
        onRequest: async (request, reply) => {
          reply.header('allow', allowed.join(', '))
          throw new ServeError(`${path} takes ${allowed.join(' and ')}, not ${request.method}`, 'ERR_SERVE_METHOD')
        },
        handler: () => undefined,
      })
    }
  }
}

function fastifyPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1')
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Open without a token. */
    public?: boolean
  }
}
