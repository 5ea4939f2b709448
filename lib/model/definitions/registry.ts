import type { Layer, LayerKind } from '../layers.js'
import { averagePool, convBlock, maxPool } from './convolution.js'
import type { LayerDefinition } from './definition.js'
import { dropout, flatten, linear, relu, timeMean } from './dense.js'
import { directEncoder, latencyEncoder, normalize, rateEncoder } from './input.js'
import { leakyReadout, lif } from './neuron.js'
import { spikeNorm } from './norm.js'
import { sewBlock } from './sew.js'

/** Every kind of layer there is. */
const DEFINITIONS = {
  convBlock,
  spikeNorm,
  lif,
  sewBlock,
  linear,
  averagePool,
  maxPool,
  flatten,
  timeMean,
  dropout,
  relu,
  leakyReadout,
  normalize,
  directEncoder,
  rateEncoder,
  latencyEncoder,
} satisfies Record<LayerKind, unknown>

export const LAYER_KINDS = Object.keys(DEFINITIONS) as readonly LayerKind[]

export function isLayerKind(kind: unknown): kind is LayerKind {
  return typeof kind === 'string' && Object.hasOwn(DEFINITIONS, kind)
}

/** The definition to use with layers of this kind. */
export function definitionOf(kind: LayerKind): LayerDefinition<Layer> {
  // Methods are bivariant: a definition is only ever handed layers it completed itself.
  return DEFINITIONS[kind] as LayerDefinition<Layer>
}
