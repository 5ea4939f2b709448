import { SpecError } from '../errors.js'
import { isLayerKind, LAYER_KINDS } from './definitions/registry.js'
import { LIMITS } from './limits.js'
import { describe } from './options.js'
import { formatShape } from './shape.js'
import { type NetworkSpec, type SpecJson, snn } from './spec.js'

/**
 * Reads a spec from JSON that nobody vouches for, such as a checkpoint's. It goes through the same checks as the builder:
 * unknown kinds and options, wrong types, sizes out of bounds and shapes that do not fit are all refused.
 *
 * @param json the value of `spec.toJSON()`, parsed
 * @throws SpecError `ERR_TYPE`, `ERR_RANGE`, `ERR_SHAPE` or `ERR_UNKNOWN`, naming the layer
 */
export function parseSpec(json: unknown): NetworkSpec {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new SpecError(`a network spec is an object, got ${describe(json)}`, 'ERR_TYPE')
  }
  const { layers, ...input } = json as Record<string, unknown>
  if (!Array.isArray(layers))
    throw new SpecError(`a network spec needs a list of layers, got ${describe(layers)}`, 'ERR_TYPE')
  if (layers.length > LIMITS.layers) {
    throw new SpecError(`a network has at most ${LIMITS.layers} layers, got ${layers.length}`, 'ERR_RANGE')
  }
  // snn checks what it is given at run time, whatever the type says.
  let spec = snn(input as unknown as SpecJson)
  for (const [index, layer] of layers.entries()) {
    try {
      spec = addLayer(spec, layer)
    } catch (error) {
      if (!(error instanceof SpecError)) throw error
      throw new SpecError(`layer ${index}: ${error.message}`, error.code, { ...error.details, layer: index }, error)
    }
  }
  return checkLabels(spec)
}

function addLayer(spec: NetworkSpec, layer: unknown): NetworkSpec {
  if (typeof layer !== 'object' || layer === null || Array.isArray(layer)) {
    throw new SpecError(`a layer is an object with a kind, got ${describe(layer)}`, 'ERR_TYPE')
  }
  const kind: unknown = Object.hasOwn(layer, 'kind') ? Reflect.get(layer, 'kind') : undefined
  if (!isLayerKind(kind)) {
    throw new SpecError(
      `there is no layer of kind ${describe(kind)}; there are ${LAYER_KINDS.join(', ')}`,
      'ERR_UNKNOWN',
    )
  }
  return spec.add(kind, layer)
}

/**
 * Refuses a network that has no layer, or another number of outputs than of labels.
 *
 * @throws SpecError `ERR_SHAPE`
 */
export function checkLabels(spec: NetworkSpec): NetworkSpec {
  if (spec.layers.length === 0)
    throw new SpecError('the network has no layer; add one, such as classifier(10)', 'ERR_SHAPE')
  const { labels, output } = spec
  if (labels && (output.length !== 1 || output[0] !== labels.length)) {
    throw new SpecError(
      `the network has ${labels.length} labels but gives ${formatShape(output)} at each step`,
      'ERR_SHAPE',
    )
  }
  return spec
}
