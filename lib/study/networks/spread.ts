/** Mean and spread over seeds. */
import type { LayerOperations } from '../operations.js'

export interface Spread {
  readonly mean: number
  /** Standard deviation of a sample (n − 1); 0 for a single value. */
  readonly deviation: number
  readonly lowest: number
  readonly highest: number
}

/** @param values at least one */
export function spreadOf(values: readonly number[]): Spread {
  const mean = meanOf(values)
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return {
    mean,
    deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0,
    lowest: Math.min(...values),
    highest: Math.max(...values),
  }
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** `98.31 ± 0.05 %` of shares from 0 to 1. */
export function percentText(shares: readonly number[], digits = 2): string {
  const { mean, deviation } = spreadOf(shares)
  const spread = shares.length > 1 ? ` ± ${(100 * deviation).toFixed(digits)}` : ''
  return `${(100 * mean).toFixed(digits)}${spread} %`
}

/** The mean of what the same layer, or sum of layers, did in several networks. */
export function meanOperations(rows: readonly LayerOperations[]): LayerOperations {
  const mean = (key: Exclude<keyof LayerOperations, 'name'>): number => meanOf(rows.map((row) => row[key]))
  return {
    name: rows[0]!.name,
    macs: mean('macs'),
    synOps: mean('synOps'),
    neuronUpdates: mean('neuronUpdates'),
    energy: mean('energy'),
    energyWithUpdates: mean('energyWithUpdates'),
  }
}
