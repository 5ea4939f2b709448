/** Models made of another one's weights. */
import type { Device } from '../runtime/device.js'
import { assign, indexSelect, scope, type Tensor } from '../tensor/index.js'
import { argumentReader } from './arguments.js'
import { LIMITS } from './limits.js'
import { Model } from './model.js'
import { parseSpec } from './schema.js'
import type { NetworkSpec } from './spec.js'

/**
 * A model of `spec` with the weights and buffers of `model`, changed on the way where `change` gives another tensor.
 *
 * @param spec names the same tensors, with the same shapes
 */
export async function copyModel(
  model: Model,
  spec: NetworkSpec,
  change: (name: string, tensor: Tensor) => Tensor = (_, tensor) => tensor,
): Promise<Model> {
  const { device, dtype, seed } = model
  const copy = await Model.create(spec, { device: device as Device, dtype, seed })
  try {
    scope(() => {
      const targets = copy.tensors()
      for (const [i, { name, tensor }] of model.tensors().entries()) {
        using source = tensor
        using target = targets[i]!.tensor
        assign(target, change(name, source))
      }
    })
    return copy
  } catch (error) {
    copy.dispose()
    throw error
  }
}

/**
 * The same weights run for another number of time steps T. A network was trained for its own T: with another one it computes something
 * else, and how well it still does must be measured. A norm that keeps statistics of each step uses those of its last one from there on.
 *
 * @returns a model that the caller disposes of
 * @throws ArgumentError `ERR_RANGE` for a number of steps that can't be
 */
export async function withSteps(model: Model, steps: number): Promise<Model> {
  const read = argumentReader('withSteps', { steps })
  read.integer('steps', { min: 1, max: LIMITS.steps })
  read.end()
  const { layers, ...spec } = model.spec.toJSON()
  const changed = layers.map((layer) => ('steps' in layer ? { ...layer, steps } : layer))
  const rows = Array.from({ length: steps }, (_, step) => Math.min(step, spec.steps - 1))
  const perStep = new Set(
    model.spec.summary.flatMap(({ layer, tensors }) =>
      'statistics' in layer && layer.statistics === 'perStep'
        ? tensors.filter(({ name }) => /\.running(Mean|Variance)$/.test(name)).map(({ name }) => name)
        : [],
    ),
  )
  return copyModel(model, parseSpec({ ...spec, steps, layers: changed }), (name, tensor) =>
    perStep.has(name) ? indexSelect(tensor, 0, rows) : tensor,
  )
}
