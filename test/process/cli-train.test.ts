import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { datasets } from '../../lib/data/index.js'
import { Model } from '../../lib/model/model.js'
import { snn } from '../../lib/model/spec.js'
import { spikingrx } from './cli-program.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-cli-train-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const quick = ['train', 'mnist', '--threads', '1', '--device', 'cpu']

const pictures = [
  'confusion-matrix',
  'feature-maps',
  'firing-rates',
  'first-layer-filters',
  'input-image',
  'learning-curves',
  'membrane-traces',
  'spike-raster',
].flatMap((name) => [`${name}.png`, `${name}.svg`])

describe('a short training', () => {
  const model = () => join(folder, 'run', 'model.safetensors')

  beforeAll(async () => {
    const args = ['--model', 'conv', '--epochs', '1', '--limit', '256', '--batch-size', '32', '--out', 'run']
    const { code, stdout, stderr } = await spikingrx([...quick, ...args], { cwd: folder })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('on MNIST: 256 images, 1 epoch, 32 a step; cpu, 1 thread. Run folder: run')
    expect(stdout).toMatch(/^epoch 1\/1 done in .*training loss \d.*; test loss \d.*accuracy \d/m)
    expect(stdout).toMatch(/^Test accuracy: \d+\.\d\d % \(\d+ of 256 images right\), loss \d/m)
    expect(stdout).toMatch(/^Hardest class: /m)
    expect(stdout).toMatch(/^Firing rates .*: 2 lif 0\.\d+, 6 lif 0\.\d+\.$/m)
    expect(stdout).toContain(' predict run/model.safetensors run/sample.png')
  })

  it('writes settings, metrics, weights, checkpoints and pictures', async () => {
    const files = await readdir(join(folder, 'run'))
    expect(files.sort()).toEqual(
      [...pictures, 'checkpoints', 'config.json', 'metrics.jsonl', 'model.safetensors', 'sample.png'].sort(),
    )
    expect(await readdir(join(folder, 'run', 'checkpoints'))).toEqual(['checkpoint-00000008.safetensors'])
    const config = JSON.parse(await readFile(join(folder, 'run', 'config.json'), 'utf8'))
    expect(config).toMatchObject({ dataset: 'mnist', model: 'conv', epochs: 1, batchSize: 32, limit: 256, threads: 1 })
    const metrics = (await readFile(join(folder, 'run', 'metrics.jsonl'), 'utf8')).trim().split('\n')
    expect(metrics.map((line) => JSON.parse(line).type)).toEqual([...new Array(8).fill('step'), 'epoch'])
  })

  it('can be evaluated, on the data set it was trained on', async () => {
    const text = await spikingrx(['evaluate', model(), '--limit', '256'])
    expect(text.code).toBe(0)
    expect(text.stdout).toMatch(/on the test images of MNIST:\nTest accuracy: .* of 256 images right/)
    const { code, stdout } = await spikingrx(['evaluate', model(), '--limit', '256', '--json'])
    const metrics = (await readFile(join(folder, 'run', 'metrics.jsonl'), 'utf8')).trim().split('\n')
    const { validation } = JSON.parse(metrics.at(-1) ?? '')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ dataset: 'mnist', samples: 256, accuracy: validation.accuracy })
  })

  it('can be asked about images', async () => {
    const text = await spikingrx(['predict', model(), join(folder, 'run', 'sample.png')])
    expect(text.code).toBe(0)
    expect(text.stdout.split('\n')).toHaveLength(3)

    const { test } = await datasets.mnist()
    const { input } = test.sample(0)
    await writeFile(join(folder, 'digit.npy'), npy(input as Uint8Array))
    const args = ['predict', model(), join(folder, 'digit.npy'), '--top', '10', '--json']
    const { classes } = JSON.parse((await spikingrx(args)).stdout)
    using loaded = await Model.load(model(), { device: 'cpu' })
    const { scores } = await loaded.predict(input)
    expect(classes).toHaveLength(10)
    for (const one of classes) expect(one.score).toBeCloseTo(scores[one.class]!, 5)
    expect(classes[0].score).toBe(Math.max(...classes.map((one: { score: number }) => one.score)))
    const sum = classes.reduce((total: number, one: { probability: number }) => total + one.probability, 0)
    expect(sum).toBeCloseTo(1, 5)
  })

  it('can be looked into', async () => {
    const text = await spikingrx(['info', model()])
    expect(text.code).toBe(0)
    expect(text.stdout).toMatch(/^network +mnist-conv, float32, seed 7$/m)
    expect(text.stdout).toContain('0 convBlock')
    const checkpoint = join(folder, 'run', 'checkpoints', 'checkpoint-00000008.safetensors')
    const { code, stdout } = await spikingrx(['info', checkpoint, '--json'])
    const info = JSON.parse(stdout)
    expect(code).toBe(0)
    expect(info).toMatchObject({ dtype: 'float32', verified: true, training: { epoch: 1, step: 8 } })
    expect(info.tensors[0]).toMatchObject({ name: 'layers.0.weight', dtype: 'F32' })
    expect(info.spec.labels).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
  })

  it('is not overwritten', async () => {
    const { code, stderr } = await spikingrx([...quick, '--out', 'run'], { cwd: folder })
    expect(code).toBe(1)
    expect(stderr).toBe(
      'spikingrx train: run holds a run already: add --resume to go on with it, or name another folder [ERR_RUN_EXISTS]',
    )
  })
})

it('evaluates a network of unknown origin on the data set that is named', async () => {
  const path = join(folder, 'own.safetensors')
  using model = await Model.create(
    snn({ input: [1, 28, 28], steps: 2 })
      .flatten()
      .linear(10),
    { device: 'cpu' },
  )
  await model.save(path)
  const asked = await spikingrx(['evaluate', path, '--limit', '50'])
  expect(asked.code).toBe(2)
  expect(asked.stderr).toContain('add --dataset mnist or fashion-mnist')
  const { code, stdout } = await spikingrx(['evaluate', path, '--limit', '50', '--dataset', 'mnist'])
  expect(code).toBe(0)
  expect(stdout).toContain('of 50 images right')
})

describe('Ctrl-C', () => {
  // More steps than a pipe holds lines: the program can't be done before the test has seen the tenth.
  const args = [
    ...quick,
    '--model',
    'mlp',
    '--steps',
    '2',
    '--epochs',
    '2',
    '--limit',
    '2400',
    '--batch-size',
    '12',
    '--json',
  ]

  it('saves a checkpoint; --resume ends with the bits of an uninterrupted run', async () => {
    const straight = await spikingrx([...args, '--out', 'straight'], { cwd: folder })
    expect(straight.code).toBe(0)
    const events = parse(straight.stdout)
    expect(events.map(({ type }) => type)).toEqual([
      'run',
      'start',
      ...new Array(200).fill('step'),
      'epoch',
      'checkpoint',
      ...new Array(200).fill('step'),
      'epoch',
      'checkpoint',
      'end',
      'result',
    ])

    let seen = 0
    const stopped = await spikingrx([...args, '--out', 'stopped'], {
      cwd: folder,
      line: (_line, interrupt) => {
        seen += 1
        if (seen !== 10) return
        interrupt()
        // As npm passes it on.
        interrupt()
      },
    })
    expect(stopped.code).toBe(130)
    expect(stopped.stderr).toBe('Stopping after this step to save a checkpoint (Ctrl-C again quits at once).')
    const last = parse(stopped.stdout).at(-1)
    expect(last).toMatchObject({ type: 'interrupted', directory: 'stopped' })
    expect(last?.resume).toMatch(/ train mnist --resume --out stopped$/)
    expect(await readdir(join(folder, 'stopped', 'checkpoints'))).toHaveLength(1)

    const resume = ['train', 'mnist', '--resume', '--out', 'stopped', '--json']
    const resumed = await spikingrx(resume, { cwd: folder })
    expect(resumed.code).toBe(0)
    expect(parse(resumed.stdout)[2]).toMatchObject({ type: 'resume', step: last?.step })
    expect(timeless(parse(resumed.stdout).at(-1))).toEqual(timeless(events.at(-1)))

    const metrics = async (run: string) =>
      parse(await readFile(join(folder, run, 'metrics.jsonl'), 'utf8')).map(timeless)
    expect(await metrics('stopped')).toEqual(await metrics('straight'))
    const weights = (run: string) => readFile(join(folder, run, 'model.safetensors'))
    expect((await weights('stopped')).equals(await weights('straight'))).toBe(true)

    const other = await spikingrx([...resume, '--lr', '0.5'], { cwd: folder })
    expect(other.code).toBe(2)
    expect(other.stderr).toContain('--lr 0.5 does not fit the run in stopped, which was started with 0.001')
  })
})

interface Told extends Readonly<Record<string, unknown>> {
  readonly type: string
}

function parse(lines: string): Told[] {
  return lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

/** Without what differs between two runs. */
function timeless(event: Told | undefined): object {
  const names = ['seconds', 'samplesPerSecond', 'directory', 'model', 'pictures', 'sample']
  return Object.fromEntries(Object.entries(event ?? {}).filter(([name]) => !names.includes(name)))
}

/** `[28, 28]` bytes as a NumPy file of version 1.0. */
function npy(bytes: Uint8Array): Buffer {
  const text = "{'descr': '|u1', 'fortran_order': False, 'shape': (28, 28), }"
  const header = `${text.padEnd(117)}\n`
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0])
  return Buffer.concat([start, Buffer.from(header, 'latin1'), bytes])
}
