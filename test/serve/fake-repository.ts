/** A repository of models whose answers can be told by hand: no network, so that what is tested is the protocol. */
import { AbortedError } from '../../lib/errors.js'
import { ServeError } from '../../lib/serve/errors.js'
import type {
  Duration,
  InferenceRequest,
  InferenceResult,
  ModelRepository,
  ModelSignature,
  ModelStatistics,
  RepositoryEntry,
  ServedModel,
  TensorValue,
} from '../../lib/serve/service.js'

/** score k of a sample is the sum of its values times weight k. */
export const WEIGHTS = [1, -1, 0.5, 2]

export const LABELS = ['one', 'minus', 'half', 'two']

const outputs: ModelSignature['outputs'] = [
  { name: 'scores', datatype: 'FP32', shape: [-1, 4] },
  { name: 'classes', datatype: 'INT64', shape: [-1] },
  { name: 'steps', datatype: 'FP32', shape: [-1, -1, 4] },
]

export interface FakeModel extends ServedModel {
  /** Requests as they came, newest last. */
  readonly requests: InferenceRequest[]
  /** Sequences by id: the sum of what each has seen, in its first sample. */
  readonly sequences: Map<string, number>
  ready: boolean
}

export type Behaviour = (request: InferenceRequest, model: FakeModel) => Promise<InferenceResult>

/** Sums each sample; a sequence's sums go on from request to request. */
export const sums: Behaviour = async (request, model) => {
  const input = request.inputs.get(model.signature.inputs[0]!.name)
  if (input === undefined || request.inputs.size !== 1)
    throw new ServeError('the model takes one input, "input"', 'ERR_SERVE_INPUT')
  const sample = model.signature.inputs[0]!.shape.slice(1)
  const timed = input.shape.length === sample.length + 2
  const tail = input.shape.slice(timed ? 2 : 1)
  if (tail.join() !== sample.join() || input.shape.length < sample.length + 1)
    throw new ServeError(`input "input" must be [B, ${sample}], got [${input.shape}]`, 'ERR_SERVE_INPUT')
  const batch = input.shape[0]!
  const steps = timed ? input.shape[1]! : 1
  const sumsOf = Array.from({ length: batch }, (_, row) => total(input, row, batch))
  const { sequence } = request
  if (sequence !== undefined) {
    if (!sequence.start && !model.sequences.has(sequence.id))
      throw new ServeError(`there is no sequence ${JSON.stringify(sequence.id)}`, 'ERR_SERVE_SEQUENCE')
    sumsOf[0] = sumsOf[0]! + (sequence.start ? 0 : model.sequences.get(sequence.id)!)
    model.sequences.set(sequence.id, sumsOf[0])
    if (sequence.end) model.sequences.delete(sequence.id)
  }
  const scores = Float32Array.from(sumsOf.flatMap((sum) => WEIGHTS.map((weight) => weight * sum)))
  const classes = BigInt64Array.from(sumsOf, (sum) => (sum >= 0 ? 3n : 1n))
  const all = new Map<string, TensorValue>([
    ['scores', { datatype: 'FP32', shape: [batch, 4], data: scores }],
    ['classes', { datatype: 'INT64', shape: [batch], data: classes }],
    ['steps', { datatype: 'FP32', shape: [batch, 1, 4], data: scores }],
  ])
  const names = request.outputs.length > 0 ? request.outputs : ['scores', 'classes']
  return {
    outputs: new Map(names.map((name) => [name, all.get(name)!])),
    records: request.record
      ? [{ layer: 'layers.0', shape: [batch, steps, 3], values: Float32Array.of(0, 1, 1).slice(0, 3 * batch * steps) }]
      : [],
    queued: 2,
    computed: 3,
    batch: { requests: 1, samples: batch },
    activity: { spikes: 5, synapticOperations: 700 },
  }
}

function total({ data }: TensorValue, row: number, batch: number): number {
  const size = data.length / batch
  let sum = 0
  for (let i = row * size; i < (row + 1) * size; i++) sum += Number(data[i])
  return sum
}

/** Waits for its signal or its timeout. */
export const waits: Behaviour = (request) =>
  new Promise((_, reject) => {
    const timer = setTimeout(
      () => reject(new ServeError('the request waited for too long', 'ERR_SERVE_TIMEOUT')),
      request.timeout ?? 60_000,
    )
    request.signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(new AbortedError('stopped'))
    })
  })

const fails =
  (error: Error): Behaviour =>
  () =>
    Promise.reject(error)

const zero: Duration = { count: 0, nanoseconds: 0 }

function fakeModel(
  name: string,
  version: string,
  input: ModelSignature['inputs'][number],
  behave: Behaviour,
  labels?: readonly string[],
): FakeModel {
  const model: FakeModel = {
    name,
    version,
    ready: true,
    waiting: 3,
    requests: [],
    sequences: new Map(),
    signature: { inputs: [input], outputs, steps: 8, ...(labels ? { labels } : {}) },
    infer: (request) => {
      model.requests.push(request)
      return behave(request, model)
    },
    endSequence: (id) => void model.sequences.delete(id),
    statistics: (): ModelStatistics => ({
      lastInference: 1_700_000_000_000,
      inferenceCount: model.requests.length,
      executionCount: model.requests.length,
      success: { count: model.requests.length, nanoseconds: 1000.6 },
      fail: zero,
      queue: zero,
      computeInput: zero,
      computeInfer: zero,
      computeOutput: zero,
      waiting: 3,
      computing: 0,
      sequences: model.sequences.size,
      batches: [{ batchSize: 1, computeInfer: { count: 2, nanoseconds: 400 } }],
    }),
  }
  return model
}

export interface FakeRepository extends ModelRepository {
  ready: boolean
  readonly calls: string[]
  readonly models: ReadonlyMap<string, readonly FakeModel[]>
}

export function fakeRepository(): FakeRepository {
  const small = { name: 'input', datatype: 'FP32', shape: [-1, 2, 3] } as const
  const models = new Map<string, readonly FakeModel[]>([
    ['sums', [fakeModel('sums', '1', small, sums), fakeModel('sums', '2', small, sums, LABELS)]],
    ['bytes', [fakeModel('bytes', '1', { name: 'input', datatype: 'UINT8', shape: [-1, 4] }, sums)]],
    ['waits', [fakeModel('waits', '1', small, waits)]],
    ['full', [fakeModel('full', '1', small, fails(new ServeError('the queue is full', 'ERR_SERVE_QUEUE_FULL')))]],
    ['broken', [fakeModel('broken', '1', small, fails(new TypeError('/secret/path is undefined')))]],
  ])
  const versionsOf = (name: string): readonly FakeModel[] => {
    const found = models.get(name)
    if (found === undefined) throw new ServeError(`there is no model ${JSON.stringify(name)}`, 'ERR_SERVE_MODEL')
    return found
  }
  const repository: FakeRepository = {
    ready: true,
    calls: [],
    models,
    model: (name, version) => {
      const found = versionsOf(name)
      const model = version === undefined ? found.at(-1) : found.find((one) => one.version === version)
      if (model === undefined) throw new ServeError(`there is no version ${version} of "${name}"`, 'ERR_SERVE_MODEL')
      return model
    },
    versions: (name) => versionsOf(name).map(({ version }) => version),
    index: () => [
      ...[...models.values()]
        .flat()
        .map(({ name, version }): RepositoryEntry => ({ name, version, state: 'READY', reason: '' })),
      { name: 'gone', version: '1', state: 'UNAVAILABLE', reason: 'unloaded' },
    ],
    load: async (name) => {
      repository.calls.push(`load ${name}`)
      versionsOf(name)
    },
    unload: async (name) => {
      repository.calls.push(`unload ${name}`)
      versionsOf(name)
    },
    close: async () => void repository.calls.push('close'),
  }
  return repository
}
