import { mnist } from '../../data/mnist.js'
import type { StudyData } from './train.js'

/** The first `train` and `test` images of MNIST. @throws DataError `ERR_DATA_MISSING`, `ERR_DATA_FORMAT` */
export async function firstImages(size: { readonly train: number; readonly test: number }): Promise<StudyData> {
  const { train, test } = await mnist()
  return { train: train.take(size.train), test: test.take(size.test) }
}
