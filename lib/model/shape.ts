/** Shape of one sample at one time step (`[C, H, W]` or `[D]`), or of a tensor. */
export type Shape = readonly number[]

/** Number of values in a tensor of this shape; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1)
}

/** `[64, 3, 3]`, as messages and tables write it. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis])
}
