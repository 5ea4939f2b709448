/** The spike and its surrogate gradient, element by element. */
import { argumentReader } from '../model/arguments.js'
import { readSurrogate, type Surrogate } from '../model/surrogate.js'
import { tensorOp } from '../tensor/operator.js'
import type { Tensor } from '../tensor/tensor.js'

/**
 * `S = 1 if x ≥ 0 else 0` in the dtype of `x` (floating, any shape); backward multiplies by the surrogate's `g(x)`.
 *
 * @throws ArgumentError `ERR_RANGE` for an unknown surrogate or a parameter that is not positive
 */
export function surrogate(x: Tensor, kind: Surrogate = 'triangular'): Tensor {
  const { surrogate: name, surrogateParameter } = readSurrogate(argumentReader('surrogate', { surrogate: kind }))
  return tensorOp('spikingrx::surrogate', [x, name, surrogateParameter])
}
