/** docs/serving.md names what there is: options, settings, endpoints, metrics. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { definitions } from '../../lib/cli/serve-options.js'
import { createServer, type Server } from '../../lib/serve/server.js'
import { fakeRepository } from './fake-repository.js'

const text = readFileSync(new URL('../../docs/serving.md', import.meta.url), 'utf8')
const settings = readFileSync(new URL('../../lib/serve/model-settings.ts', import.meta.url), 'utf8')

let server: Server
beforeAll(async () => {
  server = await createServer({ repository: fakeRepository(), control: true })
})
afterAll(() => server.close(0))

describe('docs/serving.md', () => {
  it('names every option of the command', () => {
    const missing = Object.keys(definitions).filter((name) => !text.includes(`--${name}`))
    expect(missing).toEqual([])
  })

  it('names no option that there is not', () => {
    const named = [...text.matchAll(/`--([a-z-]+)/g)].map(([, name]) => name!)
    const elsewhere = ['help', 'target']
    expect(named.filter((name) => !(name in definitions) && !elsewhere.includes(name))).toEqual([])
  })

  it('names every setting of config.json', () => {
    const [, body = ''] = /interface ModelConfig extends Serving \{([\s\S]*?)\n\}/.exec(settings) ?? []
    const names = [...body.matchAll(/readonly (\w+)\?:/g)].map(([, name]) => name!)
    expect(names.length).toBeGreaterThan(5)
    expect(names.filter((name) => !text.includes(name))).toEqual([])
  })

  it('names every endpoint', async () => {
    const { paths } = (await server.app.inject('/openapi.json')).json()
    const short = Object.keys(paths)
      .filter((path) => !path.includes('{version}') && path !== '/')
      .map((path) => path.replace('/v2/models/{model}', '').replace('/v2/repository/models/{model}', ''))
    expect(short.length).toBeGreaterThan(10)
    expect(short.filter((path) => !text.includes(path))).toEqual([])
  })

  it('names every metric', async () => {
    const { body } = await server.app.inject('/metrics')
    const names = [...body.matchAll(/^# TYPE spikingrx_(\w+)/gm)].map(([, name]) => name!)
    expect(names.length).toBeGreaterThan(10)
    expect(names.filter((name) => !text.includes(`_${name}`))).toEqual([])
  })
})
