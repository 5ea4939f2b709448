import type { SpikeNormLayer, Statistics } from '../layers.js'
import { LIMITS } from '../limits.js'
import type { OptionReader } from '../options.js'
import type { Shape } from '../shape.js'
import { type LayerDefinition, requireMap, type TensorLayout } from './definition.js'

/** SpikeNorm's options, as layers store them. */
export interface NormSettings {
  readonly epsilon: number
  readonly momentum: number
  readonly statistics: Statistics
  readonly steps: number
}

/** Options that SpikeNorm layers and SEW blocks share. A stored spec repeats the network's T, which must agree. */
export function readNormSettings(read: OptionReader, steps: number): NormSettings {
  const stored = read.integer('steps', { min: 1, max: LIMITS.steps }, steps)
  if (stored !== steps) read.fail(`is for ${stored} time steps in a network of ${steps}`, 'ERR_SHAPE')
  return {
    epsilon: read.number('epsilon', { above: 0, max: 1 }, 1e-5),
    momentum: read.number('momentum', { min: 0, max: 1 }, 0.1),
    statistics: read.choice('statistics', ['shared', 'perStep'], 'shared'),
    steps,
  }
}

export function normTensors(prefix: string, { statistics, steps }: NormSettings, channels: number): TensorLayout[] {
  const running: Shape = statistics === 'perStep' ? [steps, channels] : [channels]
  return [
    { name: `${prefix}gamma`, shape: [channels], trainable: true },
    { name: `${prefix}beta`, shape: [channels], trainable: true },
    { name: `${prefix}runningMean`, shape: running, trainable: false },
    { name: `${prefix}runningVariance`, shape: running, trainable: false },
  ]
}

export const spikeNorm: LayerDefinition<SpikeNormLayer> = {
  complete: (read, { steps }) => ({ kind: 'spikeNorm', ...readNormSettings(read, steps) }),
  output(_layer, input, read) {
    requireMap(input, read)
    return input
  },
  tensors: (layer, input) => normTensors('', layer, input[0] ?? 0),
}
