/** The statistics extension: what each model has answered since it was loaded. */
import type { ProtocolSettings } from '../options.js'
import type { Duration, ServedModel } from '../service.js'
import type { Endpoints, Operation } from './endpoint.js'
import { modelOf } from './model-of.js'

export function statisticsRoutes(endpoints: Endpoints, { repository }: ProtocolSettings): void {
  const operation: Operation = {
    id: 'modelStatistics',
    summary: 'Counters of a model',
    tag: 'Statistics',
    answer: { json: 'Statistics' },
    errors: [404, 503],
  }
  endpoints.add(
    'GET',
    '/v2/models/stats',
    { ...operation, id: 'statistics', summary: 'Counters of every model', errors: [] },
    () => {
      const ready = repository.index().filter(({ state }) => state === 'READY')
      return { model_stats: ready.map(({ name, version }) => described(repository.model(name, version))) }
    },
  )
  endpoints.addForModel('GET', '/stats', operation, (request) => {
    const { version } = request.params as { readonly version?: string }
    const model = modelOf(repository, request)
    const versions = version === undefined ? repository.versions(model.name) : [version]
    return { model_stats: versions.map((one) => described(repository.model(model.name, one))) }
  })
}

function described(model: ServedModel): Record<string, unknown> {
  const counters = model.statistics()
  return {
    name: model.name,
    version: model.version,
    last_inference: counters.lastInference,
    inference_count: counters.inferenceCount,
    execution_count: counters.executionCount,
    inference_stats: {
      success: duration(counters.success),
      fail: duration(counters.fail),
      queue: duration(counters.queue),
      compute_input: duration(counters.computeInput),
      compute_infer: duration(counters.computeInfer),
      compute_output: duration(counters.computeOutput),
    },
    batch_stats: counters.batches.map(({ batchSize, computeInfer }) => ({
      batch_size: batchSize,
      // A batch is timed as a whole.
      compute_input: duration({ count: computeInfer.count, nanoseconds: 0 }),
      compute_infer: duration(computeInfer),
      compute_output: duration({ count: computeInfer.count, nanoseconds: 0 }),
    })),
  }
}

function duration({ count, nanoseconds }: Duration): { readonly count: number; readonly ns: number } {
  return { count, ns: Math.round(nanoseconds) }
}
