import { Model } from '../model/model.js'
import type { Device } from '../runtime/device.js'
import { COLLECTIONS, type CollectionName, collectionOf, collectionTitles, loadCollection } from './collections.js'
import { defineCommand, print } from './command.js'
import { EXIT, type ExitCode } from './exit.js'
import { UsageError } from './failure.js'
import { findings } from './findings.js'
import * as options from './options.js'

const definitions = {
  dataset: {
    kind: 'choice',
    choices: COLLECTIONS,
    help: 'the data set (default: the one that the network was trained on)',
  },
  data: options.data,
  limit: { kind: 'integer', min: 1, help: 'the first N test images only' },
  'batch-size': { ...options.batchSize, help: 'images computed at once (default 256)' },
  device: options.device,
  threads: options.threads,
  json: options.json,
} as const satisfies options.Options

export const command = defineCommand({
  name: 'evaluate',
  about: 'Runs the test images through a network: accuracy, loss, mix-ups, firing rates.',
  positionals: [{ name: 'checkpoint', help: 'model.safetensors of a run, or one of its training checkpoints' }],
  options: definitions,
  examples: [
    'spikingrx evaluate runs/mnist-sew-20261122-101500/model.safetensors',
    'spikingrx evaluate model.safetensors --dataset fashion-mnist --json',
  ],
  run: ({ positionals: [path = ''], values }) => evaluate(path, values),
})

async function evaluate(path: string, values: options.Values<typeof definitions>): Promise<ExitCode> {
  const { device = 'auto', threads, dataset } = values
  using model = await Model.load(path, { device: device as Device, ...(threads === undefined ? {} : { threads }) })
  const collection = dataset ?? collectionOf(model.spec.name) ?? unknownCollection(path)
  const { test } = await loadCollection(collection, { directory: values.data, limit: values.limit })
  const { 'batch-size': batchSize = 256 } = values
  const evaluation = await model.evaluate(test, { batchSize })
  if (values.json) print(JSON.stringify({ checkpoint: path, dataset: collection, ...evaluation }))
  else {
    const what = `${path} on the test images of ${collectionTitles[collection]}:`
    print([what, ...findings(evaluation, model.spec, test.classes ?? [])].join('\n'))
  }
  return EXIT.ok
}

function unknownCollection(path: string): CollectionName {
  throw new UsageError(`${path} does not say which data set it is for: add --dataset ${COLLECTIONS.join(' or ')}`)
}
