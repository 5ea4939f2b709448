/** Bearer tokens: whoever has one of them may ask. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { ServeError } from './errors.js'

/** What a WebSocket opened by a page may carry, which can't set headers: the token as subprotocol `bearer.<token>`. */
const SUBPROTOCOL = 'bearer.'

export interface Credentials {
  readonly authorization?: string | undefined
  readonly 'sec-websocket-protocol'?: string | undefined
}

/**
 * Checker of a request's headers. Hashes are compared, of equal length and in constant time, so that the time taken
 * tells nothing about a token.
 *
 * @returns a function that throws ServeError `ERR_SERVE_UNAUTHORIZED` (401) without one of `tokens`
 */
export function bearerCheck(tokens: readonly string[]): (headers: Credentials) => void {
  const hashes = tokens.map(hashed)
  return (headers) => {
    const token = presentedToken(headers)
    const given = hashed(token ?? '')
    // All are compared: which one matched shows in no time either.
    const matches = hashes.filter((hash) => timingSafeEqual(hash, given)).length
    if (token !== undefined && matches > 0) return
    throw new ServeError(
      token === undefined
        ? 'this service wants a token: send the header Authorization: Bearer <token>'
        : 'the token is not valid',
      'ERR_SERVE_UNAUTHORIZED',
    )
  }
}

function presentedToken(headers: Credentials): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
  if (bearer !== undefined) return bearer
  const protocols = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? []
  return protocols.find((name) => name.startsWith(SUBPROTOCOL))?.slice(SUBPROTOCOL.length)
}

function hashed(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
