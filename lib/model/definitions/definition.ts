import type { Layer } from '../layers.js'
import type { OptionReader } from '../options.js'
import type { Shape } from '../shape.js'

/** A parameter (trained) or buffer of a layer. */
export interface TensorLayout {
  /** Inside the layer: `weight`, `stages.0.norm.gamma`. */
  readonly name: string
  readonly shape: Shape
  readonly trainable: boolean
}

/** What a new layer finds before it. */
export interface LayerContext {
  readonly input: Shape
  readonly steps: number
  /** Layers that were added before. */
  readonly before: readonly Layer[]
}

/**
 * Everything the facade knows about one kind of layer. The same code reads the options of the builder and those of an
 * untrusted file.
 */
export interface LayerDefinition<L extends Layer = Layer> {
  /** Checks types and ranges of the options, fills in every default. */
  complete(read: OptionReader, context: LayerContext): L
  /** Shape of the output at each step; refuses an input that does not fit. */
  output(layer: L, input: Shape, read: OptionReader, context: LayerContext): Shape
  /** Parameters and buffers, in the order of the native network. */
  tensors(layer: L, input: Shape): readonly TensorLayout[]
}

/** Refuses what is not `[channels, height, width]`. */
export function requireMap(input: Shape, read: OptionReader): readonly [number, number, number] {
  const [channels, height, width] = input
  if (input.length !== 3 || channels === undefined || height === undefined || width === undefined) {
    return read.fail(`needs a feature map [channels, height, width], got [${input.join(', ')}]`, 'ERR_SHAPE', {
      expected: 3,
      actual: input,
    })
  }
  return [channels, height, width]
}
