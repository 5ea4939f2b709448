import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { epochRandom } from '../../lib/data/permutation.js'
import { CheckpointError } from '../../lib/errors.js'
import { readSafetensors, type SafetensorsTensor, writeSafetensors } from '../../lib/io/safetensors.js'
import { Model } from '../../lib/model/model.js'
import { native } from '../../lib/runtime/addon.js'
import { settledTensors } from '../unit/settled-tensors.js'
import { collect, stripeNetwork, stripes } from '../unit/train-data.js'

let folder: string
/** A model file and a training checkpoint, undamaged. */
let good: Record<'model' | 'training', Buffer>
let file: string

const data = stripes(20)
const options = () => ({ batchSize: 10, seed: 1, checkpoint: { directory: join(folder, 'run') }, resume: true })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-checkpoint-'))
  using model = await Model.create(stripeNetwork(), { seed: 1, device: 'cpu' })
  await model.save(join(folder, 'model.safetensors'))
  await collect(model.train(data, options()))
  file = join(folder, 'run', 'checkpoint-00000002.safetensors')
  good = { model: await readFile(join(folder, 'model.safetensors')), training: await readFile(file) }
  await settledTensors() // nothing dropped here may be collected while a test counts
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The error of loading what lies at `file`, and proof that nothing native stayed behind. */
async function refusal(): Promise<CheckpointError> {
  const before = native().memory().tensors
  try {
    using model = await Model.load(file, { device: 'cpu' })
    throw new Error(`loaded a model of ${model.spec.parameters} parameters`)
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error
    expect(native().memory().tensors).toBe(before)
    return error
  }
}

describe('a damaged file', () => {
  const random = epochRandom(7, 0)
  const damages: [string, number, (bytes: Buffer) => Buffer][] = [
    [
      'one flipped bit',
      200,
      (bytes) => {
        const at = random.below(bytes.length)
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
        return bytes
      },
    ],
    [
      'one flipped bit in the header',
      200,
      (bytes) => {
        const at = random.below(8 + Number(bytes.readBigUInt64LE(0)))
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
        return bytes
      },
    ],
    ['a cut-off end', 80, (bytes) => bytes.subarray(0, random.below(bytes.length))],
    [
      'a piece left out',
      50,
      (bytes) => {
        const at = random.below(bytes.length - 64)
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(63))])
      },
    ],
    [
      'a piece put in',
      50,
      (bytes) => {
        const at = random.below(bytes.length)
        const piece = Buffer.alloc(1 + random.below(64), random.below(256))
        return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)])
      },
    ],
    [
      'a stretch of zeros',
      50,
      (bytes) => {
        const at = random.below(bytes.length - 600)
        return bytes.fill(0, at, at + 600)
      },
    ],
    ['noise all over', 20, (bytes) => Buffer.from(bytes.map(() => random.below(256)))],
  ]

  it.each(damages)('with %s gives a CheckpointError, %i times', async (_, times, damage) => {
    for (let i = 0; i < times; i++) {
      const original = i % 2 === 0 ? good.model : good.training
      const bytes = damage(Buffer.from(original))
      if (bytes.equals(original)) continue
      await writeFile(file, bytes)
      expect((await refusal()).code).toMatch(/^ERR_CHECKPOINT_/)
    }
  })

  it.each(['', '{}', 'not a checkpoint at all, but long enough to be one'])(
    'with the content %o is one too',
    async (text) => {
      await writeFile(file, text)
      expect((await refusal()).code).toMatch(/^ERR_CHECKPOINT_(TRUNCATED|FORMAT)$/)
    },
  )
})

/** Content of a file whose structure and checksum are right. */
interface Content {
  readonly metadata: Record<string, string>
  readonly tensors: Map<string, SafetensorsTensor>
}

async function forge(kind: 'model' | 'training', change: (content: Content) => void): Promise<void> {
  await writeFile(file, good[kind])
  const { metadata, tensors } = await readSafetensors(file)
  const content = { metadata: { ...metadata }, tensors: new Map(tensors) }
  change(content)
  await writeSafetensors(file, content.tensors, content.metadata)
}

function editSpec(change: (spec: { layers: Record<string, unknown>[]; [key: string]: unknown }) => void) {
  return ({ metadata }: Content): void => {
    const spec = JSON.parse(metadata['spikingrx.spec'] ?? '')
    change(spec)
    metadata['spikingrx.spec'] = JSON.stringify(spec)
  }
}

const zeros = (...shape: number[]): SafetensorsTensor => ({
  dtype: 'F32',
  shape,
  data: new Uint8Array(4 * shape.reduce((product, size) => product * size, 1)),
})

describe('a hostile file whose checksum is right', () => {
  it.each<[string, string, (content: Content) => void]>([
    [
      'a format of the future',
      'ERR_CHECKPOINT_FORMAT',
      ({ metadata }) => {
        metadata['spikingrx.format'] = '2'
      },
    ],
    [
      'no format',
      'ERR_CHECKPOINT_FORMAT',
      ({ metadata }) => {
        delete metadata['spikingrx.format']
      },
    ],
    [
      'no spec',
      'ERR_CHECKPOINT_SPEC',
      ({ metadata }) => {
        delete metadata['spikingrx.spec']
      },
    ],
    [
      'a spec that is not JSON',
      'ERR_CHECKPOINT_SPEC',
      ({ metadata }) => {
        metadata['spikingrx.spec'] = '{"input": [1'
      },
    ],
    [
      'a spec nested without end',
      'ERR_CHECKPOINT_SPEC',
      ({ metadata }) => {
        metadata['spikingrx.spec'] = '['.repeat(200_000)
      },
    ],
    ['an unknown layer', 'ERR_CHECKPOINT_SPEC', editSpec(({ layers }) => layers.push({ kind: 'shell' }))],
    [
      'a layer of gigantic size',
      'ERR_CHECKPOINT_SPEC',
      editSpec((spec) => {
        spec.layers = [{ kind: 'convBlock', channels: 2 ** 53 }]
      }),
    ],
    [
      'more parameters than the file holds',
      'ERR_CHECKPOINT_TENSORS',
      editSpec(({ layers }) => {
        layers[0] = { ...layers[0], channels: 4096 }
        layers[1] = { kind: 'spikeNorm' }
      }),
    ],
    [
      'steps without end',
      'ERR_CHECKPOINT_SPEC',
      editSpec((spec) => {
        spec.steps = 1e15
      }),
    ],
    [
      'settings that are none',
      'ERR_CHECKPOINT_FORMAT',
      ({ metadata }) => {
        metadata['spikingrx.settings'] = '{"dtype":"int8","seed":1}'
      },
    ],
    [
      'a negative seed',
      'ERR_CHECKPOINT_FORMAT',
      ({ metadata }) => {
        metadata['spikingrx.settings'] = '{"dtype":"float32","seed":-1}'
      },
    ],
    [
      'a tensor missing',
      'ERR_CHECKPOINT_TENSORS',
      ({ tensors }) => {
        tensors.delete('layers.0.weight')
      },
    ],
    [
      'a tensor too many',
      'ERR_CHECKPOINT_TENSORS',
      ({ tensors }) => {
        tensors.set('layers.9.weight', zeros(2))
      },
    ],
    [
      'a tensor of another shape',
      'ERR_CHECKPOINT_TENSORS',
      ({ tensors }) => {
        tensors.set('layers.0.weight', zeros(4, 1, 9))
      },
    ],
    [
      'a tensor of another dtype',
      'ERR_CHECKPOINT_TENSORS',
      ({ tensors }) => {
        tensors.set('layers.0.bias', { dtype: 'I32', shape: [4], data: new Uint8Array(16) })
      },
    ],
    [
      'trainer state in a model file',
      'ERR_CHECKPOINT_TENSORS',
      ({ tensors }) => {
        tensors.set('trainer.steps', zeros(1))
      },
    ],
  ])('with %s is refused', async (_, code, change) => {
    await forge('model', change)
    expect((await refusal()).code).toBe(code)
  })

  it.each<[string, string, (content: Content) => void]>([
    [
      'a position that is not JSON',
      'ERR_CHECKPOINT_FORMAT',
      ({ metadata }) => {
        metadata['spikingrx.training'] = '{'
      },
    ],
    [
      'a position before the start',
      'ERR_CHECKPOINT_FORMAT',
      ({ metadata }) => {
        metadata['spikingrx.training'] = (metadata['spikingrx.training'] ?? '').replace(/"step":\d+/, '"step":-3')
      },
    ],
    [
      'a position without sums',
      'ERR_CHECKPOINT_FORMAT',
      ({ metadata }) => {
        metadata['spikingrx.training'] = (metadata['spikingrx.training'] ?? '').replace('"totals"', '"total"')
      },
    ],
    [
      'trainer state of another shape',
      'ERR_CHECKPOINT_TENSORS',
      ({ tensors }) => {
        const name = [...tensors.keys()].find((key) => key.startsWith('trainer.') && key.endsWith('firstMoment')) ?? ''
        expect(name).not.toBe('')
        tensors.set(name, zeros(1, 2, 3))
      },
    ],
    [
      'trainer state missing',
      'ERR_CHECKPOINT_TENSORS',
      ({ tensors }) => {
        for (const name of tensors.keys()) if (name.startsWith('trainer.')) tensors.delete(name)
      },
    ],
    [
      'random state that is noise',
      'ERR_CHECKPOINT_TENSORS',
      ({ tensors }) => {
        const name = [...tensors.keys()].find((key) => /random/i.test(key)) ?? ''
        expect(name).not.toBe('')
        const state = tensors.get(name)
        if (state) tensors.set(name, { ...state, data: state.data.map((_, i) => (i * 37) % 256) })
      },
    ],
  ])('with %s is not resumed from, and changes no weight', async (_, code, change) => {
    await forge('training', change)
    using model = await Model.create(stripeNetwork(), { seed: 5, device: 'cpu' })
    const weights = () => model.tensors().map(({ tensor }) => tensor.toTypedArray())
    const before = weights()
    const run = model.train(data, options())
    await run.next()
    await expect(run.next()).rejects.toMatchObject({ name: 'CheckpointError', code })
    expect(weights()).toEqual(before)
  })

  it('loads again when nothing was changed', async () => {
    await forge('training', () => undefined)
    using model = await Model.load(file, { device: 'cpu' })
    expect(model.spec).toEqual(stripeNetwork())
  })
})
