/** Comparisons element by element; the results are bool. NaN equals nothing. */
import { binary, type Operand } from './operand.js'
import { op, tensorOp } from './operator.js'
import type { Tensor } from './tensor.js'

/** x = y */
export function eq(x: Operand, y: Operand): Tensor {
  return binary('eq', x, y, (number, tensor) => eq(tensor, number))
}

/** x ≠ y */
export function ne(x: Operand, y: Operand): Tensor {
  return binary('ne', x, y, (number, tensor) => ne(tensor, number))
}

/** x < y */
export function lt(x: Operand, y: Operand): Tensor {
  return binary('lt', x, y, (number, tensor) => gt(tensor, number))
}

/** x ≤ y */
export function le(x: Operand, y: Operand): Tensor {
  return binary('le', x, y, (number, tensor) => ge(tensor, number))
}

/** x > y */
export function gt(x: Operand, y: Operand): Tensor {
  return binary('gt', x, y, (number, tensor) => lt(tensor, number))
}

/** x ≥ y */
export function ge(x: Operand, y: Operand): Tensor {
  return binary('ge', x, y, (number, tensor) => le(tensor, number))
}

/** Both hold. */
export function logicalAnd(x: Tensor, y: Tensor): Tensor {
  return tensorOp('logical_and', [x, y])
}

/** Either holds. */
export function logicalOr(x: Tensor, y: Tensor): Tensor {
  return tensorOp('logical_or', [x, y])
}

/** Does not hold: true where x is 0. */
export function logicalNot(x: Tensor): Tensor {
  return tensorOp('logical_not', [x])
}

/** Whether shape and every value agree; NaN equals nothing. */
export function equal(x: Tensor, y: Tensor): boolean {
  return x.shape.join() === y.shape.join() && op('equal', [x, y]) === true
}
