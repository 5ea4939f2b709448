/** The body of a request: its content type and encoding, and the JSON in it, read without trust. */
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import sjson from 'secure-json-parse'
import { ServeError } from './errors.js'

/** What a JSON text may be made of; a tensor of eight dimensions in an input in a request is eleven deep. */
const DEEPEST = 32
/** An array takes 50 bytes and more of memory for the two of its brackets. */
const MOST_CONTAINERS = 2_000_000

const gunzip = promisify(zlib.gunzip)
const inflate = promisify(zlib.inflate)

/** What a body may be, as `Inference-Header-Content-Length` says: JSON, JSON and bytes, or bytes alone. */
export type BodyKind = 'json' | 'mixed' | 'bytes'

/** Refuses content types that a body of its kind doesn't have; none at all fits every kind. */
export function checkContentType(value: string | undefined, kind: BodyKind): void {
  const type = value?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const json = kind !== 'bytes' && type === 'application/json'
  const bytes = kind !== 'json' && type === 'application/octet-stream'
  if (type === '' || json || bytes) return
  const wanted =
    kind === 'json'
      ? 'application/json, or application/octet-stream with an Inference-Header-Content-Length header'
      : 'application/octet-stream'
  throw new ServeError(
    `content-type ${JSON.stringify(type.slice(0, 100))} is not taken here; send ${wanted}`,
    'ERR_SERVE_CONTENT_TYPE',
    { contentType: type },
  )
}

/**
 * The body without its content-encoding.
 *
 * @param limit bytes that it may unfold to
 * @throws ServeError `ERR_SERVE_CONTENT_TYPE` (415), `ERR_SERVE_BODY` (413), `ERR_SERVE_INPUT` (400)
 */
export async function decodedBody(body: Buffer, encoding: string | undefined, limit: number): Promise<Buffer> {
  const name = encoding?.trim().toLowerCase() ?? ''
  if (name === '' || name === 'identity') return body
  const decode = name === 'gzip' || name === 'x-gzip' ? gunzip : name === 'deflate' ? inflate : undefined
  if (decode === undefined) {
    throw new ServeError(
      `content-encoding ${JSON.stringify(name.slice(0, 40))} is not taken; gzip, deflate or none is`,
      'ERR_SERVE_CONTENT_TYPE',
      { encoding: name },
    )
  }
  try {
    return await decode(body, { maxOutputLength: limit })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new ServeError(`the body unfolds to more than ${limit} bytes`, 'ERR_SERVE_BODY', { limit }, error)
    }
    throw new ServeError(`the body is not ${name} data, or is cut off`, 'ERR_SERVE_INPUT', { encoding: name }, error)
  }
}

/**
 * The object that the bytes are the JSON text of.
 *
 * @throws ServeError `ERR_SERVE_INPUT` (400) for text that is no JSON, no object, nested too deeply, made of too many
 * arrays, or that names `__proto__` or `constructor.prototype`
 */
export function parseJsonObject(bytes: Buffer): Readonly<Record<string, unknown>> {
  if (!isFlat(bytes)) checkStructure(bytes)
  const text = bytes.toString('utf8')
  let value: unknown
  try {
    value = isSuspect(bytes)
      ? sjson.parse(text, { protoAction: 'error', constructorAction: 'error' })
      : JSON.parse(text)
  } catch (error) {
    const forbidden = error instanceof Error && error.message.includes('forbidden prototype')
    const reason = forbidden ? 'names __proto__ or constructor.prototype' : 'is not valid JSON'
    throw new ServeError(`the request ${reason}`, 'ERR_SERVE_INPUT', {}, error)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ServeError('the request must be a JSON object', 'ERR_SERVE_INPUT')
  return value as Readonly<Record<string, unknown>>
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
/** Its first byte in UTF-8; what follows is left to the parser. */
const BYTE_ORDER_MARK = 0xef

/** 1 where a byte outside of strings means something here: most are digits. */
const STRUCTURAL = new Uint8Array(256)
for (const byte of [QUOTE, OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT]) STRUCTURAL[byte] = 1

/** Whether a string could name `__proto__` or `constructor`: one begins as they do, or has an escape. */
function isSuspect(bytes: Buffer): boolean {
  return bytes[0] === BYTE_ORDER_MARK || bytes.includes(BACKSLASH) || bytes.includes('"_') || bytes.includes('"c')
}

/** Whether there are too few brackets for deep nesting, strings and all. Most bytes are digits: a search passes them by. */
function isFlat(bytes: Buffer): boolean {
  let brackets = 0
  for (const bracket of [OPEN_ARRAY, OPEN_OBJECT]) {
    for (let at = bytes.indexOf(bracket); at >= 0; at = bytes.indexOf(bracket, at + 1)) {
      if (++brackets > DEEPEST) return false
    }
  }
  return true
}

/** Before anything is made of it: a body of `[[[[...` would take fifty times its size in memory. */
function checkStructure(bytes: Buffer): void {
  let depth = 0
  let containers = 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (STRUCTURAL[byte] === 0) continue
    if (byte === QUOTE) {
      for (i++; i < bytes.length && bytes[i] !== QUOTE; i++) if (bytes[i] === BACKSLASH) i++
    } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      if (++depth > DEEPEST) throw new ServeError(`the JSON is nested deeper than ${DEEPEST}`, 'ERR_SERVE_INPUT')
      if (++containers > MOST_CONTAINERS) {
        throw new ServeError(
          `the JSON has more than ${MOST_CONTAINERS} arrays and objects; send data flat, or as binary data`,
          'ERR_SERVE_INPUT',
        )
      }
    } else depth--
  }
}
