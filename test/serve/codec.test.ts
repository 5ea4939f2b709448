import zlib from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { TypedArray } from '../../lib/native.js'
import { checkContentType, decodedBody, parseJsonObject } from '../../lib/serve/codec-body.js'
import { elementsFromJson, jsonFromElements } from '../../lib/serve/codec-json.js'
import { bytesFromElements, datatypeInfo, elementsFromBytes, roundedToDatatype } from '../../lib/serve/datatypes.js'
import { decodeRequest } from '../../lib/serve/protocol-request.js'
import type { Datatype, ModelSignature } from '../../lib/serve/service.js'

const read = (data: readonly unknown[], datatype: Datatype, shape: readonly number[] = [data.length]): TypedArray =>
  elementsFromJson(
    data,
    datatype,
    shape,
    shape.reduce((product, size) => product * size, 1),
    'input',
  )

/** A tensor of each datatype: its JSON, its bytes on the wire, its elements here. */
const tensors: readonly [
  datatype: Datatype,
  json: readonly unknown[],
  bytes: readonly number[],
  elements: TypedArray,
][] = [
  ['BOOL', [true, false], [1, 0], Uint8Array.of(1, 0)],
  ['UINT8', [0, 255], [0, 255], Uint8Array.of(0, 255)],
  ['INT8', [-128, 127], [0x80, 0x7f], Int8Array.of(-128, 127)],
  ['INT16', [-32768, 258], [0, 0x80, 2, 1], Int16Array.of(-32768, 258)],
  ['INT32', [-2, 2147483647], [0xfe, 255, 255, 255, 255, 255, 255, 0x7f], Int32Array.of(-2, 2147483647)],
  ['INT64', [-1, 513], [...Array(8).fill(255), 1, 2, 0, 0, 0, 0, 0, 0], BigInt64Array.of(-1n, 513n)],
  ['FP16', [1.5, -65504], [0, 0x3e, 255, 0xfb], Float32Array.of(1.5, -65504)],
  ['BF16', [1, -2.5], [0x80, 0x3f, 0x20, 0xc0], Float32Array.of(1, -2.5)],
  ['FP32', [1, -0.5], [0, 0, 0x80, 0x3f, 0, 0, 0, 0xbf], Float32Array.of(1, -0.5)],
  [
    'FP64',
    [2, -1e300],
    [0, 0, 0, 0, 0, 0, 0, 64, 0x9c, 0x75, 0, 0x88, 0x3c, 0xe4, 0x37, 0xfe],
    Float64Array.of(2, -1e300),
  ],
]

describe('elements of every datatype', () => {
  it.each(tensors)('%s: out of JSON, out of bytes, into bytes, into JSON', (datatype, json, bytes, elements) => {
    expect(read(json, datatype)).toEqual(elements)
    expect(elementsFromBytes(Uint8Array.from(bytes), datatype, 'input')).toEqual(elements)
    expect([...bytesFromElements(elements, datatype)]).toEqual(bytes)
    const text = jsonFromElements('output', { datatype, shape: [2], data: elements })
    expect(JSON.parse(text)).toEqual(json)
  })

  it.each(tensors)('%s: out of bytes at an odd address', (datatype, _, bytes, elements) => {
    const shifted = Uint8Array.from([0, ...bytes]).subarray(1)
    expect(elementsFromBytes(shifted, datatype, 'input')).toEqual(elements)
  })

  it('views aligned bytes without a copy', () => {
    const bytes = new Uint8Array(16).subarray(8)
    const elements = elementsFromBytes(bytes, 'FP32', 'input')
    expect(elements.buffer).toBe(bytes.buffer)
    expect(elements.byteOffset).toBe(8)
  })

  it('rounds halves given in JSON to what their two bytes hold', () => {
    expect([...read([0.1, 1 / 3], 'FP16')]).toEqual([0.0999755859375, 0.333251953125])
    expect([...read([0.1], 'BF16')]).toEqual([0.10009765625])
    const every = Uint16Array.from({ length: 65_536 }, (_, bits) => bits)
    for (const datatype of ['FP16', 'BF16'] as const) {
      const wide = elementsFromBytes(new Uint8Array(every.buffer), datatype, 'input')
      expect(roundedToDatatype(wide, datatype)).toEqual(wide)
    }
  })

  it('reads 64-bit integers exactly, from strings where numbers are not', () => {
    const written = ['9223372036854775807', '-9223372036854775808', 9007199254740991]
    expect([...read(written, 'INT64')]).toEqual([2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n - 1n])
    expect(jsonFromElements('output', { datatype: 'INT64', shape: [1], data: BigInt64Array.of(2n ** 62n) })).toBe(
      '[4611686018427387904]',
    )
  })

  it('takes the largest finite numbers, and what rounds to them', () => {
    expect([...read([3.4028234663852886e38, 3.40282356e38], 'FP32')]).toEqual(Array(2).fill(3.4028234663852886e38))
    expect([...read([65504, 65519], 'FP16')]).toEqual([65504, 65504])
    expect([...read([3.3895313892515355e38], 'BF16')]).toEqual([3.3895313892515355e38])
  })
})

describe('numbers that do not fit', () => {
  it.each<[Datatype, unknown, string]>([
    ['UINT8', 256, '256 where UINT8'],
    ['UINT8', -1, '-1 where UINT8'],
    ['UINT8', 1.5, '1.5 where UINT8'],
    ['INT8', 128, '128 where INT8'],
    ['INT16', -32769, '-32769 where INT16'],
    ['INT32', 2 ** 31, '2147483648 where INT32'],
    ['INT64', 2 ** 53, 'write numbers beyond 2^53 as strings'],
    ['INT64', '9223372036854775808', '"9223372036854775808" where INT64'],
    ['INT64', '12x', '"12x" where INT64'],
    ['INT64', 0.5, '0.5 where INT64'],
    ['BOOL', 2, '2 where BOOL'],
    ['BOOL', 'true', '"true" where BOOL'],
    ['FP16', 65520, '65520 where FP16'],
    ['BF16', 3.3965e38, '3.3965e+38 where BF16'],
    ['FP32', 1e39, '1e+39 where FP32'],
    ['FP32', JSON.parse('1e999'), 'a number too large for any datatype where FP32'],
    ['FP64', JSON.parse('-1e999'), 'a number too large for any datatype where FP64'],
    ['FP64', null, 'null where FP64'],
    ['FP32', true, 'true where FP32'],
    ['FP32', '1', '"1" where FP32'],
    ['INT32', {}, 'an object where INT32'],
    ['INT32', [1], 'an array where INT32'],
  ])('%s refuses %j', (datatype, value, problem) => {
    expect(() => read([1, value], datatype)).toThrow(
      expect.objectContaining({ code: 'ERR_SERVE_INPUT', status: 400, message: expect.stringContaining(problem) }),
    )
  })

  it('refuses outputs that JSON has no numbers for', () => {
    const data = Float32Array.of(1, Number.NaN)
    expect(() => jsonFromElements('scores', { datatype: 'FP32', shape: [2], data })).toThrow(
      'output "scores" holds NaN, which JSON can\'t carry',
    )
  })
})

describe('nested data', () => {
  it('is read as the shape says', () => {
    expect(read([[[1, 2]], [[3, 4]], [[5, 6]]], 'INT32', [3, 1, 2])).toEqual(Int32Array.of(1, 2, 3, 4, 5, 6))
    expect(read([[], []], 'FP32', [2, 0])).toEqual(new Float32Array(0))
    expect(read([], 'FP32', [0, 5])).toEqual(new Float32Array(0))
    expect(read([7], 'FP32', [])).toEqual(Float32Array.of(7))
  })

  it.each<[unknown[], number[]]>([
    [
      [[1, 2], [3]],
      [2, 2],
    ],
    [
      [[1, 2], 3],
      [2, 2],
    ],
    [[1, [2, 3]], [3]],
    [[[1, 2, 3, 4]], [2, 2]],
    [[[[1], [2]]], [1, 2]],
    [[[1, 2]], [2]],
    [[[]], [1]],
    [[1, 2], [3]],
  ])('%j is not of shape %j', (data, shape) => {
    expect(() => read(data, 'FP32', shape)).toThrow(expect.objectContaining({ code: 'ERR_SERVE_INPUT' }))
  })
})

describe('bodies', () => {
  it('unfolds gzip and deflate up to the limit', async () => {
    const text = Buffer.from('{"a":1}'.padEnd(5000, ' '))
    expect(await decodedBody(zlib.gzipSync(text), 'gzip', 5000)).toEqual(text)
    expect(await decodedBody(zlib.deflateSync(text), ' Deflate', 5000)).toEqual(text)
    expect(await decodedBody(text, undefined, 10)).toBe(text)
    await expect(decodedBody(zlib.gzipSync(text), 'gzip', 4999)).rejects.toMatchObject({ status: 413 })
    await expect(decodedBody(zlib.gzipSync(text).subarray(0, 20), 'gzip', 5000)).rejects.toMatchObject({ status: 400 })
    await expect(decodedBody(text, 'br', 5000)).rejects.toMatchObject({ status: 415 })
  })

  it('refuses JSON that would take much memory, before parsing it', () => {
    const problem = (text: string) => () => parseJsonObject(Buffer.from(text))
    expect(problem(`{"a":${'['.repeat(40)}`)).toThrow('nested deeper than 32')
    expect(problem('{"a":'.repeat(33))).toThrow('nested deeper than 32')
    expect(problem('{"a":['.repeat(17))).toThrow('nested deeper than 32')
    expect(parseJsonObject(Buffer.from(`${'{"a":'.repeat(32)}1${'}'.repeat(32)}`))).toHaveProperty('a.a.a')
    expect(parseJsonObject(Buffer.from(`{"a":[${'[],'.repeat(50)}1]}`)).a).toHaveLength(51)
    expect(problem(`{"a":[${'[],'.repeat(2_000_001)}1]}`)).toThrow('more than 2000000 arrays')
    expect(parseJsonObject(Buffer.from(JSON.stringify({ a: '['.repeat(100), b: '\\"[' })))).toEqual({
      a: '['.repeat(100),
      b: '\\"[',
    })
  })

  it.each([
    '{"__proto__":{"x":1}}',
    '{"a":[{"__proto__":1}]}',
    '{"\\u005f_proto__":1}',
    '{"constructor":{"prototype":{}}}',
    '\ufeff{"__proto__":1}',
    `{"a":[${'[],'.repeat(50)}1],"__proto__":1}`,
  ])('refuses %s', (text) => {
    expect(() => parseJsonObject(Buffer.from(text))).toThrow('names __proto__ or constructor.prototype')
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })

  it('takes JSON, bytes with their header, and no content type at all', () => {
    for (const type of [undefined, '', 'application/json', 'Application/JSON; charset=utf-8'])
      checkContentType(type, 'json')
    checkContentType('application/octet-stream', 'mixed')
    checkContentType('application/octet-stream', 'bytes')
    expect(() => checkContentType('application/json', 'bytes')).toThrow(expect.objectContaining({ status: 415 }))
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/octet-stream', 'json'])
      expect(() => checkContentType(type, 'json')).toThrow(expect.objectContaining({ status: 415 }))
  })
})

describe('a request', () => {
  const signature: ModelSignature = {
    inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 2] }],
    outputs: [{ name: 'scores', datatype: 'FP32', shape: [-1, 2] }],
    steps: 4,
  }

  it('takes no memory for a shape that lies', () => {
    const lie = { name: 'input', datatype: 'FP64', shape: [40_000, 50_000], data: [Array(4).fill(0)] }
    expect(() => decodeRequest(Buffer.from(JSON.stringify({ inputs: [lie] })), undefined, signature)).toThrow(
      'has 2000000000 elements, more than the request holds',
    )
  })

  it.each(tensors)('%s: the same out of JSON as out of bytes', (datatype, json, bytes) => {
    const shape = [1, 2]
    const plain = Buffer.from(JSON.stringify({ inputs: [{ name: 'input', datatype, shape, data: [json] }] }))
    const parameters = { binary_data_size: bytes.length }
    for (const pad of ['', ' ', '  ', '   ']) {
      const header = Buffer.from(JSON.stringify({ inputs: [{ name: 'input', datatype, shape, parameters }] }) + pad)
      const mixed = Buffer.concat([header, Buffer.from(bytes)])
      expect(decodeRequest(mixed, String(header.byteLength), signature).request.inputs).toEqual(
        decodeRequest(plain, undefined, signature).request.inputs,
      )
    }
    expect(bytes.length).toBe(2 * datatypeInfo(datatype).size)
  })
})
