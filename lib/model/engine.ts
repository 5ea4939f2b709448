/**
 * How a network computes products when it is only asked, never trained (docs/inference.md).
 *
 * - `'auto'`: each layer of each call by events or densely, whichever is cheaper at the spikes it sees
 * - `'dense'`: by libtorch, layer by layer, as in training
 * - `'event'`: always by events; densely only where a weight is not finite
 *
 * All give the same up to rounding. Networks in float64 or bfloat16, or on a GPU, always compute densely.
 */
export type Engine = 'auto' | 'dense' | 'event'

export const engines: readonly Engine[] = ['auto', 'dense', 'event']
