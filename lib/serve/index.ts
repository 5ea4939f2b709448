/** Serving trained networks over HTTP by the Open Inference Protocol v2. */
export { ServeError, type ServeErrorCode } from './errors.js'
export type { ProtocolOptions, StreamLimits } from './options.js'
export { spikingrxPlugin } from './plugin.js'
export { createServer, type Server, type ServerOptions } from './server.js'
export type * from './service.js'
