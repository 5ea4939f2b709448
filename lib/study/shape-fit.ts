import { type ActivationKind, activationShapes, type ScaledShape } from './activation.js'

/** Those without a corner, which have an algorithm of their own. */
export type SmoothKind = Exclude<ActivationKind, 'relu' | 'hardSigmoid'>

/**
 * The least-squares fit of amplitude · shape((x − location) / width) to data with x in 0..1, by variable projection (Golub and Pereyra 1973):
 * for a given location and width the best amplitude is Σ y φ / Σ φ², so that two numbers are left to search.
 *
 * A grid of them finds every valley, also those whose middle lies outside the data; the deepest are followed down by Nelder and Mead's simplex
 * (1965).
 */
export function fitShape(kind: SmoothKind, x: Float64Array, y: Float64Array): ScaledShape {
  const shape = activationShapes[kind]
  const project = (point: Point): Projected => {
    const [location, width] = [point[0], Math.exp(point[1])]
    let [products, squares] = [0, 0]
    for (let i = 0; i < x.length; i++) {
      const value = shape((x[i]! - location) / width)
      products += value * y[i]!
      squares += value * value
    }
    const amplitude = squares > 0 ? products / squares : 0
    return { amplitude, location, width, gain: products * amplitude }
  }
  const error = (point: Point): number => {
    const { amplitude, location, width } = project(point)
    let sum = 0
    for (let i = 0; i < x.length; i++) sum += (y[i]! - amplitude * shape((x[i]! - location) / width)) ** 2
    return sum
  }
  let best: Descent | undefined
  for (const start of deepest((point) => -project(point).gain)) {
    const found = descend(error, start)
    if (best === undefined || found.error < best.error) best = found
  }
  const { amplitude, location, width } = project(best!.point)
  return { amplitude, location, width }
}

/** Location, and logarithm of the width; both in units of the data's range. */
type Point = readonly [number, number]

interface Projected extends ScaledShape {
  /** Σ y² − SSE */
  readonly gain: number
}

interface Descent {
  readonly point: Point
  readonly error: number
}

const bounds = { low: -6, high: 7, narrow: Math.log(1e-4), wide: Math.log(20) }
const places = { locations: 105, widths: 40 }
const mostStarts = 8

/** Local minima of the grid, deepest first. Locations are dense within the data and sparse around it. */
function deepest(depth: (point: Point) => number): readonly Point[] {
  const locations = Array.from({ length: places.locations }, (_, i) => {
    const t = (2 * i) / (places.locations - 1) - 1
    return 0.5 + 6.5 * Math.sign(t) * Math.abs(t) ** 2.5
  })
  const widths = Array.from(
    { length: places.widths },
    (_, j) => bounds.narrow + ((bounds.wide - bounds.narrow) * j) / (places.widths - 1),
  )
  const grid = locations.map((location) => widths.map((width) => depth([location, width])))
  const found: { readonly point: Point; readonly value: number }[] = []
  grid.forEach((column, i) => {
    column.forEach((value, j) => {
      const lowest = [-1, 0, 1].every((di) => [-1, 0, 1].every((dj) => value <= (grid[i + di]?.[j + dj] ?? value)))
      if (lowest) found.push({ point: [locations[i]!, widths[j]!], value })
    })
  })
  return found
    .sort((a, b) => a.value - b.value)
    .slice(0, mostStarts)
    .map(({ point }) => point)
}

/** Nelder and Mead, begun anew around its end until that brings nothing more. */
function descend(error: (point: Point) => number, start: Point): Descent {
  let at: Descent = { point: start, error: error(start) }
  for (let round = 0, size = 0.05; round < 12; round++) {
    const next = simplex(error, at, size)
    const gained = at.error - next.error
    at = next
    if (round > 0 && !(gained > 1e-12 * at.error)) break
    size = Math.max(size / 4, 1e-4)
  }
  return at
}

function simplex(error: (point: Point) => number, start: Descent, size: number): Descent {
  // Along an edge of the search the simplex slides.
  const at = (point: Point): Descent => {
    const inside = [clamp(point[0], bounds.low, bounds.high), clamp(point[1], bounds.narrow, bounds.wide)] as const
    return { point: inside, error: error(inside) }
  }
  const [x, w] = start.point
  let [best, middle, worst] = sorted([start, at([x + size, w]), at([x, w - 4 * size])])
  for (let step = 0; step < 400; step++) {
    const spread = Math.abs(worst.point[0] - best.point[0]) + Math.abs(worst.point[1] - best.point[1])
    if (spread < 1e-13) break
    const along = (t: number): Descent =>
      at([
        (1 - t) * 0.5 * (best.point[0] + middle.point[0]) + t * worst.point[0],
        (1 - t) * 0.5 * (best.point[1] + middle.point[1]) + t * worst.point[1],
      ])
    const reflected = along(-1)
    let next = reflected
    if (reflected.error < best.error) next = lower(reflected, along(-2))
    else if (!(reflected.error < middle.error)) next = reflected.error < worst.error ? along(-0.5) : along(0.5)
    if (next.error < worst.error) [best, middle, worst] = sorted([best, middle, next])
    else {
      const towards = ({ point }: Descent): Descent =>
        at([0.5 * (point[0] + best.point[0]), 0.5 * (point[1] + best.point[1])])
      ;[best, middle, worst] = sorted([best, towards(middle), towards(worst)])
    }
  }
  return best
}

function lower(a: Descent, b: Descent): Descent {
  return b.error < a.error ? b : a
}

function sorted(corners: [Descent, Descent, Descent]): [Descent, Descent, Descent] {
  return corners.sort((a, b) => a.error - b.error)
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}
