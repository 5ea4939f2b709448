import { ArgumentError, ShapeError } from '../errors.js'
import { checkSamples, formatCount, type Samples } from './samples.js'
import { framed, type PlotSpec, sequentialColours } from './theme.js'

export interface ConfusionMatrix {
  /** Names of the classes, in order. */
  readonly classes: readonly string[]
  /** `[true class, predicted class]` row by row. */
  readonly counts: Samples
  readonly title?: string
  readonly subtitle?: string
}

/** Class indices: int64 tensors give BigInt64Array. */
export type Classes = ArrayLike<number | bigint>

/**
 * Counts how often class `i` was taken for class `j`: `counts[i * classes + j]`.
 *
 * @throws ShapeError when the lists differ in length
 * @throws ArgumentError `ERR_RANGE` when an entry is not a class
 */
export function confusionCounts(targets: Classes, predictions: Classes, classes: number): Float64Array {
  if (targets.length !== predictions.length) {
    const details = { targets: targets.length, predictions: predictions.length }
    throw new ShapeError(
      `confusionCounts expects one prediction a target, got ${predictions.length} for ${targets.length}`,
      details,
    )
  }
  const counts = new Float64Array(classes * classes)
  for (let i = 0; i < targets.length; i++) {
    const target = Number(targets[i])
    const predicted = Number(predictions[i])
    for (const value of [target, predicted]) {
      if (!Number.isInteger(value) || value < 0 || value >= classes) {
        const wanted = `classes 0 to ${classes - 1}`
        throw new ArgumentError(`confusionCounts expects ${wanted}, got ${value} at position ${i}`, 'ERR_RANGE', {
          value,
        })
      }
    }
    counts[target * classes + predicted]! += 1
  }
  return counts
}

/**
 * True class down, predicted class across, the count in every cell; darker is a larger share of its row.
 *
 * @throws ShapeError when `counts` is not classes x classes
 */
export function confusionMatrix(matrix: ConfusionMatrix): PlotSpec {
  const classes = matrix.classes
  checkSamples('confusionMatrix: counts', matrix.counts, [classes.length, classes.length])
  const cells = classes.flatMap((target, i) => {
    const row = classes.map((_, j) => matrix.counts[i * classes.length + j]!)
    const total = row.reduce((sum, count) => sum + count, 0)
    return row.map((count, j) => ({ target, predicted: classes[j]!, count, share: total > 0 ? count / total : 0 }))
  })
  const total = cells.reduce((sum, cell) => sum + cell.count, 0)
  const right = cells.reduce((sum, cell) => (cell.target === cell.predicted ? sum + cell.count : sum), 0)
  const accuracy = total > 0 ? ` (${((100 * right) / total).toFixed(2)} %)` : ''
  const axis = {
    labelOverlap: false,
    domain: false,
    ticks: false,
    grid: false,
    labelAngle: longest(classes) > 4 ? -45 : 0,
  }
  return framed(
    {
      text: matrix.title ?? 'Confusion matrix',
      subtitle: [matrix.subtitle ?? '', `${formatCount(right)} of ${formatCount(total)} right${accuracy}`],
    },
    {
      data: { values: cells },
      width: { step: 42 },
      height: { step: 34 },
      encoding: {
        x: { field: 'predicted', type: 'ordinal', sort: null, title: 'predicted class', axis },
        y: { field: 'target', type: 'ordinal', sort: null, title: 'true class', axis: { ...axis, labelAngle: 0 } },
      },
      layer: [
        {
          mark: { type: 'rect', stroke: '#ffffff', strokeWidth: 1 },
          encoding: {
            color: {
              field: 'share',
              type: 'quantitative',
              // The root keeps a confusion of 1 % visible beside a diagonal of 99 %.
              scale: { type: 'sqrt', domain: [0, 1], range: sequentialColours, interpolate: 'rgb' },
              legend: { title: 'share of the row', format: '~%', values: [0, 0.01, 0.1, 0.25, 0.5, 1] },
            },
          },
        },
        {
          mark: { type: 'text', fontSize: 10 },
          encoding: {
            text: { field: 'count', type: 'quantitative', format: ',' },
            color: {
              condition: [
                { test: 'datum.share > 0.4', value: '#ffffff' },
                { test: 'datum.count === 0', value: '#b0b0b0' },
              ],
              value: '#222222',
            },
          },
        },
      ],
    },
  )
}

function longest(names: readonly string[]): number {
  return Math.max(...names.map((name) => name.length))
}
