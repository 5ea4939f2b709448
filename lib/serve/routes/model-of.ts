import type { FastifyRequest } from 'fastify'
import type { ModelRepository, ServedModel } from '../service.js'

/** Names in an address under /v2/models/. */
export interface ModelAddress {
  readonly model: string
  readonly version?: string
}

/** The model that an address names. @throws ServeError `ERR_SERVE_MODEL` (404) */
export function modelOf(repository: ModelRepository, request: FastifyRequest): ServedModel {
  const { model, version } = request.params as ModelAddress
  return repository.model(model, version)
}

/** Name and version of the same, as labels of metrics: empty where there is no such model. */
export function namesOf(repository: ModelRepository, request: FastifyRequest): [name: string, version: string] {
  try {
    const { name, version } = modelOf(repository, request)
    return [name, version]
  } catch {
    return ['', '']
  }
}
