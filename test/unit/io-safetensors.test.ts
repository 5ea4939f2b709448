import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SafetensorsTensor } from '../../lib/io/safetensors.js'
import { parseSafetensors, readSafetensors, writeSafetensors } from '../../lib/io/safetensors.js'
import { tensorFromValues, valuesFromTensor } from '../../lib/io/tensor-values.js'
import type { Dtype, TypedArray } from '../../lib/native.js'

const fixture = (name: string): string => fileURLToPath(new URL(`io-fixtures/${name}.safetensors`, import.meta.url))

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-safetensors-'))
})
afterEach(() => rm(folder, { recursive: true }))

function tensor(data: TypedArray, shape: readonly number[], dtype: Dtype): SafetensorsTensor {
  return tensorFromValues({ data, shape, dtype })
}

/** The header of a file, as text. */
async function headerOf(path: string): Promise<string> {
  const bytes = await readFile(path)
  return bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE(0)))
}

describe('readSafetensors', () => {
  it('reads what Python wrote: every element type, scalars, empty tensors, any name', async () => {
    const { metadata, tensors, verified } = await readSafetensors(fixture('python'))
    // The values are those in io-fixtures/make.py.
    expect(metadata).toEqual({ format: 'pt', note: 'quotes " and ünïcode' })
    expect(verified).toBe(false)
    const grid = [0, 0.25, 0.5, 0.75, 1, 1.25]
    const values = Object.fromEntries([...tensors].map(([name, value]) => [name, valuesFromTensor(value)]))
    expect(values).toEqual({
      'layers.0.weight': { dtype: 'float32', shape: [2, 3], data: Float32Array.from(grid) },
      double: { dtype: 'float64', shape: [2, 3], data: Float64Array.from(grid) },
      half: { dtype: 'float16', shape: [2, 3], data: Float32Array.from(grid) },
      long: { dtype: 'int64', shape: [2], data: BigInt64Array.of(-(2n ** 62n), 2n ** 62n) },
      int: { dtype: 'int32', shape: [2], data: Int32Array.of(-7, 7) },
      short: { dtype: 'int16', shape: [1], data: Int16Array.of(-300) },
      byte: { dtype: 'int8', shape: [1], data: Int8Array.of(-3) },
      pixel: { dtype: 'uint8', shape: [2], data: Uint8Array.of(0, 255) },
      mask: { dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) },
      scalar: { dtype: 'float32', shape: [], data: Float32Array.of(3.5) },
      empty: { dtype: 'float32', shape: [0, 4], data: new Float32Array(0) },
      ['__proto__']: { dtype: 'float32', shape: [1], data: Float32Array.of(1) },
      größe: { dtype: 'float32', shape: [1], data: Float32Array.of(2) },
    })
    expect(Object.keys(values)).toHaveLength(13)
  })

  it('reads the same from memory, at any alignment', async () => {
    const bytes = await readFile(fixture('python'))
    for (let shift = 0; shift < 8; shift++) {
      const shifted = new Uint8Array(bytes.length + shift).subarray(shift)
      shifted.set(bytes)
      const { tensors } = parseSafetensors(shifted)
      expect(valuesFromTensor(tensors.get('long')!).data).toEqual(BigInt64Array.of(-(2n ** 62n), 2n ** 62n))
      expect(valuesFromTensor(tensors.get('scalar')!).data).toEqual(Float32Array.of(3.5))
    }
  })

  it('names the tensor and the dtype that it does not support', async () => {
    await expect(readSafetensors(fixture('python-unsupported'))).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_UNSUPPORTED',
      message: expect.stringContaining('"counts" of dtype U32'),
    })
  })

  it('says that a file is missing or not a file', async () => {
    await expect(readSafetensors(join(folder, 'none'))).rejects.toMatchObject({
      name: 'CheckpointError',
      code: 'ERR_CHECKPOINT_MISSING',
      message: `${join(folder, 'none')} does not exist`,
    })
    await expect(readSafetensors(join(fixture('python'), 'below'))).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_MISSING',
    })
    await expect(readSafetensors(folder)).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_READ' })
  })

  it('makes C++ truth values of any byte', () => {
    const { data } = valuesFromTensor({ dtype: 'BOOL', shape: [3], data: Uint8Array.of(0, 2, 255) })
    expect(data).toEqual(Uint8Array.of(0, 1, 1))
  })
})

describe('writeSafetensors', () => {
  const weights = (): Map<string, SafetensorsTensor> =>
    new Map([
      ['b', tensor(Uint8Array.of(1, 2, 3), [3], 'uint8')],
      ['d', tensor(Float32Array.of(1.5, -2), [2, 1], 'float32')],
      ['a', tensor(Float32Array.of(9), [], 'float32')],
      ['c', tensor(Float64Array.of(0.1), [1], 'float64')],
    ])

  it('gives back what was written, and says that it is verified', async () => {
    const path = join(folder, 'a.safetensors')
    const metadata = { note: 'ünï "code"\n', ['__proto__']: 'harmless', empty: '' }
    await writeSafetensors(path, weights(), metadata)
    const file = await readSafetensors(path)
    expect(file.metadata).toEqual(metadata)
    expect(Object.getPrototypeOf(file.metadata)).toBe(Object.prototype)
    expect(file.verified).toBe(true)
    expect(new Map(file.tensors)).toEqual(weights())
    expect(await readdir(folder)).toEqual(['a.safetensors'])
  })

  it('writes a file without tensors', async () => {
    const path = join(folder, 'empty.safetensors')
    await writeSafetensors(path, new Map())
    expect(await readSafetensors(path)).toEqual({ metadata: {}, tensors: new Map(), verified: true })
  })

  it('lays tensors out as Python does: wide types first, then names, data aligned to 8 bytes', async () => {
    const path = join(folder, 'a.safetensors')
    await writeSafetensors(path, weights())
    const header = await headerOf(path)
    const { __metadata__, ...entries } = JSON.parse(header)
    expect(entries).toEqual({
      c: { dtype: 'F64', shape: [1], data_offsets: [0, 8] },
      a: { dtype: 'F32', shape: [], data_offsets: [8, 12] },
      d: { dtype: 'F32', shape: [2, 1], data_offsets: [12, 20] },
      b: { dtype: 'U8', shape: [3], data_offsets: [20, 23] },
    })
    expect(Object.keys(entries)).toEqual(['c', 'a', 'd', 'b'])
    expect(Object.keys(__metadata__)).toEqual(['spikingrx.integrity', 'spikingrx.sha256'])
    expect(Buffer.byteLength(header) % 8).toBe(0)
    expect(header).toMatch(/^\{.*\} {0,7}$/s)
  })

  it('writes the same bytes for the same content, whatever the order', async () => {
    await writeSafetensors(join(folder, 'a'), weights(), { x: '1' })
    await writeSafetensors(join(folder, 'b'), new Map([...weights()].reverse()), { x: '1' })
    expect(await readFile(join(folder, 'a'))).toEqual(await readFile(join(folder, 'b')))
  })

  it('leaves the checksum of the file it was read from behind', async () => {
    const path = join(folder, 'a')
    await writeSafetensors(path, weights(), { x: '1', 'spikingrx.sha256': 'stale' })
    const { metadata, tensors } = await readSafetensors(path)
    const changed = new Map(tensors).set('a', tensor(Float32Array.of(10), [], 'float32'))
    await writeSafetensors(path, changed, metadata)
    expect((await readSafetensors(path)).metadata).toEqual({ x: '1' })
  })

  it('notices a changed value, a changed name and changed metadata', async () => {
    const path = join(folder, 'a')
    await writeSafetensors(path, weights(), { spec: 'steps 8' })
    const good = await readFile(path)
    const replaced = (before: string, after: string): Buffer => {
      const text = good.toString('latin1')
      expect(text).toContain(before)
      return Buffer.from(text.replace(before, after), 'latin1')
    }
    const data = Buffer.from(good)
    data[data.length - 1]! ^= 1
    for (const bytes of [
      data,
      replaced('"d":', '"e":'),
      replaced('steps 8', 'steps 9'),
      replaced('"shape":[2,1]', '"shape":[1,2]'),
      replaced('spikingrx.sha256', 'spikingrx.sha255'),
      replaced('spikingrx.integrity', 'spikingrx.integritx'),
      replaced('"spikingrx.integrity":"sha256"', '"spikingrx.integrity":"sha255"'),
    ]) {
      await writeFile(path, bytes)
      await expect(readSafetensors(path)).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_CHECKSUM' })
    }
  })

  it('replaces a file as a whole', async () => {
    const path = join(folder, 'a')
    await writeSafetensors(path, weights(), { version: 'a much longer text than that of the second version' })
    await writeSafetensors(path, new Map([['a', tensor(Float32Array.of(1), [1], 'float32')]]), { version: '2' })
    expect((await readSafetensors(path)).metadata).toEqual({ version: '2' })
  })

  it('leaves the old file and no temporary one when it fails', async () => {
    // A folder can't be replaced by a file: the very last step fails.
    const path = join(folder, 'taken')
    await mkdir(path)
    await writeFile(join(path, 'content'), 'old')
    await expect(writeSafetensors(path, weights())).rejects.toMatchObject({
      name: 'CheckpointError',
      code: 'ERR_CHECKPOINT_WRITE',
    })
    expect(await readdir(folder)).toEqual(['taken'])
    expect(await readdir(path)).toEqual(['content'])
    await expect(writeSafetensors(join(folder, 'none', 'a'), weights())).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_WRITE',
    })
  })

  it('leaves the old file and no temporary one when the disk is full', async () => {
    const path = join(folder, 'a')
    await writeSafetensors(path, weights(), { version: 'old' })
    // A tensor whose bytes fail half-way through, as a full disk does.
    const failing = tensor(new Float32Array(4), [4], 'float32')
    const { data } = failing
    Object.defineProperty(data, 'subarray', {
      value: () => {
        throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
      },
    })
    await expect(writeSafetensors(path, weights().set('z', failing))).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_WRITE',
      message: `${path} can't be written (ENOSPC)`,
    })
    expect((await readSafetensors(path)).metadata).toEqual({ version: 'old' })
    expect(await readdir(folder)).toEqual(['a'])
  })

  it('replaces a link, not what it points to', async () => {
    await writeFile(join(folder, 'target'), 'untouched')
    await symlink(join(folder, 'target'), join(folder, 'link'))
    await writeSafetensors(join(folder, 'link'), weights())
    expect(await readFile(join(folder, 'target'), 'utf8')).toBe('untouched')
    expect((await readSafetensors(join(folder, 'link'))).tensors.size).toBe(4)
  })

  it('refuses what the format can not hold, before it touches the disk', async () => {
    const path = join(folder, 'a')
    const one = tensor(Float32Array.of(1), [1], 'float32')
    const cases: readonly [Map<string, SafetensorsTensor>, Record<string, string>, string][] = [
      [new Map([['a', { ...one, shape: [2] }]]), {}, 'ERR_SHAPE'],
      [new Map([['a', { ...one, shape: [2 ** 31, 2 ** 31] }]]), {}, 'ERR_SHAPE'],
      [new Map([['a', { ...one, shape: [-1, -1] }]]), {}, 'ERR_TYPE'],
      [new Map([['a', { ...one, shape: [0.5, 2] }]]), {}, 'ERR_TYPE'],
      [new Map([['a', { ...one, dtype: 'F8' as 'F16' }]]), {}, 'ERR_TYPE'],
      [new Map([['__metadata__', one]]), {}, 'ERR_TYPE'],
      [new Map([['\ud800', one]]), {}, 'ERR_TYPE'],
      [new Map(), { a: 5 as unknown as string }, 'ERR_TYPE'],
      [new Map(), { a: 'lone \udc00' }, 'ERR_TYPE'],
    ]
    for (const [tensors, metadata, code] of cases) {
      await expect(writeSafetensors(path, tensors, metadata)).rejects.toMatchObject({ code })
    }
    expect(await readdir(folder)).toEqual([])
  })

  it('writes a tensor larger than one chunk', async () => {
    const path = join(folder, 'large')
    const values = Float32Array.from({ length: 3_000_000 }, (_, i) => i)
    await writeSafetensors(path, new Map([['a', tensor(values, [3_000_000], 'float32')]]))
    const { tensors, verified } = await readSafetensors(path)
    expect(verified).toBe(true)
    expect(Buffer.compare(tensors.get('a')!.data, new Uint8Array(values.buffer))).toBe(0)
  })
})
