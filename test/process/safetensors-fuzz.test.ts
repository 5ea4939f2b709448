import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { epochRandom } from '../../lib/data/permutation.js'
import { CheckpointError } from '../../lib/errors.js'
import { parseSafetensors, readSafetensors, writeSafetensors } from '../../lib/io/safetensors.js'
import { tensorFromValues } from '../../lib/io/tensor-values.js'

let folder: string
let path: string
/** A file as checkpoints are: spec in the metadata, several types, a checksum. */
let good: Buffer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-fuzz-'))
  path = join(folder, 'model.safetensors')
  const weight = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i))
  await writeSafetensors(
    path,
    new Map([
      ['layers.0.weight', tensorFromValues({ data: weight, shape: [2, 3, 4], dtype: 'float32' })],
      ['layers.1.runningMean', tensorFromValues({ data: Float64Array.of(0.5), shape: [1], dtype: 'float64' })],
      ['steps', tensorFromValues({ data: BigInt64Array.of(7n), shape: [], dtype: 'int64' })],
      ['random', tensorFromValues({ data: Uint8Array.of(1, 2, 3), shape: [3], dtype: 'uint8' })],
      ['none', tensorFromValues({ data: new Float32Array(0), shape: [0, 5], dtype: 'float32' })],
    ]),
    { 'spikingrx.spec': JSON.stringify({ input: [1, 28, 28], steps: 8, layers: [{ kind: 'lif', decay: 0.9 }] }) },
  )
  good = await readFile(path)
})
afterAll(() => rm(folder, { recursive: true }))

const CODE = /^ERR_CHECKPOINT_(FORMAT|TRUNCATED|UNSUPPORTED|CHECKSUM)$/

/** The code that reading these bytes ends with; throws when it ends in any other way. */
function codeOf(bytes: Uint8Array): string {
  try {
    parseSafetensors(bytes)
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error
    expect(error.code).toMatch(CODE)
    expect(error.message).not.toContain('\n')
    expect(error.message.length).toBeLessThan(600)
    return error.code
  }
  throw new Error('the file was read')
}

/** The same through a file. */
async function codeOfFile(bytes: Uint8Array): Promise<string> {
  const damaged = join(folder, 'damaged.safetensors')
  await writeFile(damaged, bytes)
  const outcome: unknown = await readSafetensors(damaged).catch((error: unknown) => error)
  if (!(outcome instanceof CheckpointError)) throw outcome
  expect(outcome.code).toMatch(CODE)
  return outcome.code
}

/** A file with this header (text or bytes), this much data, and a length that may lie. */
function file(header: string | Uint8Array, dataBytes = 0, length?: bigint): Buffer {
  const bytes = Buffer.from(header)
  const start = Buffer.alloc(8)
  start.writeBigUInt64LE(length ?? BigInt(bytes.length))
  return Buffer.concat([start, bytes, Buffer.alloc(dataBytes)])
}

/** A header with one tensor of this shape and these offsets. */
function one(shape: string, offsets: string, dtype = '"F32"'): string {
  return `{"a":{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}}`
}

describe('a damaged checkpoint', () => {
  it('is itself good before it is damaged', async () => {
    expect(parseSafetensors(good).verified).toBe(true)
    expect((await readSafetensors(path)).tensors.size).toBe(5)
  })

  it('is refused when cut at any byte', async () => {
    for (let length = 0; length < good.length; length++) {
      expect(codeOf(good.subarray(0, length)), `${length} bytes`).toBe('ERR_CHECKPOINT_TRUNCATED')
    }
    for (let length = 0; length < good.length; length += 37) {
      expect(await codeOfFile(good.subarray(0, length))).toBe('ERR_CHECKPOINT_TRUNCATED')
    }
  })

  it('is refused with any single bit flipped: in the length, the header, the padding or the data', () => {
    const seen = new Map<string, number>()
    for (let bit = 0; bit < good.length * 8; bit++) {
      const flipped = Buffer.from(good)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const code = codeOf(flipped)
      seen.set(code, (seen.get(code) ?? 0) + 1)
    }
    // Every bit of the data is caught by the checksum and by nothing else.
    expect(seen.get('ERR_CHECKPOINT_CHECKSUM')).toBeGreaterThan((24 * 4 + 8 + 8 + 3) * 8)
    expect(seen.get('ERR_CHECKPOINT_FORMAT')).toBeGreaterThan(1000)
  })

  it('is refused after several hundred random mutations, in memory and as a file', async () => {
    const random = epochRandom(20261122, 0)
    for (let round = 0; round < 600; round++) {
      let bytes = Buffer.from(good)
      for (let n = 1 + random.below(4); n > 0; n--) {
        const at = random.below(bytes.length)
        const span = 1 + random.below(16)
        switch (random.below(6)) {
          case 0: // flip
            bytes[at]! ^= 1 << random.below(8)
            break
          case 1: // overwrite
            bytes[at] = bytes[at]! ^ (1 + random.below(255))
            break
          case 2: // cut out
            bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + span)])
            break
          case 3: // double a piece
            bytes = Buffer.concat([bytes.subarray(0, at + span), bytes.subarray(at)])
            break
          case 4: // zero a piece
            bytes.fill(0, at, Math.min(at + span, bytes.length))
            break
          default: // grow the length of the header
            if (bytes.length >= 8) bytes.writeBigUInt64LE(bytes.readBigUInt64LE(0) + BigInt(span), 0)
        }
        if (bytes.length === 0) break
      }
      if (bytes.equals(good)) continue
      codeOf(bytes)
      if (round % 3 === 0) await codeOfFile(bytes)
    }
  })
})

describe('a hostile header', () => {
  const cases: Readonly<Record<string, () => Buffer>> = {
    'no header': () => file(''),
    'a header of one byte': () => file('{'),
    'a length beyond 64 bits of file': () => file('{}', 0, 2n ** 64n - 1n),
    'a length beyond 100 MB': () => file('{}', 0, 100_000_001n),
    'a length beyond the file': () => file('{}', 0, 3n),
    'an array': () => file('[]'),
    'a number': () => file('12'),
    'leading white space': () => file(' {}'),
    'a byte-order mark': () => file(Buffer.from('efbbbf7b7d', 'hex')),
    'invalid UTF-8': () => file(Buffer.from('7b22ff223a7b7d7d', 'hex')),
    'overlong UTF-8': () => file(Buffer.from('7b22c080223a7b7d7d', 'hex')),
    'a lone surrogate': () => file('{"__metadata__":{"\\ud800":""}}'),
    'a control character in a string': () => file('{"__metadata__":{"a\n":""}}'),
    'text after the object': () => file('{}x'),
    'a second object': () => file('{}{}'),
    'a NUL as padding': () => file('{}\0\0'),
    'a missing brace': () => file('{"a":{'),
    'a missing colon': () => file('{"a"{}}'),
    'a trailing comma': () => file(`{"__metadata__":{},}`),
    'a string without end': () => file('{"a'),
    'a string of backslashes': () => file(`{"${'\\'.repeat(1_000_001)}`),
    'a single-quoted name': () => file("{'a':{}}"),
    'deep nesting of arrays': () => file(`{"a":${'['.repeat(1_000_000)}`),
    'deep nesting of objects': () => file('{"a":'.repeat(200_000)),
    'the same name twice': () => file(`{"a":{},"a":{}}`),
    'the same name twice, once escaped': () =>
      file(
        '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
      ),
    'the same field twice': () => file(`{"a":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}}`, 4),
    'the same metadata twice': () => file('{"__metadata__":{"k":"1","k":"2"}}'),
    'two metadata': () => file('{"__metadata__":{},"__metadata__":{}}'),
    'metadata that is not an object': () => file('{"__metadata__":"x"}'),
    'metadata of a number': () => file('{"__metadata__":{"a":1}}'),
    'metadata of an object': () => file('{"__metadata__":{"a":{}}}'),
    'metadata of null': () => file('{"__metadata__":{"a":null}}'),
    '__proto__ as an object of fields': () => file('{"__proto__":{"polluted":"yes"}}'),
    '__proto__ as a field': () => file('{"a":{"__proto__":{"dtype":"F32"},"shape":[],"data_offsets":[0,4]}}', 4),
    'a tensor that is a string': () => file('{"a":"F32"}'),
    'a tensor without dtype': () => file('{"a":{"shape":[],"data_offsets":[0,4]}}', 4),
    'a tensor with another field': () => file('{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"x":1}}', 4),
    'an unknown dtype': () => file(one('[1]', '[0,4]', '"F31"'), 4),
    'a dtype that is a name of Object': () => file(one('[1]', '[0,4]', '"constructor"'), 4),
    'a dtype that is a number': () => file(one('[1]', '[0,4]', '4'), 4),
    'a negative size': () => file(one('[-1]', '[0,4]'), 4),
    'two negative sizes': () => file(one('[-1,-1]', '[0,4]'), 4),
    'a fractional size': () => file(one('[1.0]', '[0,4]'), 4),
    'a size in powers of ten': () => file(one('[1e0]', '[0,4]'), 4),
    'a size with leading zeros': () => file(one('[01]', '[0,4]'), 4),
    'a size that is a string': () => file(one('["1"]', '[0,4]'), 4),
    'a size beyond 2^53': () => file(one('[9007199254740993]', '[0,4]'), 4),
    'a size beyond a double': () => file(one(`[${'9'.repeat(400)}]`, '[0,4]'), 4),
    'sizes whose product wraps 64 bits to 1': () => file(one('[4294967296,4294967296,1]', '[0,4]'), 4),
    'sizes whose product wraps 64 bits to 0': () => file(one('[4294967296,4294967296]', '[0,0]')),
    'sizes whose product is inexact': () => file(one('[9007199254740991,3]', '[0,4]'), 4),
    'a million dimensions': () => file(one(`[${'9,'.repeat(1_000_000)}9]`, '[0,4]'), 4),
    'huge sizes with data to match': () => file(one('[1125899906842624]', '[0,4503599627370496]'), 4),
    'one offset': () => file(one('[1]', '[4]'), 4),
    'three offsets': () => file(one('[1]', '[0,4,4]'), 4),
    'offsets the wrong way round': () => file(one('[1]', '[4,0]'), 4),
    'a negative offset': () => file(one('[1]', '[-4,0]'), 4),
    'offsets beyond the file': () => file(one('[2]', '[0,8]'), 4),
    'data after the last tensor': () => file(one('[1]', '[0,4]'), 8),
    'data without a tensor': () => file('{}', 1),
    'a gap at the start': () => file(one('[1]', '[4,8]'), 8),
    'a gap between tensors': () =>
      file(
        '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}',
        3,
      ),
    'overlapping tensors': () =>
      file(
        '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}',
        3,
      ),
    'two tensors over the same bytes': () =>
      file(
        '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}',
        2,
      ),
    'an empty tensor in a gap': () =>
      file(
        '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[0],"data_offsets":[5,5]}}',
        1,
      ),
    'fewer bytes than the shape needs': () => file(one('[2]', '[0,4]'), 4),
    'a hundred thousand tensors of nothing and one that is wrong': () => {
      const names = Array.from({ length: 100_000 }, (_, i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`)
      return file(`{${names.join(',')},"x":{"dtype":"U8","shape":[1],"data_offsets":[0,0]}}`)
    },
    'a checksum that is empty': () => file('{"__metadata__":{"spikingrx.integrity":"sha256","spikingrx.sha256":""}}'),
    'a checksum of another kind': () => file('{"__metadata__":{"spikingrx.integrity":"crc32"}}'),
  }

  for (const [name, make] of Object.entries(cases)) {
    it(`with ${name} is refused`, async () => {
      const bytes = make()
      expect(await codeOfFile(bytes)).toBe(codeOf(bytes))
    })
  }

  it('can not reach any prototype', () => {
    const header =
      '{"__metadata__":{"__proto__":"m","constructor":"c"},' +
      '"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
    const { metadata, tensors } = parseSafetensors(file(header, 1))
    expect([...tensors.keys()]).toEqual(['__proto__'])
    expect(Object.entries(metadata)).toEqual([
      ['__proto__', 'm'],
      ['constructor', 'c'],
    ])
    expect(Object.getPrototypeOf(metadata)).toBe(Object.prototype)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('that is unusual but right is read', () => {
    expect(parseSafetensors(file('{}')).tensors.size).toBe(0)
    expect(parseSafetensors(file('{"__metadata__":{}}   \n')).metadata).toEqual({})
    expect(parseSafetensors(file(one('[0,9007199254740991,9007199254740991]', '[0,0]'))).tensors.size).toBe(1)
    const spaced =
      '{ "b" : { "shape" : [ 1 ] , "data_offsets" : [ 1 , 2 ] , "dtype" : "U8" } ,\t"a":{"dtype":"I8","shape":[],"data_offsets":[0,1]}}'
    expect([...parseSafetensors(file(spaced, 2)).tensors.keys()]).toEqual(['a', 'b'])
  })
})
