/** The blocks as functions of their tensors and as modules that own them, and optimisers over tensors. */
export type { Surrogate, SurrogateKind } from '../model/surrogate.js'
export { type ConvBlockFunctionOptions, convBlock } from './conv-block.js'
export {
  type LeakyIntegrateOptions,
  type LeakyIntegrateResult,
  type LifFunctionOptions,
  type LifResult,
  type LifRun,
  leakyIntegrate,
  lif,
} from './lif.js'
export { Module, type ModuleOptions, type NamedTensor } from './module.js'
export { ConvBlock } from './modules/conv-block.js'
export { Lif, type LifModuleOptions } from './modules/lif.js'
export { Linear } from './modules/linear.js'
export { Sequential, type SequentialLayer } from './modules/sequential.js'
export { SEWBlock, type SewBlockModuleOptions } from './modules/sew-block.js'
export { SpikeNorm, type SpikeNormModuleOptions } from './modules/spike-norm.js'
export { clipGradientNorm, createOptimizer, Optimizer } from './optimizer.js'
export {
  type SewBlockFunctionOptions,
  type SewBlockResult,
  type SewStage,
  type SewTensors,
  sewBlock,
  sewConnect,
} from './sew-block.js'
export { type SpikeNormFunctionOptions, type SpikeNormTensors, spikeNorm } from './spike-norm.js'
export { surrogate } from './surrogate.js'
