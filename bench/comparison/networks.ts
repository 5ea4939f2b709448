/** What the cases with whole networks read: MNIST in one order, first weights, trained weights. All by the package's API. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ArrayDataset, adam, datasets, Model, type NetworkSpec, readSafetensors, snn } from '../../lib/index.js'
import type { Case } from './cases.js'
import { uniform, writeArray } from './inputs.js'
import type { ArrayFile } from './peer-process.js'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const SIDE = 28
const slow = { decay: 0.95, decayInput: false } as const

function perceptron(): NetworkSpec {
  return snn({ input: [1, SIDE, SIDE], steps: 25 })
    .flatten()
    .linear(1000)
    .lif(slow)
    .linear(10)
    .leakyReadout(slow)
}

/** Images and labels of samples in the order of `indices`. */
function gathered(
  set: ArrayDataset,
  indices: Uint32Array,
): { readonly images: Uint8Array; readonly labels: Uint8Array } {
  const images = new Uint8Array(indices.length * SIDE * SIDE)
  const labels = new Uint8Array(indices.length)
  indices.forEach((index, place) => {
    const { input, target } = set.sample(index)
    images.set(input as Uint8Array, place * SIDE * SIDE)
    labels[place] = target as number
  })
  return { images, labels }
}

/** 0 to `length - 1`, shuffled (Fisher and Yates). */
export function shuffled(length: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length }, (_, index) => index)
  const next = uniform(seed)
  for (let last = length - 1; last > 0; last--) {
    const other = Math.floor(next() * (last + 1))
    ;[order[last], order[other]] = [order[other]!, order[last]!]
  }
  return order
}

async function weightsOf(model: Model, folder: string, names: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    model.tensors().flatMap(({ name, tensor }) => {
      const as = names[name]
      if (as === undefined) return []
      return [[as, writeArray(folder, `input-${as}`, tensor.toTypedArray() as Float32Array, tensor.shape)]]
    }),
  )
}

const PERCEPTRON_NAMES = {
  'layers.1.weight': 'hiddenWeight',
  'layers.1.bias': 'hiddenBias',
  'layers.3.weight': 'readoutWeight',
  'layers.3.bias': 'readoutBias',
}

/** Training images in one order, test images, and the weights that every peer starts from. */
export async function mnistInputs(folder: string, { batch, options }: Case): Promise<Record<string, ArrayFile>> {
  const { train, test } = await datasets.mnist()
  const count = Math.min(train.length, batch * Number(options?.iterations))
  const training = gathered(train, shuffled(train.length, 1).subarray(0, count))
  const tests = gathered(
    test,
    Uint32Array.from({ length: Number(options?.tests) }, (_, index) => index),
  )
  using model = await Model.create(perceptron(), { device: 'cpu', seed: 7 })
  return {
    images: writeArray(folder, 'input-images', training.images, [count, 1, SIDE, SIDE]),
    labels: writeArray(folder, 'input-labels', training.labels, [count]),
    testImages: writeArray(folder, 'input-testImages', tests.images, [tests.labels.length, 1, SIDE, SIDE]),
    testLabels: writeArray(folder, 'input-testLabels', tests.labels, [tests.labels.length]),
    ...(await weightsOf(model, folder, PERCEPTRON_NAMES)),
  }
}

/** 64 test images, and the weights of a trained network, whose file is told as well. */
export async function predictInputs(
  folder: string,
  { options }: Case,
): Promise<{ readonly inputs: Record<string, ArrayFile>; readonly model: string }> {
  const { test } = await datasets.mnist()
  const { images } = gathered(
    test,
    Uint32Array.from({ length: 64 }, (_, index) => index),
  )
  const inputs = { images: writeArray(folder, 'input-images', images, [64, 1, SIDE, SIDE]) }
  if (options?.network === 'digits') {
    const model = join(root, 'models', 'demo', 'digits', '1', 'model.safetensors')
    const file = await readSafetensors(model)
    const weights = Object.fromEntries(
      [...file.tensors].map(([name, { data, shape }]) => [
        name,
        writeArray(folder, `input-${name}`, new Float32Array(Uint8Array.from(data).buffer), shape),
      ]),
    )
    return { inputs: { ...inputs, ...weights }, model }
  }
  const path = join(folder, 'perceptron.safetensors')
  trained ??= trainedPerceptron()
  const model = await trained
  await model.save(path)
  return { inputs: { ...inputs, ...(await weightsOf(model, folder, PERCEPTRON_NAMES)) }, model: path }
}

let trained: Promise<Model> | undefined

/** A quarter of an epoch: about 92 % of the test images right. */
async function trainedPerceptron(): Promise<Model> {
  const { train } = await datasets.mnist()
  const model = await Model.create(perceptron(), { device: 'cpu', seed: 7 })
  const options = { epochs: 1, maxSteps: 117, batchSize: 128, optimizer: adam({ lr: 1e-3 }), seed: 7 }
  for await (const _ of model.train(train, options));
  return model
}
