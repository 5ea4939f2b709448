/** Recorded slots as NumPy files: complex64 grids in and out, soft bits out. */
import { DataError } from '../errors.js'
import { readNpy, writeNpy } from '../io/npy.js'
import { quantity } from '../study/quantity.js'
import { tensor } from '../tensor/create.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkShape } from './arguments.js'
import type { ResourceGrid } from './grid.js'
import type { ReceivedSlots } from './slots.js'

/**
 * Received grids from a .npy file of complex64 or complex128: `[symbols, subcarriers]`, `[samples, symbols, subcarriers]` or
 * `[samples, antennas, symbols, subcarriers]`, scaled so that a data symbol has unit energy before the channel.
 *
 * @param noisePower N0, the variance of an element's noise, which the LLRs are scaled by
 * @throws DataError `ERR_DATA_MISSING`, `ERR_DATA_FORMAT` when the file is no such array, has numbers that are not finite or a slot
 *   without anything on the grid's pilots, `ERR_DATA_UNSUPPORTED` for real numbers
 * @throws ShapeError when it is of another grid, ArgumentError for a noise power that is not above 0
 */
export async function readSlots(path: string, grid: ResourceGrid, noisePower: number): Promise<ReceivedSlots> {
  quantity('readSlots', 'noisePower', noisePower, '', { min: 0, exclusive: true })
  const { shape, complex, data } = await readNpy(path)
  if (!complex) {
    const message = `${path} holds real numbers: a received grid is complex64 or complex128`
    throw new DataError(message, 'ERR_DATA_UNSUPPORTED', { path })
  }
  const lead = shape.length === 3 ? [shape[0]!, 1] : shape.length === 2 ? [1, 1] : shape.slice(0, -2)
  const values = data instanceof Float32Array ? data : Float32Array.from(data, Number)
  const { device } = grid
  const received = tensor(values, { shape: [...lead, ...shape.slice(-2), 2], device })
  const axes = '[samples, antennas, symbols, subcarriers, 2]'
  checkShape(`readSlots: ${path}`, 'the grid', received, [null, null, grid.symbols, grid.subcarriers, 2], axes)
  checkRecorded(path, values, grid)
  return { received, noisePower: tensor([noisePower], { device }) }
}

/** What can't be decoded: no slot, numbers that are none, pilots that were never sent. */
function checkRecorded(path: string, values: Float32Array, { pilots, symbols, subcarriers }: ResourceGrid): void {
  const damaged = (what: string): DataError => new DataError(`${path} ${what}`, 'ERR_DATA_FORMAT', { path })
  if (values.length === 0) throw damaged('holds no slot')
  if (!values.every(Number.isFinite)) throw damaged('holds numbers that are not finite')
  const sent = Array.from(pilots.toTypedArray(), Number).flatMap((part, i) => (part === 0 ? [] : [i - (i % 2)]))
  if (sent.length === 0) return
  const size = 2 * symbols * subcarriers
  for (let start = 0; start < values.length; start += size) {
    if (sent.some((i) => values[start + i] !== 0 || values[start + i + 1] !== 0)) continue
    throw damaged(`has nothing where the grid has its pilots, in slot ${start / size} (counted over the antennas)`)
  }
}

/** Soft bits `[samples, bitsPerSymbol, symbols, subcarriers]` as a float32 .npy file. @throws DataError `ERR_DATA_WRITE` */
export async function writeLlrs(path: string, llrs: Tensor): Promise<void> {
  const data = Float32Array.from(llrs.toTypedArray() as Float32Array)
  await writeNpy(path, { shape: llrs.shape, dtype: 'float32', complex: false, data })
}

/**
 * Complex pairs `[..., 2]`, such as `slots.received`, as a complex64 .npy file.
 *
 * @throws ShapeError when the last axis is not 2, DataError `ERR_DATA_WRITE` when the file can't be written
 */
export async function writeComplex(path: string, pairs: Tensor): Promise<void> {
  checkShape('writeComplex', 'pairs', pairs, [...pairs.shape.slice(0, -1), 2], '[..., 2]')
  const data = Float32Array.from(pairs.toTypedArray() as Float32Array)
  await writeNpy(path, { shape: pairs.shape.slice(0, -1), dtype: 'float32', complex: true, data })
}
