import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readNpy, writeNpy } from '../../lib/io/npy.js'
import {
  leastSquaresReceiver,
  readSlots,
  resourceGrid,
  simulateSlots,
  writeComplex,
  writeLlrs,
} from '../../lib/receiver/index.js'
import type { Tensor } from '../../lib/tensor/index.js'

const numbers = (x: Tensor): number[] => Array.from(x.toTypedArray(), Number)

describe('recorded slots', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'spikingrx-slots-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('go to a .npy file and back with the same soft bits, which have a file of their own', async () => {
    using grid = resourceGrid({ subcarriers: 12 })
    using slots = await simulateSlots(grid, { kind: 'rayleigh' }, { snr: 5, samples: 2 })
    const file = path.join(folder, 'slots.npy')
    await writeComplex(file, slots.received)
    const read = await readSlots(file, grid, 10 ** -0.5)
    using receiver = leastSquaresReceiver(grid)
    using there = await receiver.llrs(slots)
    using back = await receiver.llrs(read)
    expect(back.shape).toEqual(there.shape)
    const [wanted, got] = [numbers(there), numbers(back)]
    expect(Math.max(...got.map((value, i) => Math.abs(value - wanted[i]!)))).toBeLessThan(1e-3)
    const soft = path.join(folder, 'llrs.npy')
    await writeLlrs(soft, back)
    expect(await readNpy(soft)).toMatchObject({ shape: [2, 2, 14, 12], dtype: 'float32', complex: false })
    expect(Array.from((await readNpy(soft)).data, Number)).toEqual(got)
  })

  it('are refused when real or of another grid', async () => {
    using grid = resourceGrid({ subcarriers: 12 })
    const file = path.join(folder, 'real.npy')
    await writeNpy(file, { shape: [14, 12], dtype: 'float32', complex: false, data: new Float32Array(168) })
    await expect(readSlots(file, grid, 1)).rejects.toMatchObject({ code: 'ERR_DATA_UNSUPPORTED' })
    await writeNpy(file, { shape: [14, 11], dtype: 'float32', complex: true, data: new Float32Array(308) })
    await expect(readSlots(file, grid, 1)).rejects.toMatchObject({ code: 'ERR_SHAPE' })
    await expect(readSlots(file, grid, 0)).rejects.toMatchObject({ code: 'ERR_RANGE' })
  })

  it('are refused without slots, without pilots and with numbers that are none', async () => {
    using grid = resourceGrid({ subcarriers: 12 })
    const file = path.join(folder, 'bad.npy')
    const written = (samples: number, change: (data: Float32Array) => void = () => undefined): Promise<void> => {
      const data = new Float32Array(samples * 14 * 12 * 2).fill(1)
      change(data)
      return writeNpy(file, { shape: [samples, 14, 12], dtype: 'float32', complex: true, data })
    }
    await written(0)
    await expect(readSlots(file, grid, 1)).rejects.toThrow('bad.npy holds no slot')
    await written(1, (data) => data.fill(Number.POSITIVE_INFINITY, 7, 8))
    await expect(readSlots(file, grid, 1)).rejects.toThrow('bad.npy holds numbers that are not finite')
    // Pilots lie in symbols 2 and 11; those of the second slot were never sent.
    await written(2, (data) => {
      for (const symbol of [2, 11]) data.fill(0, (14 + symbol) * 24, (14 + symbol + 1) * 24)
    })
    await expect(readSlots(file, grid, 1)).rejects.toMatchObject({
      code: 'ERR_DATA_FORMAT',
      message: expect.stringContaining('has nothing where the grid has its pilots, in slot 1'),
    })
    using bare = resourceGrid({ subcarriers: 12, pilots: null })
    const { received, noisePower } = await readSlots(file, bare, 1)
    expect(received.shape).toEqual([2, 1, 14, 12, 2])
    received.dispose()
    noisePower.dispose()
  })
})
