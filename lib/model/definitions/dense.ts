import type { DropoutLayer, FlattenLayer, LinearLayer, ReluLayer, TimeMeanLayer } from '../layers.js'
import { LIMITS } from '../limits.js'
import { sizeOf } from '../shape.js'
import type { LayerDefinition, TensorLayout } from './definition.js'

export const linear: LayerDefinition<LinearLayer> = {
  complete: (read) => ({
    kind: 'linear',
    features: read.integer('features', { min: 1, max: LIMITS.size }),
    bias: read.flag('bias', true),
  }),
  output({ features }, input, read) {
    if (input.length !== 1) {
      read.fail(`needs a flat input [features], got [${input.join(', ')}]; put flatten() before it`, 'ERR_SHAPE', {
        expected: 1,
        actual: input,
      })
    }
    return [features]
  },
  tensors({ features, bias }, input) {
    const weight: TensorLayout = { name: 'weight', shape: [features, input[0] ?? 0], trainable: true }
    return bias ? [weight, { name: 'bias', shape: [features], trainable: true }] : [weight]
  },
}

export const flatten: LayerDefinition<FlattenLayer> = {
  complete: () => ({ kind: 'flatten' }),
  output: (_layer, input) => [sizeOf(input)],
  tensors: () => [],
}

export const timeMean: LayerDefinition<TimeMeanLayer> = {
  complete: () => ({ kind: 'timeMean' }),
  output: (_layer, input) => input,
  tensors: () => [],
}

export const dropout: LayerDefinition<DropoutLayer> = {
  complete: (read) => ({ kind: 'dropout', probability: read.number('probability', { min: 0, below: 1 }, 0.5) }),
  output: (_layer, input) => input,
  tensors: () => [],
}

export const relu: LayerDefinition<ReluLayer> = {
  complete: () => ({ kind: 'relu' }),
  output: (_layer, input) => input,
  tensors: () => [],
}
