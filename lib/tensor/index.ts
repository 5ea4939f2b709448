/** The tensor layer: typed arrays in and out, autograd, and libtorch's operators. */
export type { Dtype, TypedArray } from '../native.js'
export * from './activation.js'
export * from './arithmetic.js'
export * from './comparison.js'
export * from './convert.js'
export { arange, eye, full, ones, onesLike, type TensorLiteralOptions, tensor, zeros, zerosLike } from './create.js'
export { dtypes, isDtype, isFloating } from './dtype.js'
export * from './gradient.js'
export type { NestedArray, TensorData } from './literal.js'
export * from './loss.js'
export { memory } from './memory.js'
export type { Operand } from './operand.js'
export {
  type NamedArguments,
  type OperatorArgument,
  type OperatorResult,
  op,
  opAsync,
  operatorSchema,
  tensorOp,
  tensorsOp,
} from './operator.js'
export {
  avgPool2d,
  type Conv2dOptions,
  conv2d,
  linear,
  matmul,
  maxPool2d,
  type Pair,
  type PoolOptions,
} from './product.js'
export * from './random.js'
export * from './reduction.js'
export { keep, scope } from './scope.js'
export * from './shape.js'
export { type BackwardOptions, Tensor, type TensorOptions } from './tensor.js'
