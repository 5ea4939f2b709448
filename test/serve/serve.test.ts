import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fastify } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRepository, serve, spikingrxPlugin } from '../../lib/serve/index.js'
import { settledTensors } from '../unit/settled-tensors.js'
import { ageless, numbers, output, request, value, writeModel } from './networks.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-serve-'))
  await writeModel(join(folder, 'model.safetensors'), ageless)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('serve', () => {
  it('answers over HTTP what the repository answers, and gives everything back', async () => {
    const before = await settledTensors()
    {
      await using service = await serve({ models: folder, port: 0, device: 'cpu', defaults: { queue: 7 } })
      const body = { inputs: [{ name: 'input', shape: [1, 12], datatype: 'FP32', data: [...numbers(12, 1)] }] }
      const response = await fetch(`${service.address}/v2/models/model/infer`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      const { outputs } = (await response.json()) as { outputs: { data: number[] }[] }
      const direct = await service.repository.model('model').infer(request(value(numbers(12, 1), [1, 12])))
      expect(outputs[0]!.data).toEqual(output(direct))
      expect((await fetch(`${service.address}/v2/health/ready`)).status).toBe(200)
    }
    expect(await settledTensors()).toBe(before)
  })

  it('leaves nothing behind when it can not listen', async () => {
    const before = await settledTensors()
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const { port } = taken.address() as { port: number }
    await expect(serve({ models: folder, port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    taken.close()
    await expect(serve({ models: join(folder, 'none'), port: 0 })).rejects.toMatchObject({
      code: 'ERR_SERVE_REPOSITORY',
    })
    expect(await settledTensors()).toBe(before)
  })

  it('refuses options that are none', async () => {
    const wrong = (options: object) => serve({ models: folder, ...options } as never)
    await expect(wrong({ defaults: { queue: 0 } })).rejects.toThrow(
      'defaults are not usable: it needs queue to be a whole number from 1 to 1000000, got 0',
    )
    await expect(wrong({ defaults: { batching: { size: 1 } } })).rejects.toThrow('batching has no option "size"')
    await expect(wrong({ poll: -1 })).rejects.toMatchObject({ code: 'ERR_RANGE' })
    await expect(wrong({ models: 3 })).rejects.toThrow('serve needs models to be a path, got 3')
    await expect(wrong({ ports: 1 })).rejects.toMatchObject({ code: 'ERR_TYPE' })
    await expect(openRepository(folder, { log: 'all' } as never)).rejects.toThrow('needs log to be a function')
  })
})

describe('a repository of its own', () => {
  it('serves inside an application, and tells what it does', async () => {
    const lines: string[] = []
    await writeFile(join(folder, 'broken.safetensors'), 'x')
    const repository = await openRepository(folder, {
      poll: 0,
      log: (level, message, { model, code }) => lines.push([level, model, code, message.slice(0, 12)].join(' ')),
    })
    await rm(join(folder, 'broken.safetensors'))
    const app = fastify()
    await app.register(spikingrxPlugin, { prefix: '/snn', repository })
    const { statusCode, payload } = await app.inject('/snn/v2/models/model')
    expect([statusCode, JSON.parse(payload).name]).toEqual([200, 'model'])
    expect(lines).toEqual([expect.stringMatching(/^error broken ERR_CHECKPOINT_/), 'info model  loaded model'])
    expect(repository.ready).toBe(false)
    await app.close()
    await repository.close(1000)
  })
})
