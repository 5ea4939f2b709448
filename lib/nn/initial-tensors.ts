/** The first weights of a module, made by the native core exactly as those of a network's layer. */

import type { NetworkSpec } from '../model/spec.js'
import { native } from '../runtime/addon.js'
import { resolveDevice } from '../runtime/device.js'
import { randint } from '../tensor/random.js'
import { keep } from '../tensor/scope.js'
import { Tensor } from '../tensor/tensor.js'
import type { ModuleOptions, NamedTensor } from './module.js'

/** Tensors of a spec of one layer, by their names inside it; outside every scope, sharing nothing. */
export function initialTensors(spec: NetworkSpec, options: ModuleOptions): readonly NamedTensor[] {
  const { seed = drawnSeed(), dtype = 'float32', device = 'cpu' } = options
  const layers = spec.layers.map((layer) => ({ ...layer }))
  const addon = native()
  const network = addon.networkCreate({ ...spec.toJSON(), layers }, seed, resolveDevice(device).device, dtype)
  try {
    return addon.networkTensors(network).map(({ name, handle, trainable }) => {
      const tensor = keep(new Tensor(handle))
      return { name: name.replace(/^layers\.0\./, ''), tensor: trainable ? tensor.requireGrad() : tensor, trainable }
    })
  } finally {
    addon.networkFree(network)
  }
}

function drawnSeed(): number {
  using seed = randint(0, 2 ** 48, [])
  return seed.item()
}
