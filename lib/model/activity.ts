/** How active a network is: sums over samples and steps, where a recording would keep every value. */
import { AbortedError, ShapeError } from '../errors.js'
import { add, cast, reshape, scope, Tensor, tensorOp } from '../tensor/index.js'
import { argumentReader, readSignal } from './arguments.js'
import { type ModelInput, resolveInput } from './inputs.js'
import type { Network } from './network.js'
import type { Shape } from './shape.js'

export interface ActivityOptions {
  /** Samples computed at once. Default 16. */
  readonly batchSize?: number
  /** As a training step sees the network: norms by the statistics of each batch, which also move the running ones. Default false. */
  readonly training?: boolean
  /** Stops between batches with an AbortedError. */
  readonly signal?: AbortSignal
}

/** What one layer gave, for each element of its output. */
export interface LayerTotals {
  /** Of the output at one step. */
  readonly shape: Shape
  /** Steps that were summed: T, or 1 before the first neuron, where every step is the same. */
  readonly steps: number
  /** Σ of the values over samples and steps, row-major. */
  readonly sums: Float64Array
  /** Samples and steps with a value that is not zero. */
  readonly nonzero: Float64Array
}

/** {@link LayerTotals} of everything, over all samples. */
export interface ModelActivity {
  readonly samples: number
  /** The samples themselves; of a sequence, over its steps. */
  readonly input: LayerTotals
  /** By name as in recordings: spikes of neurons, output of all other layers. */
  readonly layers: Readonly<Record<string, LayerTotals>>
}

/** Runs all samples and adds up what every layer gives. */
export async function activity(
  network: Network,
  input: ModelInput,
  options: ActivityOptions = {},
): Promise<ModelActivity> {
  const read = argumentReader('activity', options)
  const batchSize = read.integer('batchSize', { min: 1 }, 16)
  const training = read.flag('training', false)
  const signal = readSignal(read)
  read.end()
  const samples = resolveInput(input, network.spec.input)
  if (samples.count === 0) throw new ShapeError('activity needs a sample at least, got none')
  return scope(async () => {
    const sums = new Map<string, Sums>()
    for (let start = 0; start < samples.count; start += batchSize) {
      if (signal?.aborted) throw new AbortedError('activity was stopped by its signal', {}, signal.reason)
      using batch = samples.slice(start, Math.min(start + batchSize, samples.count))
      addTo(sums, INPUT, asSteps(batch, network.spec.input))
      const { output, records } = await network.forward(batch.handle, { record: true, training })
      new Tensor(output).dispose()
      for (const { layer, quantity, handle } of records) {
        using value = new Tensor(handle)
        if (quantity !== 'membrane') addTo(sums, layer, value)
      }
    }
    const totals = [...sums].map(([name, one]) => [name, totalsOf(one)] as const)
    const [[, first], ...layers] = totals as [(typeof totals)[number], ...typeof totals]
    return { samples: samples.count, input: first, layers: Object.fromEntries(layers) }
  })
}

/** No layer has this name. */
const INPUT = ''

interface Sums {
  readonly steps: number
  readonly values: Tensor
  readonly nonzero: Tensor
}

/** Adds values `[B, T, ...]` over B and T. */
function addTo(sums: Map<string, Sums>, name: string, value: Tensor): void {
  const before = sums.get(name)
  const next = scope((): Sums => {
    const values = tensorOp('sum.dim_IntList', [value, [0, 1], false], { dtype: 'float64' })
    const nonzero = cast(tensorOp('count_nonzero.dim_IntList', [value, [0, 1]]), 'float64')
    const steps = value.shape[1]!
    if (before === undefined) return { steps, values, nonzero }
    return { steps, values: add(before.values, values), nonzero: add(before.nonzero, nonzero) }
  })
  before?.values.dispose()
  before?.nonzero.dispose()
  sums.set(name, next)
}

/** A batch of samples as sequences of one step; sequences as they are. */
function asSteps(batch: Tensor, sample: Shape): Tensor {
  const { shape } = batch
  return shape.length > sample.length + 1 ? batch : reshape(batch, [shape[0]!, 1, ...sample])
}

function totalsOf({ steps, values, nonzero }: Sums): LayerTotals {
  const numbers = (tensor: Tensor): Float64Array => tensor.toTypedArray() as Float64Array
  return { shape: values.shape, steps, sums: numbers(values), nonzero: numbers(nonzero) }
}
