import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encode } from 'fast-png'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ImageOptions } from '../../lib/io/image.js'
import { readImage } from '../../lib/io/image.js'
import type { NpyArray } from '../../lib/io/npy.js'
import { writeNpy } from '../../lib/io/npy.js'

const fixture = (name: string): string => fileURLToPath(new URL(`io-fixtures/${name}.png`, import.meta.url))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-image-'))
})
afterAll(() => rm(folder, { recursive: true }))

let files = 0
async function greyPng(width: number, values: readonly number[]): Promise<string> {
  const path = join(folder, `${files++}.png`)
  const data = Uint8Array.from(values)
  await writeFile(path, encode({ width, height: values.length / width, data, channels: 1, depth: 8 }))
  return path
}

async function npy(shape: readonly number[], data: NpyArray['data'], dtype: NpyArray['dtype']): Promise<string> {
  const path = join(folder, `${files++}.npy`)
  await writeNpy(path, { shape, data, dtype, complex: false })
  return path
}

async function values(path: string, shape: readonly number[], options: Partial<ImageOptions> = {}): Promise<number[]> {
  const image = await readImage(path, { shape, ...options })
  expect(image.shape).toEqual(shape)
  return [...image.data]
}

/** Sample (x, y, c) of the fixtures, before it is spread over the range: see io-fixtures/make.py. */
const raw = (x: number, y: number, c = 0): number => 3 * x + 5 * y + 7 * c
/** f at every pixel of a 5 x 3 image, row by row. */
const each = (f: (x: number, y: number) => number): number[] =>
  Array.from({ length: 15 }, (_, i) => f(i % 5, Math.floor(i / 5)))

describe('PNG images', () => {
  it('of every grey depth are read', async () => {
    const grey = (name: string): Promise<number[]> => values(fixture(name), [1, 3, 5])
    expect(await grey('grey1')).toEqual(each((x, y) => (raw(x, y) % 2) * 255))
    expect(await grey('grey2')).toEqual(each((x, y) => (raw(x, y) % 4) * 85))
    expect(await grey('grey4')).toEqual(each((x, y) => (raw(x, y) % 16) * 17))
    expect(await grey('grey8')).toEqual(each((x, y) => (raw(x, y) * 10) % 256))
    expect(await grey('grey8-interlaced')).toEqual(each((x, y) => (raw(x, y) * 10) % 256))
    expect(await grey('grey16')).toEqual(each((x, y) => Math.round(((raw(x, y) * 2570) % 65536) / 257)))
  })

  it('are laid over black where they are transparent', async () => {
    const alpha = each((x, y) => Math.round((raw(x, y) * 10 * ((raw(x, y, 1) * 10) % 256)) / 255))
    expect(await values(fixture('grey-alpha'), [1, 3, 5])).toEqual(alpha)
    const key = each((x, y) => (raw(x, y) === 3 ? 0 : (raw(x, y) * 10) % 256))
    expect(await values(fixture('grey8-transparent'), [1, 3, 5])).toEqual(key)
  })

  it('in colour keep their channels, or become grey by BT.601', async () => {
    const colour = (x: number, y: number, c: number): number => (raw(x, y, c) * 10) % 256
    const planes = [0, 1, 2].flatMap((c) => each((x, y) => colour(x, y, c)))
    expect(await values(fixture('rgb'), [3, 3, 5])).toEqual(planes)
    const grey = each((x, y) => Math.round(0.299 * colour(x, y, 0) + 0.587 * colour(x, y, 1) + 0.114 * colour(x, y, 2)))
    expect(await values(fixture('rgb'), [1, 3, 5])).toEqual(grey)
    const opacity = (x: number, y: number): number => colour(x, y, 3) / 255
    const laid = [0, 1, 2].flatMap((c) => each((x, y) => Math.round(colour(x, y, c) * opacity(x, y))))
    expect(await values(fixture('rgba'), [3, 3, 5])).toEqual(laid)
  })

  it('with a palette are read, transparency included', async () => {
    const palette = [
      [10, 20, 30],
      [Math.round((200 * 128) / 255), Math.round((100 * 128) / 255), Math.round((50 * 128) / 255)],
      [255, 255, 255],
      [0, 0, 0],
    ]
    const planes = [0, 1, 2].flatMap((c) => each((x, y) => palette[raw(x, y) % 4]![c]!))
    expect(await values(fixture('palette2'), [3, 3, 5])).toEqual(planes)
  })

  it('repeat grey for a network of three channels', async () => {
    expect(await values(await greyPng(2, [1, 2]), [3, 1, 2])).toEqual([1, 2, 1, 2, 1, 2])
  })

  it('are resized by area', async () => {
    const four = await greyPng(4, [0, 40, 100, 200, 20, 60, 100, 200])
    expect(await values(four, [1, 1, 2])).toEqual([30, 150])
    expect(await values(four, [1, 1, 1])).toEqual([90])
    expect(await values(four, [1, 2, 4])).toEqual([0, 40, 100, 200, 20, 60, 100, 200])
    // 3 pixels into 2: each takes one whole pixel and half of the middle one.
    expect(await values(await greyPng(3, [30, 60, 120]), [1, 1, 2])).toEqual([40, 100])
    // 2 into 3: the middle one is half of each.
    expect(await values(await greyPng(2, [30, 90]), [1, 1, 3])).toEqual([30, 60, 90])
    expect(await values(await greyPng(1, [7, 9]), [1, 4, 1])).toEqual([7, 7, 9, 9])
  })

  it('are inverted on request, or when their border is light', async () => {
    const dark = await greyPng(3, [0, 10, 0, 0, 255, 0, 0, 0, 0])
    const light = await greyPng(3, [255, 250, 255, 255, 0, 255, 255, 255, 255])
    const lit = [0, 5, 0, 0, 255, 0, 0, 0, 0]
    expect(await values(dark, [1, 3, 3], { invert: 'auto' })).toEqual([0, 10, 0, 0, 255, 0, 0, 0, 0])
    expect(await values(light, [1, 3, 3], { invert: 'auto' })).toEqual(lit)
    expect(await values(light, [1, 3, 3], { invert: true })).toEqual(lit)
    expect(await values(light, [1, 3, 3])).toEqual([255, 250, 255, 255, 0, 255, 255, 255, 255])
    expect(await values(await greyPng(1, [200]), [1, 1, 1], { invert: 'auto' })).toEqual([55])
  })

  it('that are damaged are refused at every cut and every flipped bit of their pixels', async () => {
    const bytes = await readFile(fixture('grey8'))
    const path = join(folder, 'damaged.png')
    for (let length = 0; length < bytes.length - 4; length++) {
      await writeFile(path, bytes.subarray(0, length))
      await expect(readImage(path, { shape: [1, 3, 5] })).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_DATA_(FORMAT|UNSUPPORTED)$/),
      })
    }
    for (let at = 16; at < bytes.length - 12; at++) {
      const flipped = Buffer.from(bytes)
      flipped[at]! ^= 1 << (at % 8)
      await writeFile(path, flipped)
      await expect(readImage(path, { shape: [1, 3, 5] }), `byte ${at}`).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_DATA_(FORMAT|UNSUPPORTED)$/),
      })
    }
  })

  it('that claim to be enormous are refused before they are unpacked', async () => {
    const bytes = await readFile(fixture('grey8'))
    bytes.writeUInt32BE(2 ** 31 - 1, 16)
    bytes.writeUInt32BE(2 ** 31 - 1, 20)
    const path = join(folder, 'enormous.png')
    await writeFile(path, bytes)
    await expect(readImage(path, { shape: [1, 3, 5] })).rejects.toMatchObject({
      code: 'ERR_DATA_FORMAT',
      message: expect.stringContaining('pixels, and 1 to'),
    })
  })

  it('that are interlaced below 8 bits are refused, not read wrongly', async () => {
    await expect(readImage(fixture('grey1-interlaced'), { shape: [1, 3, 5] })).rejects.toMatchObject({
      code: 'ERR_DATA_UNSUPPORTED',
    })
  })
})

describe('NumPy images', () => {
  it('are read with channels first, last or none', async () => {
    const two = Uint8Array.of(1, 2, 3, 4, 5, 6)
    expect(await values(await npy([2, 3], two, 'uint8'), [1, 2, 3])).toEqual([1, 2, 3, 4, 5, 6])
    expect(await values(await npy([1, 2, 3], two, 'uint8'), [1, 2, 3])).toEqual([1, 2, 3, 4, 5, 6])
    expect(await values(await npy([3, 1, 2], two, 'uint8'), [3, 1, 2])).toEqual([1, 2, 3, 4, 5, 6])
    expect(await values(await npy([2, 1, 3], two, 'uint8'), [3, 2, 1])).toEqual([1, 4, 2, 5, 3, 6])
  })

  it('are scaled by their element type', async () => {
    expect(await values(await npy([1, 3], Float32Array.of(0, 0.5, 1), 'float32'), [1, 1, 3])).toEqual([0, 128, 255])
    expect(await values(await npy([1, 2], BigInt64Array.of(3n, 255n), 'int64'), [1, 1, 2])).toEqual([3, 255])
    expect(await values(await npy([1, 2], Uint8Array.of(0, 1), 'bool'), [1, 1, 2])).toEqual([0, 255])
  })

  it('are refused when they are not images', async () => {
    const read = async (path: string): Promise<unknown> =>
      readImage(path, { shape: [1, 2, 2] }).catch((error: { code: string }) => error.code)
    expect(await read(await npy([4], new Uint8Array(4), 'uint8'))).toBe('ERR_SHAPE')
    expect(await read(await npy([2, 2, 2], new Uint8Array(8), 'uint8'))).toBe('ERR_SHAPE')
    expect(await read(await npy([0, 2], new Uint8Array(0), 'uint8'))).toBe('ERR_SHAPE')
    expect(await read(await npy([1, 2], Float32Array.of(0, 1.5), 'float32'))).toBe('ERR_DATA_FORMAT')
    expect(await read(await npy([1, 2], Float32Array.of(0, Number.NaN), 'float32'))).toBe('ERR_DATA_FORMAT')
    expect(await read(await npy([1, 2], Int32Array.of(0, -1), 'int32'))).toBe('ERR_DATA_FORMAT')
  })
})

describe('readImage', () => {
  it('refuses other files, other shapes and other options', async () => {
    const path = join(folder, 'text.txt')
    await writeFile(path, 'GIF89a')
    await expect(readImage(path, { shape: [1, 2, 2] })).rejects.toMatchObject({ code: 'ERR_DATA_UNSUPPORTED' })
    const missing = join(folder, 'missing.png')
    await expect(readImage(missing, { shape: [1, 2, 2] })).rejects.toMatchObject({ code: 'ERR_DATA_MISSING' })
    for (const shape of [
      [2, 2],
      [2, 4, 4],
      [1, 0, 4],
      [1, 2.5, 4],
      [1, 2, 3, 4],
    ]) {
      await expect(readImage(missing, { shape })).rejects.toMatchObject({ code: 'ERR_SHAPE' })
    }
    const invert = 'maybe' as 'auto'
    await expect(readImage(missing, { shape: [1, 2, 2], invert })).rejects.toMatchObject({ code: 'ERR_TYPE' })
  })
})
