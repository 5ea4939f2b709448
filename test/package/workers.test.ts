import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { names, program, report } from './program.js'
import { createProject, type Packed, type Project, packed, packing } from './project.js'

let made: Packed
let project: Project
beforeAll(async () => {
  made = await packed()
  project = await createProject(made)
}, packing)
afterAll(() => project.remove())

/** Two workers train once both are there; the main thread has loaded nothing. */
const threads = `
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
`
const start = `
if (isMainThread) {
  const workers = [0, 1].map((number) => new Worker(new URL(import.meta.url), { workerData: number }))
  const exits = workers.map((worker) => once(worker, 'exit'))
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const results = workers.map((worker) => once(worker, 'message'))
  for (const worker of workers) worker.postMessage('go')
  const trained = (await Promise.all(results)).map(([result]) => result)
  console.log(JSON.stringify({ trained, exits: (await Promise.all(exits)).flat() }))
} else {
  parentPort.postMessage('ready')
  await once(parentPort, 'message')
  parentPort.postMessage(await main('points-' + workerData + '.safetensors'))
}
`

/** Measured costs of the engines may differ from thread to thread, and with them the engine, and so the last bits. */
const sameEngine = "process.env.SPIKINGRX_ENGINE_COSTS = 'default'\n"

describe('two worker threads at once', () => {
  it.each([
    ['importing', `import { ${names} } from 'spikingrx'\n`],
    [
      'requiring',
      `import { createRequire } from 'node:module'\nconst { ${names} } = createRequire(import.meta.url)('spikingrx')\n`,
    ],
  ])('train to the same bits as the main thread does (%s)', async (how, imports) => {
    const text = threads + imports + sameEngine + program + start
    const { status, signal, stdout, stderr } = await project.program(`${how}-workers.mjs`, text)
    expect([status, signal, stderr]).toEqual([0, null, ''])
    const { trained, exits } = JSON.parse(stdout)
    expect(exits).toEqual([0, 0])
    const alone = await project.program(`${how}-alone.mjs`, imports + sameEngine + program + report)
    const expected = JSON.parse(alone.stdout)
    expect(expected.losses).toHaveLength(20)
    expect(trained).toEqual([expected, expected])
  })
})
