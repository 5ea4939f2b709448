/** Code words on the grid: data elements in the order of TS 38.211, 7.3.1.6: by symbol, then subcarrier, then bit. */
import type { Tensor } from '../tensor/tensor.js'
import { checkShape } from './arguments.js'
import type { ResourceGrid } from './grid.js'
import { linkTensor } from './operators.js'

/** Bits or LLRs `[samples, bitsPerSymbol, symbols, subcarriers]` -> `[samples, grid.bits]`. @throws ShapeError */
export async function gatherBits(grid: ResourceGrid, values: Tensor): Promise<Tensor> {
  const shape = [null, grid.bitsPerSymbol, grid.symbols, grid.subcarriers]
  checkShape('gatherBits', 'values', values, shape, '[samples, bitsPerSymbol, symbols, subcarriers]')
  return linkTensor('gather_data', [values, grid.kinds])
}

/** `[samples, grid.bits]` -> `[samples, bitsPerSymbol, symbols, subcarriers]`, zero off the data. @throws ShapeError */
export async function scatterBits(grid: ResourceGrid, codewords: Tensor): Promise<Tensor> {
  checkShape('scatterBits', 'codewords', codewords, [null, grid.bits], '[samples, bits]')
  return linkTensor('scatter_data', [codewords, grid.kinds, grid.bitsPerSymbol])
}
