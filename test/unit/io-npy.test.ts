import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NpyArray } from '../../lib/io/npy.js'
import { encodeNpy, parseNpy, readNpy, writeNpy } from '../../lib/io/npy.js'

const fixture = (name: string): string => fileURLToPath(new URL(`io-fixtures/${name}.npy`, import.meta.url))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-npy-'))
})
afterAll(() => rm(folder, { recursive: true }))

function codeOf(act: () => unknown): unknown {
  try {
    act()
    return 'no error'
  } catch (error) {
    return (error as { code: string }).code
  }
}

/** A file with this header and these values. */
function npy(header: string, values: Uint8Array, version = 1): Buffer {
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, 0, 0])
  start.writeUInt16LE(header.length, 8)
  return Buffer.concat([start, Buffer.from(header, 'latin1'), values])
}

describe('.npy files', () => {
  it('that NumPy wrote are read', async () => {
    // The values are those in io-fixtures/make.py.
    const cube = Array.from({ length: 24 }, (_, i) => i)
    const expected: Readonly<Record<string, NpyArray>> = {
      f4: { shape: [2, 3, 4], dtype: 'float32', complex: false, data: Float32Array.from(cube) },
      'f4-fortran': { shape: [2, 3, 4], dtype: 'float32', complex: false, data: Float32Array.from(cube) },
      'f8-v3': { shape: [2, 3, 4], dtype: 'float64', complex: false, data: Float64Array.from(cube) },
      i8: { shape: [2], dtype: 'int64', complex: false, data: BigInt64Array.of(-(2n ** 62n), 5n) },
      i4: { shape: [2, 1], dtype: 'int32', complex: false, data: Int32Array.of(-1, 2) },
      u1: { shape: [3], dtype: 'uint8', complex: false, data: Uint8Array.of(0, 128, 255) },
      b1: { shape: [2], dtype: 'bool', complex: false, data: Uint8Array.of(1, 0) },
      c8: { shape: [2], dtype: 'float32', complex: true, data: Float32Array.of(1, 2, 3, -4) },
      'c16-fortran': {
        shape: [2, 2],
        dtype: 'float64',
        complex: true,
        data: Float64Array.of(1, 2, 3, -4, 0, 5, 6, 0),
      },
      scalar: { shape: [], dtype: 'float32', complex: false, data: Float32Array.of(2.5) },
      empty: { shape: [0, 3], dtype: 'float64', complex: false, data: new Float64Array(0) },
    }
    for (const [name, array] of Object.entries(expected)) expect(await readNpy(fixture(name))).toEqual(array)
  })

  it('are written as NumPy writes them', async () => {
    for (const name of ['f4', 'i8', 'i4', 'u1', 'b1', 'c8', 'scalar', 'empty']) {
      const bytes = await readFile(fixture(name))
      expect(Buffer.from(encodeNpy(parseNpy(bytes))).equals(bytes), name).toBe(true)
    }
  })

  it('come back from a file as they were, and no temporary file stays', async () => {
    const array: NpyArray = { shape: [3, 1], dtype: 'int16', complex: false, data: Int16Array.of(-300, 0, 300) }
    const path = join(folder, 'array.npy')
    await writeNpy(path, array)
    expect(await readNpy(path)).toEqual(array)
    expect(await readdir(folder)).toEqual(['array.npy'])
    await expect(writeNpy(join(folder, 'nowhere', 'a.npy'), array)).rejects.toMatchObject({ code: 'ERR_DATA_WRITE' })
  })

  it('of Python objects or big-endian numbers are refused', async () => {
    await expect(readNpy(fixture('object'))).rejects.toMatchObject({ code: 'ERR_DATA_UNSUPPORTED' })
    await expect(readNpy(fixture('big-endian'))).rejects.toMatchObject({ code: 'ERR_DATA_UNSUPPORTED' })
    await expect(readNpy(join(folder, 'missing.npy'))).rejects.toMatchObject({ code: 'ERR_DATA_MISSING' })
  })

  it('are refused at every cut, and with anything after their end', async () => {
    const bytes = await readFile(fixture('u1'))
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(() => parseNpy(bytes.subarray(0, length)))).toBe('ERR_DATA_FORMAT')
    }
    expect(codeOf(() => parseNpy(Buffer.concat([bytes, Buffer.of(0)])))).toBe('ERR_DATA_FORMAT')
  })

  it('are read with any spacing of the header, and refused with any other content', () => {
    const two = Uint8Array.of(1, 2)
    for (const header of [
      "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }\n",
      "{'shape':(2,),'fortran_order':True,'descr':'|u1'}",
      "{ 'descr' : '|u1' , 'fortran_order' : False , 'shape' : ( 1 , 2 ) }",
      "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2,), }",
    ]) {
      expect(parseNpy(npy(header, two)).data).toEqual(two)
    }
    for (const header of [
      '',
      '{}',
      "{'descr': '|u1', 'shape': (2,)}",
      "{'descr': '|u1', 'fortran_order': 0, 'shape': (2,)}",
      "{'descr': '|u1', 'fortran_order': False, 'shape': (2)}",
      "{'descr': '|u1', 'fortran_order': False, 'shape': (,)}",
      "{'descr': '|u1', 'fortran_order': False, 'shape': (1,,2)}",
      "{'descr': '|u1', 'fortran_order': False, 'shape': (-2,)}",
      "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), 'shape': (2,)}",
      "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), 'more': 1}",
      "{'descr': '|u1', 'fortran_order': False, 'shape': (2,)} x",
      "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999, 0)}",
      "{'descr': '|u1', 'fortran_order': False, 'shape': (9007199254740991, 9007199254740991)}",
    ]) {
      expect(
        codeOf(() => parseNpy(npy(header, two))),
        header,
      ).toBe('ERR_DATA_FORMAT')
    }
    expect(codeOf(() => parseNpy(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}", two, 4)))).toBe(
      'ERR_DATA_FORMAT',
    )
  })

  it('are not written from arrays that do not fit', () => {
    const data = Float32Array.of(1, 2, 3)
    expect(codeOf(() => encodeNpy({ shape: [2], dtype: 'float32', complex: false, data }))).toBe('ERR_SHAPE')
    expect(codeOf(() => encodeNpy({ shape: [3], dtype: 'float32', complex: true, data }))).toBe('ERR_SHAPE')
    expect(codeOf(() => encodeNpy({ shape: [3], dtype: 'int32', complex: false, data }))).toBe('ERR_TYPE')
    expect(codeOf(() => encodeNpy({ shape: [3], dtype: 'int32', complex: true, data }))).toBe('ERR_TYPE')
  })

  it('say which file is wrong in one line', async () => {
    const path = join(folder, 'wrong.npy')
    await writeFile(path, 'not an array')
    await expect(readNpy(path)).rejects.toMatchObject({
      message: `${path} is not a .npy file: its first bytes are wrong`,
      code: 'ERR_DATA_FORMAT',
    })
  })
})
