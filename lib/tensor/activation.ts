/** Activations element by element, and distributions along an axis. */
import { tensorOp } from './operator.js'
import type { Tensor } from './tensor.js'

/** max(x, 0) */
export function relu(x: Tensor): Tensor {
  return tensorOp('relu', [x])
}

/** 1 / (1 + exp(-x)) */
export function sigmoid(x: Tensor): Tensor {
  return tensorOp('sigmoid', [x])
}

/** (exp(x) - exp(-x)) / (exp(x) + exp(-x)) */
export function tanh(x: Tensor): Tensor {
  return tensorOp('tanh', [x])
}

/** exp(x) / sum exp(x) along `dim`: adds up to 1. */
export function softmax(x: Tensor, dim = -1): Tensor {
  return tensorOp('softmax.int', [x, dim])
}

/** x - log sum exp(x) along `dim`, without overflow. */
export function logSoftmax(x: Tensor, dim = -1): Tensor {
  return tensorOp('log_softmax.int', [x, dim])
}
