import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseIdx, readIdx } from '../../lib/io/idx.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-idx-'))
})
afterAll(() => rm(folder, { recursive: true }))

const LABELS = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4)
const IMAGES = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6)

async function write(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return path
}

describe('IDX files', () => {
  it('are read from memory, from a file, and from a gzipped file', async () => {
    const labels = { shape: [3], data: Uint8Array.of(5, 0, 4) }
    const images = { shape: [1, 2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) }
    expect(parseIdx(LABELS)).toEqual(labels)
    expect(parseIdx(IMAGES)).toEqual(images)
    for (const bytes of [IMAGES, gzipSync(IMAGES)]) {
      const { shape, data } = await readIdx(await write('images', bytes))
      expect({ shape, data: Uint8Array.from(data) }).toEqual(images)
    }
    expect(parseIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 0))).toEqual({ shape: [0], data: new Uint8Array(0) })
  })

  it('are refused at every cut, and with anything after their end', () => {
    for (const whole of [LABELS, IMAGES]) {
      for (let length = 0; length < whole.length; length++) {
        expect(() => parseIdx(whole.subarray(0, length))).toThrow(expect.objectContaining({ code: 'ERR_DATA_FORMAT' }))
      }
      expect(() => parseIdx(Uint8Array.of(...whole, 0))).toThrow(expect.objectContaining({ code: 'ERR_DATA_FORMAT' }))
    }
  })

  it('are refused when they claim more than there can be', () => {
    const huge = Uint8Array.of(0, 0, 8, 4, ...new Array<number>(16).fill(255), 1, 2, 3)
    expect(() => parseIdx(huge)).toThrow(expect.objectContaining({ code: 'ERR_DATA_FORMAT' }))
  })

  it('are refused with another magic number or element type', () => {
    const codeOf = (...start: number[]): unknown => {
      try {
        parseIdx(Uint8Array.of(...start, 0, 0, 0, 0))
        return 'no error'
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    expect(codeOf(1, 0, 8, 1)).toBe('ERR_DATA_FORMAT')
    expect(codeOf(0, 0, 8, 0)).toBe('ERR_DATA_FORMAT')
    expect(codeOf(0, 0, 0x0d, 1)).toBe('ERR_DATA_UNSUPPORTED')
  })

  it('say what is wrong with a file', async () => {
    const packed = gzipSync(IMAGES)
    await expect(readIdx(await write('cut.gz', packed.subarray(0, -5)))).rejects.toMatchObject({
      code: 'ERR_DATA_FORMAT',
      message: `${join(folder, 'cut.gz')} is not a complete gzip file`,
    })
    await expect(readIdx(join(folder, 'missing'))).rejects.toMatchObject({ code: 'ERR_DATA_MISSING' })
    await expect(readIdx(folder)).rejects.toMatchObject({ code: 'ERR_DATA_READ' })
  })
})
