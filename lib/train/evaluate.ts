import type { Dataset } from '../data/dataset.js'
import { AbortedError } from '../errors.js'
import { argumentReader, readSignal } from '../model/arguments.js'
import type { Network } from '../model/network.js'
import type { NativeEvaluationReport, NativeSpec } from '../native.js'
import { native } from '../runtime/addon.js'
import { batchTensors, freeBatch, hasClasses } from './batch-tensors.js'
import { type Loss, resolveLoss } from './losses.js'
import { addBatch, ConfusionMatrix, type Figures, figures, NO_TOTALS } from './metrics.js'
import { requireFit } from './options.js'

export interface EvaluateOptions {
  /** Samples computed at once. Default 256. */
  readonly batchSize?: number
  /** Default `crossEntropy()`. */
  readonly loss?: Loss
  /** Measure firing rates. Default true. */
  readonly measureRates?: boolean
  /** Stops between batches with an AbortedError. */
  readonly signal?: AbortSignal
}

/** Figures over a whole data set. */
export interface Evaluation extends Figures {
  /** Row: true class, column: decided class. Empty when the targets are not classes. */
  readonly confusion: number[][]
}

/** Runs a data set through the network without training it. */
export async function evaluate(network: Network, dataset: Dataset, options: EvaluateOptions = {}): Promise<Evaluation> {
  const read = argumentReader('evaluate', options)
  const batchSize = read.integer('batchSize', { min: 1 }, 256)
  const loss = resolveLoss(read.raw('loss') as Loss | undefined)
  const measureRates = read.flag('measureRates', true)
  const signal = readSignal(read)
  read.end()
  requireFit(network.spec, dataset, 'data')

  const layers = native().networkSpikingLayers(network.handle)
  const confusion = new ConfusionMatrix(network.spec.output.length === 1 ? (network.spec.output[0] ?? 0) : 0)
  let totals = NO_TOTALS
  let classes = false
  const description = nativeDescription(loss)
  for await (const tensors of batchTensors(dataset.batches({ batchSize }))) {
    try {
      if (signal?.aborted) throw new AbortedError('the evaluation was stopped by its signal', {}, signal.reason)
      const { batch, inputs, targets } = tensors
      const report = await network.track(
        native().networkEvaluateAsync(network.handle, inputs, targets, description, measureRates),
      )
      totals = addBatch(totals, report)
      const decisions = takePredictions(report)
      if (hasClasses(batch)) {
        classes = true
        confusion.add(batch.targets, decisions)
      }
    } finally {
      freeBatch(tensors)
    }
  }
  return { ...figures(totals, layers, classes), confusion: classes ? confusion.counts : [] }
}

function takePredictions({ predictions }: NativeEvaluationReport): ArrayLike<number | bigint> {
  if (predictions === 0) return []
  try {
    return native().tensorData(predictions)
  } finally {
    native().tensorFree(predictions)
  }
}

/** A loss, optimiser, schedule or regulariser as the native core takes it: flat numbers, strings and flags. */
export function nativeDescription(description: { readonly kind: string }): NativeSpec {
  return { ...description }
}
