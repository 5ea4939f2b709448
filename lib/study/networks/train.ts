/**
 * Training one network of the study, so that it can be interrupted anywhere. Its folder:
 *
 *     plan.json                  what it was trained by; another plan begins anew
 *     curve.json                 loss and accuracy after each epoch
 *     checkpoint-N.safetensors   the newest, while it is trained
 *     network.safetensors        the trained network
 *     result.json                what was measured: written last, so that a network with a result is a finished one
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ArrayDataset } from '../../data/arrays.js'
import { batchCount } from '../../data/dataset.js'
import { AbortedError, ArgumentError, SpikingRxError } from '../../errors.js'
import { replaceFile } from '../../io/replace-file.js'
import { Model } from '../../model/model.js'
import type { LayerSummary, NetworkSpec } from '../../model/spec.js'
import { packageVersion } from '../../runtime/files.js'
import type { TrainOptions } from '../../train/options.js'
import { wholeNumber } from '../quantity.js'
import { measureNetwork, type NetworkMeasurement } from './measure.js'
import { Pruner, type Pruning } from './pruning.js'

/** How a network of the study is made and trained. */
export interface NetworkPlan {
  /** File name of its folder. */
  readonly name: string
  readonly spec: NetworkSpec
  /** Of weights, dropout and the order of samples. */
  readonly seed: number
  readonly training: Pick<
    TrainOptions,
    'epochs' | 'batchSize' | 'optimizer' | 'schedule' | 'loss' | 'regularizer' | 'clipNorm'
  >
  readonly pruning?: Pruning
}

export interface StudyData {
  readonly train: ArrayDataset
  /** Looked at after each epoch for the curve, and measured on at the end; nothing is chosen by it. */
  readonly test: ArrayDataset
}

/** A row of a training curve; accuracies 0 to 1. */
export interface CurvePoint {
  readonly epoch: number
  readonly loss: number
  readonly accuracy: number
  readonly testLoss: number
  readonly testAccuracy: number
  /** Spikes of the output layer for a test sample; undefined where the readout does not spike. */
  readonly outputSpikes?: number
  /** Of the epoch, wall-clock, the look at the test data included. */
  readonly seconds: number
}

export interface TrainedNetwork {
  readonly name: string
  readonly seed: number
  readonly parameters: number
  readonly curve: readonly CurvePoint[]
  readonly measured: NetworkMeasurement
  /** Checkpoint of the trained network. */
  readonly path: string
}

export interface TrainNetworkOptions {
  /** Folder of all networks; this one's is `<name>-seed-<seed>` within it. Made when missing. */
  readonly directory: string
  /**
   * Threads libtorch computes with, in the whole process: other numbers give other roundings, and so slightly other networks. Default: left
   * as it is.
   */
  readonly threads?: number
  /** Stops the training with a checkpoint. */
  readonly signal?: AbortSignal
  /** Told as it goes on: 0 to 1, and what is under way. */
  readonly progress?: (done: number, what: string) => void
}

/**
 * Trains a network and measures it on the test data, taking up what lies in its folder: a finished network of the same plan is not trained
 * again, an interrupted one goes on from its checkpoint to the same bits.
 *
 * @throws AbortedError `ERR_ABORTED` when stopped by its signal; the next call goes on from there
 * @throws SpikingRxError `ERR_REPORT_WRITE` when the folder can't be written, ArgumentError `ERR_RANGE`, `ERR_TYPE` for a plan that is not usable
 */
export async function trainNetwork(
  plan: NetworkPlan,
  data: StudyData,
  { directory, threads, signal, progress }: TrainNetworkOptions,
): Promise<TrainedNetwork> {
  if (!/^[\w-]+$/.test(plan.name)) {
    const got = JSON.stringify(plan.name)
    throw new ArgumentError(`trainNetwork: name must be of letters, digits, _ and -, got ${got}`, 'ERR_RANGE')
  }
  wholeNumber('trainNetwork', 'seed', plan.seed, { min: 0 })
  const folder = join(directory, `${plan.name}-seed-${plan.seed}`)
  const description = JSON.stringify({ ...plan, samples: data.train.length, version: packageVersion() })
  const files = {
    plan: join(folder, 'plan.json'),
    curve: join(folder, 'curve.json'),
    network: join(folder, 'network.safetensors'),
    result: join(folder, 'result.json'),
  }
  if ((await readText(files.plan)) === description) {
    const finished = await readJson<TrainedNetwork>(files.result)
    if (finished !== undefined) return { ...finished, path: files.network }
  } else {
    await writing(folder, () => rm(folder, { recursive: true, force: true }))
    await write(files.plan, description)
  }
  await using model = await Model.create(plan.spec, {
    seed: plan.seed,
    device: 'cpu',
    ...(threads === undefined ? {} : { threads }),
  })
  const curve = await trainModel(model, plan, data, {
    directory: folder,
    before: (await readJson<CurvePoint[]>(files.curve)) ?? [],
    after: (points) => write(files.curve, JSON.stringify(points)),
    ...(signal ? { signal } : {}),
    ...(progress ? { progress } : {}),
  })
  progress?.(1, 'measuring')
  const measured = await measureNetwork(model, data.test, signal ? { signal } : {})
  await model.save(files.network)
  const { name, seed, spec } = plan
  const result: TrainedNetwork = { name, seed, parameters: spec.parameters, curve, measured, path: files.network }
  await write(files.result, JSON.stringify(result))
  await removeCheckpoints(folder)
  return result
}

interface TrainingFolder extends TrainNetworkOptions {
  /** The curve so far, in a run that goes on. */
  readonly before: readonly CurvePoint[]
  /** Keeps the curve. */
  readonly after: (curve: readonly CurvePoint[]) => Promise<void>
}

async function trainModel(
  model: Model,
  plan: NetworkPlan,
  { train, test }: StudyData,
  { directory, signal, progress, before, after }: TrainingFolder,
): Promise<readonly CurvePoint[]> {
  const { epochs = 1, batchSize = 128 } = plan.training
  const totalSteps = epochs * batchCount(train.length, batchSize)
  using pruner = plan.pruning === undefined ? undefined : new Pruner(model, plan.pruning, totalSteps)
  const readout = spikingReadout(plan.spec)
  let curve: CurvePoint[] = []
  const events = model.train(train, {
    ...plan.training,
    batchSize,
    validation: test,
    stepEvery: pruner === undefined ? 25 : 1,
    measureRates: readout !== undefined,
    checkpoint: { directory, keep: 1 },
    resume: true,
    ...(signal ? { signal } : {}),
  })
  for await (const event of events) {
    if (event.type === 'resume') {
      pruner?.resume(event.step)
      curve = before.filter(({ epoch }) => epoch < event.epoch)
    } else if (event.type === 'step') {
      pruner?.after(event.step)
      if (event.step % 25 === 0) progress?.(event.step / totalSteps, `epoch ${event.epoch} of ${epochs}`)
    } else if (event.type === 'epoch') {
      const { epoch, loss, accuracy, validation, seconds } = event
      const { loss: testLoss, accuracy: testAccuracy, firingRates } = validation!
      const spikes = readout && { outputSpikes: firingRates[readout.name]! * readout.output[0]! * plan.spec.steps }
      curve.push({ epoch, loss, accuracy, testLoss, testAccuracy, ...spikes, seconds })
      await after(curve)
    } else if (event.type === 'end' && event.reason === 'aborted') {
      throw new AbortedError(
        `the training of ${plan.name} was stopped by its signal`,
        { name: plan.name },
        signal?.reason,
      )
    }
  }
  return curve
}

/** The neurons behind the last connections, if there are any. */
function spikingReadout({ summary }: NetworkSpec): LayerSummary | undefined {
  return summary.slice(summary.findLastIndex(({ kind }) => kind === 'linear')).find(({ kind }) => kind === 'lif')
}

/** A finished network needs none: they are three times its size. */
async function removeCheckpoints(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (name.startsWith('checkpoint-')) await rm(join(folder, name))
}

/** Undefined where there is no file, or one that somebody broke: then it is made again. */
async function readJson<Content>(path: string): Promise<Content | undefined> {
  try {
    return JSON.parse((await readText(path)) ?? '') as Content
  } catch {
    return undefined
  }
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}

function write(path: string, text: string): Promise<void> {
  return writing(path, async () => {
    await mkdir(join(path, '..'), { recursive: true })
    await replaceFile(path, (file) => file.writeFile(text))
  })
}

async function writing(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new SpikingRxError(`the study can't be written to ${path}: ${reason}`, 'ERR_REPORT_WRITE', { path }, error)
  }
}
