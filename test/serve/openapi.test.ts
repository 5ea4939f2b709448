import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createServer, type Server } from '../../lib/serve/index.js'
import type { OpenApiDocument } from '../../lib/serve/openapi.js'
import { fakeRepository } from './fake-repository.js'

let server: Server
let document: OpenApiDocument
beforeAll(async () => {
  server = await createServer({ repository: fakeRepository() })
  document = (await server.app.inject('/openapi.json')).json()
})
afterAll(() => server.close())

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )

describe('the OpenAPI document', () => {
  it('names every address of the protocol, once', () => {
    const model = ['', '/versions/{version}'].flatMap((version) =>
      ['', '/ready', '/infer', '/stream', '/stats'].map((rest) => `/v2/models/{model}${version}${rest}`),
    )
    const server = ['/v2', '/v2/health/live', '/v2/health/ready', '/v2/models/stats']
    const repository = ['index', 'models/{model}/load', 'models/{model}/unload'].map((rest) => `/v2/repository/${rest}`)
    expect(Object.keys(document.paths)).toEqual(expect.arrayContaining([...model, ...server, ...repository]))
    const ids = operations().map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('names statuses that are given, and schemas that are there', async () => {
    expect(document.openapi).toBe('3.1.0')
    const { schemas } = document.components as { schemas: Record<string, unknown> }
    const references = JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)
    for (const [, name] of references) expect(schemas).toHaveProperty(name!)
    for (const { path, method, operation } of operations()) {
      const url = path.replace('{model}', 'sums').replace('{version}', '1')
      const response = await server.app.inject({ method: method as 'GET', url })
      expect(Object.keys(operation.responses), `${method} ${url}`).toContain(String(response.statusCode))
      const missing = await server.app.inject({ method: method as 'GET', url: url.replace('sums', 'none') })
      expect(Object.keys(operation.responses), `${method} ${url}`).toContain(String(missing.statusCode))
    }
  })

  it('wants the token where the service does', async () => {
    const closed = await createServer({ repository: fakeRepository(), tokens: ['t'] })
    const secured: OpenApiDocument = (await closed.app.inject('/openapi.json')).json()
    for (const [path, methods] of Object.entries(secured.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const url = path.replace('{model}', 'sums').replace('{version}', '1')
        const { statusCode } = await closed.app.inject({ method: method as 'GET', url })
        expect(statusCode === 401, url).toBe(operation.security !== undefined)
      }
    }
    await closed.close()
  })
})

describe('the page of it', () => {
  it('tells of every address, loads nothing and runs nothing', async () => {
    const { body, headers } = await server.app.inject('/docs')
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/]+=*'; base-uri 'none'/,
    )
    expect(headers['x-content-type-options']).toBe('nosniff')
    for (const { path, method } of operations()) expect(body).toContain(`<code>${method.toUpperCase()} ${path}</code>`)
    expect(body).not.toMatch(/<script|<link|<img|src=|https?:\/\/|@import|url\(/i)
  })

  it('is left out where it is not wanted, and so is the document', async () => {
    const bare = await createServer({ repository: fakeRepository(), documents: false, metrics: false })
    for (const url of ['/docs', '/openapi.json', '/metrics']) expect((await bare.app.inject(url)).statusCode).toBe(404)
    await bare.close()
  })
})
