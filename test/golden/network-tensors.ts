/** A native network in float64, filled with the parameters of a golden case. */
import { expect } from 'vitest'
import type { TensorValues } from '../../lib/io/tensor-values.js'
import type { NativeNetworkSpec, NetworkHandle } from '../../lib/native.js'
import { native } from '../../lib/runtime/addon.js'
import { Tensor } from '../../lib/tensor/index.js'
import { toTensor } from './vectors.js'

/** Builds the network, runs `body` and frees it. */
export async function withNetwork(
  spec: NativeNetworkSpec,
  body: (network: NetworkHandle) => void | Promise<void>,
): Promise<void> {
  const network = native().networkCreate(spec, 1, 'cpu', 'float64')
  try {
    await body(network)
  } finally {
    native().networkFree(network)
  }
}

/** Parameters and buffers by name; they share storage with the network. */
export function networkTensors(network: NetworkHandle): Map<string, Tensor> {
  return new Map(
    native()
      .networkTensors(network)
      .map(({ name, handle }) => [name, new Tensor(handle)]),
  )
}

/**
 * Copies the golden values into the network. `golden` are the names the case has (with `prefix` before them in the
 * network); the network may have besides only biases of convolutions, which stay zero: SpikingJelly's blocks have none.
 */
export function loadTensors(
  network: NetworkHandle,
  values: (name: string) => TensorValues,
  golden: readonly string[],
  prefix = '',
): void {
  const names = golden.map((name) => prefix + name)
  const tensors = networkTensors(network)
  const others = [...tensors.keys()].filter((name) => !names.includes(name))
  expect(others.filter((name) => !name.endsWith('conv.bias'))).toEqual([])
  for (const name of others) expect(new Set<unknown>(tensors.get(name)!.toTypedArray())).toEqual(new Set([0]))
  const all = [...tensors].map(([name, tensor]) => (names.includes(name) ? toTensor(values(name), 'float64') : tensor))
  native().networkLoad(
    network,
    [...tensors.keys()],
    all.map(({ handle }) => handle),
  )
}
