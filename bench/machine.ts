import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'

/** The machine that figures were measured on, in one line. */
export function machine(): string {
  const memory = (totalmem() / 2 ** 30).toFixed(0)
  const load = loadavg()[0]!.toFixed(1)
  return `${cpus()[0]?.model.trim()}, ${availableParallelism()} processors, ${memory} GiB, Linux ${release()}, load ${load}`
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The value below which a share of the values lies, between neighbours by distance. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('there is nothing to take a quantile of')
  const sorted = [...values].sort((a, b) => a - b)
  const place = share * (sorted.length - 1)
  const below = Math.floor(place)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!)
}
