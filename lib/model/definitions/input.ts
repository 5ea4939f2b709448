import type { DirectEncoderLayer, LatencyEncoderLayer, NormalizeLayer, RateEncoderLayer } from '../layers.js'
import type { OptionReader } from '../options.js'
import type { LayerContext, LayerDefinition } from './definition.js'

const STATISTIC = { min: -1e12, max: 1e12 }

export const normalize: LayerDefinition<NormalizeLayer> = {
  complete: (read) => ({
    kind: 'normalize',
    mean: read.numbers('mean', STATISTIC),
    std: read.numbers('std', { above: 0, max: 1e12 }),
  }),
  output({ mean, std }, input, read, { before }) {
    if (before.length > 0) read.fail('belongs before every other layer', 'ERR_RANGE')
    const channels = input[0] ?? 0
    for (const [name, values] of [
      ['mean', mean],
      ['std', std],
    ] as const) {
      if (values.length !== channels) {
        const want = `${channels} value${channels === 1 ? '' : 's'}, one per channel of [${input.join(', ')}]`
        read.fail(`needs ${name} to hold ${want}, got ${values.length}`, 'ERR_SHAPE', {
          expected: channels,
          actual: values.length,
        })
      }
    }
    return input
  },
  tensors: () => [],
}

/** An encoder turns the analog input into what the first layer sees at each step. */
function requireFirst(read: OptionReader, { before }: LayerContext): void {
  const earlier = before.find(({ kind }) => kind !== 'normalize')
  if (earlier) read.fail(`belongs before every layer but normalize, and comes after ${earlier.kind}`, 'ERR_RANGE')
}

export const directEncoder: LayerDefinition<DirectEncoderLayer> = {
  complete: () => ({ kind: 'directEncoder' }),
  output(_layer, input, read, context) {
    requireFirst(read, context)
    return input
  },
  tensors: () => [],
}

export const rateEncoder: LayerDefinition<RateEncoderLayer> = {
  complete: () => ({ kind: 'rateEncoder' }),
  output(_layer, input, read, context) {
    requireFirst(read, context)
    return input
  },
  tensors: () => [],
}

export const latencyEncoder: LayerDefinition<LatencyEncoderLayer> = {
  complete: (read) => ({ kind: 'latencyEncoder', threshold: read.number('threshold', { min: 0, max: 1 }, 0.01) }),
  output(_layer, input, read, context) {
    requireFirst(read, context)
    return input
  },
  tensors: () => [],
}
