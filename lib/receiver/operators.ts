/** The link's native operators (native/link/operators.cpp) by name, each giving tensors on the executor thread. */
import { type OperatorArgument, type OperatorResult, opAsync } from '../tensor/operator.js'
import type { Tensor } from '../tensor/tensor.js'

/** An operator of `spikingrx::link_*` that gives one tensor. */
export async function linkTensor(name: string, args: readonly OperatorArgument[]): Promise<Tensor> {
  return (await opAsync(`spikingrx::link_${name}`, args)) as Tensor
}

/** An operator of `spikingrx::link_*` that gives several results. */
export async function linkResults(name: string, args: readonly OperatorArgument[]): Promise<readonly OperatorResult[]> {
  return (await opAsync(`spikingrx::link_${name}`, args)) as readonly OperatorResult[]
}

/** {@link linkResults} where all are tensors. */
export async function linkTensors(name: string, args: readonly OperatorArgument[]): Promise<readonly Tensor[]> {
  return (await linkResults(name, args)) as readonly Tensor[]
}
