/** Every failure as the protocol tells it: a status and `{"error": "one sentence"}`. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { SpikingRxError } from '../errors.js'
import { ServeError } from './errors.js'

export interface Problem {
  readonly status: number
  readonly code: string
  readonly message: string
  /** Seconds after which asking again makes sense. */
  readonly retryAfter?: number
}

/** Status of a request that nobody waits for any more, in logs and metrics. */
const GONE = 499

/** What a failure means to a client. What went wrong inside is for the log alone. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ServeError) {
    const { status, code, message, retryAfter } = error
    return { status, code, message, ...(retryAfter === undefined ? {} : { retryAfter }) }
  }
  if (error instanceof SpikingRxError && error.code === 'ERR_ABORTED')
    return { status: GONE, code: error.code, message: 'the request was cancelled' }
  const { statusCode = 500, code = 'ERR_INTERNAL', message } = error as Partial<FastifyError>
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return { status: 413, code: 'ERR_SERVE_BODY', message: 'the body is larger than this service takes' }
  if (code === 'FST_ERR_MAX_PARAM_LENGTH')
    return { status: 404, code: 'ERR_SERVE_ROUTE', message: 'a name in the address is longer than any here' }
  if (statusCode >= 400 && statusCode < 500) return { status: statusCode, code, message: sentence(message) }
  return { status: 500, code: codeOf(error), message: 'the service failed; its log says why' }
}

/** Answers failures inside `app` in the protocol's words. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => answer(error, request, reply))
}

/** Answers requests for addresses that `app` doesn't have. */
export function answerUnknownAddresses(app: FastifyInstance): void {
  app.setNotFoundHandler((request) => {
    const address = request.url.split('?', 1)[0]?.slice(0, 200)
    throw new ServeError(`there is nothing at ${request.method} ${address}`, 'ERR_SERVE_ROUTE')
  })
}

function answer(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, code, message, retryAfter } = problemOf(error)
  if (status === 500) request.log.error({ err: error }, 'request failed')
  else request.log.debug({ code }, message)
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter))
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  // Whatever of the body has not been read yet is not worth reading.
  if (status === 413) reply.header('connection', 'close')
  return reply
    .code(status)
    .type('application/json')
    .send(JSON.stringify({ error: message }))
}

function codeOf(error: unknown): string {
  return error instanceof SpikingRxError ? error.code : 'ERR_INTERNAL'
}

function sentence(message: string | undefined): string {
  const first = message?.split('\n', 1)[0]?.trim() ?? ''
  return first === '' ? 'the request is not valid' : first
}
