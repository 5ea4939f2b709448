import type { SewBlockLayer } from '../layers.js'
import { LIMITS } from '../limits.js'
import { type Shape, sameShape } from '../shape.js'
import { convolutionTensors, windows } from './convolution.js'
import { type LayerDefinition, requireMap, type TensorLayout } from './definition.js'
import { lifTensors, readLifSettings } from './neuron.js'
import { normTensors, readNormSettings } from './norm.js'

function outputShape({ channels, stride }: SewBlockLayer, height: number, width: number): Shape {
  return [channels, windows(height, 3, stride[0], 1), windows(width, 3, stride[1], 1)]
}

export const sewBlock: LayerDefinition<SewBlockLayer> = {
  complete: (read, { steps }) => ({
    kind: 'sewBlock',
    channels: read.integer('channels', { min: 1, max: LIMITS.size }),
    stride: read.pair('stride', { min: 1, max: LIMITS.size }, [1, 1]),
    stages: read.integer('stages', { min: 1, max: 2 }, 2),
    connect: read.choice('connect', ['add', 'and', 'iand', 'mean'], 'add'),
    activation: read.choice('activation', ['lif', 'relu'], 'lif'),
    ...readLifSettings(read),
    ...readNormSettings(read, steps),
  }),
  output(layer, input, read) {
    const [, height, width] = requireMap(input, read)
    return outputShape(layer, height, width)
  },
  tensors(layer, input) {
    const into = input[0] ?? 0
    const stage = (prefix: string, from: number, kernel: 1 | 3): TensorLayout[] => [
      ...convolutionTensors(`${prefix}.conv.`, layer.channels, from, [kernel, kernel], true),
      ...normTensors(`${prefix}.norm.`, layer, layer.channels),
      ...(layer.activation === 'lif' ? lifTensors(`${prefix}.lif.`, layer, layer.channels) : []),
    ]
    const stages = Array.from({ length: layer.stages }, (_, k) =>
      stage(`stages.${k}`, k === 0 ? into : layer.channels, 3),
    )
    const changes = !sameShape(input, outputShape(layer, input[1] ?? 0, input[2] ?? 0))
    return [...stages.flat(), ...(changes ? stage('shortcut', into, 1) : [])]
  },
}
