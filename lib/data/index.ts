/** Datasets: where samples come from, and how they become batches. */
import { fromArrays } from './arrays.js'
import { fromIterable } from './iterable.js'
import { fashionMnist, mnist } from './mnist.js'

export type { ArrayDataset, ArraySource, Sample } from './arrays.js'
export type { Batch, BatchOptions, Dataset, InputArray, TargetArray } from './dataset.js'
export { batchCount } from './dataset.js'
export type { IterableDataset, IterableOptions, IterableSample, SampleSource } from './iterable.js'
export type { MnistOptions, TrainTest } from './mnist.js'
export { prefetch } from './prefetch.js'

/** Every way to a dataset. */
export const datasets = { mnist, fashionMnist, fromArrays, fromIterable } as const
