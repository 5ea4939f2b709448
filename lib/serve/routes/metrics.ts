import type { ServiceMetrics } from '../metrics.js'
import type { Endpoints } from './endpoint.js'

/** Metrics in Prometheus' text format. */
export function metricsRoutes(endpoints: Endpoints, { registry }: ServiceMetrics): void {
  endpoints.add(
    'GET',
    '/metrics',
    { id: 'metrics', summary: 'Metrics for Prometheus', tag: 'Service', answer: { text: 'text/plain' } },
    async (_, reply) => reply.type(registry.contentType).send(await registry.metrics()),
  )
}
