/** From what a batch gave to the answer of each request in it. */
import type { BatchInput, BatchOutput } from './instance.js'
import type { Pending } from './pending.js'
import type { LayerSpikes, TensorValue } from './service.js'
import type { StateRows } from './state-table.js'

/** One input for all requests of a batch, which have one type and one sample shape. */
export function joinInputs(batch: readonly Pending[], state: StateRows | undefined, measure: boolean): BatchInput {
  const { input, outputs, record } = batch[0]!
  const samples = batch.reduce((sum, one) => sum + one.samples, 0)
  return {
    data: batch.length === 1 ? input.data : joined(batch),
    shape: [samples, ...input.sample],
    dtype: input.dtype,
    steps: outputs.some(({ kind }) => kind === 'steps'),
    record,
    measure,
    ...(state === undefined ? {} : { state }),
  }
}

function joined(batch: readonly Pending[]): BatchInput['data'] {
  const { data } = batch[0]!.input
  const length = batch.reduce((sum, { input }) => sum + input.data.length, 0)
  const all = new (data.constructor as new (length: number) => Float32Array)(length)
  let end = 0
  for (const { input } of batch) {
    // All have the type of the first.
    all.set(input.data as Float32Array, end)
    end += input.data.length
  }
  return all
}

/** What one request asked for, out of its rows `first` to `first + samples − 1` of the batch. */
export function takeOutputs(
  { samples, steps, outputs }: Pending,
  first: number,
  output: BatchOutput,
  total: number,
  shape: readonly number[],
): Map<string, TensorValue> {
  const scores = rowsOf(output.scores, first, samples, total)
  return new Map(
    outputs.map(({ name, kind }): [string, TensorValue] => {
      switch (kind) {
        case 'scores':
          return [name, { datatype: 'FP32', shape: [samples, ...shape], data: scores }]
        case 'probabilities':
          return [name, { datatype: 'FP32', shape: [samples, ...shape], data: softmax(scores, samples) }]
        case 'classes':
          return [name, { datatype: 'INT64', shape: [samples], data: largest(scores, samples) }]
        default: {
          const data = rowsOf(output.steps!, first, samples, total)
          return [name, { datatype: 'FP32', shape: [samples, steps, ...shape], data }]
        }
      }
    }),
  )
}

export function takeRecords(
  records: readonly LayerSpikes[],
  first: number,
  samples: number,
  total: number,
): LayerSpikes[] {
  return records.map(({ layer, shape, values }) => ({
    layer,
    shape: [samples, ...shape.slice(1)],
    values: rowsOf(values, first, samples, total),
  }))
}

/** A copy, so that one answer does not keep the whole batch; the array itself where there is no other. */
function rowsOf(values: Float32Array, first: number, count: number, total: number): Float32Array {
  if (count === total) return values
  const width = values.length / total
  return values.slice(first * width, (first + count) * width)
}

/** p[k] = exp(s[k] − max s) / Σ_j exp(s[j] − max s), for each row. */
function softmax(scores: Float32Array, rows: number): Float32Array {
  const probabilities = new Float32Array(scores.length)
  const width = scores.length / rows
  for (let start = 0; start < scores.length; start += width) {
    let most = Number.NEGATIVE_INFINITY
    for (let i = start; i < start + width; i++) most = Math.max(most, scores[i]!)
    let sum = 0
    for (let i = start; i < start + width; i++) sum += Math.exp(scores[i]! - most)
    for (let i = start; i < start + width; i++) probabilities[i] = Math.exp(scores[i]! - most) / sum
  }
  return probabilities
}

/** Place of the largest score of each row, the first of equals. */
function largest(scores: Float32Array, rows: number): BigInt64Array {
  const width = scores.length / rows
  const classes = new BigInt64Array(rows)
  for (let row = 0; row < rows; row++) {
    let best = 0
    for (let k = 1; k < width; k++) if (scores[row * width + k]! > scores[row * width + best]!) best = k
    classes[row] = BigInt(best)
  }
  return classes
}
