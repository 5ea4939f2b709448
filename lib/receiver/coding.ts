/** The channel code of 5G NR: CRC, LDPC, rate matching, scrambling, and the chain of a transport block. */
export { codedLengths, type Segmentation, segmentTransportBlock } from './code-blocks.js'
export { attachCrc, type CrcName, checkCrc, crcLengths, crcNames } from './crc.js'
export { type LdpcDecoded, type LdpcDecoderOptions, ldpcDecode, ldpcEncode } from './ldpc.js'
export {
  type BaseGraph,
  codeWordLength,
  fillerBits,
  type LdpcCode,
  type LdpcCodeOptions,
  ldpcCode,
  liftingSizes,
} from './ldpc-code.js'
export { type RateMatchingOptions, type RateRecoveryOptions, rateMatch, rateRecover } from './rate-matching.js'
export { goldSequence, type ScramblingIdentity, scramble, scramblingState } from './scrambling.js'
export {
  type DecodedTransportBlock,
  type DecodeTransportBlockOptions,
  decodeTransportBlock,
  encodeTransportBlock,
  type TransportBlock,
  type TransportBlockOptions,
  transportBlock,
} from './transport-block.js'
