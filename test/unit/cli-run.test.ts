import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UsageError } from '../../lib/cli/failure.js'
import { MetricsLog } from '../../lib/cli/metrics-log.js'
import { configPath, type RunConfig, readConfig, writeConfig } from '../../lib/cli/run-config.js'
import { findRun, makeRunDirectory } from '../../lib/cli/run-directory.js'
import { type RunOptions, resumedConfig } from '../../lib/cli/run-setup.js'
import { snn } from '../../lib/model/spec.js'
import { adam } from '../../lib/train/optimizers.js'
import { constant } from '../../lib/train/schedules.js'

const config: RunConfig = {
  format: 1,
  dataset: 'mnist',
  model: 'mlp',
  epochs: 2,
  batchSize: 128,
  learningRate: 1e-3,
  steps: 5,
  seed: 7,
  device: 'auto',
  threads: 1,
  data: null,
  limit: null,
  optimizer: adam(),
  schedule: constant(),
  spec: JSON.parse(JSON.stringify(snn({ input: [4], steps: 5 }).linear(2))),
  created: '2026-11-22T10:00:00.000Z',
  versions: { spikingrx: '0.1.0', libtorch: '2.13.0', node: '20.19.0' },
}

let folder: string
let before: string
beforeEach(async () => {
  before = process.cwd()
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-cli-'))
  process.chdir(folder)
})
afterEach(async () => {
  process.chdir(before)
  await rm(folder, { recursive: true, force: true })
})

describe('the settings of a run', () => {
  it('come back as they were written', async () => {
    await writeConfig(folder, config)
    expect(await readConfig(folder)).toEqual(config)
  })

  it('are missing where there is no run', async () => {
    expect(await readConfig(join(folder, 'nothing'))).toBeUndefined()
  })

  it.each([
    ['{', 'it is not JSON'],
    ['[]', 'its format is not usable'],
    ['7', 'it is not an object'],
    [JSON.stringify({ ...config, format: 2 }), 'its format is not usable'],
    [JSON.stringify({ ...config, epochs: 0 }), 'its epochs is not usable'],
    [JSON.stringify({ ...config, model: 'vgg' }), 'its model is not usable'],
    [JSON.stringify({ ...config, spec: null }), 'its spec is not usable'],
    [JSON.stringify({ ...config, data: 5 }), 'its data is not usable'],
  ])('are refused when they are %s', async (text, reason) => {
    await writeFile(configPath(folder), text)
    await expect(readConfig(folder)).rejects.toMatchObject({
      code: 'ERR_RUN_CONFIG',
      message: expect.stringContaining(reason),
    })
  })
})

describe('folders of runs', () => {
  const noon = new Date(2026, 10, 22, 12, 3, 4)

  it('are named after data set, model and local time, and never shared', async () => {
    expect(await makeRunDirectory(undefined, 'mnist', 'sew', noon)).toBe('runs/mnist-sew-20261122-120304')
    expect(await makeRunDirectory(undefined, 'mnist', 'sew', noon)).toBe('runs/mnist-sew-20261122-120304-2')
    expect(await makeRunDirectory('deep/down', 'mnist', 'sew', noon)).toBe('deep/down')
  })

  it('are not used twice', async () => {
    await mkdir('out')
    await writeConfig('out', config)
    await expect(makeRunDirectory('out', 'mnist', 'mlp', noon)).rejects.toMatchObject({ code: 'ERR_RUN_EXISTS' })
    await writeFile('file', '')
    await expect(makeRunDirectory('file', 'mnist', 'mlp', noon)).rejects.toMatchObject({ code: 'ERR_RUN_WRITE' })
  })

  it('are found again: the newest one of the data set and model', async () => {
    const runs: [string, Partial<RunConfig>][] = [
      ['b', { created: '2026-11-22T10:00:00.000Z' }],
      ['a', { created: '2026-11-22T11:00:00.000Z' }],
      ['c', { created: '2026-11-22T12:00:00.000Z', model: 'conv' }],
      ['d', { created: '2026-11-22T12:00:00.000Z', dataset: 'fashion-mnist' }],
    ]
    for (const [name, changes] of runs) {
      await mkdir(join('runs', name), { recursive: true })
      await writeConfig(join('runs', name), { ...config, ...changes })
    }
    await mkdir('runs/damaged')
    await writeFile(configPath('runs/damaged'), '{')
    expect((await findRun(undefined, 'mnist', 'mlp')).directory).toBe(join('runs', 'a'))
    expect((await findRun(join('runs', 'b'), 'mnist', 'mlp')).config.created).toBe('2026-11-22T10:00:00.000Z')
    await expect(findRun(undefined, 'mnist', 'sew')).rejects.toMatchObject({ code: 'ERR_RUN_MISSING' })
    await expect(findRun('nowhere', 'mnist', 'mlp')).rejects.toMatchObject({ code: 'ERR_RUN_MISSING' })
    await expect(findRun('runs/damaged', 'mnist', 'mlp')).rejects.toMatchObject({ code: 'ERR_RUN_CONFIG' })
  })
})

describe('resumedConfig', () => {
  const none: RunOptions = {
    model: undefined,
    epochs: undefined,
    'batch-size': undefined,
    lr: undefined,
    steps: undefined,
    seed: undefined,
    limit: undefined,
    device: undefined,
    threads: undefined,
    data: undefined,
  }
  const run = { directory: 'runs/a', config }

  it('keeps the settings of the run, but lets it move', () => {
    expect(resumedConfig(run, 'mnist', none)).toEqual(config)
    const moved = { ...none, epochs: 2, threads: 4, device: 'cpu', data: '/elsewhere' }
    expect(resumedConfig(run, 'mnist', moved)).toEqual({ ...config, threads: 4, device: 'cpu', data: '/elsewhere' })
  })

  it('refuses what would be another run', () => {
    expect(() => resumedConfig(run, 'mnist', { ...none, epochs: 3 })).toThrow(
      new UsageError('--epochs 3 does not fit the run in runs/a, which was started with 2; leave it out'),
    )
    expect(() => resumedConfig(run, 'mnist', { ...none, limit: 9 })).toThrow(/--limit 9 .* was started without it/)
    expect(() => resumedConfig(run, 'mnist', { ...none, model: 'sew' })).toThrow(/holds a run of mlp on mnist/)
    expect(() => resumedConfig(run, 'fashion-mnist', none)).toThrow(/not of mlp on fashion-mnist/)
  })
})

describe('MetricsLog', () => {
  const step = (number: number) =>
    ({
      type: 'step',
      epoch: Math.ceil(number / 2),
      step: number,
      batch: 1,
      loss: 1 / number,
      accuracy: 0.5,
      learningRate: 1e-3,
      gradientNorm: 1,
      firingRates: { 'layers.1': 0.25 },
      samplesPerSecond: 100,
    }) as const
  const epoch = (number: number) =>
    ({
      type: 'epoch',
      epoch: number,
      step: 2 * number,
      loss: 1,
      accuracy: 0.5,
      samples: 4,
      firingRates: {},
      firingRate: Number.NaN,
      seconds: 1,
    }) as const
  const read = async () =>
    (await readFile('metrics.jsonl', 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))

  it('writes steps and epochs line by line, at once', async () => {
    const log = await MetricsLog.open('.')
    log.add(step(1))
    expect(await read()).toEqual([step(1)])
    log.add({ type: 'checkpoint', path: 'x', step: 1 })
    log.add(epoch(1))
    log.close()
    expect((await read()).map(({ type }) => type)).toEqual(['step', 'epoch'])
    expect((await read())[1].firingRate).toBeNull()
  })

  it('drops what a resumed run will do again, and half a line', async () => {
    const log = await MetricsLog.open('.')
    for (const event of [step(1), step(2), epoch(1), step(3), step(4)]) log.add(event)
    log.close()
    await writeFile('metrics.jsonl', '{"type":"st', { flag: 'a' })

    const resumed = { type: 'resume', path: 'x', epoch: 2, step: 3, skipped: [] } as const
    const again = await MetricsLog.open('.', resumed)
    again.add(step(4))
    again.close()
    expect((await read()).map((event) => `${event.type} ${event.step}`)).toEqual([
      'step 1',
      'step 2',
      'epoch 2',
      'step 3',
      'step 4',
    ])
    expect(again.metrics).toHaveLength(5)
  })

  it('drops an epoch that was logged, but whose checkpoint was not written', async () => {
    const log = await MetricsLog.open('.')
    for (const event of [step(1), step(2), epoch(1)]) log.add(event)
    log.close()
    const again = await MetricsLog.open('.', { type: 'resume', path: 'x', epoch: 1, step: 2, skipped: [] })
    again.close()
    expect((await read()).map(({ type }) => type)).toEqual(['step', 'step'])
  })

  it('begins anew for a run that starts from scratch', async () => {
    const log = await MetricsLog.open('.')
    log.add(step(1))
    log.close()
    ;(await MetricsLog.open('.')).close()
    expect(await readFile('metrics.jsonl', 'utf8')).toBe('')
  })
})
