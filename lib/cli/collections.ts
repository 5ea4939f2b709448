/** The data sets that the command line knows by name. */
import { datasets, type TrainTest } from '../data/index.js'
import { DataError } from '../errors.js'

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
  const load = name === 'mnist' ? datasets.mnist : datasets.fashionMnist
  const { train, test } = await load({ directory }).catch((error: unknown) => {
    throw inOptions(error)
  })
  return limit === undefined ? { train, test } : { train: train.take(limit), test: test.take(limit) }
}

/** The same error, with the option's name on the command line. */
function inOptions(error: unknown): unknown {
  if (!(error instanceof DataError) || error.code !== 'ERR_DATA_MISSING') return error
  return new DataError(error.message.replaceAll('`directory`', '--data'), error.code, error.details, error)
}

/** Name of a network trained here: which data set it is for can be read off its checkpoint. */
export function networkName(collection: CollectionName, model: string): string {
  return `${collection}-${model}`
}

/** The data set in such a name. */
export function collectionOf(networkName: string | undefined): CollectionName | undefined {
  return COLLECTIONS.find((name) => networkName?.startsWith(`${name}-`))
}
