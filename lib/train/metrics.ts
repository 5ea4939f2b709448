/** Sums over the batches of an epoch, from what the native core reports for each. */

/** What one batch gave. */
export interface BatchReport {
  /** Mean over the batch. */
  readonly loss: number
  readonly correct: number
  readonly samples: number
  /** One for each spiking layer; empty when they are not measured. */
  readonly firingRates: readonly number[]
}

/** Plain sums, so that a checkpoint can hold the middle of an epoch and the epoch's figures come out the same. */
export interface Totals {
  readonly loss: number
  readonly correct: number
  readonly samples: number
  readonly firingRates: readonly number[]
}

export const NO_TOTALS: Totals = { loss: 0, correct: 0, samples: 0, firingRates: [] }

/** Adds a batch, weighted by its samples. */
export function addBatch(totals: Totals, report: BatchReport): Totals {
  return {
    loss: totals.loss + report.loss * report.samples,
    correct: totals.correct + report.correct,
    samples: totals.samples + report.samples,
    firingRates: report.firingRates.map((rate, layer) => (totals.firingRates[layer] ?? 0) + rate * report.samples),
  }
}

/** Figures over all samples seen. */
export interface Figures {
  /** Mean loss; NaN without samples. */
  readonly loss: number
  /** Share of right decisions, 0 to 1; NaN when the targets are not classes or there are no samples. */
  readonly accuracy: number
  readonly samples: number
  /** Mean value (spikes per neuron and step) of each spiking layer, by its name. */
  readonly firingRates: Readonly<Record<string, number>>
  /** Mean over the layers; NaN where none is measured. */
  readonly firingRate: number
}

/** Means out of sums. */
export function figures(totals: Totals, layers: readonly string[], classes: boolean): Figures {
  const { loss, correct, samples } = totals
  const rates = totals.firingRates.map((rate) => rate / samples)
  return {
    loss: loss / samples,
    accuracy: classes ? correct / samples : Number.NaN,
    samples,
    firingRates: nameRates(layers, rates),
    firingRate: mean(rates),
  }
}

/** `{ 'layers.2': 0.13, ... }`; empty when rates were not measured. */
export function nameRates(layers: readonly string[], rates: readonly number[]): Readonly<Record<string, number>> {
  return Object.fromEntries(rates.map((rate, index) => [layers[index] ?? String(index), rate]))
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Counts of (true class, decided class): row = true, column = decided. */
export class ConfusionMatrix {
  readonly counts: number[][]

  constructor(classes: number) {
    this.counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  }

  /** Ignores what lies outside the classes. */
  add(targets: ArrayLike<number>, decisions: ArrayLike<number | bigint>): void {
    for (let i = 0; i < targets.length; i++) {
      const row = this.counts[targets[i] ?? -1]
      const column = Number(decisions[i] ?? -1)
      if (row !== undefined && column >= 0 && column < row.length) row[column] = (row[column] ?? 0) + 1
    }
  }
}
