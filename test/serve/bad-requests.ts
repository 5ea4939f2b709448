/** Requests that are not valid around their tensors. */
import zlib from 'node:zlib'
import { BODY_BYTES, type Case, generator, infer, input } from './bad-cases.js'

export function members(): readonly Case[] {
  const payloads: readonly [name: string, payload: unknown][] = [
    ['no object', []],
    ['a number', 5],
    ['a text', '"text"'],
    ['null', 'null'],
    ['nothing', {}],
    ['no inputs', { inputs: [] }],
    ['inputs an object', { inputs: { 0: input } }],
    ['inputs null', { inputs: null }],
    ['inputs of numbers', { inputs: [1] }],
    ['inputs of null', { inputs: [null] }],
    ['inputs nested', { inputs: [[input]] }],
    ['input without name', { inputs: [{ ...input, name: undefined }] }],
    ['input with an empty name', { inputs: [{ ...input, name: '' }] }],
    ['input with a number as name', { inputs: [{ ...input, name: 5 }] }],
    ['input with a long name', { inputs: [{ ...input, name: 'n'.repeat(300) }] }],
    ['unknown input', { inputs: [{ ...input, name: 'other' }] }],
    ['input named __proto__', { inputs: [{ ...input, name: '__proto__' }] }],
    ['input twice', { inputs: [input, input] }],
    ['one input too many', { inputs: [input, { ...input, name: 'other' }] }],
    ['many inputs', { inputs: Array(65).fill(input) }],
    ['id a number', { inputs: [input], id: 5 }],
    ['id null', { inputs: [input], id: null }],
    ['id too long', { inputs: [input], id: 'i'.repeat(2000) }],
    ['outputs an object', { inputs: [input], outputs: {} }],
    ['outputs of texts', { inputs: [input], outputs: ['scores'] }],
    ['unknown output', { inputs: [input], outputs: [{ name: 'other' }] }],
    ['output named __proto__', { inputs: [input], outputs: [{ name: '__proto__' }] }],
    ['output twice', { inputs: [input], outputs: [{ name: 'scores' }, { name: 'scores' }] }],
    ['many outputs', { inputs: [input], outputs: Array(65).fill({ name: 'scores' }) }],
  ]
  const parameters: readonly unknown[] = [
    null,
    5,
    [],
    'text',
    { any: null },
    { any: [] },
    { any: {} },
    { any: 'x'.repeat(5000) },
    { sequence_id: 1.5 },
    { sequence_id: -1 },
    { sequence_id: true },
    { sequence_id: 'x'.repeat(200) },
    { sequence_id: 2 ** 60 },
    { sequence_id: 1, sequence_start: 'yes' },
    { sequence_id: 1, sequence_start: 1 },
    { sequence_id: 1, sequence_end: null },
    { sequence_id: 'never started' },
    { sequence_start: true },
    { sequence_id: 0, sequence_end: true },
    { timeout: -1 },
    { timeout: 1.5 },
    { timeout: '100' },
    { timeout: 1e300 },
    { priority: 'high' },
    { priority: -1 },
    { binary_data_output: 1 },
    { binary_data_output: 'true' },
  ]
  const outputParameters: readonly unknown[] = [
    null,
    [],
    { binary_data: 'true' },
    { binary_data: 1 },
    { classification: 0 },
    { classification: -1 },
    { classification: 1.5 },
    { classification: '3' },
    { classification: 1e9 },
    { classification: true },
  ]
  return [
    ...payloads.map(([name, payload]): Case => [name, { payload }, 400]),
    ...parameters.map(
      (one): Case => [
        `parameters ${JSON.stringify(one)?.slice(0, 60)}`,
        { payload: { inputs: [input], parameters: one } },
        400,
      ],
    ),
    ...parameters
      .slice(0, 8)
      .map(
        (one): Case => [
          `input parameters ${JSON.stringify(one)?.slice(0, 60)}`,
          { payload: { inputs: [{ ...input, parameters: one }] } },
          400,
        ],
      ),
    ...outputParameters.map(
      (one): Case => [
        `output parameters ${JSON.stringify(one)}`,
        { payload: { inputs: [input], outputs: [{ name: 'scores', parameters: one }] } },
        400,
      ],
    ),
  ]
}

export function addresses(): readonly Case[] {
  const payload = { inputs: [input] }
  const unknown = [
    'none',
    'SUMS',
    'sums ',
    '..',
    '%2e%2e',
    'sums%2finfer',
    '__proto__',
    'constructor',
    'a'.repeat(200),
    'a'.repeat(300),
    '%00',
    '%F0%9F%98%80',
    '*',
    ':model',
    '%22%3Cscript%3E',
  ]
  const versions = ['0', '3', '-1', '1.0', '01', 'latest', '1e0', '99999999999999999999', '__proto__', '%31%20', '%00']
  const nowhere = [
    '/v1',
    '/v2/',
    '/v3',
    '/v2/model/sums',
    '/v2/models',
    '/v2/models/',
    '/v2/models/sums/infer/x',
    '/v2/models/sums/versions',
    '/v2/models/sums/versions/1/x',
    '/v2/health',
    '/v2/health/dead',
    '/.env',
    '/%2e%2e/etc/passwd',
    `/${'x'.repeat(5000)}`,
  ]
  const methods = ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
  const gets = [
    '/v2',
    '/v2/health/live',
    '/v2/models/sums',
    '/v2/models/sums/ready',
    '/v2/models/sums/stats',
    '/metrics',
    '/openapi.json',
    '/docs',
  ]
  return [
    ...unknown.map((name): Case => [`model ${name.slice(0, 20)}`, { url: `/v2/models/${name}/infer`, payload }, 404]),
    ...unknown.map(
      (name): Case => [`metadata of ${name.slice(0, 20)}`, { method: 'GET', url: `/v2/models/${name}/ready` }, 404],
    ),
    ...versions.map(
      (version): Case => [`version ${version}`, { url: `/v2/models/sums/versions/${version}/infer`, payload }, 404],
    ),
    ...versions.map(
      (version): Case => [
        `stats of ${version}`,
        { method: 'GET', url: `/v2/models/sums/versions/${version}/stats` },
        404,
      ],
    ),
    ...nowhere
      .filter((url) => url !== '/v2/')
      .map((url): Case => [`address ${url.slice(0, 30)}`, { method: 'GET', url }, 404]),
    ...methods.map(
      (method): Case => [`${method} infer`, { method, url: infer, payload: method === 'GET' ? '' : payload }, 405],
    ),
    ...gets.map((url): Case => [`POST ${url}`, { url, payload }, 405]),
    ['bad escape', { method: 'GET', url: '/v2/models/%zz' }, 400],
    ['a model that is not there, loaded', { url: '/v2/repository/models/none/load' }, 404],
    ['a stream without an upgrade', { method: 'GET', url: '/v2/models/sums/stream' }, 426],
    ['a stream of no model', { method: 'GET', url: '/v2/models/none/stream' }, 404],
  ]
}

export function bodies(): readonly Case[] {
  const payload = JSON.stringify({ inputs: [input] })
  const types = [
    'text/plain',
    'text/html',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/jsonx',
    'image/png',
    'application/vnd.api+json',
    'application/octet-stream',
  ]
  const encodings = ['br', 'zstd', 'compress', 'gzip, gzip', 'x']
  const deep = (count: number, open: string, close: string): string =>
    `{"inputs":${open.repeat(count)}${close.repeat(count)}}`
  const pollution = [
    '{"__proto__":{"polluted":1},',
    '{"constructor":{"prototype":{"polluted":1}},',
    '{"a":{"__proto__":{"polluted":1}},',
    '{"\\u005f\\u005fproto__":{"polluted":1},',
    '{"parameters":{"__proto__":{"polluted":1}},',
  ]
  const bomb = zlib.gzipSync(Buffer.alloc(BODY_BYTES + 1, 32))
  return [
    ...types.map((type): Case => [`content type ${type}`, { payload, headers: { 'content-type': type } }, 415]),
    ...types.map(
      (type): Case => [
        `content type ${type} for index`,
        { url: '/v2/repository/index', payload: '{}', headers: { 'content-type': type } },
        415,
      ],
    ),
    ...encodings.map(
      (encoding): Case => [`content encoding ${encoding}`, { payload, headers: { 'content-encoding': encoding } }, 415],
    ),
    ...[40, 1000, 8000].flatMap((count): Case[] => [
      [`${count} arrays deep`, { payload: deep(count, '[', ']') }, 400],
      [`${count} objects deep`, { payload: deep(count, '{"a":', '1}').replace('1}1', '1') }, 400],
      [`${count} arrays left open`, { payload: '['.repeat(count) }, 400],
    ]),
    ...pollution.map((text): Case => [text, { payload: text + payload.slice(1) }, 400]),
    ['no body', { payload: '' }, 400],
    ['spaces', { payload: '   ' }, 400],
    ['no text', { payload: Buffer.from([0xff, 0xfe, 0x00, 0x01]) }, 400],
    ['UTF-16', { payload: Buffer.from(payload, 'utf16le') }, 400],
    ['two values', { payload: `${payload}${payload}` }, 400],
    ['a value and more', { payload: `${payload} x` }, 400],
    ['a body over the limit', { payload: payload.padEnd(BODY_BYTES + 1) }, 413],
    ['a body that unfolds over the limit', { payload: bomb, headers: { 'content-encoding': 'gzip' } }, 413],
    ['no gzip', { payload, headers: { 'content-encoding': 'gzip' } }, 400],
    ['no deflate', { payload, headers: { 'content-encoding': 'deflate' } }, 400],
    ['gzip cut off', { payload: zlib.gzipSync(payload).subarray(0, 40), headers: { 'content-encoding': 'gzip' } }, 400],
    ['index with a text', { url: '/v2/repository/index', payload: { ready: 'yes' } }, 400],
    ['index with an array', { url: '/v2/repository/index', payload: [] }, 400],
    ['load with settings', { url: '/v2/repository/models/sums/load', payload: { parameters: { config: '{}' } } }, 400],
    [
      'load with a file',
      { url: '/v2/repository/models/sums/load', payload: { parameters: { 'file:1/model': 'AA==' } } },
      400,
    ],
    ['unload with no object', { url: '/v2/repository/models/sums/unload', payload: 'x' }, 400],
  ]
}

/** A good request with its end cut off, or one character of its structure replaced by another. */
export function damaged(): readonly Case[] {
  const text = JSON.stringify({ id: '1', parameters: { a: 1 }, inputs: [input], outputs: [{ name: 'scores' }] })
  const cut = Array.from({ length: 100 }, (_, i): Case => {
    const kept = Math.floor((i / 100) * text.length)
    return [`${kept} characters`, { payload: text.slice(0, kept) }, 400]
  })
  const structure = [...text].flatMap((character, at) => ('{}[]:,'.includes(character) ? [at] : []))
  const random = generator(3)
  const changed = Array.from({ length: 100 }, (_, i): Case => {
    const at = structure[Math.floor(random() * structure.length)]!
    const others = ['#', ';', '\u0000', '}', ']'].filter((other) => other !== text[at])
    const other = others[Math.floor(random() * others.length)]!
    return [`${i}: ${JSON.stringify(other)} at ${at}`, { payload: text.slice(0, at) + other + text.slice(at + 1) }, 400]
  })
  return [...cut, ...changed]
}
