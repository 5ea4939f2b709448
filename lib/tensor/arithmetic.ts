/** Element by element, shapes broadcast as in PyTorch: an axis of size 1, or a missing leading one, is repeated. */
import { ArgumentError } from '../errors.js'
import { binary, type Operand, withTensors } from './operand.js'
import { tensorOp } from './operator.js'
import { Tensor } from './tensor.js'

/** x + y */
export function add(x: Operand, y: Operand): Tensor {
  return binary('add', x, y, (number, tensor) => add(tensor, number))
}

/** x - y */
export function sub(x: Operand, y: Operand): Tensor {
  return binary('sub', x, y, (number, tensor) => tensorOp('rsub.Scalar', [tensor, number]))
}

/** x y */
export function mul(x: Operand, y: Operand): Tensor {
  return binary('mul', x, y, (number, tensor) => mul(tensor, number))
}

/** x / y; of two integers, too, the true quotient as float32. */
export function div(x: Operand, y: Operand): Tensor {
  return binary('div', x, y, (number, tensor) => withTensors('div', number, tensor, div))
}

/** x to the power y */
export function pow(x: Operand, y: Operand): Tensor {
  if (!(x instanceof Tensor)) return tensorOp('pow.Scalar', [x, y])
  return tensorOp(y instanceof Tensor ? 'pow.Tensor_Tensor' : 'pow.Tensor_Scalar', [x, y])
}

/** -x */
export function neg(x: Tensor): Tensor {
  return tensorOp('neg', [x])
}

/** |x| */
export function abs(x: Tensor): Tensor {
  return tensorOp('abs', [x])
}

/** x x */
export function square(x: Tensor): Tensor {
  return tensorOp('square', [x])
}

/** Square root; NaN below 0. */
export function sqrt(x: Tensor): Tensor {
  return tensorOp('sqrt', [x])
}

/** e to the power x */
export function exp(x: Tensor): Tensor {
  return tensorOp('exp', [x])
}

/** Natural logarithm; NaN below 0, -Infinity at 0. */
export function log(x: Tensor): Tensor {
  return tensorOp('log', [x])
}

/** -1, 0 or 1 by the sign of x. */
export function sign(x: Tensor): Tensor {
  return tensorOp('sign', [x])
}

/** Largest integer of at most x. */
export function floor(x: Tensor): Tensor {
  return tensorOp('floor', [x])
}

/** Nearest integer, halves to the even one. */
export function round(x: Tensor): Tensor {
  return tensorOp('round', [x])
}

/**
 * x held within [`min`, `max`], either may be left out.
 *
 * @throws ArgumentError when both are missing
 */
export function clamp(x: Tensor, bounds: { readonly min?: number; readonly max?: number }): Tensor {
  const { min, max } = bounds
  if (min === undefined && max === undefined) throw new ArgumentError('clamp wants min, max or both')
  return tensorOp('clamp', [x, min ?? null, max ?? null])
}

/** The smaller of x and y; NaN where either is. */
export function minimum(x: Operand, y: Operand): Tensor {
  return withTensors('minimum', x, y, (left, right) => tensorOp('minimum', [left, right]))
}

/** The larger of x and y; NaN where either is. */
export function maximum(x: Operand, y: Operand): Tensor {
  return withTensors('maximum', x, y, (left, right) => tensorOp('maximum', [left, right]))
}

/**
 * x where `condition` (bool) holds, else y.
 *
 * @throws ArgumentError when neither x nor y is a tensor
 */
export function where(condition: Tensor, x: Operand, y: Operand): Tensor {
  return withTensors('where', x, y, (left, right) => tensorOp('where.self', [condition, left, right]))
}
