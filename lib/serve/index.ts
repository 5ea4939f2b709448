/** Serving trained networks over HTTP by the Open Inference Protocol v2. */
export { ServeError, type ServeErrorCode } from './errors.js'
export type { ModelConfig } from './model-settings.js'
export type { ProtocolOptions, StreamLimits } from './options.js'
export { spikingrxPlugin } from './plugin.js'
export type { RepositoryLog } from './repository.js'
export { type ModelsOptions, openRepository, type ServeOptions, type Service, serve } from './serve.js'
export { createServer, type Server, type ServerOptions } from './server.js'
export type * from './service.js'
