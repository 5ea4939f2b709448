/** What the service sends for its landing page, and the picture that the page makes of strokes. */
import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { PAGE_POLICY, pageFiles } from '../../lib/serve/page-files.js'
import { createServer, type Server } from '../../lib/serve/server.js'
import { fakeRepository } from './fake-repository.js'

interface Pictures {
  picture(strokes: readonly (readonly (readonly number[])[])[], height: number, width: number): Float32Array
  centreOfMass(pixels: Float32Array, height: number, width: number): [number, number]
}
const { picture, centreOfMass }: Pictures = await import(
  new URL('../../lib/serve/page/picture.js', import.meta.url).href
)

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close(0)
})

async function app(options: Partial<Parameters<typeof createServer>[0]> = {}) {
  const server = await createServer({ repository: fakeRepository(), ...options })
  servers.push(server)
  return server.app
}

describe('the files of the page', () => {
  it('are less than 60 kB, and ask for nothing elsewhere', () => {
    const files = pageFiles()
    expect(files.map(({ name }) => name)).toEqual(expect.arrayContaining(['index.html', 'main.js', 'style.css']))
    expect(files.reduce((sum, { content }) => sum + content.length, 0)).toBeLessThan(60_000)
    const text = files.map(({ content }) => content.toString()).join('\n')
    expect(text.match(/\b(https?|wss?):\/\/[^'" ]+/g)?.filter((url) => !url.startsWith('http://www.w3.org/'))).toEqual(
      [],
    )
    expect(text).not.toMatch(/innerHTML|insertAdjacentHTML|\beval\(|style="/)
  })

  it('come with a policy that lets them load themselves and nothing else', async () => {
    const answer = await (await app()).inject('/')
    expect(answer.statusCode).toBe(200)
    expect(answer.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': PAGE_POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    })
    expect(PAGE_POLICY).toMatch(/^default-src 'none'; script-src 'self';/)
    expect(PAGE_POLICY).not.toMatch(/unsafe|\*|http/)
  })

  it('are sent again only when they have changed', async () => {
    const served = await app()
    const first = await served.inject('/page/main.js')
    expect(first.headers['content-type']).toBe('text/javascript; charset=utf-8')
    const again = await served.inject({
      url: '/page/main.js',
      headers: { 'if-none-match': first.headers.etag as string },
    })
    expect([again.statusCode, again.body]).toEqual([304, ''])
  })

  it('are sent compressed to those who can read that', async () => {
    const served = await app()
    const plain = await served.inject('/page/style.css')
    const packed = await served.inject({ url: '/page/style.css', headers: { 'accept-encoding': 'br, gzip;q=0.8' } })
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' })
    expect(gunzipSync(packed.rawPayload).toString()).toBe(plain.body)
    expect(packed.rawPayload.length).toBeLessThan(plain.rawPayload.length / 2)
    const refused = await served.inject({ url: '/page/style.css', headers: { 'accept-encoding': 'gzip;q=0, br' } })
    expect(refused.headers['content-encoding']).toBeUndefined()
  })

  it('are open without a token; what they show is not', async () => {
    const served = await app({ tokens: ['secret'] })
    const status = async (url: string, headers = {}) => (await served.inject({ url, headers })).statusCode
    expect(
      await Promise.all(pageFiles().map(({ name }) => status(name === 'index.html' ? '/' : `/page/${name}`))),
    ).toEqual(pageFiles().map(() => 200))
    expect(await status('/page/overview')).toBe(401)
    expect(await status('/page/overview', { authorization: 'Bearer secret' })).toBe(200)
  })

  it('are these and no others', async () => {
    const served = await app()
    for (const url of [
      '/page/',
      '/page/none.js',
      '/page/..%2fplugin.ts',
      '/page/%2e%2e/plugin.ts',
      '/page/tsconfig.json',
    ])
      expect((await served.inject(url)).statusCode).toBe(404)
  })

  it('can be left out', async () => {
    const served = await app({ page: false })
    for (const url of ['/', '/page/main.js', '/page/overview']) expect((await served.inject(url)).statusCode).toBe(404)
  })
})

describe('the overview', () => {
  it('gives models with state, signature and counters', async () => {
    const { version, ready, links, models } = (await (await app({ documents: false })).inject('/page/overview')).json()
    expect({ version: typeof version, ready, links }).toEqual({
      version: 'string',
      ready: true,
      links: { docs: false, openapi: false, metrics: true },
    })
    expect(models[1]).toMatchObject({
      name: 'sums',
      version: '2',
      state: 'READY',
      inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 2, 3] }],
      labels: ['one', 'minus', 'half', 'two'],
      steps: 8,
      counters: { requests: 0, failures: 0, requestNanoseconds: 1001, waiting: 3, sequences: 0 },
    })
    expect(models.at(-1)).toEqual({ name: 'gone', version: '1', state: 'UNAVAILABLE', reason: '' })
  })

  it('tells why a model is not there to those who may load one', async () => {
    const { models } = (await (await app({ control: true })).inject('/page/overview')).json()
    expect(models.at(-1).reason).toBe('unloaded')
  })
})

describe('a picture of strokes', () => {
  const line = [
    [0.1, 0.1],
    [0.1, 0.3],
  ]

  it('has its centre of mass in the middle and fits the box of MNIST', () => {
    for (const [height, width] of [
      [28, 28],
      [32, 32],
      [28, 40],
    ] as const) {
      const pixels = picture(
        [
          line,
          [
            [0.1, 0.2],
            [0.25, 0.22],
          ],
        ],
        height,
        width,
      )
      const [x, y] = centreOfMass(pixels, height, width)
      expect(Math.abs(x - width / 2)).toBeLessThan(0.15)
      expect(Math.abs(y - height / 2)).toBeLessThan(0.15)
      const rows = Array.from({ length: height }, (_, row) => Math.max(...pixels.slice(row * width, (row + 1) * width)))
      const inked = rows.filter((value) => value > 0.5).length
      expect(Math.abs(inked - (20 / 28) * Math.min(height, width))).toBeLessThanOrEqual(1)
    }
  })

  it('does not depend on where and how large it was drawn', () => {
    const here = picture([line], 28, 28)
    const there = picture([line.map(([x, y]) => [0.5 + 2 * x!, 0.2 + 2 * y!])], 28, 28)
    for (let i = 0; i < here.length; i++) expect(there[i]).toBeCloseTo(here[i]!, 4)
  })

  it('has soft edges and ink from 0 to 1', () => {
    const pixels = picture([line], 28, 28)
    expect(Math.max(...pixels)).toBeGreaterThan(0.9)
    expect(Math.max(...pixels)).toBeLessThanOrEqual(1)
    expect(Math.min(...pixels)).toBe(0)
    expect(pixels.filter((value) => value > 0 && value < 1).length).toBeGreaterThan(20)
  })

  it('of a dot is a dot, of nothing is empty', () => {
    const dot = picture([[[0.9, 0.1]]], 28, 28)
    const inked = [...dot.keys()].filter((i) => dot[i]! > 0)
    expect(inked.length).toBeGreaterThan(3)
    expect(inked.length).toBeLessThan(20)
    expect(inked.every((i) => Math.abs((i % 28) - 13.5) < 3 && Math.abs(Math.floor(i / 28) - 13.5) < 3)).toBe(true)
    expect(picture([], 28, 28).every((value) => value === 0)).toBe(true)
  })
})
