/** The time domain: OFDM symbols with their cyclic prefix. The simulator works on the grid; this is for checks and recordings. */
import { ShapeError } from '../errors.js'
import { wholeNumber } from '../study/quantity.js'
import type { Tensor } from '../tensor/tensor.js'
import type { ResourceGrid } from './grid.js'
import { linkTensor } from './operators.js'

export interface OfdmOptions {
  /** Points of the transform, at least the subcarriers. Default: the power of two that holds them. */
  readonly size?: number
  /** Samples of the cyclic prefix. Default: the grid's share of `size`, rounded. */
  readonly prefix?: number
}

/**
 * Grids `[..., symbols, subcarriers, 2]` -> samples `[..., symbols × (size + prefix), 2]`, `size × spacing` a second; orthonormal.
 *
 * @throws ArgumentError `ERR_RANGE` for a size below the subcarriers; ShapeError for another grid
 */
export async function modulateOfdm(grid: ResourceGrid, symbols: Tensor, options: OfdmOptions = {}): Promise<Tensor> {
  const { size, prefix } = ofdm('modulateOfdm', grid, options)
  const tail = symbols.shape.slice(-3)
  if (tail[0] !== grid.symbols || tail[1] !== grid.subcarriers || tail[2] !== 2) {
    const message = `modulateOfdm: the grid must end in [${grid.symbols}, ${grid.subcarriers}, 2], got [${symbols.shape.join(', ')}]`
    throw new ShapeError(message, { expected: [grid.symbols, grid.subcarriers, 2], actual: symbols.shape })
  }
  return linkTensor('ofdm_modulate', [symbols, size, prefix])
}

/** The way back of {@link modulateOfdm}. @throws ShapeError for fewer samples than a slot has */
export async function demodulateOfdm(grid: ResourceGrid, samples: Tensor, options: OfdmOptions = {}): Promise<Tensor> {
  const { size, prefix } = ofdm('demodulateOfdm', grid, options)
  return linkTensor('ofdm_demodulate', [samples, grid.symbols, grid.subcarriers, size, prefix])
}

function ofdm(owner: string, grid: ResourceGrid, options: OfdmOptions): Required<OfdmOptions> {
  const fitting = 2 ** Math.ceil(Math.log2(grid.subcarriers))
  const size = wholeNumber(owner, 'size', options.size ?? fitting, { min: grid.subcarriers, max: 2 ** 20 })
  const prefix = wholeNumber(owner, 'prefix', options.prefix ?? Math.round(size * grid.cyclicPrefix), {
    min: 0,
    max: size,
  })
  return { size, prefix }
}
