/**
 * A network in one safetensors file: spec and settings in the metadata, parameters and buffers as tensors. A training
 * checkpoint is such a file with the trainer's state beside them, under names that begin with `trainer.`.
 *
 *     spikingrx.format    "1"
 *     spikingrx.version   of the package that wrote it
 *     spikingrx.spec      spec.toJSON()
 *     spikingrx.settings  { dtype, seed }
 *     spikingrx.serving   how it wants to be served, where it says so (serving.ts)
 *     spikingrx.training  position of the run; training checkpoints only
 */
import { CheckpointError, type ErrorCode, SpecError } from '../errors.js'
import { Network, type NetworkDtype } from '../model/network.js'
import { parseSpec } from '../model/schema.js'
import { formatShape, sameShape } from '../model/shape.js'
import type { NetworkSpec } from '../model/spec.js'
import type { NamedHandle, TensorHandle } from '../native.js'
import { native } from '../runtime/addon.js'
import { packageVersion } from '../runtime/files.js'
import { readSafetensors, type SafetensorsDtype, type SafetensorsTensor, writeSafetensors } from './safetensors.js'
import { classCount, parseServing, type Serving } from './serving.js'
import { tensorFromValues, valuesFromTensor } from './tensor-values.js'

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
  /** Parameters and buffers: exactly those of the spec, in its order. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>
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
export type StoredNetwork = Pick<Checkpoint, 'spec' | 'dtype' | 'seed' | 'tensors'>

/** The trainer's side of a training checkpoint. */
export interface TrainingState {
  readonly tensors: readonly NamedHandle[]
  readonly position: string
}

/**
 * Writes the network's weights and spec, and where given the state of a training run, as they are between two steps.
 *
 * @throws CheckpointError `ERR_CHECKPOINT_WRITE`
 */
export async function saveModel(
  network: Network,
  path: string,
  training?: () => TrainingState,
  serving?: Serving,
): Promise<void> {
  const { tensors, position } = await network.whenIdle(() => takeTensors(network, training?.()))
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

function takeTensors(network: Network, training: TrainingState | undefined): Taken {
  const tensors = new Map<string, SafetensorsTensor>()
  for (const { name, handle } of network.tensors()) tensors.set(name, takeTensor(handle))
  for (const { name, handle } of training?.tensors ?? []) tensors.set(TRAINER + name, takeTensor(handle))
  return { tensors, position: training?.position }
}

/** Copies the values out and frees the handle. */
function takeTensor(handle: TensorHandle): SafetensorsTensor {
  try {
    const { dtype, shape } = native().tensorInfo(handle)
    return tensorFromValues({ data: native().tensorData(handle), shape, dtype })
  } finally {
    native().tensorFree(handle)
  }
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
  const { spec, dtype, seed, tensors } = checkpoint
  const network = await Network.create(spec, { device, dtype, seed })
  try {
    loadTensors(tensors, (names, handles) => network.load(names, handles))
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
): void {
  const handles: TensorHandle[] = []
  try {
    for (const tensor of tensors.values()) {
      const { data, shape, dtype } = valuesFromTensor(tensor)
      handles.push(native().tensorFrom(data, shape, dtype))
    }
    load([...tensors.keys()], handles)
  } finally {
    for (const handle of handles) native().tensorFree(handle)
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
  for (const { name, shape } of spec.summary.flatMap((layer) => layer.tensors)) {
    const tensor = stored.get(name)
    if (!tensor) throw refuse(path, 'ERR_CHECKPOINT_TENSORS', `lacks the tensor ${name} of its spec`)
    if (tensor.dtype !== STORED[dtype] || !sameShape(tensor.shape, shape)) {
      const got = `${tensor.dtype} ${formatShape(tensor.shape)}`
      const want = `${STORED[dtype]} ${formatShape(shape)}`
      throw refuse(path, 'ERR_CHECKPOINT_TENSORS', `has the tensor ${name} as ${got}, but its spec wants ${want}`)
    }
    tensors.set(name, tensor)
  }
  const trainer = new Map<string, SafetensorsTensor>()
  for (const [name, tensor] of stored) {
    if (tensors.has(name)) continue
    if (training === undefined || !name.startsWith(TRAINER)) {
      const shown = JSON.stringify(name.slice(0, 60))
      throw refuse(path, 'ERR_CHECKPOINT_TENSORS', `holds the tensor ${shown}, which its spec does not know`)
    }
    trainer.set(name.slice(TRAINER.length), tensor)
  }
  return { path, spec, dtype, seed, tensors, trainer, training, serving, verified }
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

/** The error for a file that cannot be used. */
export function refuse(path: string, code: ErrorCode, what: string, cause?: unknown): CheckpointError {
  return new CheckpointError(`${path} ${what}`, code, { path }, cause)
}
