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
