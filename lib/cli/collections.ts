/** The data sets that the command line knows by name. */
import { datasets, type TrainTest } from '../data/index.js'

export const COLLECTIONS = ['mnist', 'fashion-mnist'] as const
export type CollectionName = (typeof COLLECTIONS)[number]

/** For sentences. */
export const collectionTitles: Readonly<Record<CollectionName, string>> = {
  mnist: 'MNIST',
  'fashion-mnist': 'Fashion-MNIST',
}

/**
 * Training and test images, the first `limit` of each where given.
 *
 * @throws DataError when the files are missing or damaged
 */
export async function loadCollection(
  name: CollectionName,
  { directory, limit }: { readonly directory?: string | undefined; readonly limit?: number | undefined },
): Promise<TrainTest> {
  const { train, test } = await (name === 'mnist' ? datasets.mnist : datasets.fashionMnist)({ directory })
  return limit === undefined ? { train, test } : { train: train.take(limit), test: test.take(limit) }
}

/** Name of a network trained here: which data set it is for can be read off its checkpoint. */
export function networkName(collection: CollectionName, model: string): string {
  return `${collection}-${model}`
}

/** The data set in such a name. */
export function collectionOf(networkName: string | undefined): CollectionName | undefined {
  return COLLECTIONS.find((name) => networkName?.startsWith(`${name}-`))
}
