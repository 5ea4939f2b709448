import { type Dispatcher, EnvHttpProxyAgent, request } from 'undici'
import { AbortedError } from '../../errors.js'
import { SetupError } from './setup-error.js'

/** Times in milliseconds. */
export interface HttpLimits {
  /** Until a connection stands. */
  readonly connect: number
  /** Without a byte from the server. */
  readonly stall: number
  /** Tries in a row that got nothing further. */
  readonly tries: number
  /** Before the second try; doubled from try to try, at most 20 s. */
  readonly pause: number
}

export const httpLimits: HttpLimits = { connect: 15_000, stall: 30_000, tries: 5, pause: 500 }

/** An answer that is no redirection; the body must be read or dumped. */
export interface Reply {
  /** After redirections. */
  readonly url: URL
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Dispatcher.ResponseData['body']
}

const MOST_REDIRECTIONS = 5
const REDIRECTIONS = new Set([301, 302, 303, 307, 308])

/** A failure that may be gone at the next try. */
export class PassingError extends Error {
  /** Milliseconds that the server asks to wait. */
  readonly wait: number
  constructor(message: string, wait = 0, cause?: unknown) {
    super(message, { cause })
    this.wait = wait
  }
}

/** GET over HTTP(S), through the proxies that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name (either case). */
export class Http implements AsyncDisposable {
  readonly limits: HttpLimits
  readonly #agent: EnvHttpProxyAgent
  readonly #signal: AbortSignal | undefined

  constructor(signal?: AbortSignal, limits: HttpLimits = httpLimits) {
    this.limits = limits
    this.#signal = signal
    this.#agent = new EnvHttpProxyAgent({
      connect: { timeout: limits.connect },
      headersTimeout: limits.stall,
      bodyTimeout: limits.stall,
      // Tunnels are for https: many proxies refuse them to port 80.
      proxyTunnel: false,
    })
  }

  /** @throws PassingError for what may pass, SetupError `ERR_SETUP_NETWORK` for what won't, AbortedError */
  async get(url: URL, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    let at = url
    for (let hop = 0; hop <= MOST_REDIRECTIONS; hop++) {
      const reply = await this.#once(at, headers)
      const location = reply.headers.location
      if (!REDIRECTIONS.has(reply.status) || location === undefined) return reply
      await reply.body.dump()
      const next = new URL(location, at)
      const safe = next.protocol === 'https:' || (next.protocol === 'http:' && at.protocol === 'http:')
      if (!safe)
        throw new SetupError(`${shown(at)} redirects to ${shown(next)}, which is not safe`, 'ERR_SETUP_NETWORK')
      at = next
    }
    throw new SetupError(`${shown(url)} redirects more than ${MOST_REDIRECTIONS} times`, 'ERR_SETUP_NETWORK')
  }

  async #once(url: URL, headers: Readonly<Record<string, string>>): Promise<Reply> {
    const { username, password } = url
    const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    const authorization = username ? { authorization: `Basic ${Buffer.from(login).toString('base64')}` } : {}
    try {
      const {
        statusCode,
        headers: received,
        body,
      } = await request(url, {
        dispatcher: this.#agent,
        headers: { 'user-agent': 'spikingrx-setup', 'accept-encoding': 'identity', ...authorization, ...headers },
        ...(this.#signal ? { signal: this.#signal } : {}),
      })
      const single = Object.entries(received).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value])
      return { url, status: statusCode, headers: Object.fromEntries(single), body }
    } catch (error) {
      throw this.failure(error, url)
    }
  }

  /** What a request or the reading of its body failed of: AbortedError, or PassingError with a reason for a person. */
  failure(error: unknown, url: URL): Error {
    if (this.#signal?.aborted) return new AbortedError('setup was stopped', {}, this.#signal.reason)
    if (error instanceof SetupError || error instanceof PassingError) return error
    return new PassingError(`${shown(url)}: ${networkReason(error, this.limits)}`, 0, error)
  }

  /**
   * Repeats what ends in a PassingError, pausing longer each time. `attempt` tells `progressed()` when it got further:
   * the count starts anew then, so that a line that breaks every few hundred megabytes is no reason to give up.
   */
  async persist<Result>(
    what: string,
    attempt: (progressed: () => void) => Promise<Result>,
    note: (text: string) => void,
  ): Promise<Result> {
    for (let failed = 0; ; ) {
      let further = false
      try {
        return await attempt(() => {
          further = true
        })
      } catch (error) {
        if (!(error instanceof PassingError)) throw error
        failed = further ? 1 : failed + 1
        if (failed >= this.limits.tries) {
          const hint = 'Check the network (and HTTPS_PROXY), or name another source with --mirror or --from'
          throw new SetupError(
            `${what} failed ${failed} times: ${error.message}. ${hint}`,
            'ERR_SETUP_NETWORK',
            {},
            error,
          )
        }
        const wait = Math.max(error.wait, Math.min(20_000, this.limits.pause * 2 ** (failed - 1)))
        note(`${error.message}; trying again in ${(wait / 1000).toFixed(1)} s`)
        await this.#sleep(wait)
      }
    }
  }

  async #sleep(milliseconds: number): Promise<void> {
    const signal = this.#signal
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, milliseconds)
      signal?.addEventListener('abort', done)
      function done() {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
    })
    if (signal?.aborted) throw new AbortedError('setup was stopped', {}, signal.reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy().catch(() => undefined)
  }
}

/** Statuses that may pass: the rest is an answer. */
export function passingStatus({ status }: Reply): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500
}

/** Milliseconds that Retry-After asks for, half a minute at most. */
export function retryAfter({ headers }: Reply): number {
  const seconds = Number(headers['retry-after'])
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(30, seconds) * 1000 : 0
}

/** An address without its password. */
export function shown(url: URL): string {
  const copy = new URL(url)
  copy.username = ''
  copy.password = ''
  copy.hash = ''
  return copy.href
}

function networkReason(error: unknown, limits: HttpLimits): string {
  const { code, message, cause } = error as { code?: string; message?: string; cause?: unknown }
  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
      return `no connection within ${limits.connect / 1000} s`
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return `nothing came for ${limits.stall / 1000} s`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name is not known'
    case 'ECONNREFUSED':
      return 'the connection was refused'
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return 'the connection broke'
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return 'the body is not as long as the server said'
    default:
      return (message || (cause instanceof Error ? cause.message : '') || code || 'failed').split('\n')[0]!
  }
}
