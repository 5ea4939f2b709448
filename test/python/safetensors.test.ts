import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Model, snn } from '../../lib/index.js'
import { readSafetensors, writeSafetensors } from '../../lib/io/safetensors.js'
import { type TensorValues, tensorFromValues, valuesFromTensor } from '../../lib/io/tensor-values.js'
import { python } from './python.js'

const folder = mkdtempSync(path.join(os.tmpdir(), 'spikingrx-python-'))
// The first time ever, this installs Python's packages.
beforeAll(() => void python(), 300_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const ours: Readonly<Record<string, TensorValues>> = {
  'layers.0.weight': { data: Float32Array.of(0.5, -1.25, 3, 1e-40), shape: [2, 2], dtype: 'float32' },
  double: { data: Float64Array.of(Math.PI, Number.MAX_VALUE), shape: [2, 1], dtype: 'float64' },
  half: { data: Float32Array.of(0.5, -65504), shape: [2], dtype: 'float16' },
  long: { data: BigInt64Array.of(-1n, 2n ** 62n), shape: [2], dtype: 'int64' },
  int: { data: Int32Array.of(-7), shape: [1], dtype: 'int32' },
  byte: { data: Uint8Array.of(0, 255, 3), shape: [3], dtype: 'uint8' },
  flags: { data: Uint8Array.of(1, 0), shape: [2], dtype: 'bool' },
  scalar: { data: Float32Array.of(2.5), shape: [], dtype: 'float32' },
  empty: { data: new Float64Array(0), shape: [3, 0], dtype: 'float64' },
  'Ünïcode 名': { data: Int8Array.of(-128), shape: [1], dtype: 'int8' },
}
const metadata = { author: 'spikingrx', text: 'quotes " and \\ and 名' }

async function writeOurs(name: string): Promise<string> {
  const file = path.join(folder, name)
  await writeSafetensors(
    file,
    new Map(Object.entries(ours).map(([key, value]) => [key, tensorFromValues(value)])),
    metadata,
  )
  return file
}

describe("Python's safetensors and ours", () => {
  it('Python reads what we write', async () => {
    const read = JSON.parse(python()('read_safetensors.py', await writeOurs('ours.safetensors')))
    expect(read.metadata).toMatchObject(metadata)
    expect(read.tensors).toEqual({
      'layers.0.weight': { dtype: 'float32', shape: [2, 2], values: ['0.5', '-1.25', '3.0', '9.99994610111476e-41'] },
      double: { dtype: 'float64', shape: [2, 1], values: ['3.141592653589793', '1.7976931348623157e+308'] },
      half: { dtype: 'float16', shape: [2], values: ['0.5', '-65504.0'] },
      long: { dtype: 'int64', shape: [2], values: ['-1', '4611686018427387904'] },
      int: { dtype: 'int32', shape: [1], values: ['-7'] },
      byte: { dtype: 'uint8', shape: [3], values: ['0', '255', '3'] },
      flags: { dtype: 'bool', shape: [2], values: ['True', 'False'] },
      scalar: { dtype: 'float32', shape: [], values: ['2.5'] },
      empty: { dtype: 'float64', shape: [3, 0], values: [] },
      'Ünïcode 名': { dtype: 'int8', shape: [1], values: ['-128'] },
    })
  })

  it('we read what Python writes', async () => {
    const file = path.join(folder, 'python.safetensors')
    python()('write_safetensors.py', file)
    const read = await readSafetensors(file)
    const values = Object.fromEntries(Array.from(read.tensors, ([name, tensor]) => [name, valuesFromTensor(tensor)]))

    expect(read.metadata).toEqual({ author: 'Python', text: 'quotes " and \\ and 名' })
    expect(read.verified).toBe(false)
    const doubles = Float64Array.of(1.5, -0, Number.POSITIVE_INFINITY, Number.NaN, Number.MIN_VALUE, 1e300)
    expect(values).toEqual({
      float64: { data: doubles, shape: [2, 3], dtype: 'float64' },
      float32: {
        data: Float32Array.of(0, 1, 2, 3, 4, 5).map((value) => value / 3),
        shape: [1, 2, 3],
        dtype: 'float32',
      },
      float16: { data: Float32Array.of(1.5, -2, 65504, 2 ** -24), shape: [4], dtype: 'float16' },
      int64: { data: BigInt64Array.of(2n ** 62n, -(2n ** 63n), -1n), shape: [3], dtype: 'int64' },
      int32: { data: Int32Array.of(2 ** 31 - 1, -(2 ** 31)), shape: [2], dtype: 'int32' },
      uint8: { data: Uint8Array.of(0, 255), shape: [1, 2], dtype: 'uint8' },
      bool: { data: Uint8Array.of(1, 0, 1), shape: [3], dtype: 'bool' },
      scalar: { data: Float32Array.of(7.25), shape: [], dtype: 'float32' },
      empty: { data: new Float32Array(0), shape: [0, 3], dtype: 'float32' },
      'Ünïcode 名': { data: Int8Array.of(1), shape: [1], dtype: 'int8' },
    })
  })

  it('Python reads 8-bit weights: codes times scales are the weights of the model that loads', async () => {
    const file = path.join(folder, 'coded.safetensors')
    const spec = snn({ input: [1, 6, 6], steps: 1 })
      .convBlock(3, { bias: false })
      .flatten()
      .linear(2, { bias: false })
    await using model = await Model.create(spec, { device: 'cpu', seed: 4 })
    await model.save(file, { weightBits: 8 })
    const text = python()('../../examples/read_checkpoint.py', file)
    await using loaded = await Model.load(file, { device: 'cpu' })
    for (const { name, tensor } of loaded.tensors()) {
      const values = Array.from(tensor.toTypedArray(), Number)
      const mean = values.reduce((sum, value) => sum + value) / values.length
      const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
      const [, shape, seenMean, seenStd] = new RegExp(`${name} +\\((.*)\\) +mean (.*)  std (.*)`).exec(text)!
      expect(shape).toBe(tensor.shape.join(', '))
      expect(Number(seenMean)).toBeCloseTo(mean, 4)
      expect(Number(seenStd)).toBeCloseTo(std, 4)
    }
    expect(text).toMatch(/layers\.0\.weight\.scale +\(3,\)/)
  })

  it('a file that Python read and wrote again is as it was, checksum included', async () => {
    const again = path.join(folder, 'again.safetensors')
    python()('resave_safetensors.py', await writeOurs('once.safetensors'), again)
    const read = await readSafetensors(again)

    expect(read.verified).toBe(true)
    expect(read.metadata).toEqual(metadata)
    for (const [name, expected] of Object.entries(ours)) {
      expect(valuesFromTensor(read.tensors.get(name)!), name).toEqual(expected)
    }
  })
})
