/**
 * A network in one safetensors file: spec and settings in the metadata, parameters and buffers as tensors. A training
 * checkpoint is such a file with the trainer's state beside them, under names that begin with `trainer.`. Weights of a model file may
 * be codes with scales (coded-weights.ts).
 *
 *     spikingrx.format    "1"
 *     spikingrx.version   of the package that wrote it
 *     spikingrx.spec      spec.toJSON()
 *     spikingrx.settings  { dtype, seed }
 *     spikingrx.serving   how it wants to be served, where it says so (serving.ts)
 *     spikingrx.training  position of the run; training checkpoints only
 */
import { type ErrorCode, SpecError } from '../errors.js'
import { Network, type NetworkDtype } from '../model/network.js'
import { parseSpec } from '../model/schema.js'
import { formatShape, sameShape } from '../model/shape.js'
import type { NetworkSpec } from '../model/spec.js'
import { codedNames } from '../model/weight-codes.js'
import type { NamedHandle, TensorHandle } from '../native.js'
import { packageVersion } from '../runtime/files.js'
import { scope } from '../tensor/scope.js'
import { Tensor } from '../tensor/tensor.js'
import { codedScale, codesOf, decodedWeight, weightOfScale } from './coded-weights.js'
import { refuse } from './refusal.js'
import { readSafetensors, type SafetensorsDtype, type SafetensorsTensor, writeSafetensors } from './safetensors.js'
import { classCount, parseServing, type Serving } from './serving.js'
import { storedTensor, tensorOf } from './tensor-values.js'

const FORMAT = '1'
const TRAINER = 'trainer.'

/** How safetensors names the element types a network can have. */
const STORED: Readonly<Record<NetworkDtype, SafetensorsDtype>> = { float32: 'F32', float64: 'F64', bfloat16: 'BF16' }

/** A checkpoint that was read and checked; no network was made yet. */
export interface Checkpoint {
  readonly path: string
  readonly spec: NetworkSpec
  readonly dtype: NetworkDtype
  readonly seed: number
  /** Parameters and buffers: exactly those of the spec, in its order. Coded weights are int8. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>
  /** Scales of the coded weights, by the weights' names. */
  readonly scales: ReadonlyMap<string, SafetensorsTensor>
  /** State of the trainer, by its own names; empty in a model file. */
  readonly trainer: ReadonlyMap<string, SafetensorsTensor>
  /** JSON text of the run's position; undefined in a model file. */
  readonly training: string | undefined
  /** How it wants to be served; empty where it does not say. */
  readonly serving: Serving
  /** Whether the file had a checksum, which was right. */
  readonly verified: boolean
}

/** What a network is made of. */
export type StoredNetwork = Pick<Checkpoint, 'spec' | 'dtype' | 'seed' | 'tensors' | 'scales'>

/** The trainer's side of a training checkpoint. */
export interface TrainingState {
  readonly tensors: readonly NamedHandle[]
  readonly position: string
}

/** What a file holds besides the network. */
export interface StoreOptions {
  /** State of a training run, read between two steps. */
  readonly training?: () => TrainingState
  readonly serving?: Serving | undefined
  /** Bits that weights are coded with. Default: they are stored as they are. */
  readonly weightBits?: number | undefined
}

/**
 * Writes the network's weights and spec, as they are between two steps.
 *
 * @throws CheckpointError `ERR_CHECKPOINT_WRITE`, SpikingRxError `ERR_NOT_FINITE` for weights that have no code
 */
export async function saveModel(network: Network, path: string, options: StoreOptions = {}): Promise<void> {
  const { training, serving, weightBits } = options
  const { tensors, position } = await network.whenIdle(() => takeTensors(network, training?.(), weightBits))
  await writeSafetensors(path, tensors, {
    'spikingrx.format': FORMAT,
    'spikingrx.version': packageVersion(),
    'spikingrx.spec': JSON.stringify(network.spec),
    'spikingrx.settings': JSON.stringify({ dtype: network.dtype, seed: network.seed }),
    ...(serving === undefined ? {} : { 'spikingrx.serving': JSON.stringify(serving) }),
    ...(position === undefined ? {} : { 'spikingrx.training': position }),
  })
}

interface Taken {
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>
  readonly position: string | undefined
}

function takeTensors(network: Network, training: TrainingState | undefined, weightBits: number | undefined): Taken {
  const coded = weightBits === undefined ? undefined : codedNames(network.spec)
  const tensors = new Map<string, SafetensorsTensor>()
  // Every handle is a tensor first, so that the scope frees them all when one has no code.
  const opened = (handles: readonly NamedHandle[]) =>
    handles.map(({ name, handle }) => [name, new Tensor(handle)] as const)
  scope(() => {
    const [weights, state] = [opened(network.tensors()), opened(training?.tensors ?? [])]
    for (const [name, tensor] of weights) {
      const parts = coded?.has(name) ? codesOf(name, tensor, weightBits!) : [[name, storedTensor(tensor)] as const]
      for (const [part, values] of parts) tensors.set(part, values)
    }
    for (const [name, tensor] of state) tensors.set(TRAINER + name, storedTensor(tensor))
  })
  return { tensors, position: training?.position }
}

/**
 * A network out of a file: all of it, or an error.
 *
 * @throws CheckpointError as {@link readCheckpoint} does
 */
export async function loadModel(path: string, device: string): Promise<Network> {
  return loadCheckpoint(await readCheckpoint(path), device)
}

/** The network of a checkpoint that was read. */
export async function loadCheckpoint(checkpoint: StoredNetwork, device: string): Promise<Network> {
  const { spec, dtype, seed, tensors, scales } = checkpoint
  const network = await Network.create(spec, { device, dtype, seed })
  const valuesOf = (name: string, stored: SafetensorsTensor): Tensor => {
    const scale = scales.get(name)
    return scale === undefined ? tensorOf(stored) : decodedWeight(stored, scale, dtype)
  }
  try {
    loadTensors(tensors, (names, handles) => network.load(names, handles), valuesOf)
    return network
  } catch (error) {
    network.dispose()
    throw error
  }
}

/** Hands the values to the native core and frees the copies. */
export function loadTensors(
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  load: (names: readonly string[], handles: readonly TensorHandle[]) => void,
  valuesOf: (name: string, stored: SafetensorsTensor) => Tensor = (_, stored) => tensorOf(stored),
): void {
  const values: Tensor[] = []
  try {
    for (const [name, stored] of tensors) values.push(valuesOf(name, stored))
    load(
      [...tensors.keys()],
      values.map(({ handle }) => handle),
    )
  } finally {
    for (const value of values) value.dispose()
  }
}

/**
 * Reads a file and checks it completely: safetensors structure and checksum, format, spec, and name, shape and dtype of
 * every tensor against the spec.
 *
 * @throws CheckpointError what `readSafetensors` throws; `ERR_CHECKPOINT_FORMAT` when it is not one of ours,
 * `ERR_CHECKPOINT_SPEC` for a spec that is not valid, `ERR_CHECKPOINT_TENSORS` for tensors that do not fit it
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const { metadata, tensors: stored, verified } = await readSafetensors(path)
  const format = metadata['spikingrx.format']
  if (format !== FORMAT) {
    const what =
      format === undefined ? 'it has no spikingrx.format' : `its format is ${JSON.stringify(format.slice(0, 20))}`
    throw refuse(
      path,
      'ERR_CHECKPOINT_FORMAT',
      `is not a checkpoint this version reads: ${what}, and "${FORMAT}" is wanted`,
    )
  }
  const spec = readSpec(path, metadata['spikingrx.spec'])
  const { dtype, seed } = readSettings(path, metadata['spikingrx.settings'])
  const training = metadata['spikingrx.training']
  const serving = readServing(path, spec, metadata['spikingrx.serving'])

  const tensors = new Map<string, SafetensorsTensor>()
  const scales = new Map<string, SafetensorsTensor>()
  const coded = training === undefined ? codedNames(spec) : undefined
  for (const { name, shape } of spec.summary.flatMap((layer) => layer.tensors)) {
    const tensor = stored.get(name)
    if (!tensor) throw refuse(path, 'ERR_CHECKPOINT_TENSORS', `lacks the tensor ${name} of its spec`)
    const isCode = tensor.dtype === 'I8' && sameShape(tensor.shape, shape) && coded?.has(name)
    if (isCode) scales.set(name, codedScale(path, stored, name, shape))
    else if (tensor.dtype !== STORED[dtype] || !sameShape(tensor.shape, shape)) {
      const got = `${tensor.dtype} ${formatShape(tensor.shape)}`
      const want = `${STORED[dtype]} ${formatShape(shape)}`
      throw refuse(path, 'ERR_CHECKPOINT_TENSORS', `has the tensor ${name} as ${got}, but its spec wants ${want}`)
    }
    tensors.set(name, tensor)
  }
  const trainer = new Map<string, SafetensorsTensor>()
  for (const [name, tensor] of stored) {
    if (tensors.has(name) || scales.has(weightOfScale(name))) continue
    if (training === undefined || !name.startsWith(TRAINER)) {
      const shown = JSON.stringify(name.slice(0, 60))
      throw refuse(path, 'ERR_CHECKPOINT_TENSORS', `holds the tensor ${shown}, which its spec does not know`)
    }
    trainer.set(name.slice(TRAINER.length), tensor)
  }
  return { path, spec, dtype, seed, tensors, scales, trainer, training, serving, verified }
}

function readSpec(path: string, text: string | undefined): NetworkSpec {
  if (text === undefined) throw refuse(path, 'ERR_CHECKPOINT_SPEC', 'holds no network spec')
  const json = parseJson(path, 'ERR_CHECKPOINT_SPEC', 'spec', text)
  try {
    return parseSpec(json)
  } catch (error) {
    if (!(error instanceof SpecError)) throw error
    throw refuse(path, 'ERR_CHECKPOINT_SPEC', `holds a spec that is not valid: ${error.message}`, error)
  }
}

function readSettings(path: string, text: string | undefined): { dtype: NetworkDtype; seed: number } {
  const json = text === undefined ? undefined : parseJson(path, 'ERR_CHECKPOINT_FORMAT', 'settings', text)
  const { dtype, seed } = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>
  const known = (Object.keys(STORED) as NetworkDtype[]).find((name) => name === dtype)
  if (known === undefined || typeof seed !== 'number' || !Number.isSafeInteger(seed) || seed < 0) {
    throw refuse(path, 'ERR_CHECKPOINT_FORMAT', 'holds settings that are not a dtype and a seed')
  }
  return { dtype: known, seed }
}

function readServing(path: string, spec: NetworkSpec, text: string | undefined): Serving {
  if (text === undefined) return {}
  const json = parseJson(path, 'ERR_CHECKPOINT_FORMAT', 'serving description', text)
  return parseServing('its serving description', json, classCount(spec), (message) =>
    refuse(path, 'ERR_CHECKPOINT_FORMAT', `can't be served as it says: ${message}`),
  )
}

/** The value of a JSON text in a checkpoint. @throws CheckpointError with `code` */
export function parseJson(path: string, code: ErrorCode, what: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw refuse(path, code, `holds a ${what} that is not JSON`, error)
  }
}
