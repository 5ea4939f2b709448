import { type ErrorCode, SpikingRxError } from '../errors.js'

/** Every code of the service, with the HTTP status that a request gets for it. */
const STATUS = {
  ERR_SERVE_INPUT: 400,
  ERR_SERVE_SEQUENCE: 400,
  ERR_SERVE_SEQUENCE_FULL: 503,
  ERR_SERVE_MODEL: 404,
  ERR_SERVE_NOT_READY: 503,
  ERR_SERVE_QUEUE_FULL: 503,
  ERR_SERVE_TIMEOUT: 504,
  ERR_SERVE_CONFIG: 400,
  ERR_SERVE_LOAD: 400,
  ERR_SERVE_REPOSITORY: 500,
  ERR_SERVE_BODY: 413,
  ERR_SERVE_CONTENT_TYPE: 415,
  ERR_SERVE_ROUTE: 404,
  ERR_SERVE_METHOD: 405,
  ERR_SERVE_UNAUTHORIZED: 401,
  ERR_SERVE_FORBIDDEN: 403,
  ERR_SERVE_UPGRADE: 426,
  ERR_SERVE_OUTPUT: 400,
} as const satisfies Record<ErrorCode, number>

export type ServeErrorCode = keyof typeof STATUS

/** The service refuses a request, or can't answer it now. */
export class ServeError extends SpikingRxError {
  override readonly name = 'ServeError'
  /** HTTP status that says the same. */
  readonly status: number
  /** Seconds after which asking again makes sense; where that is the remedy. */
  readonly retryAfter: number | undefined

  constructor(
    message: string,
    code: ErrorCode,
    details: Record<string, unknown> & { readonly status?: number; readonly retryAfter?: number } = {},
    cause?: unknown,
  ) {
    super(message, code, details, cause)
    this.status = details.status ?? (STATUS as Readonly<Record<string, number>>)[code] ?? 500
    this.retryAfter = details.retryAfter ?? (this.status === 503 ? 1 : undefined)
  }
}
