import type { LeakyReadoutLayer, LifLayer, LifSettings } from '../layers.js'
import type { OptionReader } from '../options.js'
import type { Shape } from '../shape.js'
import { readSurrogate } from '../surrogate.js'
import type { LayerDefinition, TensorLayout } from './definition.js'

const DECAY = { min: 0, max: 1 }

/** A number under its name or its Greek alias. */
function aliased(read: OptionReader, name: string, alias: string, range: object, otherwise: number): number {
  if (!read.has(alias)) {
    read.raw(alias)
    return read.number(name, range, otherwise)
  }
  if (read.has(name)) read.fail(`takes ${name} or ${alias}, which mean the same, not both`, 'ERR_RANGE')
  read.raw(name)
  return read.number(alias, range)
}

/** Options that LIF layers and SEW blocks share. */
export function readLifSettings(read: OptionReader): LifSettings {
  return {
    decay: aliased(read, 'decay', 'beta', DECAY, 0.9),
    threshold: aliased(read, 'threshold', 'theta', { above: 0, max: 1e6 }, 1),
    decayInput: read.flag('decayInput', true),
    reset: read.choice('reset', ['subtract', 'zero', 'none'], 'subtract'),
    resetDelay: read.flag('resetDelay', false),
    detachReset: read.flag('detachReset', false),
    ...readSurrogate(read),
    learnable: read.subset('learnable', ['decay', 'threshold']),
    perChannel: read.flag('perChannel', false),
  }
}

/** What a LIF layer trains: scalars, or one value for each of `channels`. */
export function lifTensors(prefix: string, { learnable, perChannel }: LifSettings, channels: number): TensorLayout[] {
  const shape: Shape = perChannel ? [channels] : []
  return learnable.map((name) => ({ name: `${prefix}${name}`, shape, trainable: true }))
}

export const lif: LayerDefinition<LifLayer> = {
  complete: (read) => ({ kind: 'lif', ...readLifSettings(read) }),
  output: (_layer, input) => input,
  tensors: (layer, input) => lifTensors('', layer, input[0] ?? 0),
}

export const leakyReadout: LayerDefinition<LeakyReadoutLayer> = {
  complete: (read) => ({
    kind: 'leakyReadout',
    decay: aliased(read, 'decay', 'beta', DECAY, 0.9),
    decayInput: read.flag('decayInput', true),
    learnable: read.subset('learnable', ['decay']),
  }),
  output: (_layer, input) => input,
  tensors: ({ learnable }) => learnable.map((name) => ({ name, shape: [], trainable: true })),
}
