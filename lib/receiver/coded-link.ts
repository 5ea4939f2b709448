/** A transport block in every slot: what {@link measureLink} wants of a code, made of 5G NR's chain. */
import { wholeNumber } from '../study/quantity.js'
import { ne } from '../tensor/comparison.js'
import { opAsync, tensorOp } from '../tensor/operator.js'
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import type { ResourceGrid } from './grid.js'
import type { LdpcDecoderOptions } from './ldpc.js'
import type { BlockCode } from './link.js'
import { linkTensor } from './operators.js'
import {
  decodeTransportBlock,
  encodeTransportBlock,
  type TransportBlockOptions,
  transportBlock,
} from './transport-block.js'

export interface CodedLinkOptions extends Omit<TransportBlockOptions, 'codedBits' | 'bitsPerSymbol' | 'layers'> {
  /** Of belief propagation. */
  readonly decoder?: Omit<LdpcDecoderOptions, 'crc' | 'posterior'>
}

/**
 * One transport block of `size` bits on all data elements of a slot.
 *
 *     const code = transportBlockCode(grid, { size: grid.bits / 2 })
 *     for await (const point of measureLink(grid, channel, receivers, { snr: [0, 2, 4], code })) ...
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` for a block that the grid can't carry
 */
export function transportBlockCode(grid: ResourceGrid, { decoder, ...options }: CodedLinkOptions): BlockCode {
  wholeNumber('transportBlockCode', 'size', options.size, { min: 1, max: grid.bits })
  const block = transportBlock({ ...options, codedBits: grid.bits, bitsPerSymbol: grid.bitsPerSymbol })
  return {
    payloadBits: block.size,
    encode: (samples, seed, first) =>
      scope(async () => {
        const drawn = await linkTensor('bits', [samples, [block.size], seed, first])
        const payload = tensorOp('to.dtype', [drawn, 'uint8'])
        const sent = await encodeTransportBlock(payload, block)
        return { payload, codewords: tensorOp('to.device', [sent, grid.device, 'float32']) }
      }),
    errors: (llrs, payload) =>
      scope(async () => {
        const { bits } = await decodeTransportBlock(tensorOp('to.device', [llrs, 'cpu', 'float32']), block, decoder)
        const counts = (await opAsync('sum.dim_IntList', [ne(bits, payload), [1]])) as Tensor
        return Array.from(counts.toTypedArray(), Number)
      }),
  }
}
