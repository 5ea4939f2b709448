import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FolderRepository, type RepositoryOptions } from '../../lib/serve/repository.js'
import type { InferenceResult } from '../../lib/serve/service.js'
import { wantedVersions } from '../../lib/serve/versions.js'
import { settledTensors } from '../unit/settled-tensors.js'
import { ageless, mixed, numbers, output, position, request, value, writeModel } from './networks.js'

let weights: string
beforeAll(async () => {
  weights = await mkdtemp(join(tmpdir(), 'spikingrx-weights-'))
  for (const seed of [1, 2, 3]) await writeModel(join(weights, `${seed}`), ageless, seed)
  await writeModel(join(weights, 'mixed'), mixed)
  await writeFile(join(weights, 'broken'), 'this is no model')
})
afterAll(() => rm(weights, { recursive: true, force: true }))

let folder: string
let log: string[]
let repository: FolderRepository
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-repository-'))
  log = []
})
afterEach(async () => {
  await repository?.close(0)
  await rm(folder, { recursive: true, force: true })
})

/** Puts the weights `which` at a place in the folder, as a writer that renames does. */
async function put(which: number | string, ...place: string[]): Promise<void> {
  const path = join(folder, ...place)
  await mkdir(join(path, '..'), { recursive: true })
  await copyFile(join(weights, String(which)), `${path}.part`)
  await rename(`${path}.part`, path)
}

async function open(options: RepositoryOptions = {}): Promise<FolderRepository> {
  repository = new FolderRepository(folder, {
    poll: 0,
    settle: 0,
    log: (level, message) => log.push(`${level}: ${message}`),
    ...options,
  })
  await repository.start()
  return repository
}

const input = request(value(numbers(12, 8), [1, 12]))
const scores = (result: InferenceResult): string =>
  output(result)
    .map((score) => score.toFixed(5))
    .join(' ')

/** What the weights `1`, `2`, `3` answer: all different. */
const answers: string[] = []
beforeAll(async () => {
  for (const seed of [1, 2, 3]) {
    const alone = new FolderRepository(join(weights, `${seed}.safetensors`), { poll: 0 })
    await copyFile(join(weights, `${seed}`), join(weights, `${seed}.safetensors`))
    await alone.start()
    answers[seed] = scores(await alone.model(`${seed}`).infer(input))
    await alone.close(1000)
  }
  expect(new Set(answers).size).toBe(4)
})

const answer = async (name: string, version?: string) => scores(await repository.model(name, version).infer(input))
const states = () => repository.index().map(({ name, version, state }) => `${name}/${version} ${state}`)

describe('version policies', () => {
  it('choose the newest, all, or those listed, the newest first', () => {
    const found = [1, 10, 9]
    expect(wantedVersions({ latest: 1 }, found)).toEqual({ candidates: [10, 9, 1], count: 1, missing: [] })
    expect(wantedVersions({ latest: 5 }, found)).toEqual({ candidates: [10, 9, 1], count: 3, missing: [] })
    expect(wantedVersions('all', found)).toEqual({ candidates: [10, 9, 1], count: 3, missing: [] })
    expect(wantedVersions([1, 9, 7], found)).toEqual({ candidates: [9, 1], count: 2, missing: [7] })
  })
})

describe('a repository', () => {
  it('finds models in folders and files, and leaves the rest alone', async () => {
    await put(1, 'deep', '1', 'model.safetensors')
    await put(2, 'deep', '12', 'model.safetensors')
    await put(3, 'flat.safetensors')
    await put(3, 'deep.safetensors')
    await put(1, 'deep', '013', 'model.safetensors')
    await put(1, '.hidden', '1', 'model.safetensors')
    await mkdir(join(folder, 'empty'))
    await writeFile(join(folder, 'notes.txt'), 'x')
    await open()
    expect(repository.ready).toBe(true)
    expect(states()).toEqual(['deep/12 READY', 'flat/1 READY'])
    expect(await answer('deep')).toBe(answers[2])
    expect(await answer('flat', '1')).toBe(answers[3])
    expect(repository.versions('deep')).toEqual(['12'])
    expect(repository.model('flat').signature.inputs).toEqual([{ name: 'input', datatype: 'FP32', shape: [-1, 12] }])
  })

  it('says what there is not', async () => {
    await put(1, 'here.safetensors')
    await open()
    const missing = (name: string, version?: string) => () => repository.model(name, version)
    expect(missing('there')).toThrow(expect.objectContaining({ code: 'ERR_SERVE_MODEL', status: 404 }))
    expect(missing('there')).toThrow('there is no model "there"')
    expect(missing('here', '2')).toThrow('version "2" of the model "here" is not served')
    expect(() => repository.versions('there')).toThrow(expect.objectContaining({ code: 'ERR_SERVE_MODEL' }))
    await expect(new FolderRepository(join(folder, 'no')).start()).rejects.toMatchObject({
      code: 'ERR_SERVE_REPOSITORY',
      message: `the model repository ${join(folder, 'no')} does not exist`,
    })
  })

  it('serves the versions that config.json asks for, as it says', async () => {
    for (const version of [1, 2, 3]) {
      await put(version, 'all', `${version}`, 'model.safetensors')
      await put(version, 'some', `${version}`, 'model.safetensors')
    }
    await writeFile(join(folder, 'all', 'config.json'), '{ "versions": "all", "input": { "name": "current" } }')
    await writeFile(join(folder, 'some', 'config.json'), '{ "versions": [1, 3], "labels": ["a", "b", "c"] }')
    await open()
    expect(repository.versions('all')).toEqual(['1', '2', '3'])
    expect(repository.versions('some')).toEqual(['1', '3'])
    expect(await answer('some', '1')).toBe(answers[1])
    expect(repository.model('some').signature.labels).toEqual(['a', 'b', 'c'])
    const current = { inputs: new Map([['current', input.inputs.get('input')!]]), outputs: [] }
    expect(scores(await repository.model('all', '2').infer(current))).toBe(answers[2])
  })

  it.each([
    ['{', 'is not JSON'],
    ['{ "version": 1 }', 'is not usable: it has no option "version"'],
    ['{ "versions": "some" }', 'needs versions to be "latest", { "latest": 2 }, "all" or a list such as [1, 3]'],
    ['{ "batching": { "maximumSize": 0 } }', 'batching needs maximumSize to be a whole number from 1 to 65536, got 0'],
    ['{ "labels": ["one"] }', 'gives 1 labels, but the network has 3 classes'],
  ])('is not ready with a config.json such as %s', async (config, problem) => {
    await put(1, 'odd', '1', 'model.safetensors')
    await put(2, 'good.safetensors')
    await writeFile(join(folder, 'odd', 'config.json'), config)
    await open()
    expect(repository.ready).toBe(false)
    expect(repository.index().find(({ name }) => name === 'odd')).toMatchObject({
      state: 'UNAVAILABLE',
      reason: expect.stringContaining(problem),
    })
    expect(await answer('good')).toBe(answers[2])
    await writeFile(join(folder, 'odd', 'config.json'), '{}')
    await repository.refresh()
    expect(repository.ready).toBe(true)
    expect(await answer('odd')).toBe(answers[1])
  })

  it('takes the newest version that works, and says what is wrong with the others', async () => {
    await put(1, 'model', '1', 'model.safetensors')
    await put('broken', 'model', '2', 'model.safetensors')
    await open()
    expect(await answer('model')).toBe(answers[1])
    expect(states()).toEqual(['model/1 READY', 'model/2 UNAVAILABLE'])
    expect(log).toEqual([
      expect.stringMatching(/^error: model version 2 can't be loaded: .*model\.safetensors /),
      expect.stringMatching(/^info: loaded model version 1 in \d+ ms$/),
    ])
    await repository.refresh()
    expect(log.length).toBe(2)
    await put(2, 'model', '2', 'model.safetensors')
    await repository.refresh()
    expect(await answer('model')).toBe(answers[2])
    expect(repository.versions('model')).toEqual(['2'])
  })

  it('keeps a model that serves when its new file is broken, and reports it', async () => {
    await put(1, 'model.safetensors')
    await open()
    await put('broken', 'model.safetensors')
    await repository.refresh()
    expect(repository.ready).toBe(true)
    expect(await answer('model')).toBe(answers[1])
    expect(repository.index()).toEqual([
      {
        name: 'model',
        version: '1',
        state: 'READY',
        reason: expect.stringMatching(/^the new file is not served, the one before still is: /),
      },
    ])
    await put(3, 'model.safetensors')
    await repository.refresh()
    expect(await answer('model')).toBe(answers[3])
    expect(repository.index()[0]!.reason).toBe('')
  })

  it('does not load a file that is still being written, nor let go of one that is gone for a moment', async () => {
    await put(1, 'model.safetensors')
    await open({ settle: 100_000 })
    await put(2, 'model.safetensors')
    await repository.refresh()
    await repository.refresh()
    expect(await answer('model')).toBe(answers[1])
    await rm(join(folder, 'model.safetensors'))
    await repository.refresh()
    expect(await answer('model')).toBe(answers[1])
    await put(3, 'model.safetensors')
    await repository.load('model')
    expect(await answer('model')).toBe(answers[3])
  })

  it('lets go of what is gone', async () => {
    await put(1, 'model', '1', 'model.safetensors')
    await put(2, 'model', '2', 'model.safetensors')
    await put(3, 'other.safetensors')
    await open()
    await rm(join(folder, 'model', '2'), { recursive: true })
    await rm(join(folder, 'other.safetensors'))
    await repository.refresh()
    expect(states()).toEqual(['model/1 READY'])
    expect(await answer('model')).toBe(answers[1])
  })

  it('unloads and loads by name; what was unloaded stays so', async () => {
    await put(1, 'model.safetensors')
    await open()
    const before = repository.model('model')
    await repository.unload('model')
    expect(repository.index()).toEqual([{ name: 'model', version: '1', state: 'UNAVAILABLE', reason: 'unloaded' }])
    expect(() => repository.model('model')).toThrow('the model "model" is not served: unloaded')
    await expect(before.infer(input)).rejects.toMatchObject({ code: 'ERR_SERVE_MODEL' })
    await repository.refresh()
    expect(states()).toEqual(['model/1 UNAVAILABLE'])
    expect(repository.ready).toBe(true)
    await repository.load('model')
    expect(await answer('model')).toBe(answers[1])
    await expect(repository.load('none')).rejects.toMatchObject({ code: 'ERR_SERVE_MODEL', status: 404 })
    await expect(repository.unload('none')).rejects.toMatchObject({ code: 'ERR_SERVE_MODEL', status: 404 })
    await put('broken', 'model.safetensors')
    await expect(repository.load('model')).rejects.toMatchObject({ code: 'ERR_SERVE_LOAD', status: 400 })
    expect(await answer('model')).toBe(answers[1])
  })

  it('answers what it has accepted when a model is unloaded', async () => {
    await put(1, 'model.safetensors')
    await open({ settings: { batching: { maximumSize: 1, maximumDelay: 0 } } })
    const model = repository.model('model')
    const accepted = Array.from({ length: 20 }, () => model.infer(input))
    const unloaded = repository.unload('model')
    for (const result of await Promise.all(accepted)) expect(scores(result)).toBe(answers[1])
    await unloaded
    expect(states()).toEqual(['model/1 UNAVAILABLE'])
  })

  it('replaces a model under load without dropping a request, and leaks nothing', async () => {
    await put(1, 'model.safetensors')
    const before = await settledTensors()
    await open()
    const served = repository.model('model')
    const seen = new Map<string, number>()
    let running = true
    const clients = Array.from({ length: 8 }, async () => {
      while (running) {
        const result = scores(await served.infer(input))
        seen.set(result, (seen.get(result) ?? 0) + 1)
      }
    })
    for (const seed of [2, 3, 1, 2, 3]) {
      await put(seed, 'model.safetensors')
      await repository.refresh()
      expect(await answer('model')).toBe(answers[seed])
    }
    running = false
    await Promise.all(clients)
    expect([...seen.keys()].sort()).toEqual(answers.slice(1).sort())
    const total = [...seen.values()].reduce((sum, count) => sum + count, 5)
    // The counters go on from file to file.
    expect(served.statistics()).toMatchObject({ success: { count: total }, fail: { count: 0 } })
    await repository.close(1000)
    expect(await settledTensors()).toBe(before)
  })

  it('lets sequences go on with the network that they began with', async () => {
    await put(1, 'model.safetensors')
    await open()
    const frame = (index: number, flags = {}) =>
      repository
        .model('model')
        .infer(request(value(numbers(12, index), [1, 12]), { outputs: ['steps'], sequence: position('a', flags) }))
    const whole = await repository.model('model').infer(
      request(value(Float32Array.from([...numbers(12, 0), ...numbers(12, 1), ...numbers(12, 2)]), [1, 3, 12]), {
        outputs: ['steps'],
      }),
    )
    const results = [await frame(0, { start: true })]
    await put(2, 'model.safetensors')
    await repository.refresh()
    expect(await answer('model')).toBe(answers[2])
    results.push(await frame(1), await frame(2, { end: true }))
    const fed = results.flatMap((result) => output(result, 'steps'))
    for (const [i, step] of output(whole, 'steps').entries()) expect(fed[i]).toBeCloseTo(step, 5)
    await expect(frame(3)).rejects.toMatchObject({ code: 'ERR_SERVE_SEQUENCE' })
  })

  it('gives a sequence that begins anew to the new network', async () => {
    await put(1, 'model.safetensors')
    await open()
    const shown = request(value(Float32Array.from([0, 1, 2, 3].flatMap(() => [...numbers(12, 8)])), [1, 4, 12]))
    await repository.model('model').infer({ ...shown, sequence: position('a', { start: true }) })
    await put(2, 'model.safetensors')
    await repository.refresh()
    const anew = await repository.model('model').infer({ ...shown, sequence: position('a', { start: true }) })
    expect(scores(anew)).toBe(answers[2])
    expect(repository.model('model').statistics().sequences).toBe(1)
  })

  it('says that a model is still to be loaded', async () => {
    await put(1, 'first.safetensors')
    await put(1, 'second.safetensors')
    const codes: string[] = []
    await open({
      log: () => {
        try {
          repository.model('second')
          codes.push('served')
        } catch (error) {
          codes.push((error as { code: string }).code)
        }
      },
    })
    expect(codes).toEqual(['ERR_SERVE_NOT_READY', 'served'])
  })

  it('ends a sequence when told that its client is gone', async () => {
    await put(1, 'model.safetensors')
    await open()
    const model = repository.model('model')
    await model.infer(request(value(numbers(12, 1), [1, 12]), { sequence: position('a', { start: true }) }))
    const last = model.infer(request(value(numbers(12, 1), [1, 12]), { sequence: position('a') }))
    model.endSequence('a')
    model.endSequence('unknown')
    expect((await last).batch.samples).toBe(1)
    expect(model.statistics().sequences).toBe(0)
  })

  it('answers what was accepted when it is closed, then nothing', async () => {
    await put(1, 'model.safetensors')
    const before = await settledTensors()
    await open({ settings: { batching: { maximumSize: 1, maximumDelay: 0 } } })
    const model = repository.model('model')
    const accepted = Array.from({ length: 20 }, () => model.infer(input))
    const closed = repository.close(10_000)
    expect(repository.ready).toBe(false)
    for (const result of await Promise.all(accepted)) expect(scores(result)).toBe(answers[1])
    await closed
    await expect(model.infer(input)).rejects.toMatchObject({ code: 'ERR_SERVE_MODEL' })
    expect(await settledTensors()).toBe(before)
  })

  it('gives up what is not answered by the deadline', async () => {
    await put(1, 'model.safetensors')
    await open({ settings: { batching: { maximumSize: 1, maximumDelay: 0 } } })
    const accepted = Array.from({ length: 200 }, () => repository.model('model').infer(input))
    const settled = Promise.allSettled(accepted)
    await repository.close(0)
    const codes = (await settled).map((one) => (one.status === 'rejected' ? one.reason.code : 'answered'))
    expect(codes.at(-1)).toBe('ERR_SERVE_NOT_READY')
  })

  it('watches its folder', async () => {
    await put(1, 'model', '1', 'model.safetensors')
    await open({ poll: 100, settle: 10 })
    await put(2, 'model', '2', 'model.safetensors')
    await put('mixed', 'new.safetensors')
    while (repository.versions('model')[0] !== '2' || !states().includes('new/1 READY')) await sleep(10)
    expect(await answer('model')).toBe(answers[2])
    await put(3, 'model', '2', 'model.safetensors')
    while ((await answer('model')) !== answers[3]) await sleep(10)
    await rm(join(folder, 'new.safetensors'))
    while (states().includes('new/1 READY')) await sleep(10)
    expect(states()).toEqual(['model/2 READY'])
  })
})
