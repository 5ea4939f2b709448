/** Tensors that are not valid: shapes, data, datatypes and bytes. */
import { type Case, generator, input, octets, type Sent } from './bad-cases.js'

export function shapes(): readonly Case[] {
  const wrong: readonly unknown[] = [
    [-1, 2, 3],
    [1, -2, -3],
    [1.5, 2, 2],
    [1, 2],
    [6],
    [],
    [1, 1, 2, 3, 1],
    [2, 2, 3],
    [1, 3, 3],
    [1, 2, 4],
    [0],
    [2 ** 53, 1],
    [1e308, 10],
    [2 ** 31, 2 ** 31],
    [4294967296, 4294967296],
    [0, 2 ** 52, 2 ** 52],
    [65536, 65536, 65536, 65536],
    Array(17).fill(1),
    Array(5000).fill(1),
    ['1', '2', '3'],
    [[1], 2, 3],
    [null, 2, 3],
    [true, 2, 3],
    [{}, 2, 3],
    null,
    'input',
    6,
    { length: 3 },
    undefined,
  ]
  const fixed = wrong.map(
    (shape): Case => [
      `shape ${JSON.stringify(shape)?.slice(0, 60)}`,
      { payload: { inputs: [{ ...input, shape }] } },
      400,
    ],
  )
  const random = generator(1)
  const generated = Array.from({ length: 80 }, (_, i): Case => {
    const shape = Array.from({ length: Math.floor(random() * 6) }, () => {
      const size = Math.floor(10 ** (random() * 17))
      return random() < 0.3 ? -size : size
    })
    // Six elements in the right places would be right.
    const own = shape.reduce((product, size) => product * size, 1) === 6 ? [...shape, 2] : shape
    return [`generated shape ${i} [${own}]`, { payload: { inputs: [{ ...input, shape: own }] } }, 400]
  })
  return [...fixed, ...generated]
}

export function data(): readonly Case[] {
  const values: readonly unknown[] = [
    [1, 2, 3, 4, 5],
    [1, 2, 3, 4, 5, 6, 7],
    [],
    [
      [1, 2, 3],
      [4, 5],
    ],
    [
      [
        [1, 2, 3],
        [4, 5],
      ],
    ],
    [
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      [],
    ],
    [
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ],
    [
      [
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ],
    ],
    [1, 2, 3, 4, 5, [6]],
    [[1, 2, 3, 4, 5, 6]],
    [1, 2, 3, 4, 5, null],
    [1, 2, 3, 4, 5, '6'],
    [1, 2, 3, 4, 5, true],
    [1, 2, 3, 4, 5, {}],
    [1, 2, 3, 4, 5, 1e39],
    'AAAA',
    123,
    null,
    { 0: 1, length: 6 },
    undefined,
  ]
  const fixed = values.map(
    (one): Case => [`data ${JSON.stringify(one)}`, { payload: { inputs: [{ ...input, data: one }] } }, 400],
  )
  const texts = ['NaN', 'Infinity', '-Infinity', '1e999', '-1e999', '01', '+1', '1.', '.5', '0x10', '1_000', "'1'"]
  const written = texts.map(
    (text): Case => [
      `number ${text}`,
      { payload: `{"inputs":[{"name":"input","shape":[1,2,3],"datatype":"FP32","data":[1,2,3,4,5,${text}]}]}` },
      400,
    ],
  )
  const bounds: readonly [datatype: string, value: unknown][] = [
    ['UINT8', -1],
    ['UINT8', 256],
    ['UINT8', 0.5],
    ['INT8', 128],
    ['INT8', -129],
    ['INT16', 40000],
    ['INT32', 2 ** 31],
    ['INT32', 1e300],
    ['INT64', 2 ** 53],
    ['INT64', 1e300],
    ['INT64', '1e3'],
    ['INT64', '99999999999999999999'],
    ['INT64', ''],
    ['BOOL', 2],
    ['BOOL', -1],
    ['FP16', 70000],
    ['BF16', 3.4e38],
    ['FP64', '1'],
  ]
  const unfit = bounds.map(
    ([datatype, value]): Case => [
      `${datatype} ${value}`,
      { payload: { inputs: [{ ...input, datatype, data: [0, 0, 0, 0, 0, value] }] } },
      400,
    ],
  )
  const random = generator(2)
  const ragged = Array.from({ length: 60 }, (_, i): Case => {
    const rows = Array.from({ length: 1 + Math.floor(random() * 4) }, () =>
      Array.from({ length: 1 + Math.floor(random() * 5) }, () => Math.floor(random() * 9)),
    )
    const right = rows.length === 2 && rows.every((row) => row.length === 3)
    return [
      `ragged ${i} ${JSON.stringify(rows)}`,
      { payload: { inputs: [{ ...input, data: right ? rows : [rows, rows] }] } },
      400,
    ]
  })
  return [...fixed, ...written, ...unfit, ...ragged]
}

export function datatypes(): readonly Case[] {
  const names = [
    '',
    'fp32',
    'FP31',
    'FLOAT',
    'float32',
    'UINT16',
    'UINT32',
    'UINT64',
    'BYTES',
    'STRING',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'FP32 ',
    'x'.repeat(10_000),
    null,
    5,
    [],
    {},
  ]
  return names.flatMap((datatype): Case[] => [
    [`datatype ${String(datatype).slice(0, 20)}`, { payload: { inputs: [{ ...input, datatype }] } }, 400],
    [
      `binary datatype ${String(datatype).slice(0, 20)}`,
      framed(
        { inputs: [{ ...input, data: undefined, datatype, parameters: { binary_data_size: 24 } }] },
        Buffer.alloc(24),
      ),
      400,
    ],
  ])
}

/** JSON and bytes after it, with the header as it should be or as given. */
function framed(json: object, bytes: Buffer, headerLength?: number | string): Sent {
  const header = Buffer.from(JSON.stringify(json))
  return { payload: Buffer.concat([header, bytes]), headers: octets(headerLength ?? header.byteLength) }
}

export function binary(): readonly Case[] {
  const of = (size: unknown, more: object = {}) => ({
    inputs: [{ name: 'input', shape: [1, 2, 3], datatype: 'FP32', parameters: { binary_data_size: size }, ...more }],
  })
  const good = of(24)
  const length = JSON.stringify(good).length
  const sizes: readonly unknown[] = [0, 23, 25, 48, -24, 24.5, '24', null, true, [24], 2 ** 53, 1e300, 4294967320]
  const lies = sizes.map(
    (size): Case => [`binary_data_size ${JSON.stringify(size)}`, framed(of(size), Buffer.alloc(24)), 400],
  )
  const cut = Array.from(
    { length: 24 },
    (_, kept): Case => [`${kept} of 24 bytes`, framed(good, Buffer.alloc(kept)), 400],
  )
  const headers = [
    '-1',
    '1.5',
    'abc',
    '0x10',
    ' ',
    '1e2',
    '99999',
    '99999999999999999999',
    `${length}, ${length}`,
    'NaN',
    `${length - 1}`,
    `${length + 1}`,
    '1',
    '2',
  ]
  const lengths = headers.map((text): Case => [`header length ${text}`, framed(good, Buffer.alloc(24), text), 400])
  const raw = [0, 1, 2, 3, 5, 6, 7, 9].map(
    (size): Case => [
      `raw body of ${size} bytes`,
      { url: '/v2/models/bytes/infer', payload: Buffer.alloc(size), headers: octets(0) },
      400,
    ],
  )
  return [
    ...lies,
    ...cut,
    ...lengths,
    ...raw,
    ['too many bytes', framed(good, Buffer.alloc(25)), 400],
    ['data and bytes', framed(of(24, { data: [1, 2, 3, 4, 5, 6] }), Buffer.alloc(24)), 400],
    ['bytes without a header', { payload: good }, 400],
    ['neither data nor bytes', framed({ inputs: [{ ...input, data: undefined }] }, Buffer.alloc(24)), 400],
    ['a BOOL of 2', framed(of(6, { datatype: 'BOOL' }), Buffer.alloc(6, 2)), 400],
    ['the shape of 24 other bytes', framed(of(24, { shape: [2, 3] }), Buffer.alloc(24)), 400],
    ['an overflowing shape', framed(of(24, { shape: [2 ** 40, 2 ** 40, 2 ** 40] }), Buffer.alloc(24)), 400],
    [
      'octets without the header',
      { payload: Buffer.alloc(24), headers: { 'content-type': 'application/octet-stream' } },
      415,
    ],
    ['two inputs that share bytes', framed({ inputs: [...good.inputs, ...good.inputs] }, Buffer.alloc(24)), 400],
  ]
}
