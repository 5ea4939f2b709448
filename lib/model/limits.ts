/**
 * Largest sizes a spec may name. They lie far above what fits in memory on one machine, and far below where products of
 * sizes stop being exact integers, so that a hostile file cannot make arithmetic overflow.
 */
export const LIMITS = {
  /** Channels, features, height, width, kernel sizes. */
  size: 2 ** 24,
  /** Time steps of one presentation. */
  steps: 2 ** 16,
  layers: 4096,
  /** Values in one sample's feature map at one step. */
  values: 2 ** 31,
  /** Parameters and buffers of the whole network. */
  parameters: 2 ** 33,
  /** Class labels, and characters in each and in the name. */
  labels: 2 ** 16,
  text: 1024,
} as const
