import type { FastifyReply } from 'fastify'
import type { CancelListener, CancelSignal } from '../service.js'

/**
 * Aborted when the connection ends before the response has been written. For one listener; an AbortSignal, with its
 * controller and table of listeners, takes as long to make as an image to be read.
 */
export class GoneSignal implements CancelSignal {
  aborted: boolean
  #listener: CancelListener | undefined

  constructor({ raw }: FastifyReply) {
    this.aborted = raw.closed
    raw.on('close', () => {
      if (raw.writableFinished) return
      this.aborted = true
      const listener = this.#listener
      if (typeof listener === 'function') listener()
      else listener?.handleEvent()
    })
  }

  addEventListener(_: 'abort', listener: CancelListener): void {
    this.#listener = listener
  }

  removeEventListener(_: 'abort', listener: CancelListener): void {
    if (this.#listener === listener) this.#listener = undefined
  }
}
