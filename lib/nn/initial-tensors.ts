/** The first weights of a module, made by the native core exactly as those of a network's layer. */

import type { NetworkSpec } from '../model/spec.js'
import type { NativeNetworkSpec } from '../native.js'
import { native } from '../runtime/addon.js'
import { resolveDevice } from '../runtime/device.js'
import { randint } from '../tensor/random.js'
import { keep } from '../tensor/scope.js'
import { Tensor } from '../tensor/tensor.js'
import type { ModuleOptions, NamedTensor } from './module.js'

/** The spec as the addon takes it: plain options. */
export function nativeSpec(spec: NetworkSpec): NativeNetworkSpec {
  return { input: spec.input, steps: spec.steps, layers: spec.layers.map((layer) => ({ ...layer })) }
}

/** Tensors of a spec of one layer, by their names inside it; outside every scope. */
export function initialTensors(spec: NetworkSpec, options: ModuleOptions): readonly NamedTensor[] {
  const network = createNetwork(spec, options)
  try {
    return tensorsOf(network).map((named) => ({ ...named, name: named.name.replace(/^layers\.0\./, '') }))
  } finally {
    native().networkFree(network)
  }
}

/** A native network with fresh weights. */
export function createNetwork(spec: NetworkSpec, { seed, dtype = 'float32', device = 'cpu' }: ModuleOptions): number {
  return native().networkCreate(nativeSpec(spec), seed ?? drawnSeed(), resolveDevice(device).device, dtype)
}

/** Parameters and buffers of a native network, outside every scope; they share its memory. */
export function tensorsOf(network: number): readonly NamedTensor[] {
  return native()
    .networkTensors(network)
    .map(({ name, handle, trainable }) => {
      const tensor = keep(new Tensor(handle))
      return { name, tensor: trainable ? tensor.requireGrad() : tensor, trainable }
    })
}

function drawnSeed(): number {
  using seed = randint(0, 2 ** 48, [])
  return seed.item()
}
