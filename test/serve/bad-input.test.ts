import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createServer, type Server } from '../../lib/serve/index.js'
import { BODY_BYTES, type Case, infer, input } from './bad-cases.js'
import { addresses, bodies, damaged, members } from './bad-requests.js'
import { binary, data, datatypes, shapes } from './bad-tensors.js'
import { fakeRepository } from './fake-repository.js'

let server: Server

beforeAll(async () => {
  server = await createServer({ repository: fakeRepository(), control: true, bodyBytes: BODY_BYTES })
})
afterAll(() => server.close())

/** After whatever was sent, a good request is answered right. */
afterEach(async () => {
  const response = await server.app.inject({ method: 'POST', url: infer, payload: { inputs: [input] } })
  expect(response.json().outputs[0].data).toEqual([21, -21, 10.5, 42])
})

async function expectRefused([name, sent, status]: Case): Promise<void> {
  const { url = infer, method = 'POST', payload = '', headers = {} } = sent
  const raw = typeof payload === 'string' || Buffer.isBuffer(payload)
  const response = await server.app.inject({
    method,
    url,
    payload: raw ? payload : JSON.stringify(payload),
    headers: { 'content-type': 'application/json', ...headers },
  })
  expect(response.statusCode, `${name}: ${response.body}`).toBe(status)
  const body = response.json()
  expect(Object.keys(body), name).toEqual(['error'])
  expect(body.error, name).toMatch(/^\S[^\n]*\S$/)
  expect(body.error, name).not.toMatch(/undefined|\[object|\bat .*:\d+/)
}

/** Every case in one test: their number is what matters, and the first failure names its case. */
function refuses(title: string, cases: readonly Case[]): void {
  it(`${title}: ${cases.length} cases`, async () => {
    for (const one of cases) await expectRefused(one)
  })
  total += cases.length
}

let total = 0

describe('requests that are not valid', () => {
  refuses('shapes', shapes())
  refuses('data', data())
  refuses('datatypes', datatypes())
  refuses('binary data', binary())
  refuses('members of the request', members())
  refuses('models, versions and addresses', addresses())
  refuses('bodies', bodies())
  refuses('text that is cut off or damaged', damaged())

  it('are more than 500', () => {
    expect(total).toBeGreaterThan(500)
  })

  it('change no prototype', () => {
    expect(Object.keys(Object.prototype)).toEqual([])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})
