/** A web server for tests: a package index, files, and every way in which a download can go wrong. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SeenRequest {
  readonly url: string
  readonly range: string | undefined
  readonly ifRange: string | undefined
  readonly accept: string | undefined
  readonly authorization: string | undefined
}

/** Answers a request for a file, or returns false for the usual answer. `nth` counts requests for it from 1. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse, content: Buffer, nth: number) => boolean

export interface TestServer extends AsyncDisposable {
  /** 'http://127.0.0.1:1234' */
  readonly address: string
  readonly seen: SeenRequest[]
  /** Requests for a file, in order. */
  requestsFor(name: string): SeenRequest[]
}

export interface ServerContent {
  /** Files by name, at /files/<name>. */
  readonly files?: Readonly<Record<string, Buffer>>
  /** Whole answers by path: index pages. */
  readonly pages?: Readonly<Record<string, { readonly type: string; readonly body: string }>>
  readonly misbehave?: Misbehaviour
}

export const etagOf = (content: Buffer): string =>
  `"${createHash('sha256').update(content).digest('hex').slice(0, 16)}"`

export async function serve(content: ServerContent): Promise<TestServer> {
  const seen: SeenRequest[] = []
  const server = createServer((request, response) => {
    const { range, 'if-range': ifRange, accept, authorization } = request.headers
    // Forwarding proxies are asked with the whole address.
    const { pathname } = new URL(request.url ?? '/', 'http://local')
    seen.push({ url: pathname, range, ifRange: ifRange as string | undefined, accept, authorization })
    const page = content.pages?.[pathname]
    if (page) return void response.writeHead(200, { 'content-type': page.type }).end(page.body)
    const name = decodeURIComponent(pathname.replace('/files/', ''))
    const file = content.files?.[name]
    if (!file) return void response.writeHead(404).end('not here')
    const nth = seen.filter(({ url }) => url === pathname).length
    if (content.misbehave?.(request, response, file, nth)) return
    sendFile(request, response, file)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    requestsFor: (name) => seen.filter(({ url }) => url === `/files/${encodeURIComponent(name)}`),
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/** As a good server does: ranges while the file is the same. */
export function sendFile(request: IncomingMessage, response: ServerResponse, file: Buffer): void {
  const etag = etagOf(file)
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN)
  const same = request.headers['if-range'] === undefined || request.headers['if-range'] === etag
  if (Number.isNaN(start) || !same)
    return void response.writeHead(200, { etag, 'content-length': file.length }).end(file)
  if (start >= file.length) return void response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end()
  const rest = file.subarray(start)
  const range = `bytes ${start}-${file.length - 1}/${file.length}`
  response.writeHead(206, { etag, 'content-length': rest.length, 'content-range': range }).end(rest)
}

/** The first `bytes` of a file with the headers of all of it; then the connection breaks, or nothing more comes. */
export function sendPart(response: ServerResponse, file: Buffer, bytes: number, then: 'break' | 'stall'): void {
  response.writeHead(200, { etag: etagOf(file), 'content-length': file.length })
  response.write(file.subarray(0, bytes), () => {
    if (then === 'break') setTimeout(() => response.destroy(), 50)
  })
}

/** An index page as PEP 503 has it. */
export function htmlIndex(files: Readonly<Record<string, string>>): { type: string; body: string } {
  const links = Object.entries(files).map(
    ([name, hash]) => `<a href="/files/${encodeURIComponent(name)}#sha256=${hash}">${name}</a><br>`,
  )
  return { type: 'text/html', body: `<!DOCTYPE html><html><body>${links.join('\n')}</body></html>` }
}
