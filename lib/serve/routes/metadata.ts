/** What server and models say of themselves. */
import { packageVersion } from '../../runtime/files.js'
import type { ProtocolSettings } from '../options.js'
import type { Endpoints } from './endpoint.js'
import { modelOf } from './model-of.js'

export function metadataRoutes(endpoints: Endpoints, { repository, control }: ProtocolSettings): void {
  const extensions = [
    'binary_tensor_data',
    'classification',
    'sequence',
    'statistics',
    ...(control ? ['model_repository'] : []),
  ]
  const server = { name: 'spikingrx', version: packageVersion(), extensions }
  endpoints.add(
    'GET',
    '/v2',
    {
      id: 'serverMetadata',
      summary: 'Name, version and extensions',
      tag: 'Metadata',
      answer: { json: 'ServerMetadata' },
    },
    () => server,
  )
  endpoints.addForModel(
    'GET',
    '',
    {
      id: 'modelMetadata',
      summary: 'Inputs and outputs of a model',
      tag: 'Metadata',
      answer: { json: 'ModelMetadata' },
      errors: [404, 503],
    },
    (request) => {
      const { name, signature } = modelOf(repository, request)
      const { inputs, outputs, steps, labels } = signature
      const parameters = labels === undefined ? { steps } : { steps, labels }
      return { name, versions: repository.versions(name), platform: 'spikingrx', inputs, outputs, parameters }
    },
  )
}
