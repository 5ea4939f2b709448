/** The installed package serves: the demo network from the command line's folder, the page, a request. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { pageFiles } from '../../lib/serve/page-files.js'
import { createProject, type Project, packed, packing } from './project.js'

let project: Project
beforeAll(async () => {
  project = await createProject(await packed())
}, packing)
afterAll(() => project.remove())

it('serves the demo network and the landing page', async () => {
  const text = `
    import { serve } from 'spikingrx/serve'
    const service = await serve({ models: 'node_modules/spikingrx/models/demo', port: 0 })
    const page = await (await fetch(service.address)).text()
    const sizes = {}
    for (const [, name] of page.matchAll(/"page\\/([\\w.]+)"/g))
      sizes[name] = (await (await fetch(service.address + '/page/' + name)).arrayBuffer()).byteLength
    const headers = { 'inference-header-content-length': '0' }
    const answer = await fetch(service.address + '/v2/models/digits/infer', { method: 'POST', headers, body: new Uint8Array(784) })
    console.log(JSON.stringify({ page, sizes, status: answer.status }))
    await service.close(0)
  `
  const { status, stdout, stderr } = await project.program('serve.mjs', text)
  expect([status, stderr]).toEqual([0, ''])
  const files = new Map(pageFiles().map(({ name, content }) => [name, content]))
  const size = (name: string) => files.get(name)?.byteLength
  expect(JSON.parse(stdout)).toEqual({
    page: files.get('index.html')?.toString(),
    sizes: { 'icon.svg': size('icon.svg'), 'style.css': size('style.css'), 'main.js': size('main.js') },
    status: 200,
  })
})
