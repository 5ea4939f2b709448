/** Settings of a run: from the options for a new one, from its folder for one that goes on. */
import { resolve } from 'node:path'
import type { TrainTest } from '../data/index.js'
import type { SpecJson } from '../model/spec.js'
import { native } from '../runtime/addon.js'
import { packageVersion } from '../runtime/files.js'
import { architectures, type ModelName } from './architectures.js'
import { type CollectionName, networkName } from './collections.js'
import { UsageError } from './failure.js'
import type { RunConfig } from './run-config.js'
import type { StoredRun } from './run-directory.js'

/** Options of `train` that make up a run; undefined where they were not given. */
export interface RunOptions {
  readonly model: ModelName | undefined
  readonly epochs: number | undefined
  readonly 'batch-size': number | undefined
  readonly lr: number | undefined
  readonly steps: number | undefined
  readonly seed: number | undefined
  readonly limit: number | undefined
  readonly device: string | undefined
  readonly threads: number | undefined
  readonly data: string | undefined
}

export const DEFAULT_SEED = 7

/** @throws SpecError when the network can't be built with these steps */
export function newConfig(
  dataset: CollectionName,
  model: ModelName,
  images: TrainTest,
  options: RunOptions,
): RunConfig {
  const architecture = architectures[model]
  const { steps = architecture.steps, lr = architecture.learningRate } = options
  const labels = images.train.classes ?? []
  const input = { name: networkName(dataset, model), labels, input: images.train.inputShape, steps }
  return {
    format: 1,
    dataset,
    model,
    epochs: options.epochs ?? architecture.epochs,
    batchSize: options['batch-size'] ?? architecture.batchSize,
    learningRate: lr,
    steps,
    seed: options.seed ?? DEFAULT_SEED,
    device: options.device ?? 'auto',
    threads: options.threads ?? native().threads(),
    data: options.data === undefined ? null : resolve(options.data),
    limit: options.limit ?? null,
    optimizer: architecture.optimizer({ lr }),
    schedule: architecture.schedule(),
    spec: plain(architecture.build(input, labels.length)),
    created: new Date().toISOString(),
    versions: {
      spikingrx: packageVersion(),
      libtorch: native().versions().libtorch,
      node: process.versions.node,
    },
  }
}

/**
 * The settings a run goes on with: its own. Only where it computes and where the data lie may change.
 *
 * @throws UsageError when an option would make another run of it
 */
export function resumedConfig(
  { directory, config }: StoredRun,
  dataset: CollectionName,
  options: RunOptions,
): RunConfig {
  const { model = config.model } = options
  if (dataset !== config.dataset || model !== config.model) {
    const asked = `${model} on ${dataset}`
    throw new UsageError(`${directory} holds a run of ${config.model} on ${config.dataset}, not of ${asked}`)
  }
  const pairs: readonly (readonly [string, number | undefined, number | null])[] = [
    ['epochs', options.epochs, config.epochs],
    ['batch-size', options['batch-size'], config.batchSize],
    ['lr', options.lr, config.learningRate],
    ['steps', options.steps, config.steps],
    ['seed', options.seed, config.seed],
    ['limit', options.limit, config.limit],
  ]
  for (const [name, asked, stored] of pairs) {
    if (asked === undefined || asked === stored) continue
    const was = stored === null ? 'was started without it' : `was started with ${stored}`
    throw new UsageError(`--${name} ${asked} does not fit the run in ${directory}, which ${was}; leave it out`)
  }
  return {
    ...config,
    device: options.device ?? config.device,
    threads: options.threads ?? config.threads,
    data: options.data === undefined ? config.data : resolve(options.data),
  }
}

/** As it will be read from the file again. */
function plain(spec: { toJSON(): SpecJson }): SpecJson {
  return JSON.parse(JSON.stringify(spec)) as SpecJson
}
