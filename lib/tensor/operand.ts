/** Scalars beside tensors in operations of two: a number takes the dtype of the tensor beside it, as in PyTorch. */
import { ArgumentError } from '../errors.js'
import { checkedDtype, isFloating } from './dtype.js'
import { tensorOp } from './operator.js'
import { Tensor } from './tensor.js'

/** A tensor, or a number that stands for a tensor of that value. */
export type Operand = Tensor | number

/**
 * Calls `name.Tensor` or `name.Scalar` for a tensor on the left; with the number on the left, `swapped` says what to do.
 *
 * @throws ArgumentError when neither side is a tensor
 */
export function binary(
  name: string,
  left: Operand,
  right: Operand,
  swapped: (left: number, right: Tensor) => Tensor,
): Tensor {
  if (left instanceof Tensor)
    return tensorOp(right instanceof Tensor ? `${name}.Tensor` : `${name}.Scalar`, [left, right])
  if (right instanceof Tensor) return swapped(left, right)
  throw new ArgumentError(`${name} wants at least one tensor: two numbers need no tensor operation`)
}

/**
 * `value` as a tensor without axes that leaves the dtype of `beside` as it is: its dtype where it is floating or the
 * value an integer, else float32.
 */
function scalarBeside(value: number, beside: Tensor): Tensor {
  const keeps = isFloating(beside.dtype) || (Number.isInteger(value) && beside.dtype !== 'bool')
  return tensorOp('full', [[], value], { dtype: checkedDtype(keeps ? beside.dtype : 'float32'), device: beside.device })
}

/** Calls `compute` with both sides as tensors, a number becoming one beside the other side. */
export function withTensors(
  name: string,
  left: Operand,
  right: Operand,
  compute: (left: Tensor, right: Tensor) => Tensor,
): Tensor {
  if (left instanceof Tensor && right instanceof Tensor) return compute(left, right)
  if (left instanceof Tensor) {
    using scalar = scalarBeside(right as number, left)
    return compute(left, scalar)
  }
  if (right instanceof Tensor) {
    using scalar = scalarBeside(left, right)
    return compute(scalar, right)
  }
  throw new ArgumentError(`${name} wants at least one tensor: two numbers need no tensor operation`)
}
