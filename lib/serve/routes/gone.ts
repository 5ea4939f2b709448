import type { ServerResponse } from 'node:http'
import type { CancelListener, CancelSignal } from '../service.js'

const SIGNAL = Symbol('signal')

type Response = ServerResponse & { [SIGNAL]?: GoneSignal }

/**
 * Aborted when the connection ends before the response has been written. For one listener; an AbortSignal, with its
 * controller and table of listeners, takes as long to make as an image to be read.
 */
export class GoneSignal implements CancelSignal {
  aborted: boolean
  #listener: CancelListener | undefined

  constructor({ raw }: { readonly raw: Response }) {
    this.aborted = raw.closed
    raw[SIGNAL] = this
    raw.on('close', closed)
  }

  addEventListener(_: 'abort', listener: CancelListener): void {
    this.#listener = listener
  }

  removeEventListener(_: 'abort', listener: CancelListener): void {
    if (this.#listener === listener) this.#listener = undefined
  }

  abort(): void {
    this.aborted = true
    const listener = this.#listener
    if (typeof listener === 'function') listener()
    else listener?.handleEvent()
  }
}

/** One function for all responses: open-requests.ts tells why. */
function closed(this: Response): void {
  if (!this.writableFinished) this[SIGNAL]?.abort()
}
